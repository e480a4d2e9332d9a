"""Periodic loads: what the load did one period ago says what it will do before a command can act.

Training jobs swing with their iteration period, 0.5 .. 10 s, and their edges are over before a command that answers
them takes effect. control.period finds the period. Here the load is laid onto that of one period ago, a little earlier
or later, so that each edge sets the phase anew; what followed there, up to when a command acts, and with lead for the
lag of the PCS, is what is foreseen. Whether that helps is measured all the time against what the feed-forward alone
commands (control.benefit), and where it does not, the correction fades to nothing.

Behind each control tick learn() prepares the next: all that is past. The tick adds what only its own sample tells.

Loads are kept as levels 0 .. 65535: 16 site power units a count, no power in the middle. Lags and shifts are counted in
samples times 256, into the past. A cell that may be below zero gets its sign back by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control.benefit import weigh
from firmware.control.period import Finder, adopt
from firmware.core.types import cell, ptr16, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_PU_BITS = const(4)
_MIDDLE = const(0x8000)
_TOP = const(0xFFFF)
_TERM_MAX = const(0x80000)

# Cells of Periodic, those up to _HIGH as in control.period.
_HEAD = const(0)  # where in the ring the newest level lies
_SIZE = const(1)
_FILLED = const(2)  # levels taken, up to twice the ring
_PERIOD = const(3)  # samples * 256; 0: none is known
_STEP = const(4)  # from one shift that is tried to the next, samples * 256
_SWING = const(5)  # of the load, levels
_AGE = const(6)  # ticks for which this period has been used, up to _RIPE
_RIPE = const(7)
_COST_BITS = const(8)  # the running costs reach back over 2 ** this ticks
_NOW = const(9)  # newest level
_LOW = const(10)  # bounds of the period, samples * 256
_HIGH = const(11)
_PERIOD_REST = const(12)
_BACK = const(13)  # the period and the shift at which the load fits its past, samples * 256
_AHEAD = const(14)  # from a sample to the middle of the stretch in which its command acts, samples * 256
_LEAD = const(15)  # lag of the PCS over the control period, times 256
_LATE = const(16)  # ticks until the load has shown what should have been commanded
_TAKEN = const(17)  # share of a command's error that the PCS takes up in one period, of 256
_GATE = const(18)  # 0 .. 256: how much of the correction is used
_LEVEL = const(19)  # without lead, of the last look into the past
_SLOT = const(20)
_OFF = const(21)  # error of the command as the PCS makes it felt, levels: the feed-forward's, then the foreseen one's
_COST = const(23)  # running sums of the squares
_GAPS = const(25)  # now less then, at each shift
_MISFITS = const(32)
_READY = const(39)  # 0: the last tick has not been learnt from; 1: the next is prepared; 2: no period, nothing is
_PAST = const(40)  # level that fits the next tick's
_THEN = const(41)  # level to command in the next tick if its own is as it was in the past
_KEPT = const(42)  # 0 .. 256: how much of what is off now will still be off then
_COMMANDS = const(43)  # the feed-forward's, then the foreseen ones, levels
_OPEN = const(75)  # the gate as benefit has set it
_CELLS = const(76)

# As in control.tracker.
_NET_PU = const(16)
_AWAY_PU = const(18)
_SHAPED_PU = const(19)
_TERM_PU = const(20)

_SHIFTS = const(7)
_MIDDLE_SHIFT = const(3)
_WAITING = const(16)
_SLOTS = const(15)
_PERIOD_BITS = const(12)  # an edge moves the period by an eighth of its shift
_FINEST_STEP = const(64)
_LEAD_MAX = 2047
_WHOLE = const(256)
LONGEST_MS = 10_000


@micropython.viper
def repeat(per: ptr32, ring: ptr16, trk: ptr32):
    """Set what is added to the tracker's feed-forward for this tick's net load; 0 if there is no period, or no use."""
    net_pu = ((trk[_NET_PU] & _MASK) ^ _HALF) - _HALF
    level = (net_pu >> _PU_BITS) + _MIDDLE
    if level < 0:
        level = 0
    if level > _TOP:
        level = _TOP
    head = per[_HEAD] + 1
    if head >= per[_SIZE]:
        head = 0
    ring[head] = level
    per[_HEAD] = head
    per[_NOW] = level
    slot = (per[_SLOT] + 1) & _SLOTS
    per[_SLOT] = slot
    slot += _COMMANDS
    direct = trk[_NET_PU] + trk[_SHAPED_PU] - trk[_AWAY_PU]  # what it commands, before any target
    direct = ((((direct & _MASK) ^ _HALF) - _HALF) >> _PU_BITS) + _MIDDLE
    per[slot] = direct
    foreseen = direct
    if per[_READY] == 1:
        foreseen = (level - per[_PAST]) * per[_KEPT] >> 8
        foreseen += ((per[_THEN] & _MASK) ^ _HALF) - _HALF
    per[slot + _WAITING] = foreseen
    per[_READY] = 0
    term_pu = (foreseen - direct) * per[_GATE] >> 8 << _PU_BITS
    if term_pu > _TERM_MAX:
        term_pu = _TERM_MAX
    trk[_TERM_PU] = term_pu if term_pu > 0 - _TERM_MAX else 0 - _TERM_MAX


@micropython.viper
def lay(per: ptr32, ring: ptr16):
    """Lay the newest level onto the past of one period ago, at each shift."""
    size = per[_SIZE]
    head = per[_HEAD]
    now = per[_NOW]
    step = per[_STEP]
    back = per[_PERIOD] - _MIDDLE_SHIFT * step
    j = _GAPS
    while j < _GAPS + _SHIFTS:
        i = head - (back >> 8)
        if i < 0:
            i += size
        newer = int(ring[i])
        i = i - 1 if i else size - 1
        older = int(ring[i])
        gap = now - newer - ((older - newer) * (back & 255) >> 8)
        per[j] = 0 - gap if gap < 0 else gap
        back += step
        j += 1


@micropython.viper
def fit(per: ptr32):
    """Choose the shift with the least misfit. An edge outweighs what was before; where all fit alike none forgets."""
    low = per[_GAPS]
    high = low
    j = _GAPS + 1
    while j < _GAPS + _SHIFTS:
        gap = per[j]
        if gap < low:
            low = gap
        if gap > high:
            high = gap
        j += 1
    # Of 256: what half an edge brings over all shifts takes the place of what was there.
    share = ((high - low) << 8) // ((per[_SWING] * per[_STEP] * (_SHIFTS - 1) >> 9) + 1)
    if share > 128:
        share = 128
    best = 0
    j = 0
    while j < _SHIFTS:
        misfit = per[_MISFITS + j]
        misfit += per[_GAPS + j] - low - (misfit * share >> 8)
        per[_MISFITS + j] = misfit
        if misfit < per[_MISFITS + best]:
            best = j
        j += 1
    part = 0  # of a step, times 128: where between two shifts the misfit would be least
    if best > 0 and best < _SHIFTS - 1:
        left = per[_MISFITS + best - 1]
        right = per[_MISFITS + best + 1]
        depth = (left if left > right else right) - per[_MISFITS + best]
        if depth > 0:
            part = ((left - right) << 6) // depth
    shift = (best - _MIDDLE_SHIFT) * per[_STEP] + (part * per[_STEP] >> 7)
    rest = per[_PERIOD_REST] + shift * share
    per[_PERIOD_REST] = rest & (1 << _PERIOD_BITS) - 1
    period = per[_PERIOD] + (rest >> _PERIOD_BITS)
    if period > per[_LOW] and period < per[_HIGH]:
        per[_PERIOD] = period
    # Far below a sample, the shift that fits one edge is a matter of where its samples fell: of no use for the next.
    per[_BACK] = per[_PERIOD] + (shift if per[_STEP] >= _FINEST_STEP else 0)


@micropython.viper
def look_back(per: ptr32, ring: ptr16, back: int) -> int:
    """Return the level `back` in the past, 384 at least, with lead for the lag of the PCS; by cubics through 4 samples.

    The lead needs the level half a sample later and earlier.
    """
    size = per[_SIZE]
    value = slope = level = 0
    back -= 128
    j = 0
    while j < 3:
        i = per[_HEAD] + 1 - (back >> 8)
        if i < 0:
            i += size
        p0 = int(ring[i])
        i = i - 1 if i else size - 1
        p1 = int(ring[i])
        i = i - 1 if i else size - 1
        p2 = int(ring[i])
        i = i - 1 if i else size - 1
        p3 = int(ring[i])
        part = back & 255
        value = (3 * (p1 - p2) + p3 - p0) * part >> 8
        value = (value + 2 * p0 - 5 * p1 + 4 * p2 - p3) * part >> 8
        value = p1 + ((value + p2 - p0) * part >> 9)
        if j == 0:
            slope = value
        if j == 1:
            level = value
        back += 128
        j += 1
    per[_LEVEL] = level if level > 0 else 0
    return level + ((slope - value) * per[_LEAD] >> 8)


@micropython.viper
def prepare(per: ptr32, past: int, then: int):
    """Keep for the next tick the level that it will be laid onto, and `then`, what is to be commanded if it fits.

    What is off now is off then too, but less so the further the load is about to go: the height of a swing says
    nothing about its foot.
    """
    way = per[_LEVEL] - past
    if way < 0:
        way = 0 - way
    kept = 256
    if way > 0:
        kept -= (way << 8) // (per[_SWING] + 1)
    per[_KEPT] = kept if kept > 0 else 0
    per[_PAST] = past
    per[_THEN] = then
    per[_READY] = 1


class Periodic:
    """The repetitive term of one site: repeat() in each control tick, learn() behind it."""

    def __init__(self, period_ms, delay_ms, lag_ms, fresh_ms=0):
        """`delay_ms`, `lag_ms`: as for tune(); `fresh_ms`: how often the meter has a new value, if it is slow."""
        self.cells = array("i", bytes(4 * _CELLS))
        self.finder = Finder(self.cells, period_ms, fresh_ms)
        self.ring = array("H", bytes(2 * self.cells[_SIZE]))
        self._period_ms = period_ms
        self.tune(delay_ms, lag_ms)

    gate = cell(_GATE)  # 0 .. 256
    open = cell(_OPEN)

    def retune(self, facts):
        """Take what is now known of the ways and of the meter's refresh (control.tuning)."""
        self.finder.refresh(self._period_ms, facts.load_refresh_ms)
        self.tune(facts.delay_ms(), facts.lag_ms)

    def tune(self, delay_ms, lag_ms):
        """Take the way from a sample to its command at the PCS, and the lag of the PCS itself, as measured, >= 0 ms."""
        cells, period_ms = self.cells, self._period_ms
        ahead = (delay_ms * 256 + period_ms * 128) // period_ms
        late = (ahead + 384 + 255) >> 8
        cells[_AHEAD], cells[_LATE] = ahead, min(late, _SLOTS)
        cells[_LEAD] = min(lag_ms * 256 // period_ms, _LEAD_MAX)
        cells[_TAKEN] = period_ms * 256 // (period_ms + lag_ms)
        # A command that takes longer than commands are kept cannot be judged, so no period is accepted.
        self.finder.bound(cells, ahead if late <= _SLOTS else None)
        if cells[_PERIOD] <= cells[_LOW]:
            adopt(cells, 0)

    def forget(self):
        """Let go of the period, if there is one."""
        adopt(self.cells, 0)

    @micropython.native
    def learn(self, trust=_WHOLE):
        """Take in what the last tick has sampled, and prepare the next; 0 .. 256 of what is foreseen is to be used."""
        cells, ring = self.cells, self.ring
        if cells[_READY]:  # there was no tick since
            return
        self.finder.step(cells, ring)
        cells[_READY] = 2
        cells[_OPEN] = 0
        if cells[_PERIOD]:
            lay(cells, ring)
            fit(cells)
            ahead = cells[_AHEAD]
            weigh(cells, look_back(cells, ring, (cells[_LATE] << 8) - ahead))
            cells[_OPEN] = cells[_GATE]
            cells[_GATE] = cells[_GATE] * trust >> 8
            back = cells[_BACK] - 256
            look_back(cells, ring, back)
            past = cells[_LEVEL]
            prepare(cells, past, look_back(cells, ring, back - ahead))
