"""The edge site second by second for the table of laws: each law at 1 s, ours with all of its dispatch, and the LP.

Meters are exact, a command acts within its second; power in kW, energy in kWh. What wind there is too much is curtailed
at once, before anything is exported. Import is summed by means of 10 minutes, the steps of the LP, so that a law's
swings within them cost it nothing here.
"""

import json
from dataclasses import dataclass

from firmware.site.config import load as load_config
from host_tools.bench import edge_data, edge_plan, rivals
from host_tools.bench.edge_loop import Loop
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
_CAP_W = 1_000_000
_SUM_S = 600
_WAY = rivals.Way(cycle_ms=1000, age_ms=500, way_ms=500, lag_ms=50)


@dataclass
class Week:
    """What a law makes of a stretch."""

    load: float = 0.0
    bought: float = 0.0
    unserved: float = 0.0  # above the import cap
    exported: float = 0.0  # by the second: what the battery pushed out
    gained: float = 0.0  # stored
    grid: list = None  # means of 10 minutes
    stored: list = None  # at their ends

    def direct_use(self, efficiency):
        """Return the energy used directly, as the definitions have it."""
        return edge_plan.direct_use_kwh(self.load, self.bought, self.unserved, self.gained, efficiency)


class Ours(Loop):
    """The firmware's own limits, tracker, wind limit and dispatcher, asked each second."""

    def command(self, load, wind, bess, stored, second):
        """Return (set point, wind limit), kW."""
        self.stored, self._bess_kw = stored, bess
        self._tick(load, wind, 1000 * second)
        return self.setpoint.bess_pu * self._kw, self.setpoint.wind_limit_pu * self._kw


class Rival:
    """A law of rivals.follow() with a target of 0: it sees load less wind as its load, and limits no wind."""

    def __init__(self, law, rating_kw):
        self._law, self._rating = law, rating_kw

    def command(self, load, wind, bess, stored, second):
        """Return (set point, wind limit), kW."""
        net = load - wind
        return min(max(self._law(net, net - bess, bess, 0.0), -self._rating), self._rating), wind


def run(law, site, load, wind, begin, minutes, start):
    """Run a law from minute `begin` on; `load` and `wind` by the minute, `start`: energy stored then."""
    made, stored, bess, tens = Week(grid=[], stored=[]), start, 0.0, 0.0
    for second in range(60 * begin, 60 * (begin + minutes)):
        minute, part = divmod(second, 60)
        power = load[minute] + (load[minute + 1] - load[minute]) * part / 60
        blown = wind[minute] + (wind[minute + 1] - wind[minute]) * part / 60
        asked, limit = law.command(power, blown, bess, stored, second)
        if asked > 0:
            bess = min(asked, (stored - site.low_kwh) * site.efficiency * 3600)
            stored -= bess / site.efficiency / 3600
        else:
            bess = -min(-asked, (site.top_kwh - stored) / site.efficiency * 3600)
            stored -= bess * site.efficiency / 3600
        used = min(blown, limit)
        grid = power - used - bess
        if grid < 0:
            out = max(-grid - used, 0.0)
            made.exported += out / 3600
            grid = -out
        made.load += power / 3600
        tens += grid / _SUM_S
        if (second + 1) % _SUM_S == 0:
            made.bought += min(max(tens, 0.0), site.cap_kw) * _SUM_S / 3600
            made.unserved += max(tens - site.cap_kw, 0.0) * _SUM_S / 3600
            made.grid.append(tens)
            made.stored.append(stored)
            tens = 0.0
    made.gained = stored - start
    return made


NAMES = {"none": "no battery", "greedy": "greedy, once a second", "pid": "PID of the OpenEMS form, 1 s",
         "pi": "grid-meter PI, 1 s", "ours": "ours, once a second", "bound": "bound: LP, all known beforehand"}


def laws(site, config):
    """Return {key: law}, all but the bound; `config` is that of the firmware's own."""
    kw = site.bess_kw
    return {"none": Rival(rivals.nothing, kw), "greedy": Rival(rivals.greedy, kw),
            "pid": Rival(rivals.OpenEmsPid(kw), kw), "pi": Rival(rivals.GridPi(_WAY, kw), kw),
            "ours": Ours(config, period_ms=1000)}


def bound(site, load, wind, begin, minutes, start):
    """Return what the optimum makes of the stretch; energy left at the end is worth what it would save."""
    tens = [edge_data.means(values[begin:begin + minutes + 1], _SUM_S // 60) for values in (load, wind)]
    hours = _SUM_S / 3600
    plan = edge_plan.optimum(site, *tens, hours, start, site.efficiency)
    grid, before = [], start
    for power, blown, stored in zip(*tens, plan.steps):
        change, before = stored - before, stored
        battery = (change / site.efficiency if change > 0 else change * site.efficiency) / hours
        grid.append(max(power - blown + battery, 0.0))
    return Week(sum(tens[0]) * hours, plan.import_kwh, plan.unserved_kwh, 0.0, plan.stored_kwh - start,
                grid, plan.steps)


def pooled(weeks):
    """Return the sums of several stretches."""
    return Week(*(sum(getattr(week, name) for week in weeks)
                  for name in ("load", "bought", "unserved", "exported", "gained")))


def config():
    """Return (configuration of the edge site with an import cap of 1 MW and a banded reserve, its plan's Site)."""
    raw = json.loads(_SITE.read_bytes())
    raw["limits"]["grid_import_w"] = _CAP_W
    raw["dispatch"] = {"reserve": "banded"}
    made, _ = load_config(json.dumps(raw).encode())
    ratings, limits = made["ratings"], made["limits"]
    bess_kwh = ratings["bess_wh"] / 1000
    return made, edge_plan.Site(_CAP_W / 1000, ratings["bess_w"] / 1000, bess_kwh,
                                low_kwh=bess_kwh * limits["soc_min_permille"] / 1000,
                                high_kwh=bess_kwh * limits["soc_max_permille"] / 1000)
