"""The supervisor's states and the one table that leads from what is wrong to a state; STATES.md is the same for people.

What is wrong is a set of bits, one a condition; the first row of the table whose bit is set decides. A test holds
STATES.md against this file, and generates from it what the whole control has to do.
"""

from micropython import const

from firmware.control import reasons

START = 0
ON_GRID = 1
LIMITED = 2
DEGRADED = 3
FAULT = 4
LOCAL = 5
STOPPING = 6
ISLAND = 7
GENSET = 8
MANUAL = 9
DRY_RUN = 10
NAMES = ("start", "on_grid", "limited", "degraded", "fault", "local", "stopping", "island", "genset", "manual",
         "dry_run")

# What a state lets the set point do.
ALLOWED = const(1)  # be other than zero
COMMANDS = const(2)  # go to the wire
LIMITS = const(4)  # wind and PV are told their limits
OBEYS = const(8)  # it is the operator's, not the tracker's
BY_SLOT = const(16)  # the reason is one of a block: the input's slot is added
_ZERO = const(6)
_RUNS = const(7)
_ORDERED = const(15)
_INPUT_ZERO = const(22)
_INPUT_RUNS = const(23)
_HANDS_OFF = const(4)

# What is wrong, as numbers of bits.
IF_STOPPING = const(0)
IF_LOCAL = const(1)
IF_NEVER_SEEN = const(2)
IF_PCS_FAULT = const(3)
IF_PCS_LOST = const(4)
IF_STOPPED = const(5)  # an input was silent whose policy is to stop, and nobody has acknowledged that
IF_SOC_LOST_WITH_BMS = const(6)
IF_SOC_LOST = const(7)
IF_SOC_FROZEN = const(8)
IF_BLIND = const(9)  # several are silent, of which one was to be formed from the others
IF_ZEROED = const(10)  # one is silent whose policy is zero
IF_ISLAND = const(11)  # the grid is away, and the PCS forms one; these three are bits 1 to 3 of control.island
IF_GENSET = const(12)  # the genset does
IF_DARK = const(13)  # nobody does
IF_OVERRIDE = const(14)  # the operator asks for a set point, for a time
IF_MANUAL = const(15)
IF_WORST = const(16)  # one is silent and counts as its worst case
IF_HELD = const(17)  # one is silent and its last value counts
IF_FORMED = const(18)  # one is silent and formed from the others
IF_SOC_HELD = const(19)
IF_BMS_LOST = const(20)
IF_WIND_LIMIT_LOST = const(21)
IF_PV_LIMIT_LOST = const(22)
IF_GENSET_CONTROL_LOST = const(23)
IF_UNASKED = const(24)
IF_DISTURBED = const(25)
IF_DRY = const(26)  # no row: it takes the wire away from whichever row decides
SLOT = const(27)  # from this bit on the slot of the input that is meant: 0 to 5

# The inputs by slot; reasons by slot stand in this order.
SLOTS = ("load", "grid", "wind", "pv", "genset", "soc")
SLOT_SOC = const(5)

OWN_REASON = const(0xFF)  # the row leaves the reason as it is

# bit, state, reason, what it lets the set point do
TABLE = bytes((
    IF_STOPPING, STOPPING, reasons.STOPPING, _ZERO,
    IF_LOCAL, LOCAL, reasons.PCS_LOCAL, _HANDS_OFF,
    IF_NEVER_SEEN, START, reasons.START, _HANDS_OFF,
    IF_PCS_FAULT, FAULT, reasons.PCS_FAULT, _ZERO,
    IF_PCS_LOST, FAULT, reasons.PCS_LOST, _ZERO,
    IF_STOPPED, FAULT, reasons.LOAD_LATCHED, _INPUT_ZERO,
    IF_SOC_LOST_WITH_BMS, FAULT, reasons.BMS_LOST, _ZERO,
    IF_SOC_LOST, FAULT, reasons.SOC_UNKNOWN, _ZERO,
    IF_SOC_FROZEN, FAULT, reasons.SOC_FROZEN, _ZERO,
    IF_BLIND, FAULT, reasons.BLIND, _ZERO,
    IF_ZEROED, FAULT, reasons.LOAD_ZERO, _INPUT_ZERO,
    IF_ISLAND, ISLAND, OWN_REASON, _RUNS,
    IF_GENSET, GENSET, OWN_REASON, _RUNS,
    IF_DARK, ISLAND, reasons.ISLAND_DARK, _ZERO,
    IF_OVERRIDE, MANUAL, OWN_REASON, _ORDERED,
    IF_MANUAL, MANUAL, OWN_REASON, _ORDERED,
    IF_WORST, DEGRADED, reasons.LOAD_WORST, _INPUT_RUNS,
    IF_HELD, DEGRADED, reasons.LOAD_HELD, _INPUT_RUNS,
    IF_FORMED, DEGRADED, reasons.LOAD_SILENT, _INPUT_RUNS,
    IF_SOC_HELD, DEGRADED, reasons.SOC_HELD, _RUNS,
    IF_BMS_LOST, DEGRADED, reasons.BMS_LOST, _RUNS,  # its last state of charge is not stale yet
    IF_WIND_LIMIT_LOST, DEGRADED, reasons.WIND_LIMIT_LOST, _RUNS,
    IF_PV_LIMIT_LOST, DEGRADED, reasons.PV_LIMIT_LOST, _RUNS,
    IF_GENSET_CONTROL_LOST, DEGRADED, reasons.GENSET_CONTROL_LOST, _RUNS,
    IF_UNASKED, DEGRADED, reasons.UNASKED, _RUNS,
    IF_DISTURBED, DEGRADED, reasons.DISTURBED, _RUNS,
    0, ON_GRID, OWN_REASON, _RUNS,  # nothing is wrong
))
ROW = const(4)
ALL_WELL = const(104)  # where the last row begins
