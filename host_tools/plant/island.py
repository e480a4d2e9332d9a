"""The site without grid: who forms it, what each source gives, and what of the load is shed.

From the first step after the grid is lost until the site is back on it, powers stand for one step each: the means of
load, wind and PV over it. Whoever forms the island takes what is left of the load:
  genset    once it runs warm; the battery follows its set point; what neither gives is shed; what is too much is
            curtailed, PV first, then wind, then the battery
  battery   if site.json says island.former pcs, and as long as it has charge; its set point is not followed
  nobody    the site is dark: all of the load is unserved, wind and PV have gone with it
A battery that has run empty forms no grid until it holds 5 % again. When the grid is back, the site's switch closes
after `resync_s`. Changing over takes no time: the load rides through.
"""

from math import exp

from host_tools.plant.agenda import Timer
from host_tools.plant.series import US_PER_S, W_US_PER_WH

RESYNC_S = 90  # a PCS waits until the grid has been steady
_REVIVED = 0.05  # of the capacity
_STEPS_A_PERIOD = 10
_STEP_US = (10_000, 5_000_000)
_SPANS_MOST = 200
_LEAST_W = 0.5


class Island:
    """Watches over one site; fail() is what happens to the grid."""

    def __init__(self, site, agenda, genset, former, period_us):
        self.resync_s = RESYNC_S
        self.former = "grid"  # grid, battery, genset, nobody
        self.spans = []  # [from us, to us, W us] in which load was shed
        self.islanded_us = self.dark_us = 0
        self.on_shed = []  # are told (from us, to us, share of the load) of each step in which load is shed
        self.on_change = []  # are told True when the battery begins to form the grid, False when it ends
        self._site = site
        self._agenda = agenda
        self._genset = genset
        self._battery_may = former == "pcs"
        self._empty = False
        self._step_us = min(max(period_us // _STEPS_A_PERIOD, _STEP_US[0]), _STEP_US[1])
        self._switch = Timer(agenda, self._rejoin)
        self._steps = Timer(agenda, self._step)

    def fail(self, failed):
        """Lose the grid, or have it back."""
        site = self._site
        now_us = self._agenda.now_us
        if failed == (not site.grid_there):
            return
        site.grid_there = not failed
        if not failed:
            self._switch.start(now_us + round(self.resync_s * US_PER_S))
            return
        self._switch.stop()
        if not site.islanded:
            site.isolate(now_us)
            self._step()

    def _rejoin(self):
        now_us = self._agenda.now_us
        self._steps.stop()
        self._site.rejoin(now_us, self._genset.give_w() if self._genset else 0.0)
        self._site.live = True
        self._form("grid")

    def _form(self, former):
        if former != self.former:
            was, self.former = self.former, former
            if "battery" in (was, former):
                for tell in self.on_change:
                    tell(former == "battery")

    def _step(self):
        """Find the powers of the next step."""
        site = self._site
        t_us = self._agenda.now_us
        site.advance(t_us)
        site.battery.soc_permille(t_us)  # its store, up to now
        former = self._find_former()
        load_w, wind_w, pv_w = site.demand(t_us, t_us + self._step_us)
        if former == "nobody":
            powers = 0.0, 0.0, 0.0, 0.0, 0.0
            self.dark_us += self._step_us
        elif former == "battery":
            powers = self._by_battery(load_w, wind_w, pv_w)
        else:
            powers = self._by_genset(load_w, wind_w, pv_w, site.bess(t_us))
        unserved_w = load_w - powers[0]
        site.live = former != "nobody"
        site.stand(t_us, *powers, unserved_w)
        self._form(former)
        self._note(t_us, unserved_w, load_w)
        self.islanded_us += self._step_us
        self._steps.start(t_us + self._step_us)

    def _find_former(self):
        battery = self._site.battery
        if battery.stored <= 0:
            self._empty = True
        elif battery.stored >= _REVIVED * battery.capacity:
            self._empty = False
        if self._genset and self._genset.carries:
            return "genset"
        able = self._battery_may and not self._empty and not battery.fault
        return "battery" if able else "nobody"

    def _bounds(self):
        """Return what the battery can take and give in a whole step, W."""
        battery = self._site.battery
        bottom_w, top_w = battery.bounds
        room = (battery.capacity - battery.stored) / battery.charge_efficiency / self._step_us
        store = battery.stored * battery.discharge_efficiency / self._step_us
        return -min(-bottom_w, max(room, 0.0)), min(top_w, max(store, 0.0))

    def _by_battery(self, load_w, wind_w, pv_w):
        """Return (load, wind, PV, genset, BESS) while the battery forms the grid, W."""
        bottom_w, top_w = self._bounds()
        bess_w = min(max(load_w - wind_w - pv_w, bottom_w), top_w)
        wind_w, pv_w = _curtail(wind_w, pv_w, wind_w + pv_w + bess_w - load_w)
        return min(load_w, wind_w + pv_w + bess_w), wind_w, pv_w, 0.0, bess_w

    def _by_genset(self, load_w, wind_w, pv_w, bess_w):
        """Return the same while the genset does, and the battery follows its set point."""
        battery = self._site.battery
        bottom_w, top_w = self._bounds()
        gap_w = bess_w - battery.asked_w
        lag_us = battery.output.tau_us
        bess_w = battery.asked_w + (gap_w * exp(-self._step_us / lag_us) if lag_us else 0.0)
        bess_w = min(max(bess_w, bottom_w), top_w)
        wind_w, pv_w = _curtail(wind_w, pv_w, wind_w + pv_w + bess_w - load_w)
        bess_w = min(bess_w, load_w - wind_w - pv_w)  # an engine takes nothing back
        left_w = load_w - wind_w - pv_w - bess_w
        if left_w > self._genset.rating_w and bess_w < 0:
            bess_w = min(bess_w + left_w - self._genset.rating_w, 0.0)  # it stops charging before load is shed
            left_w = load_w - wind_w - pv_w - bess_w
        genset_w = min(left_w, self._genset.rating_w)
        return load_w - (left_w - genset_w), wind_w, pv_w, genset_w, bess_w

    def _note(self, t_us, unserved_w, load_w):
        if unserved_w <= _LEAST_W:
            return
        for tell in self.on_shed:
            tell(t_us, t_us + self._step_us, unserved_w / load_w)
        spans = self.spans
        if spans and spans[-1][1] == t_us:
            spans[-1][1] = t_us + self._step_us
            spans[-1][2] += unserved_w * self._step_us
        elif len(spans) < _SPANS_MOST:
            spans.append([t_us, t_us + self._step_us, unserved_w * self._step_us])

    def summary(self):
        """Return what happened, for summary.json."""
        return {"islanded_s": round(self.islanded_us / US_PER_S, 1), "dark_s": round(self.dark_us / US_PER_S, 1),
                "shed": [{"from_s": begin_us / US_PER_S, "to_s": end_us / US_PER_S, "wh": round(area / W_US_PER_WH, 1)}
                         for begin_us, end_us, area in self.spans]}


def _curtail(wind_w, pv_w, surplus_w):
    """Return wind and PV less a surplus, PV first, W."""
    if surplus_w <= 0:
        return wind_w, pv_w
    off_w = min(pv_w, surplus_w)
    return max(wind_w - (surplus_w - off_w), 0.0), pv_w - off_w
