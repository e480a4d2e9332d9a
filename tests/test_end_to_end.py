"""The whole way: simulated site, real firmware on a real MicroPython, records, independent verifier."""

import csv
import json
import subprocess
import sys

import pytest

from host_tools.toolchain import paths

SITES = paths.ROOT / "host_tools" / "sites"
HOUR = 3600


def host_tools(*words):
    """Run a host tool as a user does; return the finished process."""
    return subprocess.run([sys.executable, "-m", "host_tools", *map(str, words)], cwd=paths.ROOT, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=240)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Return a folder with an hour of load that steps and wind that crosses it."""
    folder = tmp_path_factory.mktemp("inputs")
    load = [(t, 2_000_000 + (700_000 if t // 300 % 2 else 0) + 311 * (t % 97)) for t in range(0, HOUR + 1, 10)]
    wind = [(0, 800_000), (1200, 3_900_000), (2400, 2_100_000), (3600, 0)]
    for name, rows in (("load", load), ("wind", wind)):
        (folder / f"{name}.csv").write_text("time_s,power_w\n" + "".join(f"{t},{p}\n" for t, p in rows))
    return folder


def simulate(inputs, out, events="", vm="micropython", duration=HOUR, site="edge"):
    """Run the firmware on a reference site; return (folder, trace rows)."""
    words = ["simulate", "--site", SITES / f"{site}.json", "--load", inputs / "load.csv", "--wind",
             inputs / "wind.csv", "--vm", vm, "--duration", duration, "--out", out]
    if events:
        (inputs / "events.csv").write_text("time_s,device,event,value\n" + events)
        words += ["--events", inputs / "events.csv"]
    done = host_tools(*words)
    assert done.returncode == 0, done.stderr
    with open(out / "trace.csv", newline="") as file:
        return out, list(csv.DictReader(file))


def verify(out, *words):
    """Return the verifier's report as a dict."""
    done = host_tools("verify", out, "--keys", out / "keys.json", "--json", *words)
    return json.loads(done.stdout), done.returncode


def records(out):
    """Return the records' fields by name."""
    done = host_tools("decode", "--json", out)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(trace, begin_s, end_s):
    """Return the (mode, reason) pairs of a stretch of time."""
    return {(row["mode"], row["reason"]) for row in trace if begin_s <= float(row["time_s"]) <= end_s}


@pytest.fixture(scope="module")
def hour(inputs, tmp_path_factory):
    """One undisturbed hour on MicroPython."""
    return simulate(inputs, tmp_path_factory.mktemp("hour"))


def test_an_hour_on_micropython_verifies(hour):
    report, code = verify(hour[0], "--site", SITES / "edge.json", "--firmware", paths.ROOT)
    assert code == 0, report
    assert [row["duration_ms"] for row in records(hour[0])] == [900_000] * 4


def test_cpython_and_micropython_write_the_same_bytes(inputs, hour, tmp_path):
    out, _ = simulate(inputs, tmp_path, vm="cpython")
    for name in ("records.cbor", "checkpoint.txt", "trace.csv", "events.jsonl"):
        assert (out / name).read_bytes() == (hour[0] / name).read_bytes(), name


def test_energy_closes_and_equals_the_plants_true_energy(hour):
    rows = records(hour[0])
    truth = json.loads((hour[0] / "summary.json").read_text())["energy"]
    for row in rows:
        sources, uses = row["sources_wh"], row["uses_wh"]
        assert sum(sources.values()) - sum(uses.values()) == row["residual_wh"]
        assert abs(row["residual_wh"]) <= 0.002 * sum(sources.values())
    for kind, names in (("sources_wh", ("wind", "bess_discharge")), ("uses_wh", ("load", "bess_charge"))):
        for name in names:
            total = sum(row[kind][name] for row in rows)
            assert abs(total - truth[kind][name]) <= 0.001 * truth[kind]["load" if kind == "uses_wh" else "wind"], name


def test_rising_load_discharges_and_surplus_wind_charges(hour):
    rows = [row for row in hour[1] if row["mode"] == "on_grid"]
    assert len(rows) > 3000
    surplus = [row for row in rows if float(row["wind_w"]) > float(row["load_w"]) + 300_000]
    deficit = [row for row in rows if float(row["wind_w"]) < float(row["load_w"]) - 300_000]
    assert surplus and all(float(row["bess_w"]) < 0 for row in surplus[2:])
    assert deficit and all(float(row["bess_w"]) > 0 for row in deficit[2:])




def test_until_utc_is_known_every_900_s_are_cut_and_then_one_partial_record(inputs, tmp_path):
    out, _ = simulate(inputs, tmp_path, "0,clock,unset,\n1300,clock,set,2\n", duration=2800)
    rows = records(out)
    first_ms = rows[1]["duration_ms"]
    assert 400_000 <= first_ms < 400_100  # it is taken in the tick, once the meters have answered
    assert [(row["clock"], row["start_ms"] is None, row["duration_ms"]) for row in rows] == [
        (0, True, 900_000), (0, True, first_ms), (2, False, 900_000 - first_ms), (2, False, 900_000),
        (2, False, 100_000)]
    assert rows[3]["start_ms"] % 900_000 == 0 and rows[2]["start_ms"] + 900_000 - first_ms == rows[3]["start_ms"]
    assert verify(out)[1] == 0


def test_a_clock_step_is_flagged_and_a_hole_is_stated(inputs, tmp_path):
    out, _ = simulate(inputs, tmp_path, "600,clock,step,3000\n1300,clock,step,-20000\n", duration=1500)
    rows = records(out)
    gap = [row for row in rows if row["kind"] == 2]
    assert [(row["reason"], row["duration_ms"]) for row in gap] == [(2, 3000), (2, 0)]
    report, code = verify(out)
    assert report["integrity"] == report["completeness"] == "PASS", report
    assert code == 0


FAULTS = (
    ("load silent", "100,load,silent,1\n160,load,silent,0\n", {("degraded", "load_silent")}),
    ("two meters silent", "100,load,silent,1\n100,wind,silent,1\n160,load,silent,0\n160,wind,silent,0\n",
     {("fault", "blind")}),
    ("pcs silent", "100,pcs,silent,1\n160,pcs,silent,0\n", {("fault", "pcs_lost")}),
    ("pcs local", "100,pcs,local,1\n160,pcs,local,0\n", {("local", "pcs_local")}),
    ("pcs fault", "100,pcs,fault,1\n160,pcs,fault,0\n", {("fault", "pcs_fault")}),
)


@pytest.mark.parametrize(("name", "events", "expected"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_each_fault_has_its_state_and_ends(inputs, tmp_path, name, events, expected):
    out, trace = simulate(inputs, tmp_path, events, duration=300)
    assert states(trace, 110, 155) == expected
    assert {mode for mode, _ in states(trace, 180, 300)} <= {"on_grid", "limited"}
    if expected & {("fault", "blind"), ("fault", "pcs_lost")}:
        assert all(abs(float(row["bess_w"])) < 1000 for row in trace if 125 <= float(row["time_s"]) <= 155)
    assert verify(out)[1] == 0


def test_noise_on_the_bus_is_counted_and_dropped(inputs, tmp_path):
    out, trace = simulate(inputs, tmp_path, "60,bus0,flip,0.002\n240,bus0,flip,0\n", duration=300)
    meters = records(out)[0]["meters"]
    assert sum(row["time_outs"] + row["errors"] for row in meters) > 20
    for row in trace[5:]:
        assert abs(float(row["setpoint_w"])) <= 4_000_000
    assert verify(out)[1] == 0


@pytest.mark.parametrize(("key", "value", "words"), [
    ("limits", {"grid_import_kw": 5}, ["limits.grid_import_kw", "unknown key"]),
    ("control", {"period_ms": 61_000, "policy": "smooth"}, ["control.period_ms", "20 to 60000 ms"]),
    ("control", {"period_ms": 20, "policy": "smooth"},
     ["buses[0]: bus 0 at 38400 bit/s", "permille", "load unit 1 read 19 bytes", "control.period_ms to at least 101"]),
])
def test_a_wrong_site_is_refused_by_the_firmware_in_words(inputs, tmp_path, key, value, words):
    site = json.loads((SITES / "edge.json").read_text())
    site[key] = value
    (tmp_path / "site.json").write_text(json.dumps(site))
    done = host_tools("simulate", "--site", tmp_path / "site.json", "--load", inputs / "load.csv", "--out",
                      tmp_path / "out")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_in_real_time_against_pymodbus_servers(inputs, tmp_path):
    done = host_tools("simulate", "--site", SITES / "edge.json", "--load", inputs / "load.csv", "--wind",
                      inputs / "wind.csv", "--mode", "wire", "--duration", 12, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = records(tmp_path)
    assert rows and sum(row["answers"] for row in rows[-1]["meters"]) > 20
    assert verify(tmp_path)[1] == 0
