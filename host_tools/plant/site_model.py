"""The electrical site at its true values: load, curtailed wind and PV, battery, genset, and the grid for the rest.

load = grid + bess + wind + pv + genset. Times are whole microseconds of the run, powers W, areas W times us. While the
site is an island its powers stand for one step each (host_tools.plant.island says which), and `load` is what is served.
"""

from collections import deque

from host_tools.plant.curtailed import Curtailed
from host_tools.plant.response import Response
from host_tools.plant.series import W_US_PER_WH

STEP_US = 100_000  # longest piece of energy account while the battery moves by itself
SLOW_STEP_US = 500_000  # while but a plant's cap or the genset does, whose lags are a second and more
QUIET_STEP_US = 5_000_000  # and while but load and weather do
_GENSET_LAG_US = 2_000_000
_HISTORY_US = 2_000_000  # meters look back at most one refresh
ROLES = ("load", "grid", "bess", "wind", "pv", "genset")
_AREAS = ("load", "wind_available", "wind", "pv_available", "pv", "genset", "import", "export",
          "direct_without_storage", "unserved")


class SiteModel:
    """Powers at any time of the last two seconds, and exact energies up to the last advance()."""

    def __init__(self, load, wind, pv, wind_rating_w, battery, pv_rating_w=None):
        self._demand = load.value
        self._load_area = load.integral
        self.wind_plant = Curtailed(wind, wind_rating_w)
        self.pv_plant = Curtailed(pv, max(pv.values) if pv_rating_w is None else pv_rating_w)
        self.wind_available = wind.value
        self.pv_available = pv.value
        self.cap = self.wind_plant.cap
        self.battery = battery
        self.engine = Response(0.0, _GENSET_LAG_US)  # what the genset gives
        self.burn = None  # (us, area): is told what the genset gave, for its fuel
        self.t_us = 0
        self.islanded = False
        self.live = True  # there is voltage on the site's bus
        self.grid_there = True
        self._held = deque()  # (from us, load, wind, pv) of each step as an island; load None: back on the grid
        self._unserved_w = 0.0
        self._known = None  # (load, (available, let through) of PV, the same of wind) where the last piece ended
        self._known_us = -1
        self._direct_w = self._direct(self._inputs(0))  # at t_us
        self.areas = dict.fromkeys(_AREAS, 0.0)

    def load(self, t_us):
        """Return the load that is served, W."""
        held = self._held and self._holding(t_us)
        return held[1] if held else self._demand(t_us)

    def wind(self, t_us):
        """Return the wind power after curtailment, W."""
        held = self._held and self._holding(t_us)
        return held[2] if held else self.wind_plant.value(t_us)

    def pv(self, t_us):
        """Return the PV power after curtailment, W."""
        held = self._held and self._holding(t_us)
        return held[3] if held else self.pv_plant.value(t_us)

    def bess(self, t_us):
        """Return the battery's AC power, W, discharge positive."""
        self.battery.advance(t_us)
        return self.battery.output.value(t_us)

    def genset(self, t_us):
        """Return the genset's power, W."""
        return self.engine.value(t_us)

    def grid(self, t_us):
        """Return what the grid gives, W, import positive."""
        if self._held and self._holding(t_us):
            return 0.0
        return self.load(t_us) - self.bess(t_us) - self.wind(t_us) - self.pv(t_us) - self.engine.value(t_us)

    def supply(self, role):
        """Return (V, Hz) that a meter of this role sees; the grid's lies before the site's own switch."""
        there = self.grid_there if role == "grid" else self.live
        return (230.0, 50.0) if there else (0.0, 0.0)

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

    # ---- as an island

    def isolate(self, t_us):
        """Part from the grid."""
        self.advance(t_us)
        self.islanded = True
        self.battery.hold(t_us, True)

    def demand(self, a_us, b_us):
        """Return the means over a step of what is wanted and may be had: (load, wind, PV), W."""
        return (self._load_area(a_us, b_us) / (b_us - a_us), self.wind_plant.mean(a_us, b_us)[1],
                self.pv_plant.mean(a_us, b_us)[1])

    def stand(self, t_us, load_w, wind_w, pv_w, genset_w, bess_w, unserved_w):
        """Stand at these powers from now on."""
        self.advance(t_us)
        held = self._held
        while len(held) > 1 and held[1][0] < t_us - _HISTORY_US:
            held.popleft()
        held.append((t_us, load_w, wind_w, pv_w))
        self._unserved_w = unserved_w
        self.battery.output.jump(t_us, bess_w)
        self.engine.jump(t_us, genset_w)

    def rejoin(self, t_us, genset_w):
        """Return to the grid; the genset goes on to this power beside it."""
        self.advance(t_us)
        self.islanded = False
        self._known_us = -1
        self._held.append((t_us, None))
        self.battery.hold(t_us, False)
        self.engine.retarget(t_us, genset_w)

    def _holding(self, t_us):
        """Return the step as an island in which a time lies, or None."""
        for held in reversed(self._held):
            if t_us >= held[0]:
                return held if held[1] is not None else None
        return None

    # ---- account

    def advance(self, t_us):
        """Account the energies up to a time; earlier times are a no-op."""
        self.battery.advance(t_us)
        a_us = self.t_us
        if self.islanded:
            if a_us < t_us:
                self._account_island(a_us, t_us)
                self.t_us = t_us
            return
        while a_us < t_us:
            b_us = min(t_us, a_us + self._piece_us(a_us))
            self._account(a_us, b_us)
            a_us = b_us
        self.t_us = max(a_us, t_us)
        if self._held and self.t_us > self._held[-1][0] + _HISTORY_US:
            self._held.clear()

    def _piece_us(self, t_us):
        """Return how long the piece that begins here may be, us."""
        if not self.battery.output.settled(t_us):
            return STEP_US
        if self.engine.settled(t_us) and self.wind_plant.quiet(t_us) and self.pv_plant.quiet(t_us):
            return QUIET_STEP_US
        return SLOW_STEP_US

    def _account(self, a_us, b_us):
        areas = self.areas
        first = self._known if self._known_us == a_us else self._inputs(a_us)
        last = self._known = self._inputs(b_us)
        self._known_us = b_us
        load = self._load_area(a_us, b_us)
        available, wind = self.wind_plant.energies(first[2], last[2], a_us, b_us)
        areas["wind_available"] += available
        available, pv = self.pv_plant.energies(first[1], last[1], a_us, b_us)
        areas["pv_available"] += available
        out, into = self.battery.output.integrals(a_us, b_us)
        genset = self.engine.integrals(a_us, b_us)[0]
        areas["load"] += load
        areas["wind"] += wind
        areas["pv"] += pv
        self._account_genset(genset, b_us - a_us)
        self._account_direct(last, b_us - a_us)
        net = load - wind - pv - out + into - genset
        self._account_grid(net, self._grid(first, a_us), self._grid(last, b_us), a_us, b_us)

    def _account_island(self, a_us, b_us):
        """Account a piece of one step as an island."""
        areas = self.areas
        us = b_us - a_us
        if self._held:
            _, load_w, wind_w, pv_w = self._held[-1]
            areas["load"] += load_w * us
            areas["wind"] += wind_w * us
            areas["pv"] += pv_w * us
        areas["unserved"] += self._unserved_w * us
        inputs = self._inputs(b_us)
        areas["wind_available"] += self.wind_plant.mean(a_us, b_us)[0] * us
        areas["pv_available"] += self.pv_plant.mean(a_us, b_us)[0] * us
        self._account_genset(self.engine.integrals(a_us, b_us)[0], us)
        self._account_direct(inputs, us)

    def _account_genset(self, area, us):
        self.areas["genset"] += area
        if self.burn:
            self.burn(us, area)

    def _account_direct(self, last, us):
        direct_w = self._direct(last)
        self.areas["direct_without_storage"] += (self._direct_w + direct_w) / 2 * us
        self._direct_w = direct_w

    def _inputs(self, t_us):
        """Return (wanted load, (available, let through) of PV, the same of wind) at a time, W."""
        wanted_w = self._demand(t_us) if self.islanded else self.load(t_us)
        return wanted_w, self.pv_plant.both(t_us), self.wind_plant.both(t_us)

    @staticmethod
    def _direct(inputs):
        """Return what a site without storage uses of its own wind and PV, W."""
        return min(inputs[0], inputs[2][0] + inputs[1][0])

    def _grid(self, inputs, t_us):
        return (inputs[0] - self.battery.output.value(t_us) - inputs[2][1] - inputs[1][1]
                - self.engine.value(t_us))

    def _account_grid(self, net, first_w, last_w, a_us, b_us):
        """Split the grid's energy of one piece into import and export: exact sum, straight-line split."""
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
