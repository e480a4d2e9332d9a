"""commission on the simulated site: what it finds, what it measures, and that it ends at zero."""

import json
import os
import random

import pytest

from host_tools.plant.series import Series
from tests import commission_rig as rig

SECOND = 1_000_000


@pytest.fixture
def path(tmp_path):
    return rig.site(tmp_path)


def _run(path, *words, **options):
    return rig.run(path, path.parent / "out", *words, **options)


def _sign(role, sign):
    return lambda session: setattr(session.plant.slaves[role], "sign", sign)


def _swap(session):
    load, grid = session.plant.slaves["load"], session.plant.slaves["grid"]
    load._measure, grid._measure = grid._measure, load._measure


def test_a_site_that_is_right_has_no_findings_and_is_measured_as_it_is(path):
    code, report, session = _run(path)
    assert code == 0 and rig.codes(report) == {}
    assert abs(rig.value(report, "dead_ms") - 10) <= 10
    assert abs(rig.value(report, "response_ms") - 125) <= 20  # dead time and 2.3 time constants
    assert rig.value(report, "dead_band_w") == 0
    assert abs(rig.value(report, "discharge_limit_w") - 800_000) <= 2_000
    assert abs(rig.value(report, "charge_limit_w") - 800_000) <= 2_000
    assert (rig.value(report, "reversion_s"), rig.value(report, "reversion_w")) == (60, 0)
    assert report["end"]["zero"] and rig.standing_w(session) == 0
    highest_w = max(abs(session.plant.site.battery.highest - session.plant.site.battery.lowest), 1)
    assert highest_w < session.plant.site.battery.capacity / 100  # of the store next to nothing was used


@pytest.mark.parametrize(("fault", "expected"), [
    (_sign("grid", -1), {"grid": "CT_REVERSED"}),
    (_sign("load", -1), {"load": "CT_REVERSED"}),
    (_sign("grid", -0.5), {"grid": "CT_WRONG_PHASE"}),
    (_sign("grid", 1.5), {"grid": "CT_RATIO"}),
    (_swap, {"load": "ROLE_SWAPPED", "grid": "ROLE_SWAPPED"}),
], ids=["reversed grid", "reversed load", "wrong phase", "ratio", "swapped roles"])
def test_a_wrong_clamp_is_found(path, fault, expected):
    code, report, session = _run(path, "--steps", "direction", fault=fault)
    assert code == 1
    assert {row["role"]: row["code"] for row in report["results"] if row["code"] != "OK"} == expected
    assert rig.standing_w(session) == 0


@pytest.mark.parametrize(("event", "code", "note"), [
    ("ct_reversed,2", "CT_ONE_PHASE_REVERSED", "L2 CT_REVERSED"),
    ("ct_swapped,13", "CT_WRONG_PHASE", "L1 CT_WRONG_PHASE, L3 CT_WRONG_PHASE"),
    ("negative,1", "CT_REVERSED", "L1 CT_REVERSED, L2 CT_REVERSED, L3 CT_REVERSED"),
])
def test_the_phase_that_is_wrong_is_named(path, event, code, note):
    file = path.parent / "events.csv"
    file.write_text(f"time_s,device,event,value\n0,grid,{event}\n")
    exit_code, report, _ = _run(path, "--steps", "direction", "--events", file)
    found = [(row["code"], row["note"]) for row in report["results"] if row["role"] == "grid"]
    assert (exit_code, found) == (1, [(code, note)])


def test_proposals_are_written_when_asked_for_and_then_hold(path):
    code, report, _ = _run(path, "--steps", "direction", fault=_sign("grid", -1))
    out = path.parent / "out"
    assert report["proposals"] == [{"path": "devices[1].invert", "old": 0, "new": 1}]
    assert json.loads((out / "site.json").read_text())["devices"] == json.loads(path.read_text())["devices"]
    _run(path, "--steps", "direction", "--apply", fault=_sign("grid", -1))
    mended = path.parent / "mended.json"
    mended.write_text((out / "site.json").read_text())
    assert json.loads(mended.read_text())["devices"][1]["invert"] == 1
    # the simulation turns the clamp of an inverted meter round itself
    assert rig.run(mended, out, "--steps", "direction")[0] == 0


def test_a_moving_load_takes_more_blocks_and_is_not_mistaken(path):
    def restless(session):
        rng = random.Random(3)
        times = [t * SECOND for t in range(0, 900, 2)]
        load = Series(times, [2e6 + rng.uniform(-15e4, 15e4) for _ in times])
        session.plant.site.load, session.plant.site._load_area = load.value, load.integral
    code, report, _ = _run(path, "--steps", "direction", fault=restless)
    grid = next(row for row in report["results"] if row["role"] == "grid")
    assert abs(grid["value"] + 1000) <= grid["error"]
    assert grid["code"] in ("OK", "UNCERTAIN")


@pytest.mark.parametrize(("events", "expected", "measured"), [
    ("0,pcs,reversion_real_s,80\n", {"REVERSION_LATE"}, 80),
    ("0,pcs,reversion_real_s,0\n", {"REVERSION_NEVER"}, 0),
    ("0,pcs,heartbeat_s,10\n", {"REVERSION_EARLY"}, 10),
    ("0,pcs,reversion_to_w,100000\n", {"REVERSION_NOT_ZERO"}, 60),
], ids=["late", "never", "heartbeat", "not zero"])
def test_the_fall_back_is_measured_as_it_really_is(path, events, expected, measured):
    file = path.parent / "events.csv"
    file.write_text("time_s,device,event,value\n" + events)
    code, report, session = _run(path, "--steps", "reversion", "--events", file)
    assert code == 1 and set(rig.codes(report).values()) == expected
    assert rig.value(report, "reversion_s") == measured
    assert report["end"]["zero"] and rig.standing_w(session) == 0


@pytest.mark.parametrize("seed", range(int(os.environ.get("EVENKEEL_SOAK", "0")) * 200 + 12))
def test_interrupted_at_any_moment_it_ends_at_zero(path, seed):
    rng = random.Random(seed)
    # seconds: to find, of levels, of steps, until it falls back
    begin, end = [(0, 3), (3, 48), (48, 75), (75, 138)][seed % 4]
    moment_us = int(rng.uniform(begin, end) * SECOND)
    commands = []

    def fault(session):
        session.plant.agenda.at(moment_us, lambda _: (commands.append(session.plant.setpoint_w), session.stop()))

    code, report, session = _run(path, fault=fault)
    assert code == 130 and report["end"]["outcome"] == "stopped"
    assert report["end"]["zero"] and rig.standing_w(session) == 0
    assert session.plant.agenda.now_us - moment_us < 20 * SECOND
    assert abs(report["end"]["power_w"] or 0) <= 10_000


@pytest.mark.parametrize(("events", "code"), [
    ("30,grid,silent,1\n", "METER_LOST"),
    ("30,load,silent,1\n", "METER_LOST"),
    ("30,pcs,silent,1\n40,pcs,silent,0\n", "PCS_LOST"),
    ("30,pcs,fault,1\n", "PCS_FAULT"),
    ("30,pcs,soc_permille,950\n", "NO_ROOM"),
    ("0,pcs,silent,1\n", "NOT_FOUND"),
    ("0,grid,silent,1\n", "NOT_FOUND"),
])
def test_a_lost_device_or_a_limit_ends_it_at_zero(path, events, code):
    file = path.parent / "events.csv"
    file.write_text("time_s,device,event,value\n" + events)
    exit_code, report, session = _run(path, "--steps", "direction", "--events", file)
    assert exit_code == 1 and report["end"]["outcome"] == "aborted"
    assert [row["code"] for row in report["aborts"]] == [code]
    assert rig.standing_w(session) == 0
    assert report["end"]["zero"] or not report["end"]["commanded"]


@pytest.mark.parametrize(("event", "key", "low", "high", "code"), [
    ("dead_ms,700", "dead_ms", 690, 740, None),
    ("ramp_w_per_s,100000", "ramp_w_per_s", 95_000, 105_000, None),
    ("dead_band_w,30000", "dead_band_w", 27_000, 36_000, None),
    ("dead_band_w,100000", "dead_band_w", 90_000, 120_000, "DEAD_BAND"),
    ("derate,500000", "discharge_limit_w", 495_000, 505_000, "PCS_LIMITED"),
])
def test_the_pcs_is_measured_as_it_really_is(path, event, key, low, high, code):
    file = path.parent / "events.csv"
    file.write_text(f"time_s,device,event,value\n0,pcs,{event}\n")
    _, report, session = _run(path, "--steps", "response", "--events", file)
    assert low <= rig.value(report, key) <= high
    assert set(rig.codes(report).values()) == ({code} if code else set())
    assert rig.standing_w(session) == 0
