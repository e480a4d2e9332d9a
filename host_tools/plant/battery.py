"""Battery and PCS as one plant: dead time, lag, rating, efficiency, state of charge, and what the BMS allows.

Energies are kept in watts times microseconds (exact enough in a double for years) and shown in Wh.
"""

from collections import deque

from host_tools.plant.response import Response
from host_tools.plant.series import W_US_PER_WH

DEAD_TIME_US = 10_000
LAG_US = 50_000
BMS_CYCLE_US = 100_000
_LEAST_W = 1e-6  # less is nothing: the quotients of a response would not fit a float


class Battery:
    """A BESS behind its PCS. Discharge is positive."""

    def __init__(self, rating_w, energy_wh, charge_permille=940, discharge_permille=940, soc_permille=500):
        self.rating_w = float(rating_w)
        self.capacity = energy_wh * W_US_PER_WH
        self.charge_efficiency = charge_permille / 1000
        self.discharge_efficiency = discharge_permille / 1000
        self.dead_us = DEAD_TIME_US
        self.dead_band_w = 0.0  # a smaller set point than this gives no power
        self.standby_w = 0.0  # drawn from the store, whatever the PCS does
        self.derate_w = None  # silent limit of the PCS, both ways
        self.fault = False
        self.output = Response(0.0, LAG_US)
        self.stored = self.capacity * soc_permille / 1000
        self.discharged = 0.0
        self.charged = 0.0
        self.lowest = self.highest = self.stored
        self._marked_us = 0
        self._commands = deque()
        self._command_w = 0.0
        self._check_us = 0
        self._held = False
        self.bounds = (-self.rating_w, self.rating_w)  # what rating, derating, fault and store allow
        self.asked_w = 0.0  # the set point within these, as it acts

    def command(self, t_us, power_w):
        """Take a set point at a time; it starts to act after the dead time."""
        self._commands.append((t_us + self.dead_us, float(power_w)))

    def power(self, t_us):
        """Return the AC power at a time up to two seconds back, W."""
        return self.output.value(t_us)

    def soc_permille(self, t_us):
        """Return the state of charge, 0..1000."""
        self.advance(t_us)
        self._integrate(t_us)
        return 1000.0 * self.stored / self.capacity

    def stored_wh(self, t_us):
        """Return the stored energy, Wh (DC)."""
        return self.soc_permille(t_us) / 1000 * self.capacity / W_US_PER_WH

    def counters_wh(self, t_us):
        """Return (discharged, charged) AC energy so far, Wh."""
        self.advance(t_us)
        self._integrate(t_us)
        return self.discharged / W_US_PER_WH, self.charged / W_US_PER_WH

    def set_soc(self, t_us, permille):
        """Set the state of charge (a plant parameter, before or between runs)."""
        self.advance(t_us)
        self._integrate(t_us)
        self.stored = self.lowest = self.highest = self.capacity * permille / 1000
        self._retarget(t_us)

    def limit(self, t_us, derate_w, fault):
        """Change what the PCS can do: a silent limit in W or None, and a fault that opens its breaker."""
        self.advance(t_us)
        self._integrate(t_us)
        self.derate_w = derate_w
        if fault and not self.fault:
            self.output.jump(t_us, 0.0)
        self.fault = fault
        self._retarget(t_us)

    def hold(self, t_us, held):
        """Let somebody else say what the output is (it forms a grid of its own), or follow the set points again."""
        self.advance(t_us)
        self._held = held
        self._retarget(t_us)

    def advance(self, t_us):
        """Let commands take effect and the BMS look at its store, up to a time."""
        commands = self._commands
        while True:
            due_us = commands[0][0] if commands else t_us + 1
            if self._check_us < due_us:
                due_us = self._check_us
                if due_us > t_us:
                    return
            elif due_us > t_us:
                return
            else:
                self._command_w = commands.popleft()[1]
            self._retarget(due_us)

    def _retarget(self, t_us):
        self._integrate(t_us)
        top = bottom = 0.0
        if not self.fault:
            top = self.rating_w if self.derate_w is None else min(self.rating_w, self.derate_w)
            bottom = -top
        margin_us = self._margin_us()
        if self.stored <= 0:
            top = 0.0
        if self.stored >= self.capacity:
            bottom = 0.0
        self._check_us = t_us + max(BMS_CYCLE_US, margin_us)
        wanted_w = self._command_w if abs(self._command_w) >= max(self.dead_band_w, _LEAST_W) else 0.0
        self.bounds = bottom, top
        self.asked_w = min(max(wanted_w, bottom), top)
        if self.asked_w != self.output.target_w and not self._held:
            self.output.retarget(t_us, self.asked_w)

    def _margin_us(self):
        """Return how long the store lasts at full power in the worse direction."""
        full_w = self.rating_w + self.standby_w
        empty_us = self.stored * self.discharge_efficiency / full_w
        full_us = (self.capacity - self.stored) / (full_w * self.charge_efficiency)
        return int(min(empty_us, full_us))

    def _integrate(self, t_us):
        if t_us <= self._marked_us:
            return
        out, into = self.output.integrals(self._marked_us, t_us)
        self.discharged += out
        self.charged += into
        self.stored += into * self.charge_efficiency - out / self.discharge_efficiency
        self.stored -= self.standby_w * (t_us - self._marked_us)
        self.lowest = min(self.lowest, self.stored)
        self.highest = max(self.highest, self.stored)
        self._marked_us = t_us
