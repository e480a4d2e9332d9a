"""The genset as an engine: it cranks, warms up, carries, cools down, burns fuel, and fails when told to.

Fuel after Skarstein and Uhlen (1989): 0.0845 l/h a kW of rating as long as it turns, and 0.246 l a kWh.
"""

from host_tools.plant.agenda import Timer
from host_tools.plant.series import US_PER_S, W_US_PER_WH

STOPPED, CRANKING, WARMING, RUNNING, COOLING = 0, 1, 2, 3, 4  # as DSE's engine states
NAMES = ("stopped", "cranking", "warming", "running", "cooling")
_IDLE_L_PER_KWH = 0.0845
_L_PER_KWH = 0.246
_TANK_H = 24  # at its rating, where nothing else is said
_LOW_LOAD = 0.3  # of its rating: below it an engine soots up


class Genset:
    """One genset of a site; `site` is where it gives power. Times in whole microseconds."""

    def __init__(self, agenda, site, rating_w, base_w=0.0):
        self.rating_w = rating_w
        self.base_w = base_w  # what it gives beside the grid
        self.state = STOPPED
        self.start_s = 10
        self.warm_s = 20
        self.cool_s = 60
        self.start_failures = 0  # so many of the next starts fail
        self.broken = False  # shut down by an alarm
        self.tank_l = _TANK_H * rating_w / 1000 * (_IDLE_L_PER_KWH + _L_PER_KWH)
        self.fuel_l = 0.75 * self.tank_l
        self.burnt_l = 0.0
        self.starts = self.failed_starts = 0
        self.turned_us = self.low_load_us = 0
        self._agenda = agenda
        self._site = site
        self._timer = Timer(agenda, self._go_on)

    @property
    def carries(self):
        """True while it may take load."""
        return self.state == RUNNING

    @property
    def turns(self):
        """True while the engine runs by itself."""
        return self.state in (WARMING, RUNNING, COOLING)

    @property
    def fuel_permille(self):
        """What the tank holds, 0 to 1000."""
        return 1000 * self.fuel_l / self.tank_l if self.tank_l else 0.0

    def start(self):
        """Start, if it stands still; one that cools down goes on."""
        if self.broken or self.fuel_l <= 0:
            return
        if self.state == STOPPED:
            self._enter(CRANKING, self.start_s)
        elif self.state == COOLING:
            self._enter(RUNNING, None)
            self._give()

    def stop(self):
        """Stop, after it has cooled down."""
        if self.state == CRANKING:
            self._enter(STOPPED, None)
        elif self.state in (WARMING, RUNNING):
            self._enter(COOLING, self.cool_s)
            self._give()

    def trip(self, broken):
        """Shut down at once by an alarm, or be as before it."""
        self.broken = broken
        if broken and self.state != STOPPED:
            self._enter(STOPPED, None)
            self._give()

    def give_w(self):
        """Return what it is to give beside the grid, W."""
        return self.base_w if self.carries else 0.0

    def burn(self, us, area):
        """Take fuel for a piece of time in which it gave an area, W times us."""
        if not self.turns:
            return
        kwh = area / W_US_PER_WH / 1000
        litres = kwh * _L_PER_KWH + self.rating_w / 1000 * _IDLE_L_PER_KWH * us / US_PER_S / 3600
        self.fuel_l = max(self.fuel_l - litres, 0.0)
        self.burnt_l += litres
        self.turned_us += us
        if area < _LOW_LOAD * self.rating_w * us:
            self.low_load_us += us
        if self.fuel_l <= 0:
            self._agenda.calmly_at(self._agenda.now_us, self._run_dry)

    def _run_dry(self, _):
        if self.turns and self.fuel_l <= 0:
            self._enter(STOPPED, None)
            self._give()

    def _enter(self, state, seconds):
        self._site.advance(self._agenda.now_us)  # the fuel of the state that ends
        self.state = state
        if seconds is None:
            self._timer.stop()
        else:
            self._timer.start(self._agenda.now_us + round(seconds * US_PER_S))

    def _go_on(self):
        """The time of a state is over."""
        if self.state == CRANKING and self.start_failures > 0:
            self.start_failures -= 1
            self.failed_starts += 1
            self._enter(STOPPED, None)
        elif self.state == CRANKING:
            self.starts += 1
            self._enter(WARMING, self.warm_s)
        elif self.state == WARMING:
            self._enter(RUNNING, None)
            self._give()
        elif self.state == COOLING:
            self._enter(STOPPED, None)

    def _give(self):
        """Head for the power beside the grid; as an island the site takes what it needs."""
        if not self._site.islanded:
            self._site.engine.retarget(self._agenda.now_us, self.give_w())

    def summary(self):
        """Return what it did, for summary.json."""
        return {"starts": self.starts, "failed_starts": self.failed_starts, "fuel_l": round(self.burnt_l, 2),
                "fuel_left_permille": round(self.fuel_permille, 1), "running_s": round(self.turned_us / US_PER_S, 1),
                "below_30_percent_s": round(self.low_load_us / US_PER_S, 1)}
