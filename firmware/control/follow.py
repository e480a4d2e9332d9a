"""Set against actual: what the PCS should be giving by now, what it really can, and what the grid meter still sees.

Compared is at one instant: the model of the PCS follows the set points that were sent, and the values of the last two
ticks are laid to the age of each meter's sample. A PCS that stays short of what it was asked for, and stands still, has
a limit nobody told: it is learned within a second or so, in the direction in which it was seen, and let go slowly. One
that stands where it was sent a few periods before may be late instead, and is given these to follow.

The trim is a slow estimate of what is left: how far the grid meter reads from where it would be if the meters were
right, if they saw every load, and if the PCS did exactly as modelled. It is frozen while the set point is cut and while
the PCS is not where it should be.

The tick runs the viper functions on the cells of Tracker. A cell that may be below zero gets its sign back by
((x & MASK) ^ HALF) - HALF; so does a sum of such cells, once.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FOLLOW_SHARE = const(16)  # the PCS "follows" when within 1/16 of its rating of where it should be
_SHORT_SHARE = const(32)  # it is short by more than this part of its rating,
_STILL_SHARE = const(64)  # standing still within this part; so much above what it gave is its limit said to be
_LATE = const(4)  # periods that a PCS may be later than modelled: two, a jitter, and a command that was lost
_OLD_MS = const(1000)  # of an older reading, and of one a period old, nothing is learned
_LET_GO = const(128)  # seconds in which a limit over the whole rating is let go

# As in core.types: cells of the Snapshot, then of the Setpoint.
_LOAD = const(0)
_GRID = const(1)
_BESS = const(2)
_WIND = const(3)
_PV = const(4)
_GENSET = const(5)
_LOAD_STATE = const(7)
_GRID_STATE = const(8)
_BESS_STATE = const(9)
_LOAD_AGE_MS = const(14)
_GRID_AGE_MS = const(15)
_BESS_AGE_MS = const(16)
_PCS_READY = const(22)
_PCS_LOCAL = const(23)
_PCS_FAULT = const(24)
_ALL_FRESH = const(25)
_FRESH = const(1)
_WANTED = const(0)

# As in control.tracker.
_TRIM = const(0)
_TRIM_REST = const(1)
_TRIM_MAX = const(2)
_GAIN = const(3)
_CUT = const(4)
_BESS_PU = const(5)
_NET_PU = const(16)
_PART = const(25)
_EARLY = const(26)
_BACK = const(27)
_PCS_STEP = const(32)
_AT = const(33)
_GAP_PU = const(43)
_SHORT_MS = const(44)
_STOOD_PU = const(45)
_CAN_GIVE = const(46)
_CAN_TAKE = const(47)
_LET_REST = const(48)
_WAIT_MS = const(49)
_SENT = const(50)
_EXPECTED = const(58)
_EXPECTED_BEFORE = const(59)
_RING = const(10)
_RINGS_END = const(70)
_ERROR_MAX = const(88)
_PAIRED = const(102)
_ERROR_PU = const(103)
_LEFT_PU = const(104)


@micropython.viper
def expect(trk: ptr32, point: ptr32, snap: ptr32, dt_ms: int) -> int:
    """Move the models of the PCS on by one period; return 1 when what it does has to be looked at.

    One follows what was sent, the other what the whole feed-forward would have been.
    """
    at = (trk[_AT] + 1) & 7
    trk[_AT] = at
    trk[_SENT + ((at - 1) & 7)] = point[_WANTED]
    at -= trk[_BACK]
    ring = _SENT
    while ring < _RINGS_END:
        to_pu = ((trk[ring + ((at - 1) & 7)] & _MASK) ^ _HALF) - _HALF
        to_pu += (((((trk[ring + ((at - 2) & 7)] & _MASK) ^ _HALF) - _HALF) - to_pu) * trk[_EARLY] + 512) >> 10
        bess_pu = ((trk[ring + 8] & _MASK) ^ _HALF) - _HALF
        trk[ring + 9] = bess_pu
        step_pu = ((to_pu - bess_pu) * trk[_PART] + 512) >> 10
        if step_pu > trk[_PCS_STEP]:
            step_pu = trk[_PCS_STEP]
        if step_pu < 0 - trk[_PCS_STEP]:
            step_pu = 0 - trk[_PCS_STEP]
        trk[ring + 8] = bess_pu + step_pu
        ring += _RING
    gap_pu = 0
    if snap[_BESS_STATE] == _FRESH:
        now_pu = ((trk[_EXPECTED] & _MASK) ^ _HALF) - _HALF
        before_pu = ((trk[_EXPECTED_BEFORE] & _MASK) ^ _HALF) - _HALF
        age_ms = snap[_BESS_AGE_MS] - (snap[_LOAD_AGE_MS] if snap[_LOAD_STATE] == _FRESH else 0)
        age_ms = ((age_ms & _MASK) ^ _HALF) - _HALF
        if age_ms > dt_ms:
            age_ms = dt_ms
        if age_ms < 0:
            age_ms = 0
        gap_pu = now_pu + ((before_pu - now_pu) * (age_ms * 256 // dt_ms) >> 8)
        gap_pu -= ((snap[_BESS] & _MASK) ^ _HALF) - _HALF
    trk[_GAP_PU] = gap_pu
    if gap_pu < 0:
        gap_pu = 0 - gap_pu
    return 1 if gap_pu * _SHORT_SHARE > trk[_BESS_PU] or trk[_SHORT_MS] or trk[_LET_REST] else 0


@micropython.viper
def lags(trk: ptr32, snap: ptr32, dt_ms: int) -> int:
    """Return 1 when the PCS may be late, not short: it stands at a set point of a few periods ago, or was not heard."""
    if snap[_BESS_AGE_MS] >= (dt_ms if dt_ms > _OLD_MS else _OLD_MS):
        return 1
    bess_pu = ((snap[_BESS] & _MASK) ^ _HALF) - _HALF
    at = trk[_AT] - trk[_BACK] - 2
    last = at - _LATE
    while at > last:
        off_pu = ((trk[_SENT + (at & 7)] & _MASK) ^ _HALF) - _HALF - bess_pu
        if off_pu < 0:
            off_pu = 0 - off_pu
        if off_pu * _SHORT_SHARE <= trk[_BESS_PU]:
            return 1
        at -= 1
    return 0


@micropython.viper
def learn(trk: ptr32, snap: ptr32, dt_ms: int, late: int):
    """Learn what the PCS can really give and take, from how it stands short of what was sent; not if it is `late`."""
    bess_pu = ((snap[_BESS] & _MASK) ^ _HALF) - _HALF
    gap_pu = ((trk[_GAP_PU] & _MASK) ^ _HALF) - _HALF
    rated_pu = trk[_BESS_PU]
    moved_pu = bess_pu - (((trk[_STOOD_PU] & _MASK) ^ _HALF) - _HALF)
    if moved_pu < 0:
        moved_pu = 0 - moved_pu
    trk[_STOOD_PU] = bess_pu
    most_pu = bess_pu  # in the direction of what was asked
    cell = _CAN_GIVE
    if gap_pu < 0:
        gap_pu = 0 - gap_pu
        most_pu = 0 - bess_pu
        cell = _CAN_TAKE
    short = trk[_SHORT_MS]
    if late == 0 and snap[_PCS_READY] != 0 and snap[_PCS_LOCAL] == 0 and snap[_PCS_FAULT] == 0 \
            and gap_pu * _SHORT_SHARE > rated_pu and moved_pu * _STILL_SHARE <= rated_pu \
            and most_pu * _SHORT_SHARE > 0 - rated_pu:
        short += dt_ms
    else:
        short = short - dt_ms if short > dt_ms else 0
    if short >= trk[_WAIT_MS]:
        short = 0
        trk[cell] = (most_pu if most_pu > 0 else 0) + rated_pu // _STILL_SHARE
    trk[_SHORT_MS] = short
    # Let go what was learned: slowly, or at once where the PCS shows that it can do more.
    rest = trk[_LET_REST] + rated_pu * dt_ms // _LET_GO
    step_pu = rest // 1000
    give_pu = trk[_CAN_GIVE] + step_pu
    take_pu = trk[_CAN_TAKE] + step_pu
    trk[_CAN_GIVE] = give_pu if give_pu < rated_pu and bess_pu < give_pu else rated_pu
    trk[_CAN_TAKE] = take_pu if take_pu < rated_pu and 0 - bess_pu < take_pu else rated_pu
    trk[_LET_REST] = 0 if give_pu >= rated_pu and take_pu >= rated_pu else rest - step_pu * 1000 + 1


@micropython.viper
def align(trk: ptr32, snap: ptr32, dt_ms: int):
    """Lay a load that was formed from grid and battery to one instant: by as much as the battery moved in between."""
    if snap[_LOAD_STATE] == _FRESH or snap[_GRID_STATE] != _FRESH or snap[_BESS_STATE] != _FRESH:
        return
    grid_ms = snap[_GRID_AGE_MS] if snap[_GRID_AGE_MS] < dt_ms else dt_ms
    bess_ms = snap[_BESS_AGE_MS] if snap[_BESS_AGE_MS] < dt_ms else dt_ms
    moved_pu = ((trk[_EXPECTED] - trk[_EXPECTED_BEFORE] & _MASK) ^ _HALF) - _HALF
    load_pu = ((snap[_LOAD] & _MASK) ^ _HALF) - _HALF
    snap[_LOAD] = load_pu + (moved_pu * ((bess_ms - grid_ms) * 256 // dt_ms) >> 8)


@micropython.viper
def observe(trk: ptr32, snap: ptr32, dt_ms: int) -> int:
    """Update the trim from what the last set point, inside the last limits, has led to; return it."""
    trim_pu = ((trk[_TRIM] & _MASK) ^ _HALF) - _HALF
    # Cut, not merely at the limit: with an export cap of 0 the set point that is wanted is the limit itself.
    if snap[_ALL_FRESH] == 0 or trk[_CUT]:
        return trim_pu
    gap_pu = ((trk[_GAP_PU] & _MASK) ^ _HALF) - _HALF
    if gap_pu < 0:
        gap_pu = 0 - gap_pu
    if gap_pu * _FOLLOW_SHARE > trk[_BESS_PU]:
        return trim_pu
    # Net load less battery as they were when the grid meter sampled, between the last two ticks.
    age_ms = (((snap[_GRID_AGE_MS] - snap[_LOAD_AGE_MS]) & _MASK) ^ _HALF) - _HALF
    age_ms = dt_ms if age_ms > dt_ms else 0 if age_ms < 0 else age_ms
    left_pu = snap[_LOAD] - snap[_WIND] - snap[_PV] - snap[_GENSET] - trk[_EXPECTED]
    left_pu = ((left_pu & _MASK) ^ _HALF) - _HALF
    before_pu = (((trk[_NET_PU] - trk[_EXPECTED_BEFORE]) & _MASK) ^ _HALF) - _HALF
    left_pu += (before_pu - left_pu) * (age_ms * 128 // dt_ms) >> 7
    error = (((snap[_GRID] & _MASK) ^ _HALF) - _HALF) - left_pu - trim_pu
    trk[_PAIRED] = 1  # for control.witnessed
    trk[_ERROR_PU] = error
    trk[_LEFT_PU] = left_pu
    # Bounded so that times the gain, 0 .. 500, and 1,000 ms it stays a small integer.
    if error > trk[_ERROR_MAX]:
        error = trk[_ERROR_MAX]
    if error < 0 - trk[_ERROR_MAX]:
        error = 0 - trk[_ERROR_MAX]
    rest = trk[_TRIM_REST] + error * trk[_GAIN] * dt_ms
    step_pu = rest // 1_000_000
    trk[_TRIM_REST] = rest - step_pu * 1_000_000
    trim_pu += step_pu
    if trim_pu > trk[_TRIM_MAX]:
        trim_pu = trk[_TRIM_MAX]
    if trim_pu < 0 - trk[_TRIM_MAX]:
        trim_pu = 0 - trk[_TRIM_MAX]
    trk[_TRIM] = trim_pu
    return trim_pu
