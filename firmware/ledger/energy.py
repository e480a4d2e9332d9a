"""Energy by source and use: power integrated over the tick into whole Wh, with the remainder carried on.

Two monotone counters, one a direction, never one signed. What is sampled at the tick (load, production) counts with the
mean of this snapshot and the last. The PCS holds its set point in between, and the grid drifts from one set point to
the next: they count with their own value, the grid with the mean of its samples, so that import and export in turn do
not cancel. The sum of two powers (2**20 site units at most) times 1,000 ms is the largest number here, a small integer.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ABSENT, BESS, FRESH, GRID, ROLES

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

_PIECE_MS = const(1000)
_TWO_WMS_PER_WH = const(7_200_000)

# Where the positive and the negative power of each role go. A load below zero is a reversed CT, not a production:
# it is counted nowhere, and the residual shows it.
_POSITIVE = (LOAD_WH, IMPORT_WH, DISCHARGE_WH, WIND_WH, PV_WH, GENSET_WH)
_NEGATIVE = (-1, EXPORT_WH, CHARGE_WH, AUX_WH, AUX_WH, AUX_WH)


class Energy:
    """Integrates snapshots; `wh` holds the open interval's counters in Wh."""

    def __init__(self, unit_w):
        self._per_wh = _TWO_WMS_PER_WH // unit_w  # exact: every site unit divides it
        self.wh = array("i", [0] * COUNTERS)
        self._rest = array("i", [0] * COUNTERS)
        self._last_pu = array("i", [0] * ROLES)

    @micropython.native
    def add(self, snap, dt_ms):
        """Add `dt_ms` that end at this snapshot."""
        while dt_ms > 0:
            piece_ms = dt_ms if dt_ms < _PIECE_MS else _PIECE_MS
            for role in range(ROLES):
                if snap.state[role] != ABSENT:
                    self._add_role(role, snap, piece_ms)
            dt_ms -= piece_ms

    @micropython.native
    def remember(self, snap):
        """Keep this snapshot's powers as the beginning of the next piece."""
        for role in range(ROLES):
            self._last_pu[role] = snap.power_pu[role]

    @micropython.native
    def _add_role(self, role, snap, dt_ms):
        power_pu = snap.grid_mean_pu if role == GRID else snap.power_pu[role]
        before_pu = power_pu if role == GRID or role == BESS else self._last_pu[role]
        amount = (before_pu + power_pu) * dt_ms
        counter = _POSITIVE[role]
        if amount < 0:
            amount = -amount
            counter = _NEGATIVE[role]
        if counter >= 0:
            self._count(counter, amount)
        if snap.state[role] != FRESH:
            self._count(SUBSTITUTED_WH, amount)

    @micropython.native
    def _count(self, counter, amount):
        rest = self._rest[counter] + amount
        per_wh = self._per_wh
        if rest >= per_wh:
            self.wh[counter] += rest // per_wh
            rest %= per_wh
        self._rest[counter] = rest

    @micropython.native
    def move_to(self, wh):
        """Hand the counters over into the array `wh` and begin anew; remainders stay and are never lost."""
        for i in range(COUNTERS):
            wh[i] = self.wh[i]
            self.wh[i] = 0


def sources_wh(wh):
    """Return [wind, pv, genset, grid import, bess discharge] of a counter array, in Wh."""
    return [wh[WIND_WH], wh[PV_WH], wh[GENSET_WH], wh[IMPORT_WH], wh[DISCHARGE_WH]]


def uses_wh(wh):
    """Return [load, bess charge, grid export, auxiliaries] of a counter array, in Wh."""
    return [wh[LOAD_WH], wh[CHARGE_WH], wh[EXPORT_WH], wh[AUX_WH]]
