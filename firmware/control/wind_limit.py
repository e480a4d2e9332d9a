"""The room for the wind, in each tick: what its limit is set to. For PV see control.room.

The tick runs the viper function; WindLimit owns the cells it works on. A cell that may be below zero gets its sign back
by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control.limits import load_known
from firmware.core.fixed import clamp
from firmware.core.types import GENSET, LOAD, PV, cell, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# As in core.types: cells of the Snapshot, then of the Setpoint.
_LOAD = const(0)
_PV = const(4)
_GENSET = const(5)
_WIND_LIMIT = const(1)

# Cells of WindLimit.
_WIND_PU = const(0)
_EXPORT_PU = const(1)

_CURTAILED = const(32)  # the wind stands this part below its limit, or nearer


def is_curtailed(limit_pu, rating_pu, wind_pu):
    """Return whether it is the limit that holds the wind, and not the weather."""
    return limit_pu < rating_pu and wind_pu >= limit_pu - limit_pu // _CURTAILED


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


class WindLimit:
    """Takes all the wind there is room for: load less other production, what the battery can charge, the export cap."""

    def __init__(self, wind_pu, export_pu):
        self.cells = array("i", (wind_pu, export_pu))

    rating_pu = cell(_WIND_PU)
    export_pu = cell(_EXPORT_PU)

    def step(self, setpoint, snap, charge_pu):
        """Set the wind limit as the control tick does."""
        limit_wind(self.cells, setpoint.cells, snap.cells, load_known(snap.cells), charge_pu)

    def room_pu(self, snap, charge_pu):
        """Return the limit that the tick sets for a load that is known."""
        power = snap.power_pu
        room_pu = charge_pu + self.cells[_EXPORT_PU] + power[LOAD] - power[PV] - power[GENSET]
        return clamp(room_pu, 0, self.cells[_WIND_PU])
