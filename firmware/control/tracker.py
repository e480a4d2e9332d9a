"""The tracking controller: direct feed-forward of the net load, and a slow trim on the grid meter.

bess = net load - grid target + trim. The feed-forward needs no feedback and cannot hunt. The trim is a slow estimate of
what is left: how far the grid meter reads from where it would be if the meters were right, if they saw every load, and
if the PCS did exactly as told. It is frozen while the PCS saturates or does not follow.
"""

import micropython

from firmware.control import reasons
from firmware.control.limits import load_known, net_load_pu
from firmware.core.fixed import clamp
from firmware.core.types import BESS, GENSET, GRID, LOAD, PV

_ERROR_LIMIT = 1_000_000  # |error * gain| kept here, so that times 1,000 ms stays a small integer
_TRIM_SHARE = 20  # the trim may reach 1/20 of the BESS rating
_FOLLOW_SHARE = 16  # the PCS "follows" when within 1/16 of its rating of what it was asked
_SELF_CONSUMPTION = "self_consumption"


class Tracker:
    """Chooses the set point inside the limits. Powers in site power units, times in ms."""

    def __init__(self, control, bess_pu):
        self._follow_load = control["policy"] == _SELF_CONSUMPTION
        self._baseline_ms = control["baseline_s"] * 1000
        self._home_permille = control["soc_home_permille"]
        self._homing_permille = control["homing_permille"]
        self._gain = control["trim_permille_per_s"]
        self._bess_pu = bess_pu
        self._started = False
        self._baseline_pu = 0
        self._baseline_rest = 0  # pu * ms below one unit of the baseline
        self.trim_pu = 0
        self._trim_rest = 0
        self._cut = True  # the last set point was not the one wanted

    @micropython.native
    def observe(self, setpoint, snap, limits, dt_ms):
        """Update the trim from what the last set point, inside the last limits, has led to."""
        last_pu = setpoint.bess_pu
        # Cut, not merely at the limit: with an export cap of 0 the set point that is wanted is the limit itself.
        if not snap.all_fresh or self._cut:
            return
        gap_pu = snap.power_pu[BESS] - last_pu
        if gap_pu * _FOLLOW_SHARE > self._bess_pu or -gap_pu * _FOLLOW_SHARE > self._bess_pu:
            return
        left_pu = snap.power_pu[GRID] - net_load_pu(snap) + last_pu
        error = clamp((left_pu - self.trim_pu) * self._gain, -_ERROR_LIMIT, _ERROR_LIMIT)
        rest = self._trim_rest + error * dt_ms
        bound = self._bess_pu // _TRIM_SHARE
        self.trim_pu = clamp(self.trim_pu + rest // 1_000_000, -bound, bound)
        self._trim_rest = rest % 1_000_000

    @micropython.native
    def step(self, setpoint, snap, limits, dt_ms):
        """Set `setpoint` (BESS, grid target, reason) for this snapshot, `dt_ms` 1 .. 1000 after the last."""
        net_pu = net_load_pu(snap)
        if not self._started:
            # The baseline begins at the first net load that every meter vouches for.
            self._baseline_pu = net_pu
            self._started = snap.all_fresh
        setpoint.grid_target_pu = self._target(net_pu, snap.soc_permille, dt_ms)
        want_pu = net_pu - setpoint.grid_target_pu + self.trim_pu
        self._choose(setpoint, want_pu, limits)

    @micropython.native
    def _choose(self, setpoint, want_pu, limits):
        self._cut = want_pu > limits.high_pu or want_pu < limits.low_pu
        if want_pu > limits.high_pu:
            setpoint.bess_pu = limits.high_pu
            setpoint.reason = limits.high_reason
        elif want_pu < limits.low_pu:
            setpoint.bess_pu = limits.low_pu
            setpoint.reason = limits.low_reason
        else:
            setpoint.bess_pu = want_pu
            setpoint.reason = reasons.FOLLOW if self._follow_load else reasons.BASELINE

    @micropython.native
    def _target(self, net_pu, soc_permille, dt_ms):
        """Return what the grid should carry: zero, or the baseline plus what brings the state of charge home."""
        if self._follow_load:
            return 0
        rest = self._baseline_rest + clamp(net_pu - self._baseline_pu, -524_288, 524_287) * dt_ms
        self._baseline_pu += rest // self._baseline_ms
        self._baseline_rest = rest % self._baseline_ms
        away = (self._home_permille - soc_permille) * self._homing_permille // 1000
        return self._baseline_pu + self._bess_pu * away // 1000


class WindLimit:
    """Takes all the wind there is room for: load less other production, what the battery can charge, the export cap."""

    def __init__(self, wind_pu, export_pu):
        self._wind_pu = wind_pu
        self._export_pu = export_pu

    @micropython.native
    def step(self, setpoint, snap, charge_pu):
        """Set the wind limit, 0 .. rating; a load that is not known counts as 0."""
        room_pu = charge_pu + self._export_pu
        if load_known(snap):
            power = snap.power_pu
            room_pu += power[LOAD] - power[PV] - power[GENSET]
        setpoint.wind_limit_pu = clamp(room_pu, 0, self._wind_pu)
