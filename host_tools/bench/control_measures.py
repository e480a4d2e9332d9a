"""The table of laws: each scenario under no battery, the usual laws and ours, beside the bound, from one run."""

import sys
from pathlib import Path

from host_tools.bench import cabinet_control, control_laws, control_table, edge_control, edge_data, tracking
from host_tools.bench.figures import Figure, Measure

PAGE = Path("build/bench_control.html")
_WEEKS = (1, 14, 27, 40)
_SHOWN_WEEK = 14
_MINUTES = 3 * 1440
_WEEK = 7 * 1440
_SHOWN = ("none", "pid", "pi", "ours")
_EDGE_SHOWN = ("none", "greedy", "ours", "bound")
_FRACTIONS = {"rms": "RMS", "p99": "p99", "ramp": "ramp 1 s", "band": "band 0.1-2 Hz"}
_TRAPEZOID = {name: word for name, word in _FRACTIONS.items() if name != "ramp"}  # over 1 s none is seen of a 1 s beat
_METER = {20: "20 ms site", 200: "meter of 200 ms", 1000: "meter of 1 s"}
_INTRO = ("All rows of a table come from the same run on the same load. Fractions are of the load's own, smaller is "
          "better, 1 is no battery. A bound is not a law that could be built.")
_GPT3_BOUND = ("Bound: the least RMS of all laws that are a fixed weighted sum of past samples, weights fitted to this "
               "very series in hindsight; its other figures are those of this law. The measurement has two samples a "
               "second and is linear between them, which the bound makes use of.")
_TRAPEZOID_BOUND = ("Bound: the load less its mean given all of it up to the delay, by one who knows how it is drawn, "
                    "without lag or hold: no law of any kind has a smaller RMS in the long run.")


def _fast(scenario, meter_ms):
    """Return (Table, {figure name: Figure}) of a fast scenario."""
    way = control_laws.WAYS[meter_ms]
    where = f"control period {meter_ms} ms, {way.delay_ms} ms from sample to command, PCS lag {tracking.LAG_MS} ms"
    if scenario == "gpt3":
        result, words, bound = control_laws.gpt3(meter_ms), _FRACTIONS, _GPT3_BOUND
        load = "synthetic training run" if tracking.gpt3_w()[1] else "GPT-3 run"
    else:
        result, words, bound = control_laws.periodic(meter_ms), _TRAPEZOID, _TRAPEZOID_BOUND
        load = f"trapezoid loads, worst of {', '.join(map(str, control_laws.PERIODS_S))} s"
    names = control_laws.NAMES
    rows = [(names[key], [result.fractions[key][name] for name in words]) for key in control_laws.KEYS[meter_ms]]
    title = f"{load[0].upper()}{load[1:]}: {_METER[meter_ms]}"
    shown = {key: names[key] for key in _SHOWN}
    table = control_table.Table(title, f"{where}. {bound}", [(word, 4) for word in words.values()], rows,
                                control_table.curves("What is left", "A part of the run.", result, shown))
    how = (f"tracking plant, {where}, {load}, target handed to every law; RMS of grid less target over load less "
           "target: ")
    return table, {_name(scenario, meter_ms, key): Figure(round(result.fractions[key]["rms"], 4), "fraction",
                                                          how + names[key])
                   for key in control_laws.KEYS[meter_ms] if key != "none"}


def _name(scenario, meter_ms, key):
    return f"control_{scenario}_{meter_ms}ms_{key}_rms"


def _edge():
    """Return (Table, {figure name: Figure}) of the edge site."""
    config, site = edge_control.config()
    load, wind = edge_data.load_kw(), edge_data.wind_kw()
    start = site.bess_kwh / 2
    found = {key: [] for key in edge_control.NAMES}
    for week in _WEEKS:
        stretch = (load, wind, week * _WEEK, _MINUTES, start)
        tried = edge_control.laws(site, config)
        tried["ours"].run(load, wind, (week - 1) * _WEEK, _WEEK)  # a week of practice: its band has to be learnt
        for key, law in tried.items():
            found[key].append(edge_control.run(law, site, *stretch))
        found["bound"].append(edge_control.bound(site, *stretch))
    sums = {key: edge_control.pooled(weeks) for key, weeks in found.items()}
    best = sums["bound"].direct_use(site.efficiency)
    share = {key: week.direct_use(site.efficiency) / best for key, week in sums.items()}
    rows = [(name, [share[key], sums[key].bought / 1000, sums[key].unserved, sums[key].exported,
                    sums[key].gained / 1000]) for key, name in edge_control.NAMES.items()]
    columns = [("direct use / LP", 4), ("import MWh", 2), ("unserved kWh", 1), ("pushed out kWh", 1), ("stored MWh", 2)]
    note = (f"1 MW mean load, 8.2 MW wind of 2014, 4 MW / {site.bess_kwh / 1000:.0f} MWh used from "
            f"{site.low_kwh / site.bess_kwh:.0%} to {site.top_kwh / site.bess_kwh:.0%}, import cap "
            f"{site.cap_kw / 1000:.1f} MW, export 0; 72 h from the begin of the weeks {', '.join(map(str, _WEEKS))} "
            "of the year by seconds, each begun half full, ours with the week before behind it; import by means of "
            "10 minutes. The usual laws hold nothing back for the import cap.")
    shown = {key: edge_control.NAMES[key] for key in _EDGE_SHOWN}
    week = {key: weeks[_WEEKS.index(_SHOWN_WEEK)] for key, weeks in found.items()}
    table = control_table.Table("Edge site, four times 72 h", note, columns, rows, control_table.stretch(
        f"72 h of week {_SHOWN_WEEK}", "Import and energy stored.", week, shown, site.cap_kw))
    figures = {f"control_edge_{key}_direct": Figure(round(share[key], 4), "of LP", f"{note} Direct use: {name}")
               for key, name in edge_control.NAMES.items() if key != "bound"}
    for key, name in edge_control.NAMES.items():
        unserved = round(sums[key].unserved, 1)
        figures[f"control_edge_{key}_unserved"] = Figure(unserved, "kWh", f"{note} Unserved: {name}")
    return table, figures


def run():
    """Return the figures of the table; print it and write the page."""
    tables, figures = [], {}
    parts = [lambda s=scenario, m=meter_ms: _fast(s, m)
             for scenario in ("gpt3", "periodic") for meter_ms in control_laws.WAYS]
    for part in (*parts, _edge, cabinet_control.table):
        table, found = part()
        print("\n".join(control_table.text(table)) + "\n", flush=True)
        tables.append(table)
        figures |= found
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(control_table.page(tables, _INTRO), encoding="utf-8")
    print(f"bench: tables and plots in {PAGE}", file=sys.stderr)
    return figures


_FAST = tuple(_name(scenario, meter_ms, key) for scenario in ("gpt3", "periodic")
              for meter_ms, keys in control_laws.KEYS.items() for key in keys if key != "none")
EDGE_NAMES = (*(f"control_edge_{key}_direct" for key in edge_control.NAMES if key != "bound"),
              *(f"control_edge_{key}_unserved" for key in edge_control.NAMES))
MEASURES = (Measure("control_table", _FAST + EDGE_NAMES + cabinet_control.FIGURE_NAMES, run),)
