"""The electrical site at its true values: load, curtailed wind, PV, battery, and the grid for the rest.

load = grid + bess + wind + pv + genset. Times are whole microseconds of the run, powers W, areas W times us.
"""

from host_tools.plant.response import Response
from host_tools.plant.series import W_US_PER_WH

STEP_US = 100_000  # longest piece of energy account while something moves
WIND_LAG_US = 1_000_000
ROLES = ("load", "grid", "bess", "wind", "pv", "genset")


class SiteModel:
    """Powers at any time of the last two seconds, and exact energies up to the last advance()."""

    def __init__(self, load, wind, pv, wind_rating_w, battery):
        self.load = load.value
        self.pv = pv.value
        self.wind_available = wind.value
        self._load_area = load.integral
        self._pv_area = pv.integral
        self._wind_area = wind.integral
        self.battery = battery
        self.cap = Response(wind_rating_w, WIND_LAG_US)  # what the wind plant's controller lets through
        self.t_us = 0
        self._direct_w = self._direct(0)  # at t_us
        self.areas = dict.fromkeys(("load", "wind_available", "wind", "pv", "genset", "import", "export",
                                    "direct_without_storage"), 0.0)

    def wind(self, t_us):
        """Return the wind power after curtailment, W."""
        available = self.wind_available(t_us)
        cap = self.cap.value(t_us)
        return available if available < cap else cap

    def bess(self, t_us):
        """Return the battery's AC power, W, discharge positive."""
        self.battery.advance(t_us)
        return self.battery.output.value(t_us)

    def genset(self, _t_us):
        """Return the genset's power: this site model has none, W."""
        return 0.0

    def grid(self, t_us):
        """Return what the grid gives, W, import positive."""
        return self.load(t_us) - self.bess(t_us) - self.wind(t_us) - self.pv(t_us)

    def meter(self, role):
        """Return the function of time that a meter of this role measures."""
        return getattr(self, role)

    def counters_wh(self, role, t_us):
        """Return (positive, negative) energy of a meter of this role so far, Wh."""
        if role == "bess":
            return self.battery.counters_wh(t_us)
        self.advance(t_us)
        if role == "grid":
            return self.areas["import"] / W_US_PER_WH, self.areas["export"] / W_US_PER_WH
        return self.areas[role] / W_US_PER_WH, 0.0

    def advance(self, t_us):
        """Account the energies up to a time; earlier times are a no-op."""
        self.battery.advance(t_us)
        a_us = self.t_us
        while a_us < t_us:
            b_us = t_us if self._quiet(a_us) else min(t_us, a_us + STEP_US)
            self._account(a_us, b_us)
            a_us = b_us
        self.t_us = max(a_us, t_us)

    def _quiet(self, t_us):
        return self.battery.output.settled(t_us) and self.cap.settled(t_us)

    def _account(self, a_us, b_us):
        areas = self.areas
        load = self._load_area(a_us, b_us)
        wind = self._curtailed(a_us, b_us)
        pv = self._pv_area(a_us, b_us)
        out, into = self.battery.output.integrals(a_us, b_us)
        areas["load"] += load
        areas["wind"] += wind
        areas["pv"] += pv
        areas["wind_available"] += self._wind_area(a_us, b_us)
        direct_w = self._direct(b_us)
        areas["direct_without_storage"] += (self._direct_w + direct_w) / 2 * (b_us - a_us)
        self._direct_w = direct_w
        self._account_grid(load - wind - pv - out + into, a_us, b_us)

    def _direct(self, t_us):
        """Return what a site without storage uses of its own wind and PV, W."""
        return min(self.load(t_us), self.wind_available(t_us) + self.pv(t_us))

    def _account_grid(self, net, a_us, b_us):
        """Split the grid's energy of one piece into import and export: exact sum, straight-line split."""
        first_w = self.grid(a_us)
        last_w = self.grid(b_us)
        export = 0.0
        if first_w < 0 and last_w < 0:
            export = max(-net, 0.0)
        elif first_w * last_w < 0:
            low_w = min(first_w, last_w)
            export = max(low_w * low_w / abs(first_w - last_w) * (b_us - a_us) / 2, -net)
        elif net < 0:
            export = -net
        self.areas["export"] += export
        self.areas["import"] += net + export

    def _curtailed(self, a_us, b_us):
        """Return the wind energy after curtailment: exact where one of the two rules, else by Simpson."""
        middle_us = (a_us + b_us) // 2
        under = 0
        for t_us in (a_us, middle_us, b_us):
            under += self.wind_available(t_us) <= self.cap.value(t_us)
        if under == 3:
            return self._wind_area(a_us, b_us)
        if under == 0:
            plus, minus = self.cap.integrals(a_us, b_us)
            return plus - minus
        return (self.wind(a_us) + 4 * self.wind(middle_us) + self.wind(b_us)) * (b_us - a_us) / 6
