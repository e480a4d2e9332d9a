"""What the board says of itself: one JSON object, sent retained, so that whoever comes later knows it too.

It is for people and dashboards, and not signed: the records are the evidence.
"""

from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, PV, ROLE_NAMES, ROLES, STALE, WIND

_CLOCK = ("unknown", "set", "synchronised", "holding")
_ALARMS = ("degraded", "fault", "local")  # modes in which somebody should look
_ORDER = (LOAD, WIND, PV, GENSET, BESS, GRID)


class Status:
    """The state of one board; `mode()` and `reason()` are words, the reason that of its set point."""

    def __init__(self, version, config_hash, unit_w, snapshot, setpoint, utc, mode, reason, chain):
        self._head = '"firmware": "%s", "config": "%s"' % (version, config_hash.hex())
        self._unit_w = unit_w
        self._snap = snapshot
        self._setpoint = setpoint
        self._utc = utc
        self.mode = mode  # a change of it is news
        self._reason = reason
        self._chain = chain

    def text(self):
        """Yield while putting the state into words; return it as JSON, in bytes."""
        utc, chain, snap = self._utc, self._chain, self._snap
        powers = []
        for role in _ORDER:
            powers.append('"%s_w": %s' % (ROLE_NAMES[role], self._power(role)))
            yield  # where the heap is nearly full, each piece has to be looked for
        powers = ", ".join(powers)
        yield
        mode, reason = self.mode(), self._reason()
        alarms = self._alarms(mode, reason)
        yield
        now_s = str(utc.quarter * 900 + utc.ms // 1000) if utc.trust else "null"
        text = '{"online": true, "utc": %s, "uptime_s": %d, %s, "size": %d, "acked": %d, "alarms": [%s], ' % (
            now_s, utc.up_s, self._head, chain.size, chain.acknowledged, alarms)
        yield
        soc = str(snap.soc_permille) if snap.soc_state == FRESH else "null"
        text += '"mode": "%s", "reason": "%s", "soc_permille": %s, %s, "setpoint_w": %d, "clock": "%s"}' % (
            mode, reason, soc, powers, self._setpoint.bess_pu * self._unit_w, _CLOCK[utc.trust_now()])
        return text.encode()

    def _power(self, role):
        """Return a power in W as JSON: null where the meter is silent."""
        state = self._snap.state[role]
        return str(self._snap.power_pu[role] * self._unit_w) if state in (ABSENT, FRESH) else "null"

    def _alarms(self, mode, reason):
        words = ['"%s"' % reason] if mode in _ALARMS else []
        words += ['"%s_silent"' % ROLE_NAMES[role] for role in range(ROLES) if self._snap.state[role] >= STALE]
        if not self._utc.trust:
            words.append('"clock_unknown"')
        if self._chain.trouble:
            words.append('"flash"')
        return ", ".join(words)
