"""commission as a user runs it: the dry run, a scan, Ctrl-C, refusals, and a PCS that reading keeps alive."""

import copy
import json
import random
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.site import commission_estimate as e
from host_tools.toolchain import paths
from tests import commission_rig as rig


@pytest.fixture
def path(tmp_path):
    return rig.site(tmp_path)


def _command(path, *words):
    return [sys.executable, "-m", "host_tools", "commission", "--board", "UNIX", "--site", str(path),
            "--out", str(path.parent / "out"), *map(str, words)]


def _tool(path, *words):
    return subprocess.run(_command(path, *words), cwd=paths.ROOT, capture_output=True, text=True, timeout=240)


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(path):
    done = _tool(path, "--dry-run", "--scan", "1-10", "--step-permille", 20, "--max-permille", 100)
    assert done.returncode == 0, done.stderr
    assert not (path.parent / "out").exists()
    for words in ("400,000 W", "up to 80,000 W", "direction", "response", "reversion", "configured: 60 s",
                  "10 addresses"):
        assert words in done.stdout, words
    lines = json.loads(_tool(path, "--dry-run", "--json").stdout)
    assert [line["step"] for line in lines] == ["find", "direction", "response", "reversion", "zero"]
    assert all(line["typical_s"] <= line["limit_s"] for line in lines)


def test_a_dry_run_needs_no_board(path):
    words = [word if word != "UNIX" else "QEMU_MPS2_AN385" for word in _command(path, "--dry-run")]
    assert subprocess.run(words, cwd=paths.ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize(("words", "said"), [
    (("--steps", "dance"), "dance"), (("--scan", "0-3"), "1 to 247"), (("--step-permille", 0), "1 to 200"),
    (("--max-permille", 2000), "1 to 1000"), (("--board", "NONE"), "no board"),
])
def test_what_is_not_allowed_is_refused_in_two_lines(path, words, said):
    done = _tool(path, *words)
    assert done.returncode == 2 and said in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_scan_names_who_is_not_in_the_site(path):
    def stranger(session):
        slaves = session.plant.lines[0].slaves
        slaves[9] = copy.copy(slaves[3])
        slaves[9].unit = 9

    code, report, _ = rig.run(path, path.parent / "out", "--steps", "direction", "--scan", "1-12", fault=stranger)
    scanned = {row["item"]: row["code"] for row in report["results"] if row["step"] == "scan"}
    assert scanned == {"bus 0 unit 1": "OK", "bus 0 unit 2": "OK", "bus 0 unit 3": "OK", "bus 1 unit 10": "OK",
                       "bus 1 unit 11": "OK", "bus 0 unit 9": "UNKNOWN_DEVICE"}
    assert code == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_zero(path, number):
    with subprocess.Popen(_command(path), cwd=paths.ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        for line in process.stderr:
            if "block 2" in line:
                break
        process.send_signal(number)
        out, _ = process.communicate(timeout=120)
    report = json.loads((path.parent / "out" / "commission.json").read_text())
    assert (process.returncode, report["end"]["outcome"], report["end"]["zero"]) == (130, "stopped", True)
    assert "stands at zero" in out


def test_results_stand_in_the_site_and_in_the_events(path):
    done = _tool(path, "--steps", "reversion", "--json")
    assert done.returncode == 1  # the simulated PCS also watches the heartbeat: ten seconds
    out = path.parent / "out"
    site = json.loads((out / "site.json").read_text())
    assert site["commissioning"]["reversion_s"] == 10 and site["commissioning"]["at_s"] > 1_704_067_200
    path.write_text(json.dumps(site))
    assert _tool(path, "--dry-run").returncode == 0  # the firmware takes the section
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    said = [event["code"] for event in events if event["source"] == "commission"]
    assert "REVERSION_EARLY" in said and said[-1] == "END"
    assert all(event["utc_ms"] for event in events if event["source"] == "commission")


def test_a_pcs_that_reading_keeps_alive_is_watched_by_the_meters(tmp_path):
    path = rig.site(tmp_path, devices__3__profile="sinexcel_pws2", pcs__reversion_s=20)
    config = json.loads(path.read_text())
    config["devices"].append({"role": "bms", "profile": "sunspec_bms", "bus": 1, "unit": 12})
    path.write_text(json.dumps(config))
    code, report, session = rig.run(path, tmp_path / "out", "--steps", "direction,reversion")
    assert rig.codes(report) == {} and code == 0
    assert abs(rig.value(report, "reversion_s") - 20) <= 2
    assert rig.standing_w(session) == 0


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([-1000, -500, -333, 0, 333, 500, 1000]),
       st.floats(0, 2), st.floats(-1, 1))
def test_the_estimate_holds_what_it_says_or_says_that_it_is_uncertain(seed, truth, noise, drift):
    rng = random.Random(seed)
    step, levels = 100_000, 16 * e.LEVELS
    load = [int(step * (drift * t + noise * rng.gauss(0, 1))) for t in range(levels)]
    blocks = []
    for block in range(16):
        means = [load[4 * block + i] + truth * step * e.sign(block, i) // 1000 for i in range(4)]
        blocks.append(e.permille(e.contrast(block, means), 4 * step))
    centre, half = e.response(blocks)
    # 99 % of intervals hold the truth; twice their width practically all
    assert abs(centre - truth) <= 2 * half
    if noise < 0.05:
        assert abs(centre - truth) <= 60 and half < 80
