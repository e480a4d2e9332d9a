"""The edge site under other import caps and with twice the battery: the banded reserve beside the best constant one.

The best constant reserve is the least that leaves no energy unserved in the weeks in which the optimum has none: what
is kept costs direct use, and no more is kept than that. It is looked for in a plant of 10-minute steps that knows the
net load of each step, which no firmware does, and from there on by the firmware itself, in steps of 25 permille.
"""

from host_tools.bench import edge_measures as edge
from host_tools.bench.figures import Figure, Measure

CAPS_KW = (900, 1000, 1100, 1200)
_STEP = 25  # permille of the battery
_HEADROOM = 1 - 1 / 256  # of the cap, that charging leaves
_H = 1 / 6
_BIG_MWH = 16
_UNSERVED_KWH = 0.5
_WINDOW_H, _BEST_GAIN, _GAIN = 72, 1.38, 1.35


def quick_unserved(site, permille, begin, steps=1008):
    """Return what a constant reserve leaves unserved, kWh, in a plant of 10-minute steps from step `begin` on."""
    plan = edge.planned(site)
    kept, stored, unserved = plan.bess_kwh * permille / 1000, plan.bess_kwh / 2, 0.0
    for load, wind in zip(*(values[begin:begin + steps] for values in edge.tens())):
        net = load - wind
        if net < 0:
            stored = min(stored + min(-net, plan.bess_kw) * plan.efficiency * _H, plan.bess_kwh)
        over = max(net - plan.cap_kw, 0.0)
        spare = max(stored - kept, 0.0) * plan.efficiency / _H
        given = max(min(over, plan.bess_kw, stored * plan.efficiency / _H), min(max(net, 0.0), plan.bess_kw, spare))
        stored -= given * _H / plan.efficiency
        unserved += max(over - given, 0.0) * _H
        if not over and stored < kept:
            room = min(plan.cap_kw * _HEADROOM - max(net, 0.0), plan.bess_kw)
            stored = min(stored + max(room, 0.0) * plan.efficiency * _H, max(kept, stored))
    return unserved


class Year:
    """What one site comes to over the year, beside the optimum's weeks."""

    def __init__(self, site, best):
        ours = edge.run_weeks(site)
        used = [edge.used_kwh(site, sums) for sums in ours]
        self.pooled = sum(used) / sum(kwh for kwh, _ in best)
        self.worst = min(mine / kwh for mine, (kwh, _) in zip(used, best))
        unserved = [sums.unserved for sums, (_, its) in zip(ours, best) if its < 1e-3]
        self.weeks = len(unserved)
        self.unserved = sum(unserved)
        self.bad_weeks = sum(kwh > _UNSERVED_KWH for kwh in unserved)

    def words(self):
        """Return what it comes to, for people."""
        return (f"{self.pooled:.4f} of the optimum, worst week {self.worst:.4f}, {self.unserved:.1f} kWh unserved in "
                f"{self.bad_weeks} of the {self.weeks} weeks in which the optimum has none")


def best_constant(cap_w, best):
    """Return (permille, its Year) of the least constant reserve that leaves nothing unserved without need."""
    permille = 0
    clean = [week for week, (_, unserved) in enumerate(best) if unserved < 1e-3]
    while permille < 1000 and any(
            quick_unserved(edge.config(cap_w=cap_w), permille, week * 1008) > _UNSERVED_KWH for week in clean):
        permille += _STEP
    while True:
        year = Year(edge.config(cap_w=cap_w, reserve="constant", reserve_permille=permille), best)
        if not year.bad_weeks or permille >= 1000:
            return permille, year
        permille += _STEP


def _caps():
    figures = {}
    for cap_kw in CAPS_KW:
        site = edge.config(cap_w=1000 * cap_kw)
        best = edge.bounds(site)
        banded = Year(site, best)
        permille, constant = best_constant(1000 * cap_kw, best)
        how = (f"{edge.SOURCES}8 MWh, import cap {cap_kw / 1000} MW: banded reserve {banded.words()}; best constant "
               f"reserve, {permille} permille: {constant.words()}")
        name, more = f"edge_cap_{cap_kw}kw_", banded.pooled - constant.pooled
        figures[f"{name}banded"] = Figure(round(banded.pooled, 4), "fraction", how)
        figures[f"{name}unserved"] = Figure(round(banded.unserved, 1), "kWh", how)
        figures[f"{name}over_constant"] = Figure(round(more, 4), "fraction", how)
        print(f"{cap_kw} kW: banded {banded.words()}; constant {permille} permille {constant.words()}", flush=True)
    return figures


def _big():
    site = edge.config(mwh=_BIG_MWH)
    year = Year(site, edge.bounds(site))
    how = f"{edge.SOURCES}{_BIG_MWH} MWh, import cap 1.0 MW: {year.words()}"
    return {"edge_16mwh_direct_use": Figure(round(year.pooled, 4), "fraction", how),
            "edge_16mwh_worst_week": Figure(round(year.worst, 4), "fraction", how),
            "edge_16mwh_unserved": Figure(round(year.unserved, 1), "kWh", how)}


def windows(site):
    """Return ([(begin in h, gain of ours)] of the windows in which the optimum gives so much, number of all).

    Each begins half full, with what the firmware has learned in the week before it.
    """
    from host_tools.bench.edge_loop import Loop

    found, count = edge.windy_windows(site, hours=_WINDOW_H, gain=_BEST_GAIN)
    gains = []
    for begin_h, alone in found:
        loop = Loop(site)
        learn_h = min(begin_h, edge.WEEK_H)
        loop.run(*edge.year(), (begin_h - learn_h) * 60, learn_h * 60)
        loop.stored = loop.capacity / 2
        gains.append((begin_h, edge.used_kwh(site, loop.run(*edge.year(), begin_h * 60, _WINDOW_H * 60)) / alone))
    return gains, count


def _windows():
    gains, count = windows(edge.config())
    worst_h, worst = min(gains, key=lambda row: row[1])
    how = (f"{edge.SOURCES}8 MWh, import cap 1.0 MW: all {_WINDOW_H} h windows that begin at a midnight, "
           f"{len(gains)} of {count} of them: the optimum under the same cap gives at least +38 % of direct use "
           "against no battery; they begin at hours " + ", ".join(str(hour) for hour, _ in gains) + " of the year; ")
    below = sum(gain < _GAIN for _, gain in gains)
    return {
        "edge_windows_least_gain_pct": Figure(round(100 * (worst - 1), 1), "%", f"{how}ours, at hour {worst_h}"),
        "edge_windows_below_35_pct": Figure(below, "windows", f"{how}ours below +35 %"),
        "edge_windows_share_pct": Figure(round(100 * len(gains) / count, 1), "%", f"{how}their share of all windows")}


MEASURES = (
    Measure("edge_caps", tuple(f"edge_cap_{cap_kw}kw_{what}" for cap_kw in CAPS_KW
                               for what in ("banded", "unserved", "over_constant")), _caps),
    Measure("edge_16mwh", ("edge_16mwh_direct_use", "edge_16mwh_worst_week", "edge_16mwh_unserved"), _big),
    Measure("edge_windows", ("edge_windows_least_gain_pct", "edge_windows_below_35_pct", "edge_windows_share_pct"),
            _windows),
)
