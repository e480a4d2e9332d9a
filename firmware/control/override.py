"""What the operator asks for: a set point, a mode or tighter caps for a time, with a reason; each ends by itself.

A command is one line of words: what, value, seconds, reason. It says nothing that limits, ramp and table of states do
not hold against it, and it survives nothing: a restart ends it. Begin, end and refusal each become an event.

    override_w 200000 600 test of the PCS     the set point, W, discharge +
    import_w 800000 3600 feeder at work       an import cap below the site's; export_w likewise
    mode manual 600 inspection                auto, manual or dry_run
    end override_w                            ends one before its time
    acknowledge                               an input whose policy is to stop may count again
"""

from micropython import const

from firmware.control import reasons
from firmware.control.states import IF_DRY, IF_MANUAL, IF_OVERRIDE
from firmware.core import ticks

MODES = const(("auto", "manual", "dry_run"))
_WHAT = const(("override_w", "import_w", "export_w", "mode"))
_MOST_S = const(86_400)
_MOST_W = const(1_000_000_000)
_OF = (1 << IF_DRY) | (1 << IF_MANUAL) | (1 << IF_OVERRIDE)


class Override:
    """Keeps what is asked and for how long. `to_pu(watts)` turns watts into site power units; background only.

    `mode` and `manual_w` are the site's own; `dry` says whether a dry run can be had, `go_dry(flag)` begins or ends it.
    """

    def __init__(self, sup, limits, to_pu, mode, manual_w, dry, go_dry):
        self._sup = sup
        self._limits = limits
        self._to_pu = to_pu
        self._site = {"mode": mode, "override_w": manual_w, "import_w": limits.import_pu,
                      "export_w": limits.export_pu}
        self._orders = {}  # what -> (value, tick at which it ends)
        self._dry = dry
        self._go_dry = go_dry
        self._is_dry = False
        self._apply()

    def take(self, line, now_ms, note):
        """Carry out one command, or say why not."""
        words = line.split(None, 3)
        try:
            self._carry_out(words, now_ms, note)
        except ValueError as error:
            note("operator", "REFUSED", "%s: %s" % (line[:60], error))

    def _carry_out(self, words, now_ms, note):
        if words == ["acknowledge"]:
            self._sup.acknowledge()
            note("operator", "ACKNOWLEDGED", "An input whose policy is to stop may count again.")
        elif len(words) == 2 and words[0] == "end" and words[1] in self._orders:
            self._end(words[1], note, "ended by the operator")
        elif len(words) >= 3 and words[0] in _WHAT:
            seconds = _whole(words[2], 1, _MOST_S, "seconds")
            value = self._value(words[0], words[1])
            self._orders[words[0]] = (value, ticks.add(now_ms, seconds * 1000))
            self._apply()
            note("operator", "OVERRIDE", "%s %s for %d s%s" % (
                words[0], words[1], seconds, ": " + words[3] if len(words) > 3 else ""))
        else:
            raise ValueError("give one of %s with value, seconds and reason; or end, acknowledge" % ", ".join(_WHAT))

    def _value(self, what, text):
        if what != "mode":
            return _whole(text, -_MOST_W if what == "override_w" else 0, _MOST_W, "W")
        if text not in MODES:
            raise ValueError("mode is one of " + ", ".join(MODES))
        if text == "dry_run" and not self._dry:
            raise ValueError("a PCS that each read keeps alive allows no dry run")
        return text

    def look(self, now_ms, note):
        """End what is over."""
        for what in _WHAT:
            if what in self._orders and ticks.diff(now_ms, self._orders[what][1]) >= 0:
                self._end(what, note, "its time is over")

    def _end(self, what, note, why):
        value, _ = self._orders.pop(what)
        self._apply()
        note("operator", "OVERRIDE_END", "%s %s: %s" % (what, value, why))

    def _asked(self, what):
        return self._orders[what][0] if what in self._orders else self._site[what]

    def _apply(self):
        """Hand on what holds now."""
        mode = self._asked("mode")
        ordered = "override_w" in self._orders
        wrong = (1 << IF_MANUAL if mode == "manual" else 0) | (1 << IF_OVERRIDE if ordered else 0)
        self._sup.order(self._to_pu(self._asked("override_w")), reasons.OVERRIDE if ordered else reasons.MANUAL)
        self._sup.tell(_OF, wrong | (1 << IF_DRY if mode == "dry_run" else 0))
        if self._is_dry != (mode == "dry_run"):
            self._is_dry = not self._is_dry
            self._go_dry(self._is_dry)
        for what in ("import_w", "export_w"):
            cap_pu = self._site[what]
            if what in self._orders:  # tighter, never wider
                cap_pu = min(cap_pu, self._to_pu(self._orders[what][0]))
            if what == "import_w":
                self._limits.import_pu = cap_pu
            else:
                self._limits.export_pu = cap_pu


def _whole(text, low, high, unit):
    """Return a whole number from `low` to `high`; raises ValueError in words."""
    digits = text[1:] if text[:1] in "+-" else text
    if not digits.isdigit() or not low <= int(text) <= high:
        raise ValueError("%s is not from %d to %d %s" % (text, low, high, unit))
    return int(text)
