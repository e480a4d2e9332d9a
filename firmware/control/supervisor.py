"""The supervisor: named states from a table, and the last word on every set point before the wire.

The tick runs the viper functions; Supervisor owns the cells they work on. A cell that may be below zero gets its sign
back by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control import reasons
from firmware.core.types import BESS, GENSET, GRID, LOAD, PV, WIND, cell, ptr8, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

START = 0
ON_GRID = 1
LIMITED = 2
DEGRADED = 3
FAULT = 4
LOCAL = 5
STOPPING = 6
NAMES = ("start", "on_grid", "limited", "degraded", "fault", "local", "stopping")

_ON_GRID = const(1)
_LIMITED = const(2)

# What a state lets the set point do: judge() returns it.
ALLOWED = 1  # be other than zero
COMMANDS = 2  # go to the wire
_ALLOWED = const(1)

# What is wrong, as numbers of bits; the first row of the table whose bit is set decides.
_IF_STOPPING = const(0)
_IF_LOCAL = const(1)
_IF_NEVER_SEEN = const(2)
_IF_PCS_LOST = const(3)
_IF_PCS_FAULT = const(4)
_IF_SOC_LOST = const(5)
_IF_BLIND = const(6)
_IF_SILENT = const(7)  # and the number of the one role that is
IF_WIND_LIMIT_LOST = 13  # these are told by lose()
IF_PV_LIMIT_LOST = 14
IF_GENSET_CONTROL_LOST = 15
IF_BMS_LOST = 16
_IF_SOC_LOST_WITH_BMS = const(17)

_RAMP_MAX_PU_PER_S = const(0x100000)  # from one end of full scale to the other; times 1,000 ms it is a small integer
_START_MS = const(10_000)  # how long a start waits for every meter before it goes on without the silent ones

# bit, state, reason that replaces the tracker's, what it lets the set point do
_TABLE = bytes((
    _IF_STOPPING, STOPPING, reasons.STOPPING, COMMANDS,
    _IF_LOCAL, LOCAL, reasons.PCS_LOCAL, 0,
    _IF_NEVER_SEEN, START, reasons.START, 0,
    _IF_PCS_FAULT, FAULT, reasons.PCS_FAULT, COMMANDS,
    _IF_PCS_LOST, FAULT, reasons.PCS_LOST, COMMANDS,
    _IF_SILENT + BESS, FAULT, reasons.PCS_LOST, COMMANDS,
    _IF_SOC_LOST_WITH_BMS, FAULT, reasons.BMS_LOST, COMMANDS,
    _IF_SOC_LOST, FAULT, reasons.SOC_UNKNOWN, COMMANDS,
    _IF_BLIND, FAULT, reasons.BLIND, COMMANDS,
    _IF_SILENT + LOAD, DEGRADED, reasons.LOAD_SILENT, ALLOWED | COMMANDS,
    _IF_SILENT + GRID, DEGRADED, reasons.GRID_SILENT, ALLOWED | COMMANDS,
    _IF_SILENT + WIND, DEGRADED, reasons.WIND_SILENT, ALLOWED | COMMANDS,
    _IF_SILENT + PV, DEGRADED, reasons.PV_SILENT, ALLOWED | COMMANDS,
    _IF_SILENT + GENSET, DEGRADED, reasons.GENSET_SILENT, ALLOWED | COMMANDS,
    IF_BMS_LOST, DEGRADED, reasons.BMS_LOST, ALLOWED | COMMANDS,  # its last state of charge is not stale yet
    IF_WIND_LIMIT_LOST, DEGRADED, reasons.WIND_LIMIT_LOST, ALLOWED | COMMANDS,
    IF_PV_LIMIT_LOST, DEGRADED, reasons.PV_LIMIT_LOST, ALLOWED | COMMANDS,
    IF_GENSET_CONTROL_LOST, DEGRADED, reasons.GENSET_CONTROL_LOST, ALLOWED | COMMANDS,
    0, ON_GRID, 0xFF, ALLOWED | COMMANDS,  # nothing is wrong, and the tracker's reason stays
))
_ROW = const(4)
_ALL_WELL = const(72)  # where the last row begins
_OWN_REASON = const(0xFF)

# As in core.types.
_ROLES = const(6)
_STATE = const(7)
_SOC_STATE = const(13)
_PCS_READY = const(22)
_PCS_LOCAL = const(23)
_PCS_FAULT = const(24)
_ALL_FRESH = const(25)
_NOW_MS = const(26)
_WANTED = const(0)
_REASON = const(3)
_ABSENT = const(0)
_FRESH = const(1)
_MISSING = const(3)

# As in control.reasons.
_RATING = const(3)
_EXPORT_CAP = const(7)
_RAMP = const(8)

# Cells of Supervisor.
_NOW = const(0)  # the state
_CHANGES = const(1)
_MAY = const(2)
_NAMED = const(3)  # the state's own reason, or _OWN_REASON: the tracker's
_TOLD_TO_STOP = const(4)
_SEEN = const(5)  # every meter has been, or the start is over
_BEGUN = const(6)
_BEGIN_MS = const(7)
_LAST_PU = const(8)
_RAMP_PU = const(9)  # per s
_WRONG = const(10)  # as it was last judged, at first nothing that it could be
_LOST = const(11)  # bits of the devices beside meters and PCS that do not answer
_SOC_WRONG = const(12)  # the bit of a state of charge that is unknown: whose silence it is


@micropython.viper
def judge(sup: ptr32, snap: ptr32) -> int:
    """Return what the state lets the set point do; or -1: what is wrong has changed, ask enter_state()."""
    wrong = sup[_LOST]
    if sup[_TOLD_TO_STOP]:
        wrong |= 1 << _IF_STOPPING
    if snap[_PCS_LOCAL]:
        wrong |= 1 << _IF_LOCAL
    if snap[_PCS_FAULT]:
        wrong |= 1 << _IF_PCS_FAULT
    if snap[_PCS_READY] == 0:
        wrong |= 1 << _IF_PCS_LOST
    if snap[_SOC_STATE] != _FRESH:
        wrong |= sup[_SOC_WRONG]
    silent = 0
    which = 0
    missing = 1 if snap[_SOC_STATE] == _MISSING else 0
    at = _STATE + _ROLES if snap[_ALL_FRESH] else _STATE
    while at < _STATE + _ROLES:
        state = snap[at]
        if state != _FRESH and state != _ABSENT:
            silent += 1
            which = at - _STATE
            if state == _MISSING:
                missing += 1
        at += 1
    if sup[_BEGUN] == 0:
        sup[_BEGUN] = 1
        sup[_BEGIN_MS] = snap[_NOW_MS]
    if missing == 0 or ((snap[_NOW_MS] - sup[_BEGIN_MS]) & _MASK) >= _START_MS:
        sup[_SEEN] = 1  # from then on
    if sup[_SEEN] == 0:
        wrong |= 1 << _IF_NEVER_SEEN
    elif silent:
        wrong |= 1 << _IF_BLIND if silent > 1 else 1 << (_IF_SILENT + which)
    if wrong != sup[_WRONG]:
        sup[_WRONG] = wrong
        return -1
    return sup[_MAY]


@micropython.viper
def enter_state(sup: ptr32) -> int:
    """Enter the state that the table gives for what is wrong; return what it lets the set point do."""
    row = ptr8(_TABLE)
    wrong = sup[_WRONG]
    at = 0
    while at < _ALL_WELL and (wrong & (1 << row[at])) == 0:
        at += _ROW
    state = row[at + 1]
    sup[_NAMED] = row[at + 2]
    sup[_MAY] = row[at + 3]
    if state != sup[_NOW] and not (state == _ON_GRID and sup[_NOW] == _LIMITED):
        sup[_NOW] = state
        sup[_CHANGES] += 1
    return sup[_MAY]


@micropython.viper
def have_last_word(sup: ptr32, point: ptr32, dt_ms: int):
    """Have the last word: zero where the state asks for it, else along the ramp."""
    want_pu = 0
    if sup[_MAY] & _ALLOWED:
        want_pu = ((point[_WANTED] & _MASK) ^ _HALF) - _HALF
        # Limited and on-grid are the same state for safety, another word for people.
        limited = point[_REASON] >= _RATING and point[_REASON] <= _EXPORT_CAP
        if limited and sup[_NOW] == _ON_GRID:
            sup[_NOW] = _LIMITED
            sup[_CHANGES] += 1
        elif not limited and sup[_NOW] == _LIMITED:
            sup[_NOW] = _ON_GRID
            sup[_CHANGES] += 1
    if sup[_NAMED] != _OWN_REASON:
        point[_REASON] = sup[_NAMED]
    last_pu = ((sup[_LAST_PU] & _MASK) ^ _HALF) - _HALF
    step_pu = sup[_RAMP_PU] * dt_ms // 1000 + 1
    ramped = 0
    if want_pu > last_pu + step_pu:
        want_pu = last_pu + step_pu
        ramped = 1
    elif want_pu < last_pu - step_pu:
        want_pu = last_pu - step_pu
        ramped = 1
    if ramped and sup[_NAMED] == _OWN_REASON:
        point[_REASON] = _RAMP
    point[_WANTED] = want_pu
    sup[_LAST_PU] = want_pu


class Supervisor:
    """Decides the state from one Snapshot and clamps the set point; `ramp_pu_per_s` is the site's ramp limit."""

    def __init__(self, ramp_pu_per_s):
        ramp_pu = min(ramp_pu_per_s, _RAMP_MAX_PU_PER_S)
        self.cells = array("i", (START, 0, 0, reasons.START, 0, 0, 0, 0, 0, ramp_pu, 0x3FFFFFFF,
                                 0, 1 << _IF_SOC_LOST))

    state = cell(_NOW)
    changes = cell(_CHANGES)
    stopping = cell(_TOLD_TO_STOP)

    def lose(self, lost):
        """Take which limits, genset controller and BMS do not answer, as bits 1 << IF_... ; from the background."""
        self.cells[_LOST] = lost
        self.cells[_SOC_WRONG] = 1 << (_IF_SOC_LOST_WITH_BMS if lost & (1 << IF_BMS_LOST) else _IF_SOC_LOST)

    @property
    def allowed(self):
        """True when a set point other than zero is."""
        return self.cells[_MAY] & ALLOWED != 0

    @property
    def commands(self):
        """True when this tick's set point goes to the wire."""
        return self.cells[_MAY] & COMMANDS != 0

    def update(self, snap):
        """Find the state for this snapshot as the control tick does."""
        if judge(self.cells, snap.cells) < 0:
            enter_state(self.cells)

    def apply(self, setpoint, dt_ms):
        """Have the last word as the control tick does."""
        have_last_word(self.cells, setpoint.cells, dt_ms)
