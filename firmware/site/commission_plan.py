"""What a commissioning run will do: steps, powers, durations and limits, from site.json and the options. Pure.

The board follows this plan, and the host's dry run prints it: the same lines for both.
"""

from firmware.core.errors import ConfigError

FIND = "find"
DIRECTION = "direction"
RESPONSE = "response"
REVERSION = "reversion"
STEPS = (FIND, DIRECTION, RESPONSE, REVERSION)

TICK_MS = 20  # the procedure's own period: how often it looks, asks and commands
RENEW_FED_MS = 100  # and with a PCS that reading keeps alive
RENEW_MS = 500  # how often a standing set point is sent again
HOLD_MS = 1500  # a level is averaged over this long
SETTLE_MS = 1200  # after the PCS has reached it: a meter refreshes once a second
FOLLOW_MS = 15_000  # the longest wait for the PCS to reach a level
BLOCKS_MIN = 4
BLOCKS_MAX = 16
_LEVEL_S = 3
_ZERO_S = 15  # until the zero of an abort must be acknowledged

# option, lowest, highest, default
_OPTIONS = (
    ("step_permille", 1, 200, 50),
    ("max_permille", 1, 1000, 200),
    ("reversion_limit_s", 0, 14_400, 0),  # 0: three times the configured time and a minute
)
_SCAN_MAX = 247


class Plan:
    """The plan: powers in W, times in s; `lines` is [(step, what, power_w, typical_s, limit_s)]."""

    def __init__(self, config, options):
        self.steps = _steps(options)
        values = _values(options)
        bess_w = config["ratings"]["bess_w"]
        self.max_w = max(bess_w * values["max_permille"] // 1000, 1)
        self.step_w = min(max(bess_w * values["step_permille"] // 1000, 1), self.max_w)
        self.configured_s = config["pcs"]["reversion_s"]
        self.reversion_limit_s = values["reversion_limit_s"] or 3 * self.configured_s + 60
        self.scan = _scan(options)
        self.lines = self._lines(config)

    def limit_s(self, step):
        """Return the longest time a step may take."""
        for line in self.lines:
            if line[0] == step:
                return line[4]
        return _ZERO_S

    def _lines(self, config):
        n = len(config["devices"])
        lines = []
        if self.scan:
            tries = len(self.scan) * len(config["buses"])
            lines.append(("scan", "ask %d addresses on each of %d buses for one register"
                          % (len(self.scan), len(config["buses"])), 0, tries // 2 + 1, tries + 5))
        lines.append((FIND, "read each of the %d devices of site.json as its profile; the PCS is set to zero" % n,
                      0, 2 + n, 10 * n + 20))
        if DIRECTION in self.steps:
            lines.append((DIRECTION, "alternate the PCS between two levels, %d to %d blocks of 4, compare each meter"
                          % (BLOCKS_MIN, BLOCKS_MAX), self.step_w, BLOCKS_MIN * 4 * _LEVEL_S, 900))
        if RESPONSE in self.steps:
            lines.append((RESPONSE, "step the PCS to %d W and back both ways; search the smallest set point that moves"
                          " it; go to the permitted maximum both ways" % self.step_w, self.max_w, 90, 900))
        if REVERSION in self.steps:
            lines.append((REVERSION, "leave a set point standing, send no command and no heartbeat, and wait for the "
                          "PCS to fall back (configured: %d s)" % self.configured_s, self.step_w,
                          self.configured_s + 30, self.reversion_limit_s + 90))
        lines.append(("zero", "command zero and wait for its acknowledgement; so does every abort", 0, 1, _ZERO_S))
        return lines


def _steps(options):
    steps = options.get("steps") or STEPS
    for step in steps:
        if step not in STEPS:
            raise ConfigError("OPTION", "steps: %s is none; allowed: %s" % (step, ", ".join(STEPS)))
    return steps


def _values(options):
    values = {}
    for name, low, high, default in _OPTIONS:
        value = options.get(name, default)
        if not isinstance(value, int) or not low <= value <= high:
            raise ConfigError("OPTION", "%s: %s is not allowed; give %d to %d" % (name, value, low, high))
        values[name] = value
    return values


def _scan(options):
    units = options.get("scan") or ()
    for unit in units:
        if not isinstance(unit, int) or not 1 <= unit <= _SCAN_MAX:
            raise ConfigError("OPTION", "scan: %s is no Modbus address; give 1 to %d" % (unit, _SCAN_MAX))
    return units
