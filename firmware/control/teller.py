"""What the supervisor tells: state, reason, target and set point to whoever watches, each change to the event log."""

from firmware.control import reasons, supervisor

# Limited and on-grid are one state for the event log: only their words differ.
_NOTED = tuple(supervisor.ON_GRID if s == supervisor.LIMITED else s for s in range(len(supervisor.NAMES)))


class Teller:
    """Compares what holds now with what was told last. Background only."""

    def __init__(self, sup, setpoint, missing, unit_w):
        self._sup = sup
        self._setpoint = setpoint
        self._missing = missing
        self._unit_w = unit_w
        self._told = None
        self._noted = _NOTED[supervisor.START]
        self._named = ""

    def tell(self, report, note):
        """Report what has changed; note a change of state, and of the devices that are missing."""
        state, point = self._sup.state, self._setpoint
        text = "%s %s %d %d" % (supervisor.NAMES[state], reasons.NAMES[point.reason],
                                point.grid_target_pu * self._unit_w, point.bess_pu * self._unit_w)
        if text != self._told:
            self._told = text
            report("T", text)
        named = "" if state == supervisor.START else self._missing.names()
        if _NOTED[state] != self._noted or named != self._named:
            self._noted, self._named = _NOTED[state], named
            text = reasons.SENTENCES[point.reason]
            note("supervisor", supervisor.NAMES[state].upper(), "%s Missing: %s." % (text, named) if named else text)
