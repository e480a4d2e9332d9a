"""Commissioning on the emulated board, against real Modbus servers: what it finds, and that it ends at zero.

Only content is asserted: how long anything takes is the host's affair.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from host_tools.commissioning.board import start_code
from host_tools.commissioning.link import Link
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import BOARD
from tests.hil import rig, rig_site

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_LOAD_W = 2_000_000


def _config():
    config = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
    config["pcs"] = {"reversion_s": 60}
    config["limits"].update(grid_import_w=4_000_000, soc_min_permille=100, soc_max_permille=900)  # room to step
    config["buses"][0]["baud"] = 115_200
    return config


@pytest.fixture
def site():
    with rig_site.Site(_config(), _LOAD_W, 0) as made:
        yield made


@pytest.fixture
def board(site, tmp_path):
    with rig.Board(tmp_path, site) as made:
        made.provision(_config())
        yield made


def _setpoint_w(site):
    return site.call(lambda _, plant: plant.setpoint_w)


def _until(holds):
    end = time.monotonic() + rig.WAIT_S
    while not holds():
        assert time.monotonic() < end, "the board did not get there"
        time.sleep(0.05)


def _ended(link):
    """Return all that the board says until its program has ended."""
    with open(link.read_fd, "rb", closefd=False) as stream:
        return [json.loads(line[6:]) for line in stream.read().decode().splitlines() if line.startswith("EVK C ")]


@pytest.mark.parametrize(("how", "outcome"), [("asked", "stopped"), ("broken off", "interrupted"), ("left", "stopped")])
def test_asked_broken_off_or_left_alone_it_ends_at_zero(board, site, how, outcome):
    link = Link(board.emulator.pty)
    try:
        link.start(start_code({"steps": ["direction"]}))
        _until(lambda: _setpoint_w(site) > 0)
        if how == "asked":
            link.stop()
        elif how == "broken off":
            link.break_off()
        else:
            link.fall_silent()  # the host has died, or its cable is out
        end = _ended(link)[-1]
    finally:
        link.close()
    assert (end["k"], end["outcome"], end["zero"]) == ("end", outcome, True)
    assert _setpoint_w(site) == 0
    assert [event["code"] for event in board.events() if event["source"] == "commission"][-1] == "END"


def test_ctrl_c_at_the_host_ends_at_zero(tmp_path):
    path = tmp_path / "site.json"
    path.write_text(json.dumps(_config()))
    command = [sys.executable, "-m", "host_tools", "commission", "--board", BOARD, "--site", path, "--out",
               tmp_path / "out"]
    with subprocess.Popen(list(map(str, command)), cwd=paths.ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        for line in process.stderr:
            if "block 1" in line:
                break
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=rig.WAIT_S)
    report = json.loads((tmp_path / "out" / "commission.json").read_text())
    assert (process.returncode, report["end"]["outcome"], report["end"]["zero"]) == (130, "stopped", True)


def test_a_reversed_clamp_and_the_fall_back_are_found(tmp_path):
    config = _config()
    config["pcs"]["reversion_s"] = 5
    path = tmp_path / "site.json"
    path.write_text(json.dumps(config))
    events = tmp_path / "events.csv"
    events.write_text("time_s,device,event,value\n0,grid,negative,1\n0,pcs,reversion_real_s,12\n")
    command = [sys.executable, "-m", "host_tools", "commission", "--board", BOARD, "--site", path, "--out",
               tmp_path / "out", "--events", events, "--steps", "direction,reversion", "--json"]
    done = subprocess.run(list(map(str, command)), cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert {row["code"] for row in report["results"]} == {"OK", "CT_REVERSED", "REVERSION_LATE"}, report["end"]
    assert report["end"]["zero"]
