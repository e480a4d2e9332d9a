"""The set point of a site without grid, the tracker's counterpart: inside limits narrowed without the grid's caps.

While the PCS forms the grid its set point is not followed; it is kept at what the battery gives, so that nothing jumps
when the grid is back. While the genset forms it the battery takes the load less the genset's target, whatever the
genset gives just now: a step of the load meets the battery, not the engine.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# How the set point is found.
TRACK = 0  # by the tracker: the grid is there
FORM = 1
SHARE = 2
ZERO = 3  # nobody forms a grid
_SHARE = const(2)
_ZERO = const(3)

# The first cells of control.island.
_RULE = const(0)
_TARGET = const(1)

# As in core.types: cells of the Snapshot, then of the Setpoint.
_LOAD = const(0)
_WIND = const(3)
_PV = const(4)
_GENSET = const(5)
_WANTED = const(0)
_GRID_TARGET = const(2)
_REASON = const(3)

# As in control.limits.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)

# As in control.reasons.
_ISLAND_BATTERY = const(26)
_ISLAND_GENSET = const(27)
_ISLAND_DARK = const(28)

_TARGET_S = const(20)  # in which the genset takes its whole rating, or sheds it
_PERMILLE = const(1000)


@micropython.viper
def share(isl: ptr32, point: ptr32, snap: ptr32, lim: ptr32, known: int):
    """Set BESS, grid target and reason for this snapshot; a load that is not known leaves the battery at zero."""
    want_pu = 0
    rule = isl[_RULE]
    reason = _ISLAND_DARK
    if rule != _ZERO:
        reason = _ISLAND_BATTERY
        genset_pu = snap[_GENSET]
        if rule == _SHARE:
            reason = _ISLAND_GENSET
            genset_pu = isl[_TARGET]
        if known:
            want_pu = (((snap[_LOAD] - snap[_WIND] - snap[_PV] - genset_pu) & _MASK) ^ _HALF) - _HALF
    low_pu = ((lim[_LOW_PU] & _MASK) ^ _HALF) - _HALF
    high_pu = ((lim[_HIGH_PU] & _MASK) ^ _HALF) - _HALF
    if want_pu > high_pu:
        want_pu = high_pu
        reason = lim[_HIGH_REASON]
    elif want_pu < low_pu:
        want_pu = low_pu
        reason = lim[_LOW_REASON]
    point[_WANTED] = want_pu
    point[_GRID_TARGET] = 0
    point[_REASON] = reason


@micropython.native
def aim(target_pu, dt_ms, genset, charges, base_pu, low_pu, high_pu):
    """Return the genset's next target from its last one, 0 .. its highest load, all in site power units.

    `base_pu` is the load less wind and PV, `low_pu` and `high_pu` what the battery may be charged and discharged with.
    The genset is to give its best load as far as the battery takes what is too much, if it `charges`; its lowest in any
    case, and more than its best where the battery cannot give the rest. It takes load and sheds it slowly, but what
    the battery cannot give it takes at once.
    """
    wanted_pu = 0
    if not genset.cools:
        wanted_pu = genset.best_pu
        if not charges and wanted_pu > base_pu:
            wanted_pu = base_pu
        if wanted_pu > base_pu - low_pu:
            wanted_pu = base_pu - low_pu
        if wanted_pu < genset.min_pu:
            wanted_pu = genset.min_pu
    step_pu = genset.rating_pu * dt_ms // (_TARGET_S * _PERMILLE) + 1
    if wanted_pu > target_pu + step_pu:
        wanted_pu = target_pu + step_pu
    if wanted_pu < target_pu - step_pu:
        wanted_pu = target_pu - step_pu
    if wanted_pu < base_pu - high_pu:
        wanted_pu = base_pu - high_pu
    if wanted_pu > genset.max_pu:
        wanted_pu = genset.max_pu
    return wanted_pu if wanted_pu > 0 else 0
