"""The control on the GPT-3 training run at the hyperscale site, through `simulate`: what is left of the swing."""

import argparse
import json
import tempfile
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.commands import simulate
from host_tools.datasets import gpt3_load
from host_tools.errors import ToolError
from host_tools.plant.simulation import Simulation
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "hyperscale.json"
_NAMES = ("rms", "p99", "ramp")


def _simulated(period_ms, folder):
    """Run the site at a control period; return (summary, what the load is)."""
    load = gpt3_load(folder / "inputs")
    site = json.loads(_SITE.read_bytes())
    site["control"]["period_ms"] = period_ms
    (folder / "site.json").write_text(json.dumps(site))
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    args = parser.parse_args(["--site", str(folder / "site.json"), "--load", str(load.path),
                              "--out", str(folder / "run"), "--trace-step", "10"])
    simulate.check(args)
    Simulation(args).carry_out()
    return json.loads((folder / "run" / "summary.json").read_bytes()), load


def measure(period_ms):
    """Return RMS, p99 and ramp of the grid as fractions of those without a battery."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        summary, load = _simulated(period_ms, Path(folder))
    control = summary["control"]
    ours, alone, ramps = control["grid_minus_target"], control["without_battery_minus_target"], control["ramps"]
    if not ours or not alone:
        raise ToolError("the run gave no target", "See the messages of simulate on this site.")
    source = "synthetic load (the measurement could not be had)" if load.synthetic else "MLPerf GPT-3 run x 206.5"
    how = (f"simulate, hyperscale site, control period {period_ms} ms, {summary['run']['vm']['version']}, "
           f"{summary['run']['duration_s']} s of the {source}, first {control['skipped_s']} s left out, "
           f"sampled every {control['sample_s']} s; ")
    pairs = {"rms": (ours["rms_w"], alone["rms_w"], "RMS of grid - target over RMS of load - target"),
             "p99": (ours["p99_w"], alone["p99_w"], "p99 of |grid - target| over that of |load - target|"),
             "ramp": (ramps["1_s"]["grid"]["change_w"], ramps["1_s"]["load"]["change_w"],
                      "largest change over 1 s, grid over load")}
    return {f"gpt3_{period_ms}ms_{name}": Figure(round(a / b, 4), "fraction", f"{how}{what}: {a} W of {b} W")
            for name, (a, b, what) in pairs.items()}


def _gpt3(period_ms):
    names = tuple(f"gpt3_{period_ms}ms_{name}" for name in _NAMES)
    return Measure(f"gpt3_{period_ms}ms", names, lambda: measure(period_ms))


MEASURES = (_gpt3(100), _gpt3(20))
