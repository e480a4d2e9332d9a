"""Loads that repeat themselves, through `simulate`: what is left of the trapezoid of the definitions, by period."""

import tempfile
from pathlib import Path

from host_tools.bench import tracking
from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import in_bytes, instructions, run
from host_tools.bench.tracking_measures import DELAYS_MS, site, traced

PERIODS_S = (1, 2, 5, 10)
NAMES = ("rms", "p99", "band")
_WORDS = {"rms": "RMS", "p99": "99th percentile", "band": "power between 0.1 and 2 Hz"}
_COUNTED = 30  # periods judged, behind those left out
_SEED = 1
_BEGIN_S = 10  # at the mean load, so that the target, which may not move, is this mean
_STEP_MS = 10  # of the trace


def fractions(period_ms, period_s, seed=_SEED, counted=_COUNTED):
    """Return the figures of one trapezoid load at the hyperscale site, its target held at the load's mean."""
    load = tracking.trapezoid_w(period_s, tracking.SKIP_PERIODS + counted, seed)
    load = [tracking.mean_w(load)[0]] * (_BEGIN_S * 1000 // tracking.STEP_MS) + load
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        path = Path(name) / "load.csv"
        with open(path, "w", encoding="ascii") as file:
            file.write("time_s,power_w\n")
            file.writelines(f"{i * tracking.STEP_MS / 1000:.3f},{power:.0f}\n" for i, power in enumerate(load))
        steady = site(period_ms, baseline_s=3600, baseline_ramp_w_per_s=1, homing_permille=0)
        found, _ = traced(Path(name), steady, path, _STEP_MS / 1000)
    return tracking.fractions(found["grid_w"], found["load_w"], found["target_w"],
                              _BEGIN_S + tracking.SKIP_PERIODS * period_s, _STEP_MS)


def measure(period_ms):
    """Return the figures at a control period, the worst of the load's periods."""
    rows = {period_s: fractions(period_ms, period_s) for period_s in PERIODS_S}
    for period_s, row in rows.items():
        shown = "  ".join(f"{name} {row[name]:.3f}" for name in NAMES)
        print(f"periodic: control period {period_ms} ms, load {period_s} s  {shown}")
    how = (f"simulate, hyperscale site, control period {period_ms} ms, {DELAYS_MS[period_ms]} ms from sample to "
           "command, PCS lag 50 ms; trapezoid of 60 to 95 MW, up for 3/4, edges 0.1 s, periods jittered by 0.5 %, "
           f"swings by 5 % (normal, seed {_SEED}), {_COUNTED} periods after {tracking.SKIP_PERIODS} left out, every "
           f"{_STEP_MS} ms; "
           "target the mean load; grid less target over load less target, worst of the periods of ")
    how += f"{', '.join(map(str, PERIODS_S))} s: "
    return {f"periodic_{period_ms}ms_{name}": Figure(round(max(row[name] for row in rows.values()), 4), "fraction",
                                                     how + _WORDS[name]) for name in NAMES}


def _measure(period_ms):
    names = tuple(f"periodic_{period_ms}ms_{name}" for name in NAMES)
    return Measure(f"periodic_{period_ms}ms", names, lambda: measure(period_ms))


def _cost():
    got = run("periodic_term")
    how = "load with a period of 2 s at a control period of 20 ms, gate open; median of one period of the load"
    memory = "ring {ring_bytes}, cells {cells_bytes} bytes, at a control period of 20 ms".format(**got)
    return {"periodic_tick_instructions": instructions(got["tick"], f"repeat() in the control tick; {how}; {memory}"),
            "periodic_learn_instructions": instructions(got["learn"], f"learn() behind the tick, worst "
                                                        f"{got['learn_max']}; {how}"),
            "periodic_alloc_bytes": in_bytes(got["alloc_bytes"], "growth of gc.mem_alloc() over both, collection off")}


MEASURES = (_measure(20), _measure(100), Measure("periodic_term", (
    "periodic_tick_instructions", "periodic_learn_instructions", "periodic_alloc_bytes"), _cost))
