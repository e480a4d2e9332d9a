"""From rows of readings to the values, ages and states of a Snapshot (core.types): the first step of the control tick.

`fast` is what the tick calls: measure() here, unless hal has put the machine's own in its place. A cell that may be
below zero gets its sign back by ((x & MASK) ^ HALF) - HALF.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_ROWS = const(7)  # the roles, and the state of charge
_GRID = const(1)
_FRESH = const(1)
_STALE = const(2)

# Cells of a row.
_T_MS = const(1)
_COUNT = const(2)
_READING_CELLS = const(4)

# Further cells of the Snapshot.
_STATE = const(7)
_BESS_STATE = const(9)
_SOC_STATE = const(13)
_AGE_MS = const(14)
_GRID_MEAN = const(21)
_PCS_READY = const(22)
_PCS_LOCAL = const(23)
_PCS_FAULT = const(24)
_ALL_FRESH = const(25)
_NOW_MS = const(26)

# What is known beside.
_PRESENT = const(0)  # roles that the site has, and one more
_STALE_MS = const(4)  # limit of each row's age
_SPENT = const(11)  # of each row: the count whose value is not to be had, stale or (0) none yet
_SAYS = const(18)  # 1 where the PCS is ready, local, at fault


@micropython.viper
def measure(snap: ptr32, table: ptr32, cells: ptr32, now_ms: int) -> int:
    """Fill the snapshot for the tick at `now_ms`; return how many roles are silent."""
    snap[_NOW_MS] = now_ms
    silent = cells[_PRESENT]
    row = 0
    at = 0
    while row < _ROWS:
        count = table[at + _COUNT]
        if count != cells[_SPENT + row]:
            snap[row] = table[at]
            age_ms = (((now_ms - table[at + _T_MS]) & _MASK) ^ _HALF) - _HALF
            snap[_AGE_MS + row] = age_ms
            if age_ms > cells[_STALE_MS + row]:
                # Stale until a new value comes, however far the 30-bit tick runs on.
                cells[_SPENT + row] = count
                snap[_STATE + row] = _STALE
            else:
                snap[_STATE + row] = _FRESH
                silent -= 1
        row += 1
        at += _READING_CELLS
    snap[_GRID_MEAN] = snap[_GRID]
    snap[_PCS_READY] = cells[_SAYS] if snap[_BESS_STATE] == _FRESH else 0
    snap[_PCS_LOCAL] = cells[_SAYS + 1]
    snap[_PCS_FAULT] = cells[_SAYS + 2]
    if snap[_SOC_STATE] != _FRESH:
        silent -= 1  # no role: the balance does not miss it
    snap[_ALL_FRESH] = 1 if silent == 0 else 0
    return silent


fast = measure
