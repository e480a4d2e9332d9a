"""Override, manual and dry run through simulate: what the operator asks for, inside every limit, and its end."""

import argparse
import csv
import json

import pytest

from host_tools.commands import simulate
from host_tools.errors import ToolError
from host_tools.plant.simulation import Simulation
from tests.simulation_rig import SITES

_END_S = 120
_CAP_W = 4_000_000


def _run(folder, events="", vm="cpython", writes=None, **control):
    """Return (trace rows, notes) of the edge site at 2 MW and 1 MW of wind; `writes` takes (role, time s) of each."""
    config = json.loads((SITES / "edge.json").read_text())
    config["control"].update(control)
    config["limits"].update(grid_import_w=_CAP_W, soc_min_permille=100, soc_max_permille=900)
    del config["dispatch"]
    (folder / "site.json").write_text(json.dumps(config))
    (folder / "load.csv").write_text(f"time_s,power_w\n0,2000000\n{_END_S},2100000\n")
    (folder / "wind.csv").write_text(f"time_s,power_w\n0,1000000\n{_END_S},1100000\n")
    (folder / "events.csv").write_text("time_s,device,event,value\n" + events)
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    args = parser.parse_args(["--site", str(folder / "site.json"), "--load", str(folder / "load.csv"),
                              "--wind", str(folder / "wind.csv"), "--events", str(folder / "events.csv"),
                              "--vm", vm, "--out", str(folder / "out")])
    simulate.check(args)
    simulation = Simulation(args)
    for slave in simulation._plant.slaves.values():
        _watch(slave, simulation._plant.agenda, [] if writes is None else writes)
    simulation.carry_out()
    with open(folder / "out" / "trace.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    notes = [json.loads(line) for line in next((folder / "out").rglob("events.jsonl")).read_text().splitlines()]
    return rows, notes


def _watch(slave, agenda, writes):
    write = slave.write

    def noted(*args):
        writes.append((slave.role, agenda.now_us / 1e6))
        return write(*args)

    slave.write = noted


def _at(rows, begin_s, end_s, *names):
    return {tuple(row[name] for name in names) for row in rows if begin_s <= float(row["time_s"]) <= end_s}


@pytest.mark.parametrize("vm", ("cpython", "micropython"))
def test_an_override_begins_holds_and_ends_by_itself(tmp_path, vm):
    rows, notes = _run(tmp_path, "40,board,override_w,-500000 for 30\n", vm)
    assert _at(rows, 45, 68, "mode", "reason") == {("manual", "override")}
    assert all(abs(float(bess) + 500_000) < 10_000 for (bess,) in _at(rows, 50, 68, "bess_w"))
    assert {mode for (mode,) in _at(rows, 75, _END_S, "mode")} <= {"on_grid", "limited"}
    codes = [note["code"] for note in notes if note["source"] == "operator"]
    assert codes == ["OVERRIDE", "OVERRIDE_END"]
    assert "MANUAL" in {note["code"] for note in notes if note["source"] == "supervisor"}


def test_no_override_leaves_the_caps(tmp_path):
    rows, _ = _run(tmp_path, "40,board,override_w,3000000\n60,board,override_w,-3000000\n")
    assert _at(rows, 45, 58, "mode", "reason") == {("manual", "export_cap")}
    assert all(float(grid) > -50_000 for (grid,) in _at(rows, 45, 58, "grid_w"))
    assert all(float(grid) < _CAP_W + 50_000 for (grid,) in _at(rows, 65, _END_S, "grid_w"))


def test_a_dry_run_sends_nothing_and_shows_what_it_would(tmp_path):
    writes = []
    rows, _ = _run(tmp_path, writes=writes, mode="dry_run")
    assert writes == []
    assert {mode for (mode,) in _at(rows, 1, _END_S, "mode")} == {"dry_run"}
    assert _at(rows, 30, _END_S, "reason") <= {("follow",), ("export_cap",), ("import_cap",)}
    assert _at(rows, 0, _END_S, "bess_w") == {("0",)}


def test_a_dry_run_that_is_asked_for_lets_the_pcs_fall_back_and_ends(tmp_path):
    writes = []
    rows, notes = _run(tmp_path, "40,board,mode,dry_run for 40\n", writes=writes)
    assert [at_s for _, at_s in writes if 42 < at_s < 80] == []
    assert {role for role, at_s in writes if at_s < 40} == {role for role, at_s in writes if at_s > 85} >= {"pcs"}
    assert all(float(bess) > 500_000 for (bess,) in _at(rows, 30, 39, "bess_w"))
    assert _at(rows, 45, 78, "mode") == {("dry_run",)}
    config = json.loads((SITES / "edge.json").read_text())
    after_s = 42 + config.get("pcs", {}).get("reversion_s", 10) + 2
    assert after_s < 78 and all(abs(float(bess)) < 1000 for (bess,) in _at(rows, after_s, 78, "bess_w"))
    assert all(float(bess) > 500_000 for (bess,) in _at(rows, 95, _END_S, "bess_w"))
    assert [note["code"] for note in notes if note["source"] == "operator"] == ["OVERRIDE", "OVERRIDE_END"]


@pytest.mark.parametrize("row, wrong", (
    ("1,board,jump,1", "event is 'jump'"), ("1,board,override_w,much", "value is 'much'"),
    ("1,board,mode,off", "value is 'off'"), ("1,board,end,all", "value is 'all'"),
    ("1,board,override_w,5 for ever", "value is '5 for ever'")))
def test_a_row_that_says_nothing_is_refused(tmp_path, row, wrong):
    with pytest.raises(ToolError, match=wrong):
        _run(tmp_path, row + "\n")
