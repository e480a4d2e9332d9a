"""What tests of commission share: a site, faults set on its plant, and the command run in this process."""

import argparse
import json
from pathlib import Path

from host_tools.commands import commission

SITES = Path(__file__).resolve().parents[1] / "host_tools" / "sites"


def site(folder, **changes):
    """Write the edge site with other values at dotted keys; return its path."""
    config = json.loads((SITES / "edge.json").read_text())
    config["pcs"] = {"reversion_s": 60}
    config["limits"].update(grid_import_w=4_000_000, soc_min_permille=100, soc_max_permille=900)  # room to step
    for key, value in changes.items():
        *parents, last = key.split("__")
        node = config
        for parent in parents:
            node = node[int(parent) if parent.isdigit() else parent]
        node[last] = value
    path = folder / "site.json"
    path.write_text(json.dumps(config))
    return path


def run(path, out, *words, fault=None, vm="micropython"):
    """Run the command; return (exit code, report, session)."""
    parser = argparse.ArgumentParser()
    commission.add_arguments(parser)
    args = parser.parse_args(["--board", "UNIX", "--site", str(path), "--out", str(out), "--vm", vm, *map(str, words)])
    sessions = []

    def prepare(session):
        sessions.append(session)
        session.plant.slaves["pcs"].heartbeat_us = 3_600_000_000  # its reversion time alone decides
        if fault is not None:
            fault(session)

    code = commission.run(args, prepare)
    return code, json.loads((out / "commission.json").read_text()), sessions[0]


def codes(report, step=None):
    """Return {item: code} of what is not OK, of one step or of all."""
    return {row["item"]: row["code"] for row in report["results"]
            if row["code"] != "OK" and step in (None, row["step"])}


def value(report, key):
    """Return the measured value of a key of the commissioning section."""
    return report["commissioning"][key]


def standing_w(session):
    """Return the set point that the simulated PCS holds at the end, W."""
    return session.plant.setpoint_w
