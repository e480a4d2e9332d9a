"""What flows from layer to layer: every field with its unit and its sign.

Power inside the tick is counted in site power units, suffix `_pu`: one unit is `unit_w` watts, chosen per site so that
150 % of the largest rating stays within 2**19 and a product with a factor up to 2047 stays a 31-bit small integer.
Signs: BESS/PCS discharge +, grid import +, production +, consumption +. load = grid + bess + wind + pv + genset.
"""

from array import array

import micropython
from micropython import const

# Roles, in the order of the record.
LOAD = 0
GRID = 1
BESS = 2
WIND = 3
PV = 4
GENSET = 5
ROLES = 6
ROLE_NAMES = ("load", "grid", "bess", "wind", "pv", "genset")

# State of one measured value in a Snapshot.
ABSENT = 0  # the site has no such plant: exactly zero, always
FRESH = 1  # sampled within the role's stale limit
STALE = 2  # last valid value held, too old to be trusted
MISSING = 3  # never had a valid value

# Trust in UTC, as in the record.
CLOCK_UNKNOWN = 0
CLOCK_SET = 1
CLOCK_SYNCHRONISED = 2
CLOCK_HOLDING = 3

# Kinds of record.
KIND_INTERVAL = 1
KIND_GAP = 2
KIND_KEYS = 3
GAP_RESTART = 1
GAP_CLOCK_STEP = 2

# Flags of a record (bit numbers of the format, as masks).
FLAG_CLOCK_STEP = 1 << 0
FLAG_REBOOT = 1 << 1
FLAG_METER_EXCHANGED = 1 << 3
FLAG_METER_SILENT = 1 << 4
FLAG_REGISTER_BACK = 1 << 5
FLAG_IMPLAUSIBLE = 1 << 6
FLAG_BALANCE = 1 << 7
FLAG_POOL_UNDERFLOW = 1 << 8
FLAG_POOL_TRUEUP = 1 << 9
FLAG_FACTOR_STALE = 1 << 10
FLAG_FACTOR_DEFAULT = 1 << 11
FLAG_PARTIAL = 1 << 16
FLAG_FUEL_UNKNOWN = 1 << 18

# State of a meter in a record.
METER_GOOD = 0
METER_TIMED_OUT = 1
METER_DISCONNECTED = 2
METER_EXCHANGED = 3
METER_OUT_OF_RANGE = 4
METER_SUBSTITUTE = 5
METER_READ_ERROR = 6

QUARTER_MS = 900_000

# Cells of one Reading.
VALUE = const(0)
T_MS = const(1)
COUNT = const(2)
FAILS = const(3)
READING_CELLS = const(4)

# Cells of a Snapshot: the power of each role at its own number and the state of charge behind them; of each of these
# seven its state and its age; and the rest.
_SOC = const(6)
_STATE = const(7)  # of each role: ABSENT, FRESH, STALE or MISSING
_SOC_STATE = const(13)
_AGE_MS = const(14)
_GRID_MEAN = const(21)
_PCS_READY = const(22)
_PCS_LOCAL = const(23)
_PCS_FAULT = const(24)
_ALL_FRESH = const(25)
_NOW_MS = const(26)
_SNAPSHOT_CELLS = const(27)

# Cells of a Setpoint.
_WANTED = const(0)
_WIND_LIMIT = const(1)
_TARGET = const(2)
_REASON = const(3)
_SETPOINT_CELLS = const(4)

_MASK = const(0x3FFFFFFF)


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


def ptr16(words):
    """Return `words`: viper takes this name for a pointer to unsigned 16-bit words, and never calls this."""
    return words


def ptr8(data):
    """Return the bytes of `data`: viper takes this name for a pointer to bytes, and never calls this."""
    return memoryview(data).cast("B") if isinstance(data, array) else data


def itself(cells):
    """Return `cells`."""
    return cells


# What viper functions take cells by at the least cost: hal puts their address in its place, where a small integer holds
# it. Only for cells that are never lengthened, and live as long as whoever calls.
at = itself


@micropython.viper
def take(cells: ptr32, at: int, value: int, t_ms: int):
    """Keep a valid value in the row at cells[at]."""
    cells[at] = value
    cells[at + 1] = t_ms
    cells[at + 2] = (cells[at + 2] & (_MASK >> 1)) + 1  # it never comes back to 0, which means none yet


@micropython.viper
def fail(cells: ptr32, at: int):
    """Count a failed or rejected attempt in the row at cells[at]."""
    cells[at + 3] = (cells[at + 3] + 1) & _MASK


class _Cell:
    """One cell of an object as its attribute: as a property would be, at half of what that takes of the heap."""

    def __init__(self, index):
        self.index = index

    def __get__(self, thing, kind):
        return thing.cells[self.index]

    def __set__(self, thing, value):
        thing.cells[self.index] = value


_cells = {}


def cell(index):
    """Return the attribute of an object's cell, an integer, for slow code; one for all classes: heap is scarce."""
    if index not in _cells:
        _cells[index] = _Cell(index)
    return _cells[index]


def _reading_cell(index):
    """Make the property of one cell of a reading's row."""
    def get(reading, index=index):
        return reading.cells[reading.at + index]

    def put(reading, value, index=index):
        reading.cells[reading.at + index] = value

    return property(get, put)


class Reading:
    """One measured quantity as a driver last saw it: a row of four cells, so that viper reads it as integers.

    `value` is in the quantity's canonical unit, power in site power units; `t_ms` the tick of the sampling instant;
    `count` the valid values so far, `fails` the failed or rejected attempts. Drivers call take() and fail(); whoever
    wants several readings in one array moves them there first.
    """

    def __init__(self):
        self.cells = array("i", [0] * READING_CELLS)
        self.at = 0
        self.moved = None  # called after a move, for whoever keeps the array at hand

    def move(self, cells, at):
        """Carry the row over into another array, from `at` on, and work there from now on. Start-up only."""
        for i in range(READING_CELLS):
            cells[at + i] = self.cells[self.at + i]
        self.cells = cells
        self.at = at
        if self.moved:
            self.moved()

    @micropython.native
    def take(self, value, t_ms):
        """Keep a valid value (-2**29 .. 2**29 - 1) and the tick at which it was sampled."""
        take(self.cells, self.at, value, t_ms)

    @micropython.native
    def fail(self):
        """Count a failed or rejected attempt; the last value stays, and ages."""
        fail(self.cells, self.at)

    value = _reading_cell(VALUE)
    t_ms = _reading_cell(T_MS)
    count = _reading_cell(COUNT)
    fails = _reading_cell(FAILS)


class Snapshot:
    """All measured values of one tick, each with its age and state; what is indexed is indexed by role."""

    def __init__(self):
        self.cells = array("i", [0] * _SNAPSHOT_CELLS)
        self.power_pu = memoryview(self.cells)[:ROLES]
        self.age_ms = memoryview(self.cells)[_AGE_MS:_AGE_MS + ROLES]
        self.state = memoryview(self.cells)[_STATE:_STATE + ROLES]  # ABSENT, FRESH, STALE or MISSING
        self.soc_state = MISSING

    now_ms = cell(_NOW_MS)
    grid_mean_pu = cell(_GRID_MEAN)  # mean of the grid meter's samples since the last tick: what the book counts
    soc_permille = cell(_SOC)
    soc_state = cell(_SOC_STATE)
    pcs_ready = cell(_PCS_READY)  # discovered and answering; this and the next three are 0 or 1
    pcs_local = cell(_PCS_LOCAL)  # somebody commands it on the spot: hands off
    pcs_fault = cell(_PCS_FAULT)
    all_fresh = cell(_ALL_FRESH)  # every role that the site has is FRESH


class Setpoint:
    """What the PCS and the wind plant are asked for, and why."""

    def __init__(self):
        self.cells = array("i", [0] * _SETPOINT_CELLS)

    bess_pu = cell(_WANTED)  # discharge +
    wind_limit_pu = cell(_WIND_LIMIT)  # upper limit of the wind plant's output, >= 0
    grid_target_pu = cell(_TARGET)  # what the grid meter should read, import +
    reason = cell(_REASON)  # a code of control.reasons


class Interval:
    """One quarter hour (or part of one, or a gap) as the ledger closed it; attributes are the record's fields."""

    def __init__(self, kind):
        self.kind = kind
        self.flags = 0
        self.events = (0, bytes(32))  # until somebody has counted any
