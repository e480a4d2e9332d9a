"""The room for PV: what its limit is set to, once a second. Background only; for the wind see control.wind_limit."""

import micropython

from firmware.core.types import FRESH, GENSET, LOAD, WIND


@micropython.native
def for_pv(snap, rated_pu, charge_pu, spare_pu):
    """Return what PV may give, 0 .. its rating: load less other production, what the battery charges, and `spare_pu`.

    That is the export cap, or as an island what the genset gives above its lowest load. A load whose meter is silent
    counts as 0.
    """
    power, state = snap.power_pu, snap.state
    room_pu = charge_pu + spare_pu
    if state[LOAD] == FRESH:
        room_pu += power[LOAD]
    room_pu -= max(power[WIND], 0) + max(power[GENSET], 0)
    if room_pu > rated_pu:
        room_pu = rated_pu
    return room_pu if room_pu > 0 else 0
