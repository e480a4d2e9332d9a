"""Measures how fresh each device's value stays while another one is silent or babbles; prints the table.

python3 -m tests.freshness_rig [cpython | micropython]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from host_tools.commands import simulate
from host_tools.plant.simulation import Simulation
from tests.simulation_rig import SITES

BEFORE_S, END_S = 70, 150
DUTY = 0.02
_SETTLED_S = 10
_LOAD_W = 2_000_000


def edge():
    """Return the reference site: three meters on one bus, PCS and wind limit on another."""
    return json.loads((SITES / "edge.json").read_text())


def three_on_one():
    """Return a site with three fast meters on one bus and a short period, the PCS on its own."""
    config = edge()
    config["control"]["period_ms"] = 200
    config["buses"][0]["baud"] = 115_200
    for device in config["devices"]:
        if device["bus"] == 0:
            device["profile"] = "generic_fast"
    return config


def measure(config, folder, fault, vm="cpython"):
    """Run a site, healthy and then with a fault (role, event, value); return summary.json's windows."""
    folder = Path(folder)
    (folder / "site.json").write_text(json.dumps(config))
    (folder / "load.csv").write_text(f"time_s,power_w\n0,{_LOAD_W}\n{END_S},{_LOAD_W * 1.2}\n")
    (folder / "wind.csv").write_text(f"time_s,power_w\n0,1000000\n{END_S},1500000\n")
    role, event, value = fault
    (folder / "events.csv").write_text(f"time_s,device,event,value\n{_SETTLED_S},{role},frozen,0\n"
                                       f"{BEFORE_S},{role},{event},{value}\n")
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    args = parser.parse_args([
        "--site", str(folder / "site.json"), "--load", str(folder / "load.csv"), "--wind", str(folder / "wind.csv"),
        "--events", str(folder / "events.csv"), "--vm", vm, "--out", str(folder / "out")])
    Simulation(args).carry_out()
    _, before, during = json.loads((folder / "out" / "summary.json").read_text())["freshness"]
    return before, during


def ratios(before, during, faulty):
    """Yield (when, role, figure, before, during) of every device but the faulty one."""
    for when in ("any_time", "at_setpoint"):
        for role, ages in before[when].items():
            if role != faulty:
                for figure in ("mean_ms", "p95_ms"):
                    later = during[when].get(role)
                    yield when, role, figure, ages[figure], later[figure] if later else None


def faults(config):
    """Return every fault that the measurement tries on a site."""
    return [(device["role"], event, value) for device in config["devices"]
            for event, value in (("silent", 1), ("babble", DUTY))]


def table(config, vm):
    """Yield the lines of the table for one site."""
    for fault in faults(config):
        with tempfile.TemporaryDirectory() as folder:
            before, during = measure(config, folder, fault, vm)
        for when, role, figure, old, new in ratios(before, during, fault[0]):
            worse = f"{new / old:6.2f}" if new is not None and old else "  lost"
            yield f"{fault[0]:10} {fault[1]:7} {when:11} {role:10} {figure:8} {old:8} {new or 0:8} {worse}"


def main(vm="cpython"):
    """Print the tables of both sites."""
    for name, config in (("edge", edge()), ("three on one", three_on_one())):
        print(f"{name}: faulty, fault, when, device, figure, before, during, ratio")
        for line in table(config, vm):
            print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
