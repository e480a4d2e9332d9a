"""Limits come first: what the battery may do in this tick, narrowed from rating to state of charge to grid caps."""

import micropython
from micropython import const

from firmware.control import reasons
from firmware.core.fixed import clamp
from firmware.core.types import ABSENT, BESS, FRESH, LOAD, ROLES

_TAPER_PERMILLE = const(10)  # the last of the way to an end of the window, over which power fades to zero


class Limits:
    """The allowed window of the BESS set point in this tick, in site power units, discharge +.

    All arguments in site power units but for the two states of charge in permille.
    """

    def __init__(self, bess_pu, import_pu, export_pu, soc_min_permille, soc_max_permille):
        self._bess_pu = bess_pu
        self._import_pu = import_pu
        self._export_pu = export_pu
        self._soc_min = soc_min_permille
        self._soc_max = soc_max_permille
        self.low_pu = 0  # most negative set point allowed: fastest charge
        self.high_pu = 0
        self.charge_pu = 0  # what the wind may count on the battery to charge, >= 0
        self.low_reason = reasons.START
        self.high_reason = reasons.START

    @micropython.native
    def update(self, snap, trim_pu):
        """Work out the window for this snapshot and the tracker's trim; unknown is worst case."""
        self._battery(snap)
        if load_known(snap):
            self._caps(net_load_pu(snap) + trim_pu)

    @micropython.native
    def _battery(self, snap):
        """Allow what rating and state of charge do; near an end of its window the power fades, it does not drop."""
        known = snap.soc_state == FRESH
        way_up = self._soc_max - snap.soc_permille
        up = self._share(way_up) if known else 0
        down = self._share(snap.soc_permille - self._soc_min) if known else 0
        self.low_pu = -(self._bess_pu * up // _TAPER_PERMILLE)
        self.high_pu = self._bess_pu * down // _TAPER_PERMILLE
        # One step ahead, for a wind plant takes longer to follow its limit than the battery its own.
        self.charge_pu = self._bess_pu * self._share(way_up - 1) // _TAPER_PERMILLE if known else 0
        self.low_reason = reasons.SOC_HIGH if up < _TAPER_PERMILLE else reasons.RATING
        self.high_reason = reasons.SOC_LOW if down < _TAPER_PERMILLE else reasons.RATING

    @micropython.native
    def _share(self, way_permille):
        """Return how much of the rating is allowed this far from the end, 0 .. _TAPER_PERMILLE."""
        return clamp(way_permille, 0, _TAPER_PERMILLE)

    @micropython.native
    def _caps(self, net_pu):
        """Narrow so that the grid, net load less BESS, stays between its caps as far as the battery reaches."""
        need_pu = net_pu - self._import_pu
        if need_pu > self.low_pu:
            self.low_pu = min(need_pu, self.high_pu)
            self.low_reason = reasons.IMPORT_CAP
        may_pu = net_pu + self._export_pu
        if may_pu < self.high_pu:
            self.high_pu = max(may_pu, self.low_pu)
            self.high_reason = reasons.EXPORT_CAP


@micropython.native
def load_known(snap):
    """Return True when the load is measured, or is the one silent meter and so formed from the others."""
    if snap.state[LOAD] == FRESH:
        return True
    for role in range(1, ROLES):
        if snap.state[role] != FRESH and snap.state[role] != ABSENT:
            return False
    return True


@micropython.native
def net_load_pu(snap):
    """Return load less production, in site power units: what grid and battery have to cover together."""
    power = snap.power_pu
    net_pu = power[LOAD]
    for role in range(BESS + 1, ROLES):
        net_pu -= power[role]
    return net_pu
