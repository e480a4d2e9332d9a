"""The baseline: what the grid is to give while the battery takes the rest, and how far the net load is from it.

A first-order filter of the net load whose output moves no faster than a ramp limit, in W/s. What brings the state of
charge home is added in front of the filter, so that it moves the grid no faster either. The aim is the dispatcher's.

The tick runs the viper function on the cells of Tracker. A cell that may be below zero gets its sign back by
((x & MASK) ^ HALF) - HALF; so does a sum of such cells, once.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_AWAY_MAX = const(0xC0000)  # one and a half times full scale

# As in core.types.
_LOAD = const(0)
_WIND = const(3)
_PV = const(4)
_GENSET = const(5)
_SOC = const(6)
_STATE = const(7)
_SOC_STATE = const(13)
_ALL_FRESH = const(25)
_ABSENT = const(0)
_FRESH = const(1)

# As in control.tracker.
_BESS_PU = const(5)
_FOLLOW_LOAD = const(6)
_STARTED = const(8)
_BASELINE_PU = const(9)
_BASELINE_REST = const(10)
_BASELINE_MS = const(11)
_HOME = const(12)
_HOMING = const(13)
_AIM = const(14)
_PULL_MAX = const(15)
_NET_PU = const(16)
_TARGET_PU = const(17)
_AWAY_PU = const(18)


@micropython.viper
def vouched(snap: ptr32) -> int:
    """Return 1 where the baseline may begin: all that the net load is made of is metered, or every meter speaks.

    It is not to wait for a PCS that is still being found: begun later in a swing it is off by that for two minutes.
    """
    if snap[_ALL_FRESH] or snap[_STATE + _LOAD] != _FRESH:
        return snap[_ALL_FRESH]
    role = _WIND
    while role <= _GENSET:
        state = snap[_STATE + role]
        if state != _FRESH and state != _ABSENT:
            return 0
        role += 1
    return 1


@micropython.viper
def aim(trk: ptr32, snap: ptr32, dt_ms: int):
    """Work out net load, grid target and their distance for this snapshot, `dt_ms` 1 .. 1000 after the last."""
    net_pu = (((snap[_LOAD] - snap[_WIND] - snap[_PV] - snap[_GENSET]) & _MASK) ^ _HALF) - _HALF
    trk[_NET_PU] = net_pu
    base_pu = ((trk[_BASELINE_PU] & _MASK) ^ _HALF) - _HALF
    if trk[_STARTED] == 0:
        base_pu = net_pu
        trk[_STARTED] = int(vouched(snap))
    target_pu = ((trk[_AIM] & _MASK) ^ _HALF) - _HALF
    if trk[_FOLLOW_LOAD] == 0:
        pull_pu = net_pu - base_pu
        if snap[_SOC_STATE] == _FRESH:
            pull_pu += trk[_BESS_PU] * ((trk[_HOME] - snap[_SOC]) * trk[_HOMING] // 1000) // 1000
        if pull_pu > trk[_PULL_MAX]:
            pull_pu = trk[_PULL_MAX]
        if pull_pu < 0 - trk[_PULL_MAX]:
            pull_pu = 0 - trk[_PULL_MAX]
        rest = trk[_BASELINE_REST] + pull_pu * dt_ms
        step_pu = rest // trk[_BASELINE_MS]
        trk[_BASELINE_REST] = rest - step_pu * trk[_BASELINE_MS]
        base_pu += step_pu
        target_pu += base_pu
    trk[_BASELINE_PU] = base_pu
    trk[_TARGET_PU] = target_pu
    away_pu = net_pu - target_pu
    if away_pu > _AWAY_MAX:
        away_pu = _AWAY_MAX
    if away_pu < 0 - _AWAY_MAX:
        away_pu = 0 - _AWAY_MAX
    trk[_AWAY_PU] = away_pu
