"""A run of `simulate` for a measure: from a site as a dict to what it leaves in its folder."""

import argparse
import json

from host_tools.commands import simulate
from host_tools.plant.simulation import Simulation


def prepare(folder, made, happens, *words):
    """Write a site and its events (s, device, event, value); return the whole command line behind `simulate`."""
    (folder / "site.json").write_text(json.dumps(made))
    rows = "".join(",".join(map(str, event)) + "\n" for event in happens)
    (folder / "events.csv").write_text("time_s,device,event,value\n" + rows)
    return ["--site", str(folder / "site.json"), "--events", str(folder / "events.csv"), "--out", str(folder / "run"),
            *map(str, words)]


def run(folder, *what):
    """Run it here, `what` being as for prepare(); return its summary."""
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    args = parser.parse_args(prepare(folder, *what))
    simulate.check(args)
    Simulation(args).carry_out()
    return summary(folder)


def summary(folder):
    """Return summary.json of what has been run in a folder."""
    return json.loads((folder / "run" / "summary.json").read_bytes())
