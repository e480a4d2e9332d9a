"""Weeks of the edge site through `simulate`: the whole firmware with its buses, meters and PCS, against the optimum.

A year takes more than an hour of a core, so this is measured only where it is asked for by name. Every week is a run of
its own that begins half full and with nothing learnt; import, export and unserved energy are those of the simulated
plant, exactly, not by means of 10 minutes. The load is linear between means of a minute, as in edge_data.
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from host_tools.bench import edge_measures as edge
from host_tools.bench import simulated
from host_tools.bench.figures import Figure, Measure
from host_tools.errors import ToolError
from host_tools.plant.utc import show_utc
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
_START = int(datetime(2014, 1, 1, tzinfo=UTC).timestamp())
_WEEK_S = edge.WEEK_H * 3600
_MINUTE_MS, _SECOND_MS = 60_000, 1000
_SECOND_WEEK = 20  # the worst one at steps of a minute: it is run again at 1 s
_PERIODS = {  # what a control period of so many ms has otherwise than the site
    _MINUTE_MS: {"control": {"period_ms": _MINUTE_MS, "stale_ms": 150_000, "frozen_ms": 600_000},
                 "pcs": {"reversion_s": 240}},
    _SECOND_MS: {"control": {"period_ms": _SECOND_MS}},
}


def site(period_ms):
    """Return the edge site as a dict with another control period, one of _PERIODS."""
    made = json.loads(_SITE.read_bytes())
    for section, changes in _PERIODS[period_ms].items():
        made[section] = {**made.get(section, {}), **changes}
    return made


def run(week, period_ms, folder, duration_s=_WEEK_S):
    """Run a week, counted from 0, in `folder`; return the energies of its summary.json."""
    begin = week * _WEEK_S // 60
    for name, values in zip(("load", "wind"), edge.year()):
        with open(folder / f"{name}.csv", "w", encoding="ascii") as file:
            file.write("time_s,power_w\n")
            file.writelines(f"{60 * i},{round(1000 * values[begin + i])}\n" for i in range(duration_s // 60 + 1))
    words = simulated.prepare(
        folder, site(period_ms), [(0, "pcs", "soc_permille", 500)], "--load", folder / "load.csv",
        "--wind", folder / "wind.csv", "--start", show_utc(_START + week * _WEEK_S), "--duration", duration_s,
        "--trace-step", 600)
    done = subprocess.run([sys.executable, "-m", "host_tools", "simulate", *words], cwd=paths.ROOT,
                          capture_output=True, text=True)  # a process of its own: several run side by side
    if done.returncode:
        raise ToolError(f"week {week} did not run: {done.stderr.strip()[-300:]}", "Run it alone, with `simulate`.")
    return simulated.summary(folder)["energy"]


def _fraction(week, period_ms):
    """Run a week in a folder of its own; return (direct use, the optimum's, unserved, the optimum's), kWh."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        energy = run(week, period_ms, Path(folder))
    used_kwh = energy["direct_renewable_use"]["with_storage_wh"] / 1000
    best_kwh, best_unserved_kwh = edge.bound(edge.config(), begin_h=week * edge.WEEK_H)
    print(f"bench: week {week} at {period_ms // 1000} s: {used_kwh / best_kwh:.4f} of the optimum, "
          f"{energy['unserved_wh'] / 1000:.1f} kWh unserved", file=sys.stderr, flush=True)
    return used_kwh, best_kwh, energy["unserved_wh"] / 1000, best_unserved_kwh


def _year():
    edge.year()  # before there are threads
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        weeks = list(pool.map(lambda week: _fraction(week, _MINUTE_MS), range(edge.WEEKS)))
    ratios = [used / best for used, best, *_ in weeks]
    pooled = sum(used for used, *_ in weeks) / sum(best for _, best, *_ in weeks)
    needless = [unserved for _, _, unserved, least in weeks if least < 1e-3]
    how = f"{_HOW}, at a control period of a minute (four ticks each); each of {edge.WEEKS} weeks is a run of its own; "
    return {
        "edge_simulated_vs_lp": Figure(round(pooled, 4), "fraction", how + "pooled"),
        "edge_simulated_vs_lp_worst_week": Figure(
            round(min(ratios), 4), "fraction", f"{how}week {ratios.index(min(ratios))} counted from 0"),
        "edge_simulated_unserved_kwh": Figure(
            round(sum(needless), 1), "kWh", f"{how}in the {len(needless)} weeks in which the optimum has none"),
    }


def _second():
    used_kwh, best_kwh, unserved_kwh, _ = _fraction(_SECOND_WEEK, _SECOND_MS)
    how = (f"{_HOW}, at the site's own period of a second, week {_SECOND_WEEK} counted from 0; "
           f"{unserved_kwh:.1f} kWh unserved")
    return {"edge_simulated_second_vs_lp": Figure(round(used_kwh / best_kwh, 4), "fraction", how)}


_HOW = ("simulate, edge site, 8 MWh, import cap 1.0 MW, half full and with nothing learnt when a week begins; Alibaba "
        "2018 days 1, 3, 4, 5 in turn by means of a minute, each day over its own mean, times 1 MW, La Haute Borne "
        "wind 2014; import exactly as the plant has it; optimum on steps of 10 minutes")
MEASURES = (
    Measure("edge_simulated_year", ("edge_simulated_vs_lp", "edge_simulated_vs_lp_worst_week",
                                    "edge_simulated_unserved_kwh"), _year, hours=0.6),
    Measure("edge_simulated_second", ("edge_simulated_second_vs_lp",), _second, hours=1.2),
)
