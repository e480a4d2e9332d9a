"""What tests of simulate share: a site, inputs, and a VM that runs the fake firmware, not the real one."""

import argparse
import csv
import json
import sys
from pathlib import Path

from host_tools.commands import simulate
from host_tools.plant.simulation import Simulation
from host_tools.plant.vm import Vm

FAKE = Path(__file__).with_name("fake_firmware.py")
SITES = Path(__file__).resolve().parents[1] / "host_tools" / "sites"


class FakeVm(Vm):
    """Runs the fake firmware."""

    def command(self, mode, run_folder, stage, until_ms):
        """Return (argument list, environment)."""
        end = [str(until_ms)] if mode == "wire" else []
        return [sys.executable, str(FAKE), str(run_folder), *end], {}


# For Rig.site("edge"): no cap in the way of a load of 2 MW, and nothing kept for one.
ROOM = {"limits__grid_import_w": 4_000_000, "limits__soc_min_permille": 100, "limits__soc_max_permille": 900,
        "dispatch": {}}

# For Rig.site(): a control period of a minute, a year's way to simulate (README).
MINUTE = {"control__period_ms": 60_000, "control__stale_ms": 150_000, "control__frozen_ms": 600_000,
          "pcs": {"reversion_s": 180}}


class Rig:
    """A folder with inputs, and simulate on them."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self._monkeypatch = monkeypatch

    def file(self, name, text):
        """Write an input file; return its path as text."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def site(self, name, **changes):
        """Write a reference site with other values at dotted keys; return its path."""
        config = json.loads((SITES / f"{name}.json").read_text())
        for key, value in changes.items():
            *parents, last = key.split("__")
            node = config
            for parent in parents:
                node = node[parent]
            node[last] = value
        return self.file("site.json", json.dumps(config))

    def run(self, *arguments, mode="follow", target_w=0, vm=FakeVm):
        """Run simulate, with the fake firmware or another VM; return the output folder."""
        self._monkeypatch.setenv("FAKE_MODE", mode)
        self._monkeypatch.setenv("FAKE_TARGET_W", str(target_w))
        parser = argparse.ArgumentParser()
        simulate.add_arguments(parser)
        args = parser.parse_args([*arguments, "--out", str(self.folder / "out")])
        simulate.check(args)
        return Simulation(args, vm).carry_out()


def trace(out):
    """Return trace.csv as a list of dicts, numbers as floats."""
    with open(out / "trace.csv", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _value(text):
    try:
        return float(text)
    except ValueError:
        return text


def summary(out):
    """Return summary.json."""
    return json.loads((out / "summary.json").read_text())
