"""What a device shows instead of the truth, in frames that are right: one set of knobs for every profile."""

from math import nan

# lowest, highest, whole numbers only, in words
_SWITCH = (0, 1, True, "0 or 1")
_WATTS = (-1e10, 1e10, False, "watts, +-1e10")
_WATT_HOURS = (0, 1e10, False, "watt-hours, 0 to 1e10")
SETTINGS = {
    "stuck_value": (-1e10, 1e10, False, "watts, +-1e10, or off"),  # the power stands there
    "minus_one": _SWITCH,  # the power reads -1, as an analyser without a reading says
    "spike_w": _WATTS,  # is added to one sample
    "glitch_wh": _WATT_HOURS,  # is added to the energy counters in one reading
    "counter_back_wh": _WATT_HOURS,  # is taken from the energy counters for good
    "zeros": _SWITCH,  # every measured register is zero, and the state says fault where there is one
    "sentinel": _SWITCH,  # every measured register says "not implemented" or overflow
}
NEVER = nan  # stuck_value: off


class Untruth:
    """The knobs of one device; the device asks it for what to show."""

    def __init__(self):
        self.clear()

    def clear(self):
        """Tell the truth again; what counters have lost is lost."""
        self.stuck_value = NEVER
        self.minus_one = self.zeros = self.sentinel = False
        self.spike_w = self.glitch_wh = 0.0
        self.counter_back_wh = getattr(self, "counter_back_wh", 0.0)
        self._spiked = None

    @property
    def masks(self):
        """True when the registers themselves are overwritten."""
        return self.zeros or self.sentinel

    def set(self, name, value):
        """Turn one knob."""
        if name == "counter_back_wh":
            self.counter_back_wh += value
        elif name in ("zeros", "sentinel", "minus_one"):
            setattr(self, name, bool(value))
        else:
            setattr(self, name, value)
            self._spiked = None

    def power_w(self, power_w, sample):
        """Return the power to show in place of a true one, W; `sample` tells one measurement from the next."""
        if self.minus_one:
            return -1.0
        if self.stuck_value == self.stuck_value:
            return self.stuck_value
        if self.spike_w:
            if self._spiked is None:
                self._spiked = sample
            if self._spiked == sample:
                return power_w + self.spike_w
            self.spike_w = 0.0
        return power_w

    def energies_wh(self, plus_wh, minus_wh):
        """Return the counters to show in place of true ones, Wh; never below zero."""
        shift_wh = self.glitch_wh - self.counter_back_wh
        self.glitch_wh = 0.0
        return max(plus_wh + shift_wh, 0.0), max(minus_wh + shift_wh, 0.0)
