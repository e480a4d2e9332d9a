"""What simulate hands the board of the coming day, and what it makes of useful work."""

import json

import pytest

from host_tools.errors import ToolError
from host_tools.plant.series import constant
from host_tools.plant.work import Work
from tests.simulation_rig import Rig, summary
from tests.test_plant_island import after, cabinet, happen

LOAD = "time_s,power_w\n0,60000000\n5400,60000000\n"
HEADER = "time_s,direct_mg_per_kwh,lifecycle_mg_per_kwh\n"


@pytest.fixture
def rig(tmp_path, monkeypatch):
    return Rig(tmp_path, monkeypatch)


def told(rig, rows, duration="5400"):
    """Return what the board heard of factors in a run that begins half an hour before 01:00 UTC."""
    ahead = rig.file("ahead.csv", HEADER + "".join(f"{t},0,{value}\n" for t, value in rows))
    out = rig.run("--site", rig.site("hyperscale", control__period_ms=1000), "--load", rig.file("load.csv", LOAD),
                  "--carbon-ahead", ahead, "--start", "2020-01-01T00:30:00Z", "--duration", duration)
    assert [entry["role"] for entry in summary(out)["inputs"]] == ["load", "carbon_ahead"]
    return json.loads((out / "events.jsonl").read_text())["ahead"]


def test_each_hour_the_board_is_told_the_means_of_the_next_24(rig):
    first = 1_577_836_800 // 3600
    messages = told(rig, [(0, 1000), (48 * 3600, 49_000)])  # it rises by 1000 an hour, from 00:30 on
    assert [message[0] for message in messages] == [first, first + 1, first + 2]
    assert messages[1] == [first + 1, *(2000 + 1000 * i for i in range(24))]
    assert messages[0][1] == 1125  # held before the first sample


def test_at_the_end_of_the_file_fewer_hours_are_known_and_then_none(rig):
    messages = told(rig, [(0, 5000), (7200, 5000)])  # to 02:30
    assert [message[1:] for message in messages] == [[5000] * 3, [5000] * 2, [5000]]
    assert [message[1:] for message in told(rig, [(0, 5000), (60, 5000)])][1:] == [[], []]


def test_what_is_no_factor_is_refused(rig):
    with pytest.raises(ToolError, match="lifecycle_mg_per_kwh runs from -5 to 7"):
        told(rig, [(0, -5), (60, 7)])


def test_work_is_counted_with_the_load(rig):
    out = rig.run("--site", rig.site("hyperscale", control__period_ms=1000), "--load", rig.file("load.csv", LOAD),
                  "--work", rig.file("work.csv", "time_s,work_per_s\n0,10\n60,30\n"), "--duration", "60")
    assert summary(out)["work"] == {"done": 1200, "lost": 0, "load_wh_per_unit": pytest.approx(1e6 / 1200)}


def test_with_the_load_that_is_shed_its_work_is_lost():
    plant = cabinet(constant(12_000))
    work = Work(constant(5.0), plant.island, 100_000_000)
    after(plant, 50)
    happen(plant, "grid", "fail", 1)  # the battery gives 10 kW of 12
    after(plant, 100)
    assert work.summary(0)["lost"] == pytest.approx(50 * 5 / 6, abs=0.2)
    assert work.summary(0)["done"] == pytest.approx(500 - 50 * 5 / 6, abs=0.2)
