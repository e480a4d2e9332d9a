"""From what the drivers last read to one Snapshot of one instant, every value with its age and state (core.snapshot).

A silent meter is a state, not a zero. While exactly one role of the balance is silent, its value is formed from the
others (load = grid + bess + wind + pv + genset), and said to be so by its state.

The tick runs the viper functions; Measure owns the cells they work on. The constants are those of core.types, since
viper takes only its own module's. A cell that may be below zero gets its sign back by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.core.snapshot import measure
from firmware.core.types import ABSENT, MISSING, READING_CELLS, ROLES, Snapshot, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_LIMIT_PU = const(0x90000)  # no meter shows more (drivers.ratio), so none is formed that does

# Roles and the state of charge: rows of the table of readings, cells of the Snapshot.
_LOAD = const(0)
_GRID = const(1)
_ROLES = const(6)
_SOC = const(6)
_ROWS = const(7)

_ABSENT = const(0)
_FRESH = const(1)

# Cells of a row.
_COUNT = const(2)
_READING_CELLS = const(4)

# Further cells of the Snapshot.
_STATE = const(7)
_GRID_STATE = const(8)
_GRID_MEAN = const(21)

# Cells of Measure: the first and the last as in core.snapshot.
_PRESENT = const(0)
_GRID_SUM = const(1)
_GRID_SAMPLES = const(2)
_GRID_COUNT = const(3)  # of the reading when it was last sampled
_STALE_MS = const(4)
_SAYS = const(18)
_CELLS = const(21)


@micropython.viper
def sample_grid(cells: ptr32, table: ptr32):
    """Note the grid meter's value if it is a new one: several times a period, where the period leaves room."""
    count = table[_GRID * _READING_CELLS + _COUNT]
    if count != cells[_GRID_COUNT]:
        cells[_GRID_COUNT] = count
        cells[_GRID_SUM] += table[_GRID * _READING_CELLS]
        cells[_GRID_SAMPLES] += 1


@micropython.viper
def take_mean(cells: ptr32, snap: ptr32):
    """Put the mean of the grid meter's samples into the snapshot, and begin the next."""
    samples = cells[_GRID_SAMPLES]
    if samples and snap[_GRID_STATE] == _FRESH:
        sum_pu = ((cells[_GRID_SUM] & _MASK) ^ _HALF) - _HALF
        snap[_GRID_MEAN] = (2 * sum_pu + samples) // (2 * samples)
    cells[_GRID_SUM] = 0
    cells[_GRID_SAMPLES] = 0


@micropython.viper
def form_silent(snap: ptr32):
    """Give the one silent role the value that the others leave for it: load = sum of the others."""
    silent = 0
    sources_pu = 0
    role = 0
    while role < _ROLES:
        state = snap[_STATE + role]
        if state != _FRESH and state != _ABSENT:
            silent = role
        elif role != _LOAD:
            sources_pu += ((snap[role] & _MASK) ^ _HALF) - _HALF
        role += 1
    formed_pu = sources_pu
    if silent != _LOAD:
        formed_pu = ((snap[_LOAD] & _MASK) ^ _HALF) - _HALF - sources_pu
    if formed_pu > _LIMIT_PU:
        formed_pu = _LIMIT_PU
    if formed_pu < 0 - _LIMIT_PU:
        formed_pu = 0 - _LIMIT_PU
    snap[silent] = formed_pu
    if silent == _GRID:
        snap[_GRID_MEAN] = formed_pu


class Measure:
    """Owns the Snapshot; `readings` is indexed by role, None where the site has no such plant.

    `table` has the readings as rows: they are moved there, the state of charge behind the roles.
    """

    def __init__(self, readings, soc, pcs, stale_ms, soc_hold_ms=0):
        self.snapshot = Snapshot()
        self.cells = array("i", [0] * _CELLS)
        self.table = array("i", [0] * (READING_CELLS * _ROWS))
        says = memoryview(self.cells)[_SAYS:]  # what the PCS says of itself is kept here from now on
        for i in range(len(says)):
            says[i] = pcs.says[i]
        pcs.says = says
        rows = list(readings) + [soc]
        for row in range(_ROWS):
            self.cells[_STALE_MS + row] = stale_ms
            self.snapshot.cells[_STATE + row] = ABSENT if rows[row] is None else MISSING
            if rows[row] is not None:
                rows[row].move(self.table, row * READING_CELLS)
        self.soc_stale_ms = 10 * stale_ms + soc_hold_ms  # it moves slowly: that much longer before it is doubted
        self.cells[_STALE_MS + _SOC] = self.soc_stale_ms
        self.cells[_PRESENT] = sum(readings[role] is not None for role in range(ROLES)) + 1

    def update(self, now_ms):
        """Fill the snapshot for the tick at `now_ms` as the control tick does; returns it."""
        snap = self.snapshot
        if measure(snap.cells, self.table, self.cells, now_ms) == 1:
            form_silent(snap.cells)
        self.sample_grid()
        take_mean(self.cells, snap.cells)
        return snap

    def sample_grid(self):
        """Note the grid meter's value if it is a new one."""
        sample_grid(self.cells, self.table)
