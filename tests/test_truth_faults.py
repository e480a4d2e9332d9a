"""Each untrue value by its name, from the simulated device to the record: refused, told, counted, and never used."""

import argparse
import csv
import gzip
import json

import pytest

from host_tools.commands import simulate
from host_tools.evidence import keys
from host_tools.evidence.naming import Decoded, named
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import verify
from host_tools.plant.simulation import Simulation
from tests.simulation_rig import SITES
from tests.test_truth_properties import REAL

_LOAD = [(t, 2_000_000 + (700_000 if t // 300 % 2 else 0) + 311 * (t % 97)) for t in range(0, 1801, 10)]
_WIND = [(0, 800_000), (1200, 3_900_000), (1800, 2_100_000)]


class Run:
    """One run of the real firmware on the simulated edge site, on CPython."""

    def __init__(self, folder, events, duration_s, load=None, **site):
        config = json.loads((SITES / "edge.json").read_text())
        for key, value in site.items():
            config["ratings"][key] = value
        files = {"load.csv": ("time_s,power_w", load or _LOAD), "wind.csv": ("time_s,power_w", _WIND),
                 "events.csv": ("time_s,device,event,value", events)}
        for name, (head, rows) in files.items():
            (folder / name).write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
        (folder / "site.json").write_text(json.dumps(config))
        self.out = self._simulate(folder, duration_s)
        self.records = [named(Decoded(item)) for item in open_source(str(self.out)).units()]
        self.events = [json.loads(line) for line in (self.out / "events.jsonl").read_text().splitlines()]
        self.energy = json.loads((self.out / "summary.json").read_text())["energy"]
        with open(self.out / "trace.csv", newline="") as file:
            self.trace = list(csv.DictReader(file))

    @staticmethod
    def _simulate(folder, duration_s):
        parser = argparse.ArgumentParser()
        simulate.add_arguments(parser)
        words = ["--site", folder / "site.json", "--load", folder / "load.csv", "--wind", folder / "wind.csv",
                 "--events", folder / "events.csv", "--duration", duration_s, "--vm", "cpython",
                 "--out", folder / "out"]
        args = parser.parse_args([str(word) for word in words])
        simulate.check(args)
        return Simulation(args).carry_out()

    def told(self):
        """Return the codes of the TRUTH events in their order, and the roles that they name."""
        found = [(e["code"], e["text"].split(":")[0]) for e in self.events if e["source"] == "TRUTH"]
        return [code for code, _ in found], {role for _, role in found}

    def refused(self, role):
        return sum(row["refused"] for record in self.records for row in record["meters"] if row["role"] == role)

    def flags(self):
        flags = 0
        for record in self.records:
            flags |= record["flags"]
        return flags

    def verdicts(self):
        result = verify(open_source(str(self.out)), keys.load(self.out / "keys.json"))
        return result.integrity, result.completeness, result.plausibility

    def error_wh(self, kind, name):
        return sum(record[kind][name] for record in self.records) - self.energy[kind][name]


# name: events, codes in the order in which they are first told, role, least count refused, energy's error per mille
FAULTS = {
    "sentinel": ([(100, "load", "sentinel", 1), (140, "load", "sentinel", 0)], ["SENTINEL", "BELIEVED"], "load", 35, 2),
    "out of range": ([(100, "load", "spike_w", 9_000_000)], ["RANGE", "BELIEVED"], "load", 1, 2),
    "frozen with its register": ([(100, "load", "frozen", 1), (400, "load", "frozen", 0)],
                                 ["REGISTER_STILL", "FROZEN", "BELIEVED"], "load", 250, 5),
    "frozen, its register moves": ([(100, "load", "stuck_value", 2_000_000), (500, "load", "stuck_value", "off")],
                                   ["FROZEN", "BELIEVED"], "load", 150, 5),
    "impossible step": ([(100, "grid", "spike_w", -5_000_000)], ["STEP", "BELIEVED"], "grid", 1, 2),
    "register that went backwards": ([(100, "load", "counter_back_wh", 10_000)],
                                     ["REGISTER_BACK", "REGISTER_RENEWED"], "load", 3, 2),
    "CRC-valid glitch in an energy counter": (
        [(100, "load", "glitch_wh", 4_820_000)], ["REGISTER_GLITCH"], "load", 1, 2),
    "all zeros of a meter": ([(100, "load", "zeros", 1), (140, "load", "zeros", 0)],
                             ["ZEROS", "BELIEVED"], "load", 35, 2),
    "all zeros with a fault state": ([(100, "pcs", "zeros", 1), (140, "pcs", "zeros", 0)],
                                     ["ZEROS", "BELIEVED"], "bess", 35, 2),
    "-1 of an analyser": ([(100, "load", "minus_one", 1), (140, "load", "minus_one", 0)],
                          ["MINUS_ONE", "BELIEVED"], "load", 35, 2),
    "a load below zero": ([(100, "load", "negative", 1), (130, "load", "negative", 0)], ["NEGATIVE"], "load", 25, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refused_told_counted_and_not_in_the_energy(name, tmp_path):
    events, codes, role, least, permille = FAULTS[name]
    run = Run(tmp_path, events, 700)
    told, roles = run.told()
    assert list(dict.fromkeys(told))[:len(codes)] == codes and roles == {role}
    assert run.refused(role) >= least and run.flags() >> 6 & 1
    assert (run.flags() >> 5 & 1) == (name in ("register that went backwards", "a load below zero"))
    assert sum(run.refused(other) for other in ("load", "grid", "bess", "wind") if other != role) == 0
    assert run.verdicts() == ("PASS", "PASS", "PASS")
    load_wh = run.energy["uses_wh"]["load"]
    assert abs(run.error_wh("uses_wh", "load")) <= load_wh * permille // 1000
    assert abs(run.error_wh("sources_wh", "wind")) <= load_wh * permille // 1000
    for row in run.trace[5:]:
        assert abs(float(row["setpoint_w"])) <= 4_000_000
        if role != "bess":  # a load of 2.0 to 2.7 MW is never taken for another
            assert abs(float(row["grid_w"])) < 800_000 or float(row["time_s"]) % 300 < 5


def test_a_site_at_constant_power_is_told_nothing(tmp_path):
    run = Run(tmp_path, [(0, "clock", "set", 2)], 900, load=[(0, 2_000_000), (1800, 2_000_000)])
    assert run.told() == ([], set()) and run.refused("load") == 0


def test_registers_know_what_the_board_did_not_see(tmp_path):
    events = [(at, role, "silent", on) for at, on in ((120, 1), (420, 0)) for role in ("load", "wind")]
    run = Run(tmp_path, events, 900)
    record = run.records[0]
    assert record["substituted_wh"] > 0 and record["registers"][0]["formed"] == 2
    difference_wh = record["registers"][0]["import_difference_wh"]
    assert abs(difference_wh) > 20_000, "so much was wrong without the register"
    assert abs(run.error_wh("uses_wh", "load")) < 1_000 and abs(run.error_wh("sources_wh", "wind")) < 1_000


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not here")
def test_the_real_log_of_an_analyser_drives_the_site_and_its_minus_ones_are_refused(tmp_path):
    with gzip.open(REAL, "rt") as file:
        watts = [float(line.split(",")[3]) for line in file if line.startswith("Time,")][:900]
    load, events, good = [], [], watts[0]
    for t, watt in enumerate(watts):
        if (watt == -1) != (t > 0 and watts[t - 1] == -1):
            events.append((t, "load", "minus_one", int(watt == -1)))
        good = watt if watt != -1 else good
        load.append((t, good * 1000))
    run = Run(tmp_path, events, len(watts), load)
    bad = watts.count(-1)
    assert bad and bad - 1 <= run.refused("load") <= bad + len(events)
    assert set(run.told()[0]) <= {"MINUS_ONE", "BELIEVED"}
    assert abs(run.error_wh("uses_wh", "load")) <= run.energy["uses_wh"]["load"] * 0.005
    assert all(float(row["setpoint_w"]) < 4_000_000 for row in run.trace)
