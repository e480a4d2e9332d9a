"""The telecom cabinet without its board: the simulated site's battery, PV, genset and failing grid under a plain law.

The law sees the plant's true values each second and its command acts in that second, which no bus allows: an advantage.
PV is curtailed at once to what load and battery take, for nothing may be exported. While the grid is lost the PCS forms
one, if there is a battery, and the genset is started and stopped by two-wire contacts on the state of charge, as is
usual; while it carries, the battery is charged with what it has left of its best load. Power in W, energy in Wh.
"""

from dataclasses import dataclass

from host_tools.plant.agenda import Agenda
from host_tools.plant.battery import Battery
from host_tools.plant.genset import Genset
from host_tools.plant.island import Island
from host_tools.plant.series import US_PER_S, W_US_PER_WH, constant
from host_tools.plant.site_model import SiteModel

_SECOND_US = US_PER_S
_FAILED_S = 3  # until whoever starts a genset without battery believes that the grid is lost
_BEST_LOAD = 0.75


@dataclass
class Outcome:
    """What a law makes of a stretch."""

    load_wh: float  # served
    import_wh: float
    genset_wh: float
    unserved_wh: float
    unserved_s: float
    gained_wh: float  # stored
    fuel_l: float
    starts: int

    def direct_use_wh(self, efficiency):
        """Return the energy used directly, as the definitions have it, fuel's left out."""
        return self.load_wh - self.import_wh - self.genset_wh + self.gained_wh * efficiency


class Cabinet:
    """One run of a site.json (a dict) on `load` and `pv` (Series) with events [(s, device, event, value)]."""

    def __init__(self, config, load, pv, events, stored_permille=500):
        ratings, caps, genset = config["ratings"], config["limits"], config["genset"]
        self._agenda = agenda = Agenda()
        self.battery = Battery(ratings["bess_w"], ratings["bess_wh"], ratings["charge_efficiency_permille"],
                               ratings["discharge_efficiency_permille"], stored_permille)
        self.site = SiteModel(load, constant(0), pv, 0.0, self.battery, max(pv.values))
        self._rated_pv_w = max(pv.values)
        self.genset = Genset(agenda, self.site, ratings["genset_w"])
        self.site.burn = self.genset.burn
        self.window = caps["soc_min_permille"], caps["soc_max_permille"]
        self._start_stop = genset["soc_start_permille"], genset["soc_stop_permille"]
        self._load, self._pv, self._lost_s = load, pv, 0
        self._has_battery = False
        self._events = events

    def run(self, law, seconds):
        """Run a law(load_w, grid_w, bess_w, target_w) -> W, or None for a site without battery; return an Outcome."""
        self._has_battery = law is not None
        former = "pcs" if self._has_battery else "genset"
        self._island = Island(self.site, self._agenda, self.genset, former, _SECOND_US)
        for at_s, device, event, value in self._events:
            self._agenda.at(round(at_s * US_PER_S), self._happen, (device, event, value))
        begin = self.battery.stored
        for second in range(seconds):
            self._agenda.run(second * _SECOND_US)
            self._ask(law, second * _SECOND_US)
        return self._outcome(seconds * _SECOND_US, begin)

    def _happen(self, what):
        device, event, value = what
        if (device, event) == ("grid", "fail"):
            self._island.fail(bool(value))
        elif event == "start_failures":
            self.genset.start_failures = int(value)
        else:
            raise ValueError(f"{device} {event} is no event of this plant")

    def _ask(self, law, t_us):
        site = self.site
        site.advance(t_us)  # a response forgets what lies further back than two seconds
        soc = self.battery.soc_permille(t_us)
        self._lost_s = self._lost_s + 1 if site.islanded else 0
        self._work_genset(soc)
        load_w = self._load.value(t_us)
        charge_w = self.battery.rating_w if self._has_battery and soc < self.window[1] else 0.0
        spare_w = self.genset.rating_w * _BEST_LOAD if self._island.former == "genset" else 0.0
        self._curtail(t_us, max(load_w + charge_w - spare_w, 0.0))
        if law is None or self._island.former == "battery":
            return
        net_w = load_w - site.pv(t_us)
        asked_w = net_w - spare_w if site.islanded else law(net_w, site.grid(t_us), site.bess(t_us), 0.0)
        least_w = -charge_w
        most_w = self.battery.rating_w if soc > self.window[0] else 0.0
        self.battery.command(t_us, min(max(asked_w, least_w), most_w))

    def _curtail(self, t_us, room_w):
        cap = self.site.pv_plant.cap
        cap_w = room_w if room_w < self._pv.value(t_us) else self._rated_pv_w
        if cap_w != cap.target_w:
            cap.retarget(t_us, cap_w)

    def _work_genset(self, soc):
        start, stop = self._start_stop
        if not self.site.islanded:
            self.genset.stop()
        elif not self._has_battery:
            if self._lost_s > _FAILED_S:
                self.genset.start()
        elif soc <= start:
            self.genset.start()
        elif soc >= stop:
            self.genset.stop()

    def _outcome(self, end_us, begin):
        self._agenda.run(end_us)
        self.site.advance(end_us)
        self.battery.soc_permille(end_us)
        wh = {name: area / W_US_PER_WH for name, area in self.site.areas.items()}
        dark_us = sum(span[1] - span[0] for span in self._island.spans)
        return Outcome(wh["load"], wh["import"], wh["genset"], wh["unserved"], dark_us / US_PER_S,
                       (self.battery.stored - begin) / W_US_PER_WH, self.genset.burnt_l, self.genset.starts)
