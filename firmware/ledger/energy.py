"""Energy by source and use: power integrated over the tick into whole Wh, with the remainder carried on.

Two monotone counters, one a direction, never one signed. What is sampled at the tick (load, production) counts with the
mean of this snapshot and the last. The PCS holds its set point in between, and the grid drifts from one set point to
the next: they count with their own value, the grid with the mean of its samples, so that import and export in turn do
not cancel. The sum of two powers (2**20 site units at most) times 1,000 ms is the largest number here, a small integer.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ROLES, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# Counters
LOAD_WH = const(0)
IMPORT_WH = const(1)
EXPORT_WH = const(2)
DISCHARGE_WH = const(3)
CHARGE_WH = const(4)
WIND_WH = const(5)
PV_WH = const(6)
GENSET_WH = const(7)
AUX_WH = const(8)  # what wind, PV and genset plants draw while they produce nothing
SUBSTITUTED_WH = const(9)  # of all of these, from values that were not measured
COUNTERS = const(10)

_NOWHERE = const(10)  # a load below zero is a reversed CT, not a production: the residual shows it

_PIECE_MS = const(1000)
_PAST_MASK = const(0x1FFFFFFF)
_FULL = const(0x10000000)  # with the largest amount on top it is still less than a word
_TWO_WMS_PER_WH = const(7_200_000)

# Where the positive and the negative power of each role go.
_POSITIVE = (LOAD_WH, IMPORT_WH, DISCHARGE_WH, WIND_WH, PV_WH, GENSET_WH)
_NEGATIVE = (_NOWHERE, EXPORT_WH, CHARGE_WH, AUX_WH, AUX_WH, AUX_WH)

# As in core.types.
_GRID = const(1)
_BESS = const(2)
_ROLES = const(6)
_STATE = const(7)
_GRID_MEAN = const(21)
_ABSENT = const(0)
_FRESH = const(1)

# Cells of Energy.
_PER_WH = const(0)
_WH = const(1)  # of each counter and of nowhere
_REST = const(12)  # of each of these: below a Wh
_BEFORE = const(23)  # of each role: its power at the end of the last piece
_PLUS = const(29)  # counter of each role
_MINUS = const(35)
_SUBSTITUTED = const(9)


@micropython.viper
def integrate(energy: ptr32, snap: ptr32, dt_ms: int, last: int):
    """Add `dt_ms`, 0 .. 1000, that end at this snapshot; its powers begin the next piece if this is the `last`."""
    per_wh = energy[_PER_WH]
    role = 0
    while role < _ROLES:
        state = snap[_STATE + role]
        if state != _ABSENT:
            twice_pu = snap[role]
            if role == _GRID:
                twice_pu = 2 * snap[_GRID_MEAN]
            elif role == _BESS:
                twice_pu += twice_pu
            else:
                twice_pu += energy[_BEFORE + role]
            if last:
                energy[_BEFORE + role] = snap[role]
            amount = (((twice_pu & _MASK) ^ _HALF) - _HALF) * dt_ms
            counter = energy[_PLUS + role]
            if amount < 0:
                amount = 0 - amount
                counter = energy[_MINUS + role]
            while True:
                rest = energy[_REST + counter] + amount
                if rest >= _FULL:
                    # Else the division waits, for settle() or for more.
                    whole = rest // per_wh
                    energy[_WH + counter] += whole
                    rest -= whole * per_wh
                energy[_REST + counter] = rest
                if state == _FRESH or counter == _SUBSTITUTED:
                    break
                counter = _SUBSTITUTED
        role += 1


@micropython.viper
def settle(energy: ptr32):
    """Turn what integrate() has left undivided into whole Wh."""
    per_wh = energy[_PER_WH]
    counter = 0
    while counter <= _NOWHERE:
        whole = energy[_REST + counter] // per_wh
        energy[_WH + counter] += whole
        energy[_REST + counter] -= whole * per_wh
        counter += 1


class Energy:
    """Integrates snapshots into the open interval's counters; the tick runs the functions on its cells."""

    def __init__(self, unit_w):
        none = (0,) * (2 * (COUNTERS + 1) + ROLES)
        # per Wh it is exact: every site unit divides it
        self.cells = array("i", (_TWO_WMS_PER_WH // unit_w,) + none + _POSITIVE + _NEGATIVE)
        self._wh = memoryview(self.cells)[_WH:_WH + COUNTERS]
        self.past = array("i", [0] * COUNTERS)  # of all intervals closed so far, 29 bits
        self.rest = memoryview(self.cells)[_REST:_REST + COUNTERS]  # of each counter, in 1/_PER_WH of a Wh

    @property
    def wh(self):
        """The open interval's counters, Wh."""
        settle(self.cells)
        return self._wh

    def add(self, snap, dt_ms):
        """Add `dt_ms` that end at this snapshot; remember() it before the next."""
        while dt_ms > 0:
            piece_ms = min(dt_ms, _PIECE_MS)
            integrate(self.cells, snap.cells, piece_ms, 0)
            dt_ms -= piece_ms

    def remember(self, snap):
        """Keep this snapshot's powers as the beginning of the next piece."""
        for role in range(ROLES):
            self.cells[_BEFORE + role] = snap.power_pu[role]

    @micropython.native
    def move_to(self, wh):
        """Hand the counters over into the array `wh` and begin anew; remainders stay and are never lost."""
        cells = self.cells
        settle(cells)
        past = self.past
        for i in range(COUNTERS):
            wh[i] = cells[_WH + i]
            past[i] = past[i] + wh[i] & _PAST_MASK  # a quarter hour is less than 29 bits, so their sum less than 30
            cells[_WH + i] = 0
        cells[_WH + _NOWHERE] = 0

    def total(self, counter):
        """Return what a counter has counted since start, in Wh modulo 2**29. Background only."""
        return self.past[counter] + self.wh[counter] & _PAST_MASK

    def correct(self, counter, wh):
        """Add `wh` to a counter, which does not fall below 0; return what was added. Background only."""
        before = self.wh[counter]
        self.wh[counter] = max(before + wh, 0)
        return self.wh[counter] - before


def sources_wh(wh):
    """Return [wind, pv, genset, grid import, bess discharge] of a counter array, in Wh."""
    return [wh[WIND_WH], wh[PV_WH], wh[GENSET_WH], wh[IMPORT_WH], wh[DISCHARGE_WH]]


def uses_wh(wh):
    """Return [load, bess charge, grid export, auxiliaries] of a counter array, in Wh."""
    return [wh[LOAD_WH], wh[CHARGE_WH], wh[EXPORT_WH], wh[AUX_WH]]
