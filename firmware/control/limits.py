"""Limits come first: what the battery may do in this tick, narrowed from rating to state of charge to grid caps.

The import cap and what the battery may give freely, beyond what that cap needs, are the dispatcher's to set.

The tick runs the viper functions; Limits owns the cells they work on. A cell that may be below zero gets its sign back
by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control.reasons import IMPORT_CAP, RESERVE, START
from firmware.core.fixed import clamp
from firmware.core.types import BESS, LOAD, ROLES, cell, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_TAPER_PERMILLE = const(10)  # the last of the way to an end of the window, over which power fades to zero
_FAR = const(11)  # from here on it fades neither now nor one step ahead

# As in core.types.
_LOAD = const(0)
_WIND = const(3)
_PV = const(4)
_GENSET = const(5)
_ROLES = const(6)
_SOC = const(6)
_STATE = const(7)
_SOC_STATE = const(13)
_ABSENT = const(0)
_FRESH = const(1)

# As in control.reasons.
_RATING = const(3)
_SOC_LOW = const(4)
_SOC_HIGH = const(5)
_EXPORT_CAP = const(7)

# Cells of Limits.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)
_CHARGE_PU = const(4)
_IMPORT_PU = const(5)
_EXPORT_PU = const(6)
_SOC_MIN = const(7)
_SOC_MAX = const(8)
_SHARES = const(10)  # of the rating, by the permille left to the end of the window, -1 .. _FAR
_FREE_PU = const(22)  # >= 0: the most that is given for anything but the import cap
_FREE_REASON = const(23)
_CAP_REASON = const(24)


@micropython.viper
def load_known(snap: ptr32) -> int:
    """Return 1 when the load is measured, or is the one silent meter and so formed from the others; else 0."""
    if snap[_STATE + _LOAD] == _FRESH:
        return 1
    role = 1
    while role < _ROLES:
        state = snap[_STATE + role]
        if state != _FRESH and state != _ABSENT:
            return 0
        role += 1
    return 1


def charge_pu(lim, snap):
    """Return what narrow() will let the wind count on the battery to charge."""
    up = _FAR
    if snap[_SOC_STATE] == _FRESH:
        up = clamp(lim[_SOC_MAX] - snap[_SOC], 0, _FAR)
    return lim[_SHARES - 1 + up]


@micropython.viper
def narrow(lim: ptr32, snap: ptr32, trim_pu: int, known: int):
    """Work out the window for this snapshot and trim: rating and state of charge, then the caps if the load is known.

    Near an end of the state of charge's window the power fades, it does not drop; unknown is worst case.
    """
    up = 0  # permille left, as far as it counts
    down = 0
    if snap[_SOC_STATE] == _FRESH:
        up = lim[_SOC_MAX] - snap[_SOC]
        up = 0 if up < 0 else _FAR if up > _FAR else up
        down = snap[_SOC] - lim[_SOC_MIN]
        down = 0 if down < 0 else _FAR if down > _FAR else down
    low_pu = 0 - lim[_SHARES + up]
    high_pu = lim[_SHARES + down]
    low_reason = _SOC_HIGH if up < _TAPER_PERMILLE else _RATING
    high_reason = _SOC_LOW if down < _TAPER_PERMILLE else _RATING
    lim[_CHARGE_PU] = lim[_SHARES - 1 + up]
    if known:  # the grid, net load less BESS, is to stay between its caps as far as the battery reaches
        net_pu = (((snap[_LOAD] - snap[_WIND] - snap[_PV] - snap[_GENSET]) & _MASK) ^ _HALF) - _HALF + trim_pu
        need_pu = net_pu - lim[_IMPORT_PU]
        if need_pu > low_pu:
            low_pu = need_pu if need_pu < high_pu else high_pu
            low_reason = lim[_CAP_REASON]
        may_pu = net_pu + lim[_EXPORT_PU]
        if may_pu < high_pu:
            high_pu = may_pu if may_pu > low_pu else low_pu
            high_reason = _EXPORT_CAP
    free_pu = lim[_FREE_PU]
    if free_pu < high_pu:
        high_pu = free_pu if free_pu > low_pu else low_pu
        high_reason = lim[_FREE_REASON] if free_pu > low_pu else low_reason
    lim[_LOW_PU] = low_pu
    lim[_HIGH_PU] = high_pu
    lim[_LOW_REASON] = low_reason
    lim[_HIGH_REASON] = high_reason


class Limits:
    """The allowed window of the BESS set point in this tick, in site power units, discharge +.

    All arguments in site power units but for the two states of charge in permille.
    """

    def __init__(self, bess_pu, import_pu, export_pu, soc_min_permille, soc_max_permille):
        shares = [bess_pu * max(way, 0) // _TAPER_PERMILLE for way in range(-1, _FAR)] + [bess_pu]
        self.cells = array("i", [0, 0, START, START, 0, import_pu, export_pu, soc_min_permille,
                                 soc_max_permille] + shares + [bess_pu, RESERVE, IMPORT_CAP])

    rating_pu = cell(_SHARES + _FAR)
    low_pu = cell(_LOW_PU)  # most negative set point allowed: fastest charge
    high_pu = cell(_HIGH_PU)
    # What the wind may count on the battery to charge, >= 0: one step ahead, for a wind plant takes longer to follow
    # its limit than the battery its own.
    charge_pu = cell(_CHARGE_PU)
    low_reason = cell(_LOW_REASON)
    import_pu = cell(_IMPORT_PU)
    export_pu = cell(_EXPORT_PU)
    high_reason = cell(_HIGH_REASON)
    import_pu = cell(_IMPORT_PU)  # these four are the dispatcher's to change
    free_pu = cell(_FREE_PU)
    free_reason = cell(_FREE_REASON)
    cap_reason = cell(_CAP_REASON)

    def update(self, snap, trim_pu, known=None):
        """Work out the window for this snapshot and the tracker's trim as the control tick does."""
        narrow(self.cells, snap.cells, trim_pu, load_known(snap.cells) if known is None else known)


def net_load_pu(snap):
    """Return load less production, in site power units: what grid and battery have to cover together."""
    return snap.power_pu[LOAD] - sum(snap.power_pu[role] for role in range(BESS + 1, ROLES))
