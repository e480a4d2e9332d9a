"""The edge site over the year 2014, by weeks: direct use of the wind and carbon, against the optimum that knows it all.

The firmware's own objects run at steps of a minute (edge_loop.py); every week starts half full, as does the optimum.
"""

import json
from functools import cache

from host_tools.bench import edge_data
from host_tools.bench.edge_plan import Site, direct_use_kwh, optimum
from host_tools.bench.figures import Figure, Measure
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
WEEKS = 52
WEEK_H = 168
_NO_CAP_W = 12_000_000
_INSANE = 10_000_001  # mg/kWh: more than any grid can emit
SOURCES = ("Alibaba 2018 days 1, 3, 4, 5 in turn, each over its own mean, times 1 MW; La Haute Borne wind 2014; "
            "another place and year each; 52 weeks at steps of a minute, the firmware's dispatcher, limits and tracker "
            "on CPython with exact meters and a battery that does as told; grid by means of 10 minutes; ")


def config(mwh=8, cap_w=None, **dispatch):
    """Return the reference site with its defaults, `mwh` of battery, another import cap and other keys of dispatch."""
    from firmware.site import config as site_config

    site = json.loads(_SITE.read_bytes())
    site["ratings"]["bess_wh"] = mwh * 1_000_000
    if cap_w is not None:
        site["ratings"]["grid_w"] = max(site["ratings"]["grid_w"], cap_w)
        site["limits"]["grid_import_w"] = cap_w
    site["dispatch"] = {**site["dispatch"], **dispatch}
    return site_config.load(json.dumps(site).encode())[0]


@cache
def year():
    """Return (load, wind) by the minute, kW."""
    return edge_data.load_kw(), edge_data.wind_kw()


@cache
def tens():
    """Return (load, wind) by means of 10 minutes, kW."""
    return tuple(edge_data.means(values, 10) for values in year())


def planned(site):
    """Return what the optimum may do at a site."""
    return Site(site["limits"]["grid_import_w"] / 1000, site["ratings"]["bess_w"] / 1000,
                site["ratings"]["bess_wh"] / 1000, site["ratings"]["discharge_efficiency_permille"] / 1000)


def bound(site, hours=WEEK_H, begin_h=0):
    """Return (direct use, unserved) in kWh of the optimum of one stretch that starts half full."""
    plan_site = planned(site)
    load, wind = (values[6 * begin_h:6 * (begin_h + hours)] for values in tens())
    start = plan_site.bess_kwh / 2
    plan = optimum(plan_site, load, wind, 1 / 6, start, plan_site.efficiency)
    return direct_use_kwh(sum(load) / 6, plan.import_kwh, plan.unserved_kwh, plan.stored_kwh - start,
                          plan_site.efficiency), plan.unserved_kwh


def bounds(site):
    """Return bound() of each week of the year."""
    return [bound(site, begin_h=week * WEEK_H) for week in range(WEEKS)]


def run_weeks(site, weeks=WEEKS, factors=None, ahead=None, begin=0):
    """Return the Sums of so many weeks, one after the other, each begun half full; the firmware goes on learning."""
    from host_tools.bench.edge_loop import Loop

    loop = Loop(site)
    found = []
    for week in range(begin, begin + weeks):
        loop.stored = loop.capacity / 2
        found.append(loop.run(*year(), week * WEEK_H * 60, WEEK_H * 60, factors, ahead))
    return found


def static_kwh(load, wind):
    """Return the direct use in kWh of a wind held to 0.9 of the lowest load of the last 24 h, by steps of 10 minutes.

    Before the first day the load is taken as on it.
    """
    before = load[:144] + load
    return sum(min(wind[i], 0.9 * min(before[i:i + 144]), load[i]) for i in range(len(load))) / 6


def used_kwh(site, sums):
    """Return the direct use in kWh of what a stretch has come to; what was bought above the cap is in it."""
    return direct_use_kwh(sums.load, sums.bought, 0.0, sums.gained, planned(site).efficiency)


def windy_windows(site, step_h=24, hours=72, gain=1.38):
    """Return (begins in h of the windows in which the optimum gives so much against no battery, number of all)."""
    load, wind = tens()
    found = []
    begins = range(0, WEEKS * WEEK_H - hours + 1, step_h)
    for begin_h in begins:
        part = slice(6 * begin_h, 6 * (begin_h + hours))
        alone = sum(map(min, load[part], wind[part])) / 6
        if bound(site, hours, begin_h)[0] >= gain * alone:
            found.append((begin_h, alone))
    return found, len(begins)


def _direct_use():
    site = config()
    ours = run_weeks(site)
    used = [used_kwh(site, sums) for sums in ours]
    best = bounds(site)
    ratios = [ours / optimum[0] for ours, optimum in zip(used, best)]
    load, wind = (values[:WEEKS * WEEK_H * 6] for values in tens())
    alone, static = sum(map(min, load, wind)) / 6, static_kwh(load, wind)
    unserved = [sums.unserved for sums, optimum in zip(ours, best) if optimum[1] < 1e-3]
    by_minute = sum(used) + sum(sums.bought - sums.bought_minute for sums in ours)
    how = (f"{SOURCES}8 MWh, import cap 1.0 MW; unserved (cap passed with an empty battery) {sum(unserved):.1f} kWh "
           f"in {sum(kwh > 0.5 for kwh in unserved)} of the {len(unserved)} weeks in which the optimum has none; cap "
           f"passed otherwise, by what a minute's set point misses, {sum(sums.overshot for sums in ours):.0f} kWh; ")
    return {
        "edge_direct_use_vs_lp": Figure(round(sum(used) / sum(kwh for kwh, _ in best), 4), "fraction", (
            f"{how}pooled: {sum(used):.0f} of {sum(kwh for kwh, _ in best):.0f} kWh; with the import by the minute "
            f"{by_minute / sum(kwh for kwh, _ in best):.4f}, a period of a minute being too long for the rest")),
        "edge_direct_use_vs_lp_worst_week": Figure(round(min(ratios), 4), "fraction", (
            f"{how}week {ratios.index(min(ratios))} counted from 0")),
        "edge_uplift_static_pct": Figure(round(100 * (sum(used) / static - 1), 1), "%", (
            f"{how}{sum(used):.0f} kWh against {static:.0f} kWh of a wind held to 0.9 of the lowest load of 24 h "
            f"(10-minute means); without a battery {alone:.0f} kWh")),
    }


def _carbon_bound(factors):
    """Return (emission without a battery, of the optimum, of the optimum under the site's cap), g, by weeks."""
    load, wind = tens()
    none = free = capped = 0.0
    for week in range(WEEKS):
        part = slice(week * 1008, (week + 1) * 1008)
        prices = [factors[step // 6] for step in range(week * 1008, (week + 1) * 1008)]
        worth = planned(config()).efficiency * sum(prices) / len(prices)
        none += sum(max(a - b, 0.0) * g for a, b, g in zip(load[part], wind[part], prices)) / 6
        for cap_w in (None, _NO_CAP_W):
            site = planned(config(cap_w=cap_w))
            plan = optimum(site, load[part], wind[part], 1 / 6, site.bess_kwh / 2, worth, prices)
            emitted = plan.price - (plan.stored_kwh - site.bess_kwh / 2) * worth
            free, capped = (free, capped + emitted) if cap_w is None else (free + emitted, capped)
    return none, free, capped


def emitted_g(site, factors, ahead):
    """Return the emission of the year in g, what is stored valued at each week's mean factor; `ahead` as in Loop."""
    efficiency = planned(site).efficiency
    total = 0.0
    for week, sums in enumerate(run_weeks(site, factors=factors, ahead=ahead)):
        mean = sum(factors[week * WEEK_H:(week + 1) * WEEK_H]) / WEEK_H
        total += sums.emitted - sums.gained * efficiency * mean
    return total


def _told(factors, every_h=1):
    """Return what tells the board each so many hours the factors of 24 hours; the last day comes twice."""
    known = [round(1000 * g) for g in factors + factors[-24:]]
    return lambda hour: known[hour:hour + 24] if hour % every_h == 0 else None


def _carbon():
    factors = edge_data.factors_g()
    none, free, capped = _carbon_bound(factors)
    planning = {"reserve": "off", "carbon": "day_ahead"}
    site = config(cap_w=_NO_CAP_W, **planning)
    runs = {"greedy": emitted_g(config(cap_w=_NO_CAP_W, reserve="constant", reserve_permille=0), factors, None),
            "planned": emitted_g(site, factors, _told(factors)),
            "none told": emitted_g(site, factors, None),
            "all refused": emitted_g(site, factors, lambda hour: [_INSANE] * 24),
            "told each third midnight and running out": emitted_g(site, factors, _told(factors, 72)),
            "yesterday's told": emitted_g(site, factors, _told(factors[:24] + factors)),
            "planned under the cap": emitted_g(config(**planning), factors, _told(factors))}
    shares = {name: (none - emitted) / (none - free) for name, emitted in runs.items()}
    how = (f"{SOURCES}German factors 2020, life cycle, hourly, 24 h ahead; 8 MWh, import not capped, no reserve; "
           f"share of the optimum's saving of {(none - free) / 1e6:.1f} t: "
           + ", ".join(f"{name} {share:.4f}" for name, share in shares.items())
           + f"; the optimum under the cap of 1.0 MW {(none - capped) / (none - free):.4f}")
    return {"carbon_share_over_greedy": Figure(round(shares["planned"] - shares["greedy"], 4), "fraction", how)}


MEASURES = (
    Measure("edge_direct_use", ("edge_direct_use_vs_lp", "edge_direct_use_vs_lp_worst_week", "edge_uplift_static_pct"),
            _direct_use),
    Measure("edge_carbon", ("carbon_share_over_greedy",), _carbon),
)
