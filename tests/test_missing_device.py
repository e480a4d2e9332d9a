"""With any single device silent or babbling, state, reason and event say which one is missing: through simulate."""

import argparse
import csv
import json

import pytest

from host_tools.commands import simulate
from host_tools.plant.simulation import Simulation
from tests.freshness_rig import DUTY, edge

_BEGIN_S, _BACK_S, _END_S = 60, 120, 160
_SETTLED_S = 12  # a limit that is commanded once a second is lost behind five failures, and what it is retried takes
_METERS = {role: ("degraded", f"{role}_silent") for role in ("load", "grid", "wind", "pv")}
_OTHERS = {"pcs": ("fault", "pcs_lost"), "wind_limit": ("degraded", "wind_limit_lost"),
           "pv_limit": ("degraded", "pv_limit_lost"), "bms": ("degraded", "bms_lost")}
_EXPECTED = _METERS | _OTHERS
_WELL = {"follow", "rating", "soc_low", "soc_high", "import_cap", "export_cap", "ramp"}


def _large():
    """Return the edge site with PV, its limit and a BMS besides."""
    config = edge()
    config["ratings"]["pv_w"] = 2_000_000
    config["factors"]["pv"] = config["factors"]["wind"]
    config["devices"] += [{"role": "pv", "profile": "sdm630", "bus": 0, "unit": 4},
                          {"role": "pv_limit", "profile": "sunspec_limit", "bus": 1, "unit": 12},
                          {"role": "bms", "profile": "sunspec_bms", "bus": 1, "unit": 13}]
    return config


_SITES = {"edge": edge(), "large": _large()}


def _run(config, folder, events):
    """Return (trace rows, supervisor's events) of a run in which `events` happen."""
    (folder / "site.json").write_text(json.dumps(config))
    for name, power_w in (("load", 2_000_000), ("wind", 1_200_000), ("pv", 300_000)):
        (folder / f"{name}.csv").write_text(f"time_s,power_w\n0,{power_w}\n{_END_S},{power_w * 1.2}\n")
    (folder / "events.csv").write_text("time_s,device,event,value\n" + events)
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    words = ["--site", "site.json", "--load", "load.csv", "--wind", "wind.csv", "--events", "events.csv"]
    if config["ratings"]["pv_w"]:
        words += ["--pv", "pv.csv"]
    words = [str(folder / word) if "." in word else word for word in words]
    args = parser.parse_args([*words, "--vm", "cpython", "--out", str(folder / "out")])
    simulate.check(args)
    Simulation(args).carry_out()
    with open(folder / "out" / "trace.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    notes = [json.loads(line) for line in next((folder / "out").rglob("events.jsonl")).read_text().splitlines()]
    return rows, [note for note in notes if note["source"] == "supervisor"]


def _states(rows, begin_s, end_s):
    return {(row["mode"], row["reason"]) for row in rows if begin_s <= float(row["time_s"]) <= end_s}


def _words(row):
    return f"{row['role']} {row['profile']} at bus {row['bus']} unit {row['unit']}"


_CASES = [(site, row["role"]) for site, config in _SITES.items() for row in config["devices"]
          if site == "edge" or row["role"] in ("pv", "pv_limit", "bms")]


@pytest.mark.parametrize("site, role", _CASES)
def test_a_silent_device_is_named(tmp_path, site, role):
    config = _SITES[site]
    rows, notes = _run(config, tmp_path, f"{_BEGIN_S},{role},silent,1\n{_BACK_S},{role},silent,0\n")
    assert {reason for _, reason in _states(rows, 30, _BEGIN_S)} <= _WELL
    found = _states(rows, _BEGIN_S + _SETTLED_S, _BACK_S)
    if role == "bms":  # its last state of charge holds for a while
        assert {reason for _, reason in found} == {"bms_lost"} and ("fault", "bms_lost") in found
    else:
        assert found == {_EXPECTED[role]}
    assert {reason for _, reason in _states(rows, _BACK_S + 2 * _SETTLED_S, _END_S)} <= _WELL
    (row,) = [row for row in config["devices"] if row["role"] == role]
    state, _ = _EXPECTED[role]
    named = [note for note in notes if "Missing" in note["text"]]
    assert named and all(note["text"].endswith(f"Missing: {_words(row)}.") for note in named)
    assert named[0]["code"] == state.upper() and notes[-1]["code"] == "ON_GRID"


@pytest.mark.parametrize("site, role", _CASES)
def test_a_babbling_device_is_named_and_none_is_missing_that_is_not_on_its_line(tmp_path, site, role):
    config = _SITES[site]
    rows, notes = _run(config, tmp_path, f"{_BEGIN_S},{role},babble,{DUTY}\n{_BACK_S},{role},babble,0\n")
    (bus,) = [row["bus"] for row in config["devices"] if row["role"] == role]
    line = [row for row in config["devices"] if row["bus"] == bus]
    lost = {_EXPECTED[row["role"]] for row in line} | {("degraded", "bms_lost")}
    found = _states(rows, _BEGIN_S + _SETTLED_S, _BACK_S)
    assert ("degraded", "unasked") in found and found <= lost | {("degraded", "unasked"), ("degraded", "disturbed")}
    assert {reason for _, reason in _states(rows, 30, _BEGIN_S)} <= _WELL
    assert {reason for _, reason in _states(rows, _BACK_S + 40, _END_S)} <= _WELL
    (row,) = [row for row in config["devices"] if row["role"] == role]
    words = [note["text"].partition(" Speaks unasked: ") for note in notes]
    assert f"{_words(row)}." in {speaks for _, _, speaks in words}
    assert all(speaks in ("", f"{_words(row)}.", f"somebody unknown at bus {bus}.") for _, _, speaks in words)
    for text, _, _ in words:
        names = text.partition("Missing: ")[2]
        assert not names or set(names.rstrip(".").split(", ")) <= {_words(row) for row in line}


def test_another_master_and_noise_are_told_from_a_device_that_babbles(tmp_path):
    rows, notes = _run(edge(), tmp_path, f"{_BEGIN_S},bus0,master,4\n{_BACK_S},bus0,master,0\n")
    found = _states(rows, _BEGIN_S + _SETTLED_S, _BACK_S)
    lost = {_EXPECTED[row["role"]] for row in edge()["devices"] if row["bus"] == 0}
    assert ("degraded", "disturbed") in found and found <= lost | {("degraded", "disturbed")}
    assert {reason for _, reason in _states(rows, _BACK_S + 40, _END_S)} <= _WELL
    speaks = {note["text"].partition(" Speaks unasked: ")[2] for note in notes}
    assert speaks == {"", "somebody unknown at bus 0."}


def test_several_silent_meters_are_all_named(tmp_path):
    rows, notes = _run(edge(), tmp_path, f"{_BEGIN_S},load,silent,1\n{_BEGIN_S},wind,silent,1\n")
    assert _states(rows, _BEGIN_S + _SETTLED_S, _END_S) == {("fault", "blind")}
    both = ", ".join(_words(row) for row in edge()["devices"] if row["role"] in ("load", "wind"))
    assert notes[-1]["text"].endswith(f"Missing: {both}.") and notes[-1]["code"] == "FAULT"
