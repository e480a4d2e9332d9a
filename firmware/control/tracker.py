"""The tracking controller: direct feed-forward of the net load, and a slow trim on the grid meter.

bess = net load - grid target + trim. The feed-forward needs no feedback and cannot hunt. The trim is a slow estimate of
what is left: how far the grid meter reads from where it would be if the meters were right, if they saw every load, and
if the PCS did exactly as told. It is frozen while the PCS saturates or does not follow.

The tick runs the viper functions; Tracker and WindLimit own the cells they work on. A cell that may be below zero gets
its sign back by ((x & MASK) ^ HALF) - HALF; so does a sum of such cells, once.
"""

from array import array

import micropython
from micropython import const

from firmware.control import reasons
from firmware.control.limits import load_known
from firmware.core.types import cell, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_ERROR_LIMIT = const(1_000_000)  # |error * gain| kept here, so that times 1,000 ms stays a small integer
_FULL_SCALE = const(0x80000)
_TRIM_SHARE = 20  # the trim may reach 1/20 of the BESS rating
_FOLLOW_SHARE = const(16)  # the PCS "follows" when within 1/16 of its rating of what it was asked
_SELF_CONSUMPTION = "self_consumption"

# As in core.types: cells of the Snapshot, then of the Setpoint.
_LOAD = const(0)
_GRID = const(1)
_BESS = const(2)
_WIND = const(3)
_PV = const(4)
_GENSET = const(5)
_SOC = const(6)
_ALL_FRESH = const(25)
_WANTED = const(0)
_WIND_LIMIT = const(1)
_TARGET = const(2)
_REASON = const(3)

# As in control.limits.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)

# Cells of Tracker.
_TRIM = const(0)
_TRIM_REST = const(1)  # 0 .. 999,999 millionths of a unit
_TRIM_MAX = const(2)
_GAIN = const(3)  # permille per s
_CUT = const(4)  # 1: the last set point was not the one wanted
_BESS_PU = const(5)
_FOLLOW_LOAD = const(6)  # 1: the grid's target is zero, else the baseline
_FREE_REASON = const(7)  # the reason of a set point that no limit cuts
_STARTED = const(8)
_BASELINE_PU = const(9)
_BASELINE_REST = const(10)  # pu * ms below one unit of the baseline
_BASELINE_MS = const(11)
_HOME = const(12)  # permille
_HOMING = const(13)  # permille

# Cells of WindLimit.
_WIND_PU = const(0)
_EXPORT_PU = const(1)


@micropython.viper
def observe(trk: ptr32, point: ptr32, snap: ptr32, dt_ms: int) -> int:
    """Update the trim from what the last set point, inside the last limits, has led to; return it."""
    trim_pu = ((trk[_TRIM] & _MASK) ^ _HALF) - _HALF
    # Cut, not merely at the limit: with an export cap of 0 the set point that is wanted is the limit itself.
    if snap[_ALL_FRESH] == 0 or trk[_CUT]:
        return trim_pu
    gap_pu = (((snap[_BESS] - point[_WANTED]) & _MASK) ^ _HALF) - _HALF
    if gap_pu < 0:
        gap_pu = 0 - gap_pu
    if gap_pu * _FOLLOW_SHARE > trk[_BESS_PU]:
        return trim_pu
    error = snap[_GRID] + point[_WANTED] - (snap[_LOAD] - snap[_WIND] - snap[_PV] - snap[_GENSET]) - trim_pu
    error = ((error & _MASK) ^ _HALF) - _HALF
    # Bounded before and behind the gain, 0 .. 500, so that no product leaves 31 bits.
    if error > _ERROR_LIMIT:
        error = _ERROR_LIMIT
    if error < 0 - _ERROR_LIMIT:
        error = 0 - _ERROR_LIMIT
    error *= trk[_GAIN]
    if error > _ERROR_LIMIT:
        error = _ERROR_LIMIT
    if error < 0 - _ERROR_LIMIT:
        error = 0 - _ERROR_LIMIT
    rest = trk[_TRIM_REST] + error * dt_ms
    step_pu = rest // 1_000_000
    trk[_TRIM_REST] = rest - step_pu * 1_000_000
    trim_pu += step_pu
    if trim_pu > trk[_TRIM_MAX]:
        trim_pu = trk[_TRIM_MAX]
    if trim_pu < 0 - trk[_TRIM_MAX]:
        trim_pu = 0 - trk[_TRIM_MAX]
    trk[_TRIM] = trim_pu
    return trim_pu


@micropython.viper
def track(trk: ptr32, point: ptr32, snap: ptr32, lim: ptr32, dt_ms: int):
    """Set BESS, grid target and reason for this snapshot, `dt_ms` 1 .. 1000 after the last."""
    net_pu = (((snap[_LOAD] - snap[_WIND] - snap[_PV] - snap[_GENSET]) & _MASK) ^ _HALF) - _HALF
    base_pu = ((trk[_BASELINE_PU] & _MASK) ^ _HALF) - _HALF
    target_pu = 0
    if trk[_STARTED] == 0:
        # The baseline begins at the first net load that every meter vouches for.
        base_pu = net_pu
        trk[_STARTED] = snap[_ALL_FRESH]
    if trk[_FOLLOW_LOAD] == 0:
        away_pu = net_pu - base_pu
        if away_pu > _FULL_SCALE - 1:
            away_pu = _FULL_SCALE - 1
        if away_pu < 0 - _FULL_SCALE:
            away_pu = 0 - _FULL_SCALE
        rest = trk[_BASELINE_REST] + away_pu * dt_ms
        step_pu = rest // trk[_BASELINE_MS]
        trk[_BASELINE_REST] = rest - step_pu * trk[_BASELINE_MS]
        base_pu += step_pu
        home = (trk[_HOME] - snap[_SOC]) * trk[_HOMING] // 1000
        target_pu = base_pu + trk[_BESS_PU] * home // 1000
    trk[_BASELINE_PU] = base_pu
    point[_TARGET] = target_pu
    want_pu = net_pu - target_pu + (((trk[_TRIM] & _MASK) ^ _HALF) - _HALF)
    low_pu = ((lim[_LOW_PU] & _MASK) ^ _HALF) - _HALF
    high_pu = ((lim[_HIGH_PU] & _MASK) ^ _HALF) - _HALF
    trk[_CUT] = 1
    if want_pu > high_pu:
        point[_WANTED] = high_pu
        point[_REASON] = lim[_HIGH_REASON]
    elif want_pu < low_pu:
        point[_WANTED] = low_pu
        point[_REASON] = lim[_LOW_REASON]
    else:
        point[_WANTED] = want_pu
        point[_REASON] = trk[_FREE_REASON]
        trk[_CUT] = 0


@micropython.viper
def limit_wind(wind: ptr32, point: ptr32, snap: ptr32, known: int, charge_pu: int):
    """Set the wind limit, 0 .. rating: all there is room for; a load that is not known counts as 0."""
    room_pu = charge_pu + wind[_EXPORT_PU]
    if known:
        room_pu += (((snap[_LOAD] - snap[_PV] - snap[_GENSET]) & _MASK) ^ _HALF) - _HALF
    if room_pu > wind[_WIND_PU]:
        room_pu = wind[_WIND_PU]
    if room_pu < 0:
        room_pu = 0
    point[_WIND_LIMIT] = room_pu


class Tracker:
    """Chooses the set point inside the limits. Powers in site power units, times in ms."""

    def __init__(self, control, bess_pu):
        follow_load = control["policy"] == _SELF_CONSUMPTION
        self.cells = array("i", (
            0, 0, bess_pu // _TRIM_SHARE, control["trim_permille_per_s"], 1, bess_pu, 1 if follow_load else 0,
            reasons.FOLLOW if follow_load else reasons.BASELINE, 0, 0, 0, control["baseline_s"] * 1000,
            control["soc_home_permille"], control["homing_permille"]))

    trim_pu = cell(_TRIM)

    def observe(self, setpoint, snap, limits, dt_ms):
        """Update the trim as the control tick does."""
        observe(self.cells, setpoint.cells, snap.cells, dt_ms)

    def step(self, setpoint, snap, limits, dt_ms):
        """Set `setpoint` (BESS, grid target, reason) as the control tick does."""
        track(self.cells, setpoint.cells, snap.cells, limits.cells, dt_ms)


class WindLimit:
    """Takes all the wind there is room for: load less other production, what the battery can charge, the export cap."""

    def __init__(self, wind_pu, export_pu):
        self.cells = array("i", (wind_pu, export_pu))

    def step(self, setpoint, snap, charge_pu):
        """Set the wind limit as the control tick does."""
        limit_wind(self.cells, setpoint.cells, snap.cells, load_known(snap.cells), charge_pu)
