"""The supervisor: the state that the table of states gives for what is wrong, and the last word before the wire.

The tick runs the viper functions; Supervisor owns the cells they work on. A cell that may be below zero gets its sign
back by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control.reasons import MANUAL
from firmware.control.reasons import START as STARTING
from firmware.control.states import ALLOWED, COMMANDS, IF_BMS_LOST, IF_ISLAND, NAMES, START, TABLE
from firmware.core.types import cell, ptr8, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# As in control.states.
_ON_GRID = const(1)
_LIMITED = const(2)
_DRY_RUN = const(10)
_ALLOWED = const(1)
_OBEYS = const(8)
_BY_SLOT = const(16)
_IF_LOCAL = const(1)
_IF_NEVER_SEEN = const(2)
_IF_PCS_FAULT = const(3)
_IF_PCS_LOST = const(4)
_IF_STOPPED = const(5)
_IF_SOC_LOST_WITH_BMS = const(6)
_IF_SOC_LOST = const(7)
_IF_SOC_HELD = const(19)
_IF_DRY = const(26)
_SLOT = const(27)
_SLOT_SOC = const(5)
_ROW = const(4)
_ALL_WELL = const(104)
_OWN_REASON = const(0xFF)

_RAMP_MAX_PU = const(0x100000)  # from one end of full scale to the other; times 1,000 ms it is a small integer
_START_MS = const(10_000)  # how long a start waits for every meter before it goes on without the silent ones
_SOC_MAX = const(1000)  # permille; what is beyond is no state of charge

# As in core.types.
_ROLES = const(6)
_SOC = const(6)
_STATE = const(7)
_SOC_STATE = const(13)
_SOC_AGE_MS = const(20)
_PCS_READY = const(22)
_PCS_LOCAL = const(23)
_PCS_FAULT = const(24)
_ALL_FRESH = const(25)
_NOW_MS = const(26)
_WANTED = const(0)
_REASON = const(3)
_FRESH = const(1)
_MISSING = const(3)

# As in control.limits and control.reasons.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)
_RATING = const(3)
_EXPORT_CAP = const(7)
_RAMP = const(8)
_PCS_LIMITED = const(85)

# Cells of Supervisor.
_NOW = const(0)  # the state
_CHANGES = const(1)
_MAY = const(2)
_NAMED = const(3)  # the row's own reason, or _OWN_REASON
_TOLD = const(4)  # bits that do not come from the snapshot
_SEEN = const(5)  # every meter has been, or the start is over
_BEGUN = const(6)
_BEGIN_MS = const(7)
_LAST_PU = const(8)
_RAMP_PU = const(9)  # in _RAMP_MS
_WRONG = const(10)  # as it was last judged, at first nothing that it could be
_INPUTS = const(11)  # what control.stale has made of the silent meters
_SOC_WRONG = const(12)  # the bit of a state of charge that is unknown: whose silence it is
_LATCH = const(13)  # bit and slot of an input whose policy is to stop, until somebody acknowledges
_SOC_OLD_MS = const(14)  # age from which on a state of charge that still counts is held
_SOC_LATCHES = const(15)
_ORDER_PU = const(16)  # the operator's set point
_ORDER_REASON = const(17)
_RAMP_MS = const(18)  # 1,000, or 1 where the ramp is steep: full scale in a second is too slow for a tick of 20 ms


@micropython.viper
def judge(sup: ptr32, snap: ptr32) -> int:
    """Find the state by what is wrong, where that has changed; return what it lets the set point do."""
    wrong = sup[_TOLD]
    if snap[_PCS_LOCAL]:
        wrong |= 1 << _IF_LOCAL
    if snap[_PCS_FAULT]:
        wrong |= 1 << _IF_PCS_FAULT
    if snap[_PCS_READY] == 0:
        wrong |= 1 << _IF_PCS_LOST
    if snap[_SOC_STATE] != _FRESH or snap[_SOC] & _MASK > _SOC_MAX:
        wrong |= sup[_SOC_WRONG]
        if sup[_SOC_LATCHES] and sup[_SEEN] and sup[_LATCH] == 0:
            sup[_LATCH] = 1 << _IF_STOPPED | _SLOT_SOC << _SLOT
    elif snap[_SOC_AGE_MS] >= sup[_SOC_OLD_MS]:
        wrong |= 1 << _IF_SOC_HELD
    if sup[_LATCH]:
        wrong |= sup[_LATCH]
    elif snap[_ALL_FRESH] == 0:
        wrong |= sup[_INPUTS]
    if sup[_SEEN] == 0:
        wrong |= int(await_meters(sup, snap))
    if wrong != sup[_WRONG]:
        sup[_WRONG] = wrong
        return int(enter_state(sup))
    return sup[_MAY]


@micropython.viper
def await_meters(sup: ptr32, snap: ptr32) -> int:
    """Return the bit of a start that waits for a meter, or 0: from then on it is over."""
    if sup[_BEGUN] == 0:
        sup[_BEGUN] = 1
        sup[_BEGIN_MS] = snap[_NOW_MS]
    missing = 1 if snap[_SOC_STATE] == _MISSING else 0
    at = _STATE
    while at < _STATE + _ROLES:
        if snap[at] == _MISSING:
            missing = 1
        at += 1
    if missing and ((snap[_NOW_MS] - sup[_BEGIN_MS]) & _MASK) < _START_MS:
        return 1 << _IF_NEVER_SEEN
    sup[_SEEN] = 1
    return 0


@micropython.viper
def enter_state(sup: ptr32) -> int:
    """Enter the state that the table gives for what is wrong; return what it lets the set point do."""
    row = ptr8(TABLE)
    wrong = sup[_WRONG]
    at = 0
    while at < _ALL_WELL and (wrong & (1 << row[at])) == 0:
        at += _ROW
    state = row[at + 1]
    named = row[at + 2]
    may = row[at + 3]
    if may & _BY_SLOT:
        named += wrong >> _SLOT
    if wrong & 1 << _IF_DRY:  # all is reckoned, nothing is sent
        state = _DRY_RUN
        may &= _ALLOWED | _OBEYS
    sup[_NAMED] = named
    sup[_MAY] = may
    if state != sup[_NOW] and not (state == _ON_GRID and sup[_NOW] == _LIMITED):
        sup[_NOW] = state
        sup[_CHANGES] += 1
    return may


@micropython.viper
def have_last_word(sup: ptr32, point: ptr32, lim: ptr32, dt_ms: int):
    """Have the last word: zero where the state asks for it, the operator's where it obeys; always along the ramp."""
    want_pu = 0
    if sup[_MAY] & _ALLOWED:
        if sup[_MAY] & _OBEYS:
            obey(sup, point, lim)
        want_pu = ((point[_WANTED] & _MASK) ^ _HALF) - _HALF
        # Limited and on-grid are the same state for safety, another word for people.
        limited = point[_REASON] >= _RATING and point[_REASON] <= _EXPORT_CAP or point[_REASON] == _PCS_LIMITED
        if limited and sup[_NOW] == _ON_GRID:
            sup[_NOW] = _LIMITED
            sup[_CHANGES] += 1
        elif not limited and sup[_NOW] == _LIMITED:
            sup[_NOW] = _ON_GRID
            sup[_CHANGES] += 1
    if sup[_NAMED] != _OWN_REASON:
        point[_REASON] = sup[_NAMED]
    last_pu = ((sup[_LAST_PU] & _MASK) ^ _HALF) - _HALF
    step_pu = sup[_RAMP_PU] * dt_ms // sup[_RAMP_MS] + 1
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


@micropython.viper
def obey(sup: ptr32, point: ptr32, lim: ptr32):
    """Want what the operator asks for, inside the limits of this tick."""
    want_pu = ((sup[_ORDER_PU] & _MASK) ^ _HALF) - _HALF
    low_pu = ((lim[_LOW_PU] & _MASK) ^ _HALF) - _HALF
    high_pu = ((lim[_HIGH_PU] & _MASK) ^ _HALF) - _HALF
    point[_REASON] = sup[_ORDER_REASON]
    if want_pu > high_pu:
        want_pu = high_pu
        point[_REASON] = lim[_HIGH_REASON]
    elif want_pu < low_pu:
        want_pu = low_pu
        point[_REASON] = lim[_LOW_REASON]
    point[_WANTED] = want_pu


class Supervisor:
    """Decides the state from one Snapshot and clamps the set point; `ramp_pu_per_s` is the site's ramp limit.

    `soc_old_ms` is the age from which on a state of charge counts as held, `soc_stops` whether its loss stops.
    """

    def __init__(self, ramp_pu_per_s, soc_old_ms=_MASK, soc_stops=False):
        ramp_pu, ramp_ms = ramp_pu_per_s, 1000
        if ramp_pu > _RAMP_MAX_PU:
            ramp_pu, ramp_ms = min(ramp_pu // 1000, _RAMP_MAX_PU), 1
        self.cells = array("i", (START, 0, 0, STARTING, 0, 0, 0, 0, 0, ramp_pu, 0x3FFFFFFF, 0,
                                 1 << _IF_SOC_LOST, 0, soc_old_ms, soc_stops, 0, MANUAL, ramp_ms))

    state = cell(_NOW)
    changes = cell(_CHANGES)
    told = cell(_TOLD)
    latch = cell(_LATCH)  # not 0: stopped, until acknowledge()

    def tell(self, of, wrong):
        """Take which of the conditions `of` hold: both are sums of 1 << IF_... of control.states; background."""
        self.cells[_TOLD] = self.cells[_TOLD] & ~of | wrong & of
        lost = self.cells[_TOLD] & (1 << IF_BMS_LOST)
        self.cells[_SOC_WRONG] = 1 << (_IF_SOC_LOST_WITH_BMS if lost else _IF_SOC_LOST)

    def tell_island(self, bits):
        """Take who carries the site without grid: bits of control.island."""
        self.tell(7 << IF_ISLAND, (bits >> 1 & 7) << IF_ISLAND)

    def order(self, bess_pu, reason):
        """Take the operator's set point, for the states that obey."""
        self.cells[_ORDER_PU] = bess_pu
        self.cells[_ORDER_REASON] = reason

    def acknowledge(self):
        """Forget that an input was silent whose policy is to stop; where it still is, that begins anew."""
        self.cells[_LATCH] = 0

    @property
    def allowed(self):
        """True when a set point other than zero is."""
        return self.cells[_MAY] & ALLOWED != 0

    @property
    def commands(self):
        """True when this tick's set point goes to the wire."""
        return self.cells[_MAY] & COMMANDS != 0

    def name(self):
        """Return the state's name."""
        return NAMES[self.cells[_NOW]]

    def update(self, snap):
        """Find the state for this snapshot as the control tick does."""
        judge(self.cells, snap.cells)

    def apply(self, setpoint, limits, dt_ms):
        """Have the last word as the control tick does."""
        have_last_word(self.cells, setpoint.cells, limits.cells, dt_ms)
