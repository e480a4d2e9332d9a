"""simulate with the real firmware: what it is told ahead changes nothing, and what a period of a minute does."""

import pytest

from host_tools.errors import ToolError
from host_tools.plant.lockstep import Lockstep
from host_tools.plant.vm import Vm
from host_tools.toolchain import paths
from tests.simulation_rig import MINUTE, ROOM, Rig, summary, trace

EDGE_LOAD = "time_s,power_w\n0,2000000\n300,2600000\n"
WIND = "time_s,power_w\n0,1000000\n150,4000000\n300,500000\n"
_TROUBLE = """time_s,device,event,value
30,load,late_ms,40
60,load,ok,
60,bus1,echo,1
80,bus1,ok,
80,bus0,noise,0.2
100,bus0,master,3
130,bus0,ok,
130,clock,step,-1500
140,wind,babble,0.3
160,wind,ok,
170,grid,merged,0.2
180,grid,repeated,0.3
190,grid,ok,
200,bus1,cut,1
205,bus1,cut,0
210,pcs,lost,0.3
230,pcs,ok,
"""


@pytest.fixture
def rig(tmp_path, monkeypatch):
    return Rig(tmp_path, monkeypatch)


@pytest.mark.skipif(not paths.UNIX_VM.exists(), reason="the MicroPython VM is not set up")
@pytest.mark.parametrize("seed", ["1", "2"])
def test_what_is_announced_changes_nothing_but_the_number_of_questions(rig, monkeypatch, seed):
    inputs = ["--site", rig.site("edge"), "--load", rig.file("load.csv", EDGE_LOAD), "--seed", seed,
              "--wind", rig.file("wind.csv", WIND), "--events", rig.file("events.csv", _TROUBLE),
              "--start", "2024-01-01T00:13:00Z"]
    made, asked = [], []
    for foresees in (True, False):
        monkeypatch.setattr(Lockstep, "foresees", foresees)
        out = rig.run(*inputs, vm=Vm)
        made.append([(out / name).read_bytes() for name in ("trace.csv", "records.cbor", "events.jsonl")])
        whole = summary(out)
        made[-1].append([whole[key] for key in ("energy", "control", "buses", "freshness")])
        asked.append(whole["round_trips"])
    assert made[0] == made[1]
    assert made[0][1]
    assert asked[0] < 0.6 * asked[1]


_RAMP = "time_s,power_w\n0,2000000\n3600,2600000\n7200,1900000\n"
_GUST = "time_s,power_w\n0,1000000\n3600,4000000\n7200,500000\n"


@pytest.mark.skipif(not paths.UNIX_VM.exists(), reason="the MicroPython VM is not set up")
def test_steps_of_a_minute_agree_with_steps_of_a_second(rig):
    inputs = ["--load", rig.file("load.csv", _RAMP), "--wind", rig.file("wind.csv", _GUST), "--trace-step", "60"]
    found = []
    for changes in ({}, MINUTE):
        out = rig.run("--site", rig.site("edge", **ROOM, **changes), *inputs, vm=Vm)
        rows, energy = trace(out), summary(out)["energy"]
        assert {row["mode"] for row in rows[5:]} == {"on_grid"}
        found.append((energy["direct_renewable_use"]["with_storage_wh"], energy["sources_wh"]["grid_import"],
                      energy["battery"]["soc_end_permille"]))
    direct, slow_direct = (use[0] for use in found)
    assert slow_direct == pytest.approx(direct, rel=0.02)
    assert found[1][1] == pytest.approx(found[0][1], abs=60_000)  # what a minute of the ramps can add
    assert found[1][2] == pytest.approx(found[0][2], abs=8)
    assert rows[-2]["setpoint_w"] != 0  # the PCS has not fallen back between two commands


@pytest.mark.parametrize("key, value, words", [
    ("control__stale_ms", 60_000, "control.stale_ms: 60000 is less than 2 periods"),
    ("control__frozen_ms", 60_000, "control.frozen_ms: 60000 is less than 4 periods"),
    ("pcs", {"reversion_s": 100}, "pcs.reversion_s: 100 is less than 2 periods.*give at least 121"),
])
def test_times_that_a_long_period_cannot_keep_are_refused(rig, key, value, words):
    site = rig.site("edge", **{**MINUTE, key: value})
    with pytest.raises(ToolError, match=words):
        rig.run("--site", site, "--load", rig.file("load.csv", _RAMP), "--vm", "cpython", vm=Vm)
