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
GAP_RESTART = 1
GAP_CLOCK_STEP = 2

# Flags of a record (bit numbers of the format, as masks).
FLAG_CLOCK_STEP = 1 << 0
FLAG_REBOOT = 1 << 1
FLAG_METER_SILENT = 1 << 4
FLAG_IMPLAUSIBLE = 1 << 6
FLAG_BALANCE = 1 << 7
FLAG_POOL_UNDERFLOW = 1 << 8
FLAG_POOL_TRUEUP = 1 << 9
FLAG_FACTOR_STALE = 1 << 10
FLAG_FACTOR_DEFAULT = 1 << 11
FLAG_PARTIAL = 1 << 16

QUARTER_MS = 900_000

# Cells of one Reading.
VALUE = const(0)
T_MS = const(1)
COUNT = const(2)
FAILS = const(3)
READING_CELLS = const(4)

_MASK = const(0x3FFFFFFF)


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


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


def _reading_cell(cell):
    """Make the property of one cell of a reading's row."""
    def get(reading):
        return reading.cells[reading.at + cell]

    def put(reading, value):
        reading.cells[reading.at + cell] = value

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

    def move(self, cells, at):
        """Carry the row over into another array, from `at` on, and work there from now on. Start-up only."""
        for i in range(READING_CELLS):
            cells[at + i] = self.cells[self.at + i]
        self.cells = cells
        self.at = at

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
    """All measured values of one tick, each with its age and state, indexed by role."""

    def __init__(self):
        self.now_ms = 0
        self.power_pu = array("i", [0] * ROLES)
        self.grid_mean_pu = 0  # mean of the grid meter's samples since the last tick: what the book counts
        self.age_ms = array("i", [0] * ROLES)
        self.state = bytearray(ROLES)  # ABSENT, FRESH, STALE or MISSING
        self.soc_permille = 0
        self.soc_state = MISSING
        self.pcs_ready = False  # discovered and answering
        self.pcs_local = False  # somebody commands it on the spot: hands off
        self.pcs_fault = False
        self.all_fresh = False  # every role that the site has is FRESH


class Setpoint:
    """What the PCS and the wind plant are asked for, and why."""

    def __init__(self):
        self.bess_pu = 0  # discharge +
        self.wind_limit_pu = 0  # upper limit of the wind plant's output, >= 0
        self.grid_target_pu = 0  # what the grid meter should read, import +
        self.reason = 0  # a code of control.reasons


class Interval:
    """One quarter hour (or part of one, or a gap) as the ledger closed it; attributes are the record's fields."""

    def __init__(self, kind):
        self.kind = kind
        self.flags = 0
