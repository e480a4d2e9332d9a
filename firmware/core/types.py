"""What flows from layer to layer: every field with its unit and its sign.

Power inside the tick is counted in site power units, suffix `_pu`: one unit is `unit_w` watts, chosen per site so that
150 % of the largest rating stays within 2**19 and a product with a factor up to 2047 stays a 31-bit small integer.
Signs: BESS/PCS discharge +, grid import +, production +, consumption +. load = grid + bess + wind + pv + genset.
"""

from array import array

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


class Reading:
    """One measured quantity as a driver last saw it."""

    def __init__(self):
        self.value = 0  # in the quantity's canonical unit; power in site power units
        self.t_ms = 0  # tick of the sampling instant
        self.count = 0  # valid values so far
        self.fails = 0  # failed or rejected attempts so far


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
