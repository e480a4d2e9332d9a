"""Which devices of the site are missing: for the supervisor, and in words for people. Background only."""

from micropython import const

from firmware.control import supervisor
from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, PV, WIND

_ROLES = {"load": LOAD, "grid": GRID, "pcs": BESS, "wind": WIND, "pv": PV, "genset": GENSET}
LOST = {"wind_limit": supervisor.IF_WIND_LIMIT_LOST, "pv_limit": supervisor.IF_PV_LIMIT_LOST,
        "genset_control": supervisor.IF_GENSET_CONTROL_LOST, "bms": supervisor.IF_BMS_LOST}
_PATIENCE = const(5)  # looks, one a second, without an answer until a device is lost: it is asked as often


class Missing:
    """`rows` are the devices of site.json; `find(role)` returns what drives a limit, genset controller or BMS."""

    def __init__(self, rows, snapshot, find):
        self._snapshot = snapshot
        self._rows = rows
        self._found = {row["role"]: find(row["role"]) for row in rows if row["role"] in LOST}
        self._seen = {role: (-1, 0) for role in self._found}  # answers, looks since one came
        self._lost = set()

    def look(self):
        """Return which of the devices that are no meter do not answer, as bits for the supervisor; once a second.

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
        return lost

    def names(self):
        """Return the missing devices in words: role, profile, bus and unit of each, "" when all are there."""
        named = [name for name in [self._name(row) for row in self._rows] if name]
        return ", ".join(named)

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
        return "%s %s at bus %d unit %d" % (what, row["profile"], row["bus"], row["unit"]) if gone else ""
