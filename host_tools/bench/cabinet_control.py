"""The telecom cabinet for the table of laws: 24 hours of sun and load with a grid that fails, under each law.

All have the simulated site's battery, PV, genset and grid; ours is the whole firmware with its buses, through
`simulate`, at a control period of 5 s, once as `host_tools/sites/cabinet.json` has it and once with a backup kept.
"""

import json
import random
import tempfile
from pathlib import Path

from host_tools import datasets
from host_tools.bench import control_table, edge_plan, rivals, simulated
from host_tools.bench.cabinet_plant import Cabinet, Outcome
from host_tools.bench.figures import Figure
from host_tools.plant.series import US_PER_S, load_columns, load_power
from host_tools.toolchain import paths

HOURS = 24
NAMES = {"none": "no battery", "greedy": "greedy, once a second", "pid": "PID of the OpenEMS form, 1 s",
         "pi": "grid-meter PI, 1 s", "ours": "ours", "backup": "ours, 180 min of backup kept",
         "bound": "bound: LP, all known beforehand"}
_SITE = paths.ROOT / "host_tools" / "sites" / "cabinet.json"
_MEAN_W = 6000
_LOAD_DAYS = (1,)
_GAP_H, _LOSS_H = 12, 2.5  # means: between two losses of the grid, and of one
_SEED = 4
_PERIOD_S = 5
_BACKUP = {"reserve": "banded", "backup_min": 180, "grid_charging": 1}
_WAY = rivals.Way(cycle_ms=1000, age_ms=0, way_ms=0, lag_ms=50)
_RESYNC_S = 90  # of the simulated site
_BEST_L_PER_KWH = 0.0845 + 0.246  # at the genset's rating; no load takes less a kWh


def events(hours=HOURS):
    """Return [(s, device, event, value)]: losses of the grid, and in half of them one or two starts that fail."""
    rng = random.Random(_SEED)
    found, t_s = [], 3600.0
    while t_s < hours * 3600:
        t_s += rng.expovariate(1 / (_GAP_H * 3600))
        last_s = 300 + rng.expovariate(1 / (_LOSS_H * 3600))
        if rng.random() < 0.5:
            found.append((round(t_s), "genset_control", "start_failures", rng.choice((1, 2))))
        found += [(round(t_s), "grid", "fail", 1), (round(t_s + last_s), "grid", "fail", 0)]
        t_s += last_s + 600
    return [event for event in found if event[0] < hours * 3600]


def inputs(folder):
    """Write load and sun into a folder; return (path of the load, path of the sun, whether one is synthetic)."""
    days = [datasets.alibaba_day(folder, day, _MEAN_W) for day in _LOAD_DAYS]
    sun = datasets.pv_days(folder, days=HOURS // 24)
    rows = ["time_s,power_w"]
    for number, day in enumerate(days):
        times_us, (power_w,) = load_columns(day.path, ("time_s", "power_w"))
        rows += [f"{t_us // US_PER_S + 86_400 * number},{value:.1f}" for t_us, value in zip(times_us, power_w)
                 if t_us < 86_400 * US_PER_S]
    (folder / "load.csv").write_text("\n".join(rows) + "\n")
    return folder / "load.csv", sun.path, any(one.synthetic for one in (*days, sun))


def config(**dispatch):
    """Return the cabinet's site.json as a dict, at the period of the bench."""
    made = json.loads(_SITE.read_bytes())
    made["control"].update(period_ms=1000 * _PERIOD_S, stale_ms=2500 * _PERIOD_S, frozen_ms=10_000 * _PERIOD_S)
    made["pcs"] = {"reversion_s": 4 * _PERIOD_S}
    if dispatch:
        made["dispatch"] = dispatch
    return made


def laws(rating_w):
    """Return {key: law}, None where there is no battery."""
    return {"none": None, "greedy": rivals.greedy, "pid": rivals.OpenEmsPid(rating_w),
            "pi": rivals.GridPi(_WAY, rating_w)}


def ours(folder, made, paths_of, happens, hours=HOURS):
    """Return the Outcome of the whole firmware on a site.json (a dict), through `simulate`."""
    found = simulated.run(folder, made, happens, "--load", paths_of[0], "--pv", paths_of[1], "--duration", hours * 3600,
                          "--trace-step", 60)
    energy, battery = found["energy"], found["energy"]["battery"]
    sources, shed = energy["sources_wh"], found["island"]["shed"]
    return Outcome(energy["uses_wh"]["load"], sources["grid_import"], sources["genset"], energy["unserved_wh"],
                   sum(span["to_s"] - span["from_s"] for span in shed),
                   battery["stored_end_wh"] - battery["stored_start_wh"], found["genset"]["fuel_l"],
                   found["genset"]["starts"])


def bound(made, load, pv, happens, hours=HOURS, step_s=60):
    """Return the optimum's Outcome by steps of a minute: its genset is there at once, at its best load, and dear.

    Stored energy left at the end is worth what it would save of the grid's.
    """
    ratings, caps = made["ratings"], made["limits"]
    wh = ratings["bess_wh"]
    efficiency = (ratings["charge_efficiency_permille"] * ratings["discharge_efficiency_permille"]) ** 0.5 / 1000
    site = edge_plan.Site(caps["grid_import_w"] / 1000, ratings["bess_w"] / 1000, wh / 1000, efficiency,
                          wh * caps["soc_min_permille"] / 1e6, wh * caps["soc_max_permille"] / 1e6)
    edges = [round(i * step_s * US_PER_S) for i in range(hours * 3600 // step_s + 1)]
    powers = [[series.mean(*pair) / 1000 for pair in zip(edges, edges[1:])] for series in (load, pv)]
    lost = _lost(happens, len(edges) - 1, step_s)
    prices = [3.0 if gone else 1.0 for gone in lost]
    plan = edge_plan.optimum(site, *powers, step_s / 3600, wh / 2000, efficiency, prices)
    bought, genset, before = 0.0, 0.0, wh / 2000
    for net, stored, gone in zip((a - b for a, b in zip(*powers)), plan.steps, lost):
        change, before = stored - before, stored
        battery = (change / efficiency if change > 0 else change * efficiency) * 3600 / step_s
        given = min(max(net + battery, 0.0), site.cap_kw) * step_s / 3600
        genset, bought = (genset + given, bought) if gone else (genset, bought + given)
    served = sum(powers[0]) * step_s / 3600 - plan.unserved_kwh
    return Outcome(1000 * served, 1000 * bought, 1000 * genset, 1000 * plan.unserved_kwh, 0.0,
                   1000 * plan.stored_kwh - wh / 2, genset * _BEST_L_PER_KWH, 0)


def _lost(happens, count, step_s):
    """Return for each step whether the site is without the grid in any part of it."""
    lost = [False] * count
    since = None
    for t_s, device, event, value in [*happens, (count * step_s, "grid", "fail", 0)]:
        if (device, event) == ("grid", "fail") and value:
            since = t_s
        elif (device, event) == ("grid", "fail") and since is not None:
            for step in range(since // step_s, min((t_s + _RESYNC_S) // step_s + 1, count)):
                lost[step] = True
            since = None
    return lost


def outcomes():
    """Return ({key: Outcome}, efficiency of one way, whether an input is synthetic)."""
    made, happens = config(), events()
    ratings = made["ratings"]
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        folder = Path(name)
        *paths_of, synthetic = inputs(folder)
        load, pv = map(load_power, paths_of)
        found = {key: Cabinet(made, load, pv, happens).run(law, HOURS * 3600)
                 for key, law in laws(ratings["bess_w"]).items()}
        found["ours"] = ours(folder, made, paths_of, happens)
        found["backup"] = ours(folder, config(**_BACKUP), paths_of, happens)
        found["bound"] = bound(made, load, pv, happens)
    efficiency = (ratings["charge_efficiency_permille"] * ratings["discharge_efficiency_permille"]) ** 0.5 / 1000
    return found, efficiency, synthetic


FIGURES = {"unserved": "kWh", "fuel": "l", "direct": "of LP"}
COLUMNS = [("unserved kWh", 2), ("unserved min", 1), ("genset kWh", 1), ("starts", 0), ("fuel l", 1),
           ("import kWh", 1), ("stored kWh", 1), ("direct use / LP", 3)]


def table():
    """Return (Table, {figure name: Figure}) of the cabinet."""
    found, efficiency, synthetic = outcomes()
    best_wh = found["bound"].direct_use_wh(efficiency)
    rows = [(NAMES[key], _row(key, found[key], found[key].direct_use_wh(efficiency) / best_wh)) for key in NAMES]
    lost = [(t_s, value) for t_s, device, _, value in events() if device == "grid"]
    gone_h = sum(-t_s if value else t_s for t_s, value in lost) / 3600
    note = (f"{HOURS} h: load {'synthetic' if synthetic else 'of the Alibaba shape'}, day 1, mean {_MEAN_W} W; "
            f"PV of 8 kW; battery 10 kW / 30 kWh, half full at first; genset 12 kW; grid of 12 kW, lost "
            f"{len(lost) // 2} times for {gone_h:.1f} h in all; export 0. The usual laws see exact values without any "
            "delay, ours what its meters show, each 5 s; all start the genset at 30 % and stop it at 70 %. The bound "
            "starts no engine: its genset is there at once and burns what it would at its best load.")
    figures = {}
    for key, name in NAMES.items():
        values = (found[key].unserved_wh / 1000, found[key].fuel_l, found[key].direct_use_wh(efficiency) / best_wh)
        for (what, unit), value in zip(FIGURES.items(), values):
            figures[f"control_cabinet_{key}_{what}"] = Figure(round(value, 3), unit, f"{note} {what}: {name}")
    return control_table.Table("Telecom cabinet, a grid that fails", note, COLUMNS, rows), figures


def _row(key, outcome, share):
    starts, dark_min = (None, None) if key == "bound" else (outcome.starts, outcome.unserved_s / 60)
    return [outcome.unserved_wh / 1000, dark_min, outcome.genset_wh / 1000, starts, outcome.fuel_l,
            outcome.import_wh / 1000, outcome.gained_wh / 1000, share]


FIGURE_NAMES = tuple(f"control_cabinet_{key}_{what}" for key in NAMES for what in FIGURES)
