"""What the simulated PCSs have in common, whatever they speak: a set point, a watchdog, the battery behind.

How long the watchdog really waits, and what the PCS then does, is the device's affair unless `fall_back` says
otherwise.
"""

from host_tools.plant.agenda import Timer


class Driven:
    """Mixed into a slave; the slave says in wanted_w() what its registers ask for."""

    def init_driven(self, site, agenda):
        """Take the plant; to be called before anything is written."""
        self._site = site
        self._battery = site.battery
        self._agenda = agenda
        self._asked_w = 0.0
        self._timer = Timer(agenda, self._expire)
        self.local = False
        self.broken = False
        self.fallen = False  # the time was over, and nobody has fed it since

    @property
    def setpoint_w(self):
        """The set point that the PCS now holds, W, before its own limits."""
        return self._asked_w

    def set_local(self, local):
        """Let somebody command it on the spot: the bus is ignored."""
        self.local = local
        self.command(self._agenda.now_us)

    def set_trouble(self, derate_w, fault):
        """Limit the PCS silently (W or None), or fault it."""
        self._battery.limit(self._agenda.now_us, derate_w, fault)
        self.broken = fault
        self.show_fault(fault)

    def feed(self, t_us, configured_s):
        """Start the watchdog anew; 0 s as configured is none."""
        self.fallen = False
        seconds = self.fall_back.seconds(configured_s)
        if seconds:
            self._timer.start(t_us + round(seconds * 1_000_000))
        else:
            self._timer.stop()

    def command(self, t_us):
        """Bring the battery's command up to what the registers ask for."""
        power_w = 0.0 if self.local or self.broken else self._wanted_or_fallen_w()
        if power_w != self._asked_w:
            self._asked_w = power_w
            self._site.advance(t_us)
            self._battery.command(t_us, power_w)

    def _wanted_or_fallen_w(self):
        if self.fallen and self.fall_back.to_w is not None:
            return self.fall_back.to_w
        return self.wanted_w()

    def _expire(self):
        self.fallen = True
        self.fall()
        self.command(self._agenda.now_us)

    def power_w(self, t_us):
        """Return the AC power to show, W, at the device's refresh instants."""
        sample_us = t_us - t_us % self.refresh_us
        return self.untruth.power_w(self._site.bess(sample_us), sample_us)

    def soc_permille(self, t_us):
        """Return the state of charge to show, 0 to 1000."""
        return min(max(round(self._battery.soc_permille(t_us - t_us % 1_000_000)), 0), 1000)

    def wanted_w(self):
        """Return what the registers ask for, W, the fall-back included."""
        raise AssertionError(self)

    def fall(self):
        """Change the registers as the device does when its time is over."""

    def show_fault(self, fault):
        """Show a fault in the registers."""
