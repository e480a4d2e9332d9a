"""simulate, end to end with a fake firmware: results, faults, refusals. The real one has its own tests."""

import hashlib
import json

import pytest

from host_tools.errors import ToolError
from host_tools.plant import run_folder
from host_tools.plant.vm import Vm
from host_tools.toolchain import paths
from tests.simulation_rig import Rig, summary, trace

LOAD = "time_s,power_w\n0,60000000\n60,90000000\n62,70000000\n120,80000000\n"
EDGE_LOAD = "time_s,power_w\n0,2000000\n300,2600000\n"
WIND = "time_s,power_w\n0,1000000\n150,4000000\n300,500000\n"


@pytest.fixture
def rig(tmp_path, monkeypatch):
    return Rig(tmp_path, monkeypatch)


@pytest.fixture
def hyper(rig):
    """The hyperscale site for two minutes, as arguments."""
    return ["--site", rig.site("hyperscale", control__period_ms=100), "--load", rig.file("load.csv", LOAD)]


def test_the_results_are_whole(rig, hyper):
    out = rig.run(*hyper, target_w=75_000_000)
    assert {path.name for path in out.iterdir()} == {*run_folder.RESULTS, "run"}
    assert (out / "records.cbor").read_bytes() == b"firstsecond"
    assert (out / "checkpoint.txt").read_text() == "a checkpoint\n"
    assert json.loads((out / "events.jsonl").read_text()) == {"utc": [[1_704_067_200 // 900, 0, 2, 0]]}
    keys = json.loads((out / "keys.json").read_text())["keys"]
    assert {(key["site"], key["device"]) for key in keys} == {("hyperscale", "board-1")}
    whole = summary(out)
    assert whole["messages"] == ["1200 ticks"]
    assert whole["inputs"][0]["sha256"] == hashlib.sha256(LOAD.encode()).hexdigest()
    assert whole["run"]["duration_s"] == 120 and whole["control_periods"] == 1200
    assert whole["files"]["records.cbor"] == 11


def test_the_trace_holds_true_values_and_balances(rig, hyper):
    out = rig.run(*hyper, "--trace-step", "0.5", target_w=75_000_000)
    rows = trace(out)
    assert [row["time_s"] for row in rows] == [0.5 * i for i in range(241)]
    for row in rows:
        supply = row["grid_w"] + row["bess_w"] + row["wind_w"] + row["pv_w"] + row["genset_w"]
        assert supply == pytest.approx(row["load_w"], abs=3)
    assert rows[120]["load_w"] == 90_000_000
    assert {row["mode"] for row in rows[2:]} == {"ON_GRID"}
    assert {row["target_w"] for row in rows[2:]} == {75_000_000}
    # the load rises by 500 kW/s and the command is at most 150 ms old: so near must the grid be
    assert all(abs(row["grid_w"] - 75e6) < 100_000 for row in rows[4:119])


def test_the_summary_agrees_with_the_trace(rig):
    arguments = ["--site", rig.site("edge"), "--load", rig.file("load.csv", EDGE_LOAD),
                 "--wind", rig.file("wind.csv", WIND), "--wind-scale", "1.5"]
    out = rig.run(*arguments, target_w=100_000)
    rows, whole = trace(out), summary(out)

    def wh(value):
        samples = [value(row) for row in rows]
        return (sum(samples) - (samples[0] + samples[-1]) / 2) / 3600

    energy = whole["energy"]
    assert energy["uses_wh"]["load"] == pytest.approx(2_300_000 * 300 / 3600, abs=0.1)
    assert energy["sources_wh"]["wind"] == pytest.approx(wh(lambda row: row["wind_w"]), rel=1e-5)
    net = energy["sources_wh"]["grid_import"] - energy["uses_wh"]["grid_export"]
    assert net == pytest.approx(wh(lambda row: row["grid_w"]), rel=2e-2)
    balance = sum(energy["sources_wh"].values()) - sum(energy["uses_wh"].values())
    assert balance == pytest.approx(0, abs=0.5)
    battery = energy["battery"]
    assert battery["soc_end_permille"] == pytest.approx(rows[-1]["soc_permille"], abs=0.1)
    alone = wh(lambda row: min(row["load_w"], row["wind_available_w"]))
    assert energy["direct_renewable_use"]["without_storage_wh"] == pytest.approx(alone, rel=1e-4)
    control = whole["control"]
    assert control["skipped_s"] == 60
    ramps = control["ramps"]
    assert set(ramps) == {"1_s", "2_s"}
    assert ramps["1_s"]["without_battery"]["change_w"] == pytest.approx(1.5 * 3.5e6 / 150 + 2000, abs=2)
    assert control["grid_minus_target"]["rms_w"] < control["without_battery_minus_target"]["rms_w"] / 5


def test_a_seed_makes_a_run_repeatable(rig, hyper):
    def digest(seed):
        out = rig.run(*hyper, "--seed", seed, "--duration", "20", target_w=75_000_000)
        return [(out / name).read_bytes() for name in ("trace.csv", "keys.json")]

    first = digest("1")
    assert digest("1") == first
    other = digest("2")
    assert other[0] != first[0] and other[1] != first[1]


def test_faults_reach_the_plant(rig, hyper):
    events = rig.file("events.csv", "time_s,device,event,value\n0,pcs,soc_permille,800\n0,clock,unset,\n"
                      "5,clock,set,1\n7,clock,step,-1500\n10,load,silent,1\n12,load,silent,0\n20,load,bias,1000000\n"
                      "30,load,bias,0\n30,pcs,derate,2000000\n40,pcs,ok,\n40,pcs,fault,1\n50,pcs,fault,0\n"
                      "55,load,frozen,1\n")
    out = rig.run(*hyper, "--events", events, "--duration", "60", target_w=75_000_000)
    rows = trace(out)
    assert rows[0]["soc_permille"] == 800
    assert rows[11]["setpoint_w"] == rows[12]["setpoint_w"]  # silent: the last command stays
    assert rows[25]["grid_w"] == pytest.approx(74e6, abs=100_000)
    assert rows[38]["bess_w"] == pytest.approx(2e6)
    assert {row["bess_w"] for row in rows[41:50]} == {0}
    assert rows[54]["grid_w"] == pytest.approx(75e6, abs=100_000)
    assert rows[60]["grid_w"] == pytest.approx(75e6 + 5 * 500_000, abs=150_000)  # frozen: the load runs away
    heard = json.loads((out / "events.jsonl").read_text())["utc"]
    quarter = 1_704_067_200 // 900
    assert heard == [[quarter, 5000, 1, 0], [quarter, 5500, 1, -1500]]
    whole = summary(out)
    assert len(whole["injected"]) == 13
    load = whole["buses"]["bus0"]["devices"]["load"]
    assert load["requests"] > load["answers"]


def test_noise_and_a_cut_cost_answers(rig, hyper):
    events = rig.file("events.csv", "time_s,device,event,value\n1,bus0,flip,0.01\n5,bus1,cut,1\n"
                      "6,bus1,cut,0\n")
    bus = summary(rig.run(*hyper, "--events", events, "--duration", "10"))["buses"]
    assert bus["bus0"]["damaged"] > 0
    assert bus["bus1"]["unanswered"] > 0


@pytest.mark.parametrize("line, words", [
    ("1,pcs,explode,1", "event is 'explode'"), ("1,wind,silent,1", "device is 'wind'"),
    ("1,bus5,cut,1", "device is 'bus5'"), ("-1,pcs,local,1", "time_s is '-1'"),
    ("x,pcs,local,1", "time_s is 'x'"), ("1,pcs,local,2", "value is '2'"),
    ("1,pcs,local,0.5", "value is '0.5'"), ("1,bus0,flip,1.5", "value is '1.5'"),
    ("1,load,bias,nan", "value is 'nan'"), ("1,clock,set,0", "value is '0'"),
    ("1,load,fail,1", "event is 'fail'"), ("1,grid,fail,2", "value is '2'"),
    ("1,pcs,local", "3 fields"),
])
def test_events_that_do_not_exist_are_refused_with_their_line(rig, hyper, line, words):
    events = rig.file("events.csv", f"time_s,device,event,value\n0,pcs,local,0\n{line}\n")
    with pytest.raises(ToolError) as caught:
        rig.run(*hyper, "--events", events)
    assert "line 3" in caught.value.message and words in caught.value.message
    assert not (rig.folder / "out").exists()


def test_the_firmwares_refusal_is_passed_on(rig, hyper):
    with pytest.raises(ToolError, match=r"site.json: control.period_ms: 5 is not allowed"):
        rig.run(*hyper, mode="fatal")


def test_the_firmware_speaks_first_about_a_site_it_refuses(rig):
    broken = ["--site", rig.file("site.json", "{}"), "--load", rig.file("load.csv", LOAD)]
    with pytest.raises(ToolError, match="control.period_ms: 5 is not allowed"):
        rig.run(*broken, mode="fatal")
    with pytest.raises(ToolError, match="does not describe a site that can be simulated.*ratings"):
        rig.run(*broken, mode="idle")


@pytest.mark.parametrize("mode, words", [("die", "dies as it was told to"), ("stray", "unknown type 97")])
def test_a_firmware_that_breaks_the_protocol_or_dies(rig, hyper, mode, words):
    with pytest.raises(ToolError, match=words):
        rig.run(*hyper, mode=mode)


@pytest.mark.parametrize("extra, words", [
    (["--start", "yesterday"], "no UTC time"), (["--start", "2024-01-01T00:00:00"], "no UTC time"),
    (["--trace-step", "0"], "trace-step"), (["--load-scale", "nan"], "load-scale"),
    (["--vm", "qemu"], "virtual time"), (["--work", "nothere.csv"], "nothere"),
    (["--carbon-ahead", "nothere.csv"], "nothere"), (["--carbon-ahead", "x.csv", "--mode", "wire"], "virtual time"),
    (["--carbon", "nothere.csv"], "nothere"),
])
def test_bad_arguments(rig, hyper, extra, words):
    with pytest.raises(ToolError, match=words):
        rig.run(*hyper, *extra)
    assert not (rig.folder / "out").exists()


def test_the_clock_cannot_be_changed_in_real_time(rig, hyper):
    events = rig.file("events.csv", "time_s,device,event,value\n1,clock,unset,\n")
    with pytest.raises(ToolError, match="clock"):
        rig.run(*hyper, "--events", events, "--mode", "wire")


def test_wind_at_a_site_without_wind_is_refused(rig, hyper):
    with pytest.raises(ToolError, match="ratings.wind_w"):
        rig.run(*hyper, "--wind", rig.file("wind.csv", WIND))


def test_a_bad_load_line_is_refused(rig):
    with pytest.raises(ToolError, match="load.csv, line 3"):
        load = rig.file("load.csv", "time_s,power_w\n0,1\n0,1\n")
        rig.run("--site", rig.site("hyperscale"), "--load", load)


def test_factors_are_quarter_hour_means_in_fixed_width(rig, tmp_path):
    header = "time_s,direct_mg_per_kwh,lifecycle_mg_per_kwh\n"
    carbon = rig.file("carbon.csv", header + "0,0,1000\n3600,40000,1000\n")
    run_folder.write_factors(tmp_path / "factors.csv", carbon, 1_704_067_200 + 60, 1800)
    assert (tmp_path / "factors.csv").read_text().splitlines() == [
        "1704067200,0004356,0001000,1", "1704068100,0014333,0001000,1", "1704069000,0024333,0001000,1"]
    with pytest.raises(ToolError, match="direct_mg_per_kwh runs from -1 to 5"):
        bad = rig.file("bad.csv", header + "0,-1,1\n9,5,1\n")
        run_folder.write_factors(tmp_path / "f.csv", bad, 0, 900)


def test_a_second_run_leaves_nothing_of_the_first(rig, hyper):
    out = rig.run(*hyper, "--duration", "2")
    (out / "run" / "journal" / "00000" / "00000009.cbor").write_bytes(b"old")
    (out / "mine.txt").write_text("kept")
    assert (rig.run(*hyper, "--duration", "2") / "records.cbor").read_bytes() == b"firstsecond"
    assert (out / "mine.txt").read_text() == "kept"


def test_real_time_with_pymodbus_servers_on_ptys(rig, hyper):
    events = rig.file("events.csv", "time_s,device,event,value\n1.5,load,silent,1\n1.7,load,silent,0\n")
    out = rig.run(*hyper, "--mode", "wire", "--duration", "3", "--events", events, target_w=75_000_000)
    whole = summary(out)
    rows = trace(out)
    assert [row["time_s"] for row in rows] == [0, 1, 2, 3]
    devices = {**whole["buses"]["bus0"]["devices"], **whole["buses"]["bus1"]["devices"]}
    assert devices["pcs"]["answers"] > 5
    assert devices["load"]["requests"] > devices["load"]["answers"] > 5
    assert rows[3]["setpoint_w"] < -10e6  # 75 MW of grid against 61.5 MW of load: the battery takes the rest
    assert (out / "records.cbor").read_bytes() == b"firstsecond"


@pytest.mark.skipif(not paths.UNIX_VM.exists(), reason="the MicroPython VM is not set up")
def test_the_real_firmware_runs_alike_on_both_machines(rig):
    inputs = ["--site", rig.site("edge"), "--load", rig.file("load.csv", EDGE_LOAD),
              "--wind", rig.file("wind.csv", WIND)]
    made = {}
    for kind in ("cpython", "micropython"):
        out = rig.run(*inputs, "--vm", kind, vm=Vm)
        made[kind] = [(out / name).read_bytes() for name in ("trace.csv", "records.cbor", "checkpoint.txt")]
        assert trace(out)[-1]["mode"] == "on_grid"
    assert made["cpython"] == made["micropython"]
    assert made["cpython"][1]
