"""Which devices of the site are missing: for the supervisor, and in words for people. Background only."""

from micropython import const

from firmware.control.states import (
    IF_BMS_LOST,
    IF_DISTURBED,
    IF_GENSET_CONTROL_LOST,
    IF_PV_LIMIT_LOST,
    IF_UNASKED,
    IF_WIND_LIMIT_LOST,
)
from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, PV, WIND

_ROLES = {"load": LOAD, "grid": GRID, "pcs": BESS, "wind": WIND, "pv": PV, "genset": GENSET}
LOST = {"wind_limit": IF_WIND_LIMIT_LOST, "pv_limit": IF_PV_LIMIT_LOST,
        "genset_control": IF_GENSET_CONTROL_LOST, "bms": IF_BMS_LOST}
TOLD = 0  # all that look() may return
for _bit in list(LOST.values()) + [IF_UNASKED, IF_DISTURBED]:
    TOLD |= 1 << _bit
_DEVICE = "%s %s at bus %d unit %d"
_PATIENCE = const(5)  # looks, one a second, without an answer until a device is lost: it is asked as often


class Missing:
    """`rows` are the devices of site.json; `find(role)` returns what drives a limit, genset controller or BMS.

    `unasked()` returns (bus, unit) of each who speaks without having been asked, unit 0 for one that is not known.
    """

    def __init__(self, rows, snapshot, find, unasked=tuple):
        self._unasked = unasked
        self._snapshot = snapshot
        self._rows = rows
        self._found = {row["role"]: find(row["role"]) for row in rows if row["role"] in LOST}
        self._seen = {role: (-1, 0) for role in self._found}  # answers, looks since one came
        self._lost = set()

    def look(self):
        """Return what is wrong with buses and devices that are no meter, as the supervisor's bits; once a second.

        One that is being sought anew is lost until it is ready. What the bus holds back from a silent device counts
        as no answer, too.
        """
        lost = 0
        for role, device in self._found.items():
            answers, looks = self._seen[role]
            looks = looks + 1 if device.stats.answers == answers else 0
            self._seen[role] = device.stats.answers, looks
            if looks >= _PATIENCE or not device.ready and device.trouble:
                self._lost.add(role)
            elif device.ready:
                self._lost.discard(role)
            if role in self._lost:
                lost |= 1 << LOST[role]
        for _, unit in self._unasked():
            lost |= 1 << (IF_UNASKED if unit else IF_DISTURBED)
        return lost

    def names(self):
        """Return in words which devices are missing, and who speaks unasked: role, profile, bus and unit of each."""
        gone = ", ".join([name for name in [self._name(row) for row in self._rows] if name])
        loud = ", ".join([self._speaker(bus, unit) for bus, unit in self._unasked()])
        return (" Missing: %s." % gone if gone else "") + (" Speaks unasked: %s." % loud if loud else "")

    def _speaker(self, bus, unit):
        for row in self._rows:
            if row["bus"] == bus and row["unit"] == unit:
                return _DEVICE % (row["role"], row["profile"], bus, unit)
        return "somebody unknown at bus %d" % bus

    def _name(self, row):
        snap, role = self._snapshot, row["role"]
        what = role
        if role in _ROLES:
            gone = snap.state[_ROLES[role]] not in (FRESH, ABSENT) or role == "pcs" and not snap.pcs_ready
        else:
            gone = role in self._lost
        if not gone and snap.soc_state != FRESH and role == ("bms" if "bms" in self._found else "pcs"):
            gone = True
            what += " (its state of charge)"
        return _DEVICE % (what, row["profile"], row["bus"], row["unit"]) if gone else ""
