"""The dispatcher, once a second: which part of the battery is free now, which is kept, and what the grid is to give.

Surplus is stored and a deficit covered by the tracker, tick by tick, without being told. The dispatcher sets what it
does so within: the import cap that is valid now (demand_cap.py), the state of charge below which energy is kept for
that cap and for backup (reserve.py), and with factors known a day ahead the states of charge down to which discharging
and up to which charging from the grid saves carbon (carbon_plan.py). Without them it is plain greedy.
"""

from array import array

from micropython import const

from firmware.control import reasons
from firmware.control.battery import Battery
from firmware.control.demand_cap import DemandCap
from firmware.control.reserve import SLOTS, Reserve
from firmware.control.wear import Wear
from firmware.control.wind_limit import is_curtailed
from firmware.control.windcast import Windcast
from firmware.core import ticks
from firmware.core.fixed import clamp
from firmware.core.types import CLOCK_UNKNOWN, FRESH, GRID, LOAD, PV, WIND

_KNOWN = const(1)  # of control.carbon_plan
_STEP_MAX_MS = const(60_000)
_HALF_HOUR_S = const(1800)
_FADE_PERMILLE = const(2)  # above what is kept, over which free discharge fades in
_CHARGE_PERMILLE = const(2)  # below it by so much charging begins
_HEADROOM = const(256)  # part of the import cap that charging from the grid leaves, for the load moves until next time
_LEADS = bytes((10, 20, 35, 50, 60))  # minutes, for the five quarter hours of the band
_CALM = const(64)  # part of the rating, less than which a farm gives in hours of calm
_UNSEEN = const(4)  # a curtailed wind counts as this part of the rating at least: what there was nobody knows


class Dispatch:
    """Sets cells of Limits and Tracker. Powers in site power units, states of charge in permille."""

    def __init__(self, config, station, to_pu, unit_w):
        """Make it for a site.json of which it works `station.limits`, `tracker`, `setpoint` and `utc`.

        `to_pu(W)` gives site power units, one of which is `unit_w` watts.
        """
        self._limits, self._tracker, self._setpoint = station.limits, station.tracker, station.setpoint
        self._utc = station.utc
        control, caps, ratings = config["dispatch"], config["limits"], config["ratings"]
        self._import_pu = to_pu(caps["grid_import_w"])
        demand_pu = None if caps["demand_w"] is None else to_pu(caps["demand_w"])
        self._steady_pu = self._import_pu if demand_pu is None else min(self._import_pu, demand_pu)  # for hours
        self._wind_pu = to_pu(ratings["wind_w"])
        self.windcast = Windcast(self._wind_pu) if self._wind_pu else None
        self._bess_pu = to_pu(ratings["bess_w"])
        battery = Battery(ratings, caps, self._bess_pu, unit_w)
        self._grid_charging = control["grid_charging"]
        self._free_reason = self._tracker.free_reason
        self.demand = DemandCap(self._import_pu, demand_pu)
        self.reserve = Reserve(control, battery)
        self.carbon = None
        if control["carbon"] != "off":
            self._plan_carbon(battery, control["wear_mg_per_kwh"])
        self.wear = Wear()
        self._lows = array("i", [0] * len(_LEADS))
        self._wind_sum = self._wind_s = 0  # of this hour, in 16 units and seconds
        self._quarter = self._hour = self._minute = None
        self._charging = False
        self._told = None
        self._quarters_to_wear = SLOTS
        self._last_ms = None
        self.islanded = False  # to be set while the site is cut off: then all of the battery is backup

    def _plan_carbon(self, battery, wear_mg_per_kwh):
        """Have a carbon plan; nothing of it is on the heap of a site without."""
        from firmware.control import carbon_plan
        from firmware.control.wind_chain import WindChain

        self._chain = WindChain(self._wind_pu)
        self.carbon = carbon_plan.CarbonPlan(battery, self._chain, self._steady_pu, wear_mg_per_kwh)
        self._carbon_words, self._carbon_sentences = carbon_plan.WORDS, carbon_plan.SENTENCES

    def foresee(self, hour, factors):
        """Take the grid's factors, mg/kWh, of the hours from `hour` (since 1970) on; none where none are known."""
        if self.carbon is not None:
            self.carbon.take(hour, factors)
            self.carbon.begin(hour)

    def learnt(self):
        """Return the arrays of what it has learnt and may go on with, but for the days of the reserve."""
        kept = [self.wear.cells]
        if self.windcast is not None:
            model = self.windcast.model
            kept += (self.windcast.cells, model.cells, model.sums, model.rights, model.weights, model.bands)
        if self.carbon is not None:
            kept += (self._chain.counts, self._chain.means)
        return kept

    def step(self, snap, note):
        """Set the cells for what `snap` shows and what has passed since the last call, up to a minute.

        `note(source, code, text)` is told what the plan goes by, when that changes, and the wear of each day.
        """
        if self._last_ms is None:
            self._last_ms = snap.now_ms
        dt_ms = clamp(ticks.diff(snap.now_ms, self._last_ms), 0, _STEP_MAX_MS)
        self._last_ms = snap.now_ms
        cap_pu = self.demand.step(self._imported_pu(snap), dt_ms, self._utc)
        self._limits.import_pu = cap_pu
        self._limits.cap_reason = reasons.IMPORT_CAP if cap_pu == self._import_pu else reasons.DEMAND_CAP
        self._look_ahead(snap, dt_ms)
        if snap.soc_state == FRESH:
            self.wear.add(snap.soc_permille)
            self._divide(snap.soc_permille, cap_pu)
        self._tell(note)

    def _imported_pu(self, snap):
        # A grid that is not known has given all that it may.
        return snap.grid_mean_pu if snap.state[GRID] == FRESH else self._limits.import_pu

    def _look_ahead(self, snap, dt_ms):
        """Learn from load and wind; reckon the reserve, and the carbon plan, a little further."""
        wind_pu, load_pu = snap.power_pu[WIND], snap.power_pu[LOAD] - snap.power_pu[PV]
        cast, utc = self.windcast, self._utc
        curtailed = is_curtailed(self._setpoint.wind_limit_pu, self._wind_pu, wind_pu)
        if cast is not None and snap.state[WIND] == FRESH:
            cast.add(wind_pu, dt_ms, curtailed)
        if snap.state[LOAD] == FRESH:
            self.reserve.add(load_pu, dt_ms, utc.quarter)
        if utc.quarter != self._quarter:
            self._quarter = utc.quarter
            self._quarters_to_wear -= 1
            if self.carbon is not None:
                self.carbon.again()
        if cast is not None and utc.ms // _STEP_MAX_MS != self._minute:
            self._minute = utc.ms // _STEP_MAX_MS
            for i, minutes in enumerate(_LEADS):
                # One in ten is not rare enough: 8/5 of the way from the mean to it is about one in fifty.
                mean_pu = cast.forecast_pu(minutes)
                self._lows[i] = max(mean_pu - (mean_pu - cast.low_pu(minutes)) * 8 // 5, 0)
        calm = 1 if cast is not None and cast.lately_pu() < self._wind_pu // _CALM else 0
        self.reserve.look(self._lows, self._steady_pu - self._steady_pu // _HEADROOM, utc.ms, calm)
        if self.carbon is not None:
            self._weigh(max(wind_pu, self._wind_pu // _UNSEEN) if curtailed else wind_pu, dt_ms)

    def _tell(self, note):
        if self.carbon is not None and self.carbon.state != self._told:
            self._told = self.carbon.state
            note("dispatch", self._carbon_words[self._told], self._carbon_sentences[self._told])
        if self._quarters_to_wear <= 0:
            self._quarters_to_wear = SLOTS
            note("dispatch", "WEAR", "%d half cycles so far, as much as %d.%03d full ones; by depth %d.%03d"
                 % self.wear.told())

    def _weigh(self, wind_pu, dt_ms):
        """Learn how the wind goes on; plan each hour anew, an hour of it a second, and look again each quarter."""
        seconds = (dt_ms + 500) // 1000
        self._wind_sum += (wind_pu >> 4) * seconds
        self._wind_s += seconds
        hour = self._utc.quarter // 4
        if hour != self._hour and self._utc.trust != CLOCK_UNKNOWN:
            if self._wind_s >= _HALF_HOUR_S:
                self._chain.add(self._wind_sum // self._wind_s << 4)
            self._wind_sum = self._wind_s = 0
            self._hour = hour
            self.carbon.begin(hour)
        for _ in range(max(dt_ms // 1000, 1)):
            if not self.carbon.work(self.reserve.expected_pu, wind_pu):
                break

    def _divide(self, soc, cap_pu):
        """Divide the battery: kept, free, and to be charged from the grid."""
        keep, reason, charge_reason = self.reserve.permille, reasons.RESERVE, reasons.RESERVE_CHARGE
        goal = keep
        if self.carbon is not None and self.carbon.state == _KNOWN:
            if self.carbon.keep_permille > keep:
                keep, reason = self.carbon.keep_permille, reasons.CARBON_HOLD
            if self.carbon.goal_permille > goal:
                goal = self.carbon.goal_permille
                charge_reason = reasons.CARBON_CHARGE if soc >= self.reserve.permille else charge_reason
        if self.islanded:
            keep = goal = 0
        limits, tracker = self._limits, self._tracker
        limits.free_pu = self._bess_pu * clamp(soc - keep, 0, _FADE_PERMILLE) // _FADE_PERMILLE
        limits.free_reason = reason
        charging = self._grid_charging and soc < goal - (0 if self._charging else _CHARGE_PERMILLE)
        self._charging = charging
        tracker.aim_pu = cap_pu - cap_pu // _HEADROOM if charging else 0
        tracker.free_reason = charge_reason if charging else self._free_reason
