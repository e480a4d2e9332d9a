"""SunSpec controller of a wind or PV plant: models 1, 701, 702, 704; caps the plant's output by WMaxLimPct."""

from host_tools.plant.devices.der import SunSpecPcs, ac_points, common, rating_points
from host_tools.plant.devices.reversion import Reversion
from host_tools.plant.devices.sunspec import SunSpecSlave, scale_for, scaled

_PCT_SF = -2
_WHOLE = 10_000
_LIMIT = ("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms")


class SunSpecLimiter(SunSpecSlave):
    """The controller; moves the cap of the site's wind or PV. Percent are of the plant's rating."""

    refresh_us = 100_000
    fault_state = SunSpecPcs.fault_state

    def __init__(self, unit, role, rng, site, agenda, rating_w):
        self.w_sf = scale_for(1.5 * rating_w)
        super().__init__(unit, role, rng, [
            (1, common(unit, "Plant controller")),
            (701, ac_points(self.w_sf)),
            (702, rating_points(rating_w, self.w_sf)),
            (704, {**dict.fromkeys(_LIMIT, 0), "WMaxLimPct": _WHOLE, "WMaxLimPctRvrt": _WHOLE,
                   "WMaxLimPctRvrtRem": 0, "WMaxLimPct_SF": _PCT_SF}),
        ])
        self._site = site
        self._rating_w = rating_w
        self._source = "pv" if role == "pv_limit" else "wind"
        self.cap = site.pv_plant.cap if role == "pv_limit" else site.cap
        self._open_w = self.cap.target_w
        self._reversion = Reversion(self, agenda, "WMaxLimPct", (("WMaxLimPct", "WMaxLimPctRvrt"),),
                                    self._command)

    def act(self, first, count, t_us):
        """Take a limit."""
        if self.touches(704, _LIMIT, first, count):
            self._reversion.restart(t_us)
            self._command(t_us)

    def _command(self, t_us):
        cap_w = self._open_w
        if self.get(704, "WMaxLimPctEna"):
            cap_w = self.get(704, "WMaxLimPct") / _WHOLE * self._rating_w
        if cap_w != self.cap.target_w:
            self._site.advance(t_us)
            self.cap.retarget(t_us, cap_w)

    def live(self):
        """Name what changes by itself."""
        return [(701, ("W",), self._show_power), (701, ("TotWhInj",), self._show_energy),
                (704, ("WMaxLimPctRvrtRem",), self._reversion.show)]

    def _show_power(self, t_us):
        sample_us = t_us - t_us % self.refresh_us
        power_w = self.untruth.power_w(self._site.meter(self._source)(sample_us), sample_us)
        self.put(701, "W", scaled(power_w, self.w_sf))

    def _show_energy(self, t_us):
        self.put(701, "TotWhInj", int(self.untruth.energies_wh(*self._site.counters_wh(self._source, t_us))[0]))
