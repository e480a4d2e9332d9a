"""What the firmware says while it runs: telemetry, events, messages, and the sentence it dies with."""

from host_tools.errors import ToolError

_KEPT_MESSAGES = 1_000


class Reports:
    """Collects report lines by kind: T telemetry, E event, M message, F fatal."""

    def __init__(self):
        self.mode = ""
        self.reason = ""
        self.target_w = None  # what the grid meter should read
        self.setpoint_w = None
        self.events = []
        self.messages = []
        self.fatal = None

    def take(self, kind, text):
        """Take one report line."""
        if kind == "T":
            self._telemetry(text)
        elif kind == "E":
            self.events.append(text)
        elif kind == "F":
            self.fatal = text
        elif len(self.messages) < _KEPT_MESSAGES:
            self.messages.append(text)

    def _telemetry(self, text):
        words = text.split()
        try:
            mode, reason, target, setpoint = words
            self.target_w, self.setpoint_w = int(target), int(setpoint)
        except ValueError:
            raise ToolError(f"the firmware's telemetry {text!r} is not `mode reason target_w setpoint_w`",
                            "Run a firmware and host tools of the same version.") from None
        self.mode, self.reason = mode, reason

    def raise_fatal(self):
        """Raise ToolError with the firmware's own words, if it died."""
        if self.fatal is None:
            return
        code, _, text = self.fatal.partition(" ")
        if code == "CONFIG":
            raise ToolError(f"site.json: {text}", "Correct it; host_tools/sites holds working examples.")
        raise ToolError(f"the firmware stopped: {self.fatal}", "See the end of vm.log in the run folder.")
