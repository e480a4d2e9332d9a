"""What the supervisor tells: state, reason, target and set point to whoever watches, each change to the event log."""

from firmware.control.reasons import NAMES as REASONS
from firmware.control.reasons import SENTENCES
from firmware.control.states import LIMITED, ON_GRID, START
from firmware.control.states import NAMES as STATES

# Limited and on-grid are one state for the event log: each limit is noted once until none has held for a minute.
_NOTED = tuple(ON_GRID if s == LIMITED else s for s in range(len(STATES)))
_FREE_TELLS = 60


class Teller:
    """Compares what holds now with what was told last. Background only."""

    def __init__(self, sup, setpoint, missing, unit_w):
        self._sup = sup
        self._setpoint = setpoint
        self._missing = missing
        self._unit_w = unit_w
        self._told = None
        self._noted = _NOTED[START]
        self._named = ""
        self._limits = []  # reasons noted since there was none
        self._free = 0  # calls since one held

    def mode(self):
        """Return the state as a word."""
        return STATES[self._sup.state]

    def reason(self):
        """Return the reason of the set point as a word."""
        return REASONS[self._setpoint.reason]

    def tell(self, report, note):
        """Report what has changed; note a change of state, and of the devices that are missing."""
        state, point = self._sup.state, self._setpoint
        text = "%s %s %d %d" % (self.mode(), self.reason(), point.grid_target_pu * self._unit_w,
                                point.bess_pu * self._unit_w)
        if text != self._told:
            self._told = text
            report("T", text)
        named = "" if state == START else self._missing.names()
        if _NOTED[state] != self._noted or named != self._named:
            self._noted, self._named = _NOTED[state], named
            note("supervisor", STATES[state].upper(), SENTENCES[point.reason] + named)
        if state == LIMITED or self._limits:
            self._tell_limit(state, point.reason, note)

    def _tell_limit(self, state, reason, note):
        """Note a limit that begins to hold, and the end of all: what comes and goes by the second is one."""
        if state == LIMITED:
            self._free = 0
            if reason not in self._limits:
                self._limits.append(reason)
                note("limits", "LIMIT", SENTENCES[reason])
            return
        self._free += 1
        if self._free >= _FREE_TELLS:
            self._limits = []
            note("limits", "LIMIT_END", "no limit has held for %d looks" % _FREE_TELLS)
