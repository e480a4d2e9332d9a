"""Cut time into quarter hours, exactly on UTC, each closed exactly once.

The control tick only adds and, at a cut, hands its counters over into one of a few preallocated Closed objects; all
arithmetic on a closed interval is done later, in the background, by ledger.book.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ABSENT, FLAG_CLOCK_STEP, FLAG_METER_SILENT, FRESH, QUARTER_MS, ptr32
from firmware.ledger.energy import COUNTERS

_RING = const(6)  # an hour and a half of closed quarter hours may wait for a flash that refuses
_QUARTER_MS = const(900_000)

# As in core.types.
_ROLES = const(6)
_SOC = const(6)
_STATE = const(7)
_SOC_STATE = const(13)
_ALL_FRESH = const(25)
_ABSENT = const(0)
_FRESH = const(1)

# Cells of Cutter: the open interval's quality.
_PERIOD_MS = const(0)
_SINCE_MS = const(1)  # of a period that has not been counted yet
_GAP_MS = const(2)  # the stretch without good values that lasts now
_EXPECTED = const(3)
_OK = const(4)
_GAP_MAX_MS = const(5)
_HELD = const(6)
_BALANCED = const(7)
_SILENT = const(8)  # a bit for each role that was not fresh for a while
_SOC_START = const(9)
_CELLS = const(10)
_NO_SOC = const(0xFFFF)


@micropython.viper
def judge_period(cut: ptr32, snap: ptr32, dt_ms: int):
    """Count this period's quality: expected, good, and the longest stretch without good values."""
    # By elapsed time and not by ticks: one that was held up is followed by an early one.
    since_ms = cut[_SINCE_MS] + dt_ms
    periods = since_ms // cut[_PERIOD_MS]
    cut[_SINCE_MS] = since_ms - periods * cut[_PERIOD_MS]
    cut[_EXPECTED] += periods
    if cut[_SOC_START] == _NO_SOC and snap[_SOC_STATE] == _FRESH:
        cut[_SOC_START] = snap[_SOC]
    if snap[_ALL_FRESH]:
        cut[_OK] += periods
        cut[_GAP_MS] = 0
        return
    gap_ms = cut[_GAP_MS] + dt_ms
    if gap_ms > _QUARTER_MS:
        gap_ms = _QUARTER_MS
    cut[_GAP_MS] = gap_ms
    if gap_ms > cut[_GAP_MAX_MS]:
        cut[_GAP_MAX_MS] = gap_ms
    silent = 0
    role = 0
    while role < _ROLES:
        if snap[_STATE + role] != _FRESH and snap[_STATE + role] != _ABSENT:
            silent += 1
            cut[_SILENT] |= 1 << role
        role += 1
    cut[_HELD if silent > 1 else _BALANCED] = 1


class Closed:
    """One closed interval as plain numbers, waiting for the background."""

    def __init__(self):
        self.wh = array("i", [0] * COUNTERS)
        self.quarter = 0
        self.ms = 0  # start within the quarter
        self.duration_ms = 0
        self.up_s = 0
        self.up_ms = 0
        self.trust = 0
        self.set_up_s = 0  # uptime at which UTC was last set, as it stood at the close
        self.closed_up_s = 0
        self.error_ms = 0
        self.ticks_expected = 0
        self.ticks_ok = 0
        self.gap_max_ms = 0
        self.held = False  # a value was held although it was stale
        self.balanced = False  # a value was formed from the other meters
        self.silent = 0  # a bit for each role that was not fresh for a while
        self.silent_last = 0  # and for each that was not at the end
        self.flags = 0
        self.soc_start_permille = -1  # first state of charge seen in the interval, -1 when none was
        self.soc_permille = 0
        self.soc_known = False


class Cutter:
    """Adds snapshots to the open interval and cuts it at every quarter hour of `utc`."""

    def __init__(self, energy, utc, period_ms):
        self.energy = energy
        self._utc = utc
        self.cells = array("i", [0] * _CELLS)
        self.cells[_PERIOD_MS] = period_ms
        self._ring = [Closed() for _ in range(_RING)]
        self._first = 0
        self.waiting = 0
        self.kept = 0  # intervals closed since start, those lost not counted
        self.lost = 0  # intervals that found no room in the ring
        self._begin(0)

    @micropython.native
    def add(self, snap, dt_ms):
        """Let `dt_ms` (0 .. 1,000,000 ms) pass at this snapshot; cut as often as UTC says."""
        judge_period(self.cells, snap.cells, dt_ms)
        self.split(snap, dt_ms)

    @micropython.native
    def split(self, snap, dt_ms):
        """Let `dt_ms` pass in pieces that end where a quarter does: what the tick does by itself where none does."""
        while dt_ms > 0:
            left_ms = self._utc.left_ms()
            piece_ms = dt_ms if dt_ms < left_ms else left_ms
            self.energy.add(snap, piece_ms)
            self._utc.advance(piece_ms)
            dt_ms -= piece_ms
            if piece_ms == left_ms:
                self.cut(snap)
        self.energy.remember(snap)

    def open_ms(self):
        """Return how long the open interval is, by the board's own time."""
        utc = self._utc
        return (utc.up_s - self._start_up_s) * 1000 + utc.up_ms - self._start_up_ms

    @micropython.native
    def cut(self, snap):
        """Close the open interval here, if anything is in it, and begin the next."""
        if self.open_ms() > 0:
            if self.waiting < _RING:
                self._fill(self._ring[(self._first + self.waiting) % _RING], snap)
                self.waiting += 1
                self.kept += 1
            else:
                self.lost += 1
        self._begin(0)

    def set_utc(self, snap, quarter, ms, trust, error_ms):
        """Take a setting of UTC: what was open is cut as it was timed so far, and a partial one begins.

        A correction below a second inside the quarter moves the clock without a cut. trust 0 takes UTC away.
        """
        utc = self._utc
        if trust and utc.trust and self._is_correction(quarter, ms):
            utc.set(quarter, ms, trust, ms - utc.ms)
            return
        known = utc.trust != 0
        if known:
            self._flags |= FLAG_CLOCK_STEP
        self.cut(snap)
        if trust:
            utc.set(quarter, ms, trust, error_ms)
        else:
            utc.restart_piece()
        self._begin(FLAG_CLOCK_STEP if known else 0)

    def _is_correction(self, quarter, ms):
        utc = self._utc
        after_start = quarter != self._start_quarter or ms > self._start_ms
        return quarter == utc.quarter and -1000 < ms - utc.ms < 1000 and after_start

    @micropython.native
    def _duration_ms(self):
        """Return how long the open interval is, by UTC where it is known: a corrected clock leaves no hole."""
        utc = self._utc
        if not self._start_trust:
            return self.open_ms()
        return (utc.quarter - self._start_quarter) * QUARTER_MS + utc.ms - self._start_ms

    @micropython.native
    def _fill(self, closed, snap):
        utc = self._utc
        self.energy.move_to(closed.wh)
        closed.quarter = self._start_quarter
        closed.ms = self._start_ms
        closed.duration_ms = self._duration_ms()
        closed.up_s = self._start_up_s
        closed.up_ms = self._start_up_ms
        closed.trust = self._start_trust
        closed.set_up_s = utc.set_up_s
        closed.closed_up_s = utc.up_s
        closed.error_ms = utc.error_ms
        cells = self.cells
        closed.ticks_expected = cells[_EXPECTED]
        closed.ticks_ok = cells[_OK]
        closed.gap_max_ms = cells[_GAP_MAX_MS]
        closed.held = cells[_HELD] != 0
        closed.balanced = cells[_BALANCED] != 0
        closed.silent = cells[_SILENT]
        closed.silent_last = _not_fresh(snap)
        closed.flags = self._flags
        if closed.held or closed.balanced:
            closed.flags |= FLAG_METER_SILENT
        closed.soc_start_permille = -1 if cells[_SOC_START] == _NO_SOC else cells[_SOC_START]
        closed.soc_permille = snap.soc_permille
        closed.soc_known = snap.soc_state == FRESH

    @micropython.native
    def _begin(self, flags):
        utc = self._utc
        self._start_quarter = utc.quarter
        self._start_ms = utc.ms
        self._start_trust = utc.trust_now()
        self._start_up_s = utc.up_s
        self._start_up_ms = utc.up_ms
        for i in range(_EXPECTED, _SOC_START):
            self.cells[i] = 0
        self.cells[_SOC_START] = _NO_SOC
        self._flags = 0
        self._flags |= flags

    def opening(self):
        """Return the start of the open interval as a Closed without content: the stamp of a gap before it."""
        stamp = Closed()
        stamp.quarter, stamp.ms = self._start_quarter, self._start_ms
        stamp.up_s, stamp.up_ms = self._start_up_s, self._start_up_ms
        stamp.trust = self._start_trust
        stamp.set_up_s, stamp.error_ms = self._utc.set_up_s, self._utc.error_ms
        return stamp

    def oldest(self):
        """Return the oldest closed interval that waits, or None."""
        return self._ring[self._first] if self.waiting else None

    def drop_oldest(self):
        """Forget the oldest closed interval: it is safely written."""
        self._first = (self._first + 1) % _RING
        self.waiting -= 1


@micropython.native
def _not_fresh(snap):
    """Return a bit for each role whose value is not fresh."""
    bits = 0
    for role in range(_ROLES):
        if snap.state[role] != FRESH and snap.state[role] != ABSENT:
            bits |= 1 << role
    return bits
