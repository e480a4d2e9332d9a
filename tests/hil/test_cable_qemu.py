"""Over the cable of the emulated board: interrupted anywhere, a pull goes on and ends with the same bytes."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from host_tools.toolchain import paths
from host_tools.toolchain.emulator import BOARD, Emulator
from tests.evidence_writer import Device, checkpoint, day, keys_document

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_SEGMENT = 96


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """A journal of two files as a board keeps it, and its keys."""
    folder = tmp_path_factory.mktemp("evidence")
    device = Device(7)
    raw = day(120, 7, device).sealed()
    journal = folder / "journal"
    (journal / "00000").mkdir(parents=True)
    for first in range(0, len(raw), _SEGMENT):
        (journal / "00000" / f"{first:08}.cbor").write_bytes(b"".join(raw[first:first + _SEGMENT]))
    (journal / "checkpoint.txt").write_bytes(checkpoint(device, raw))
    (folder / "keys.json").write_text(json.dumps(keys_document(device)))
    return folder, raw


@pytest.fixture(scope="module")
def board(evidence, tmp_path_factory):
    with Emulator(tmp_path_factory.mktemp("board") / "flash.bin") as made:
        made.mpremote("fs", "cp", "-r", evidence[0] / "journal", ":/")
        yield made


@pytest.fixture(scope="module")
def running(evidence, tmp_path_factory):
    """The same board with its firmware running, and nobody at its console."""
    folder = tmp_path_factory.mktemp("running")
    device = Device(7)
    config = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
    config["site"].update(id=device.site, device=device.device)
    (folder / "site.json").write_text(json.dumps(config))
    (folder / "secret.bin").write_bytes(device.secret)
    with Emulator(folder / "flash.bin") as made:
        made.mpremote("fs", "cp", folder / "site.json", folder / "secret.bin", ":/")
        made.mpremote("fs", "cp", "-r", evidence[0] / "journal", ":/")
        starter = made.spawn("from firmware import main\nmain.run('board', '/')")
        for line in iter(starter.stdout.readline, b""):
            if b"BOOT" in line:
                break
        starter.kill()  # who started it goes; the firmware stays
        starter.communicate()
        yield made


def test_status_says_what_the_running_board_does_and_why(running):
    done = subprocess.run([sys.executable, "-m", "host_tools", "status", "--port", running.pty], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 1, done.stderr  # nothing answers on its buses
    assert "alarms: " in done.stdout and "120 records" in done.stdout and "set point 0 W" in done.stdout
    assert done.stdout.splitlines()[0].split(":")[0] in ("fault", "start", "degraded")


def test_pull_from_the_running_board_is_the_same_and_stops_nothing(running, evidence, tmp_path):
    _, raw = evidence
    process = _pull(running, evidence, tmp_path)
    while _size(tmp_path) < 5000 and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    said, errors = _pull(running, evidence, tmp_path).communicate(timeout=300)
    assert "the firmware runs and goes on" in errors and "120 records" in said, said + errors
    assert _whole(tmp_path)[:sum(map(len, raw))] == b"".join(raw)
    done = subprocess.run([sys.executable, "-m", "host_tools", "status", "--port", running.pty, "--json"],
                          capture_output=True, text=True, timeout=300)
    assert json.loads(done.stdout)["uptime_s"] > 0


def test_nothing_but_the_evidence_is_handed_out(running):
    from host_tools.cable.port import Silent, open_board

    asked = open_board(running.pty)
    try:
        assert not any("secret" in path or "site" in path for path in asked.files())
        for path in ("secret.bin", "/secret.bin", "journal/../secret.bin", "journal/../../secret.bin", "site.json"):
            asked._ask(f"read {path} 0")
            with pytest.raises(Silent):
                next(asked._answers("R"))
    finally:
        asked.close()


def _pull(board, evidence, out):
    return subprocess.Popen([sys.executable, "-m", "host_tools", "pull", "--port", board.pty, "--out", str(out),
                             "--keys", str(evidence[0] / "keys.json")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def _size(out):
    return sum(path.stat().st_size for path in out.rglob("*.cbor")) if out.exists() else 0


def _whole(out):
    return b"".join(path.read_bytes() for path in sorted((out / "journal").rglob("*.cbor")))


def test_pull_interrupted_anywhere_goes_on_and_ends_with_the_same_bytes(board, evidence, tmp_path):
    _, raw = evidence
    total = sum(map(len, raw))
    chance = random.Random(5)
    cuts = 0
    for _ in range(4):
        process = _pull(board, evidence, tmp_path)
        goal = _size(tmp_path) + chance.randrange(1, total // 4)
        while _size(tmp_path) < goal and process.poll() is None:
            time.sleep(0.005)
        cuts += process.poll() is None
        process.kill()
        process.communicate()
        assert _whole(tmp_path) == b"".join(raw)[:_size(tmp_path)]
    process = _pull(board, evidence, tmp_path)
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, said + errors
    assert cuts >= 2 and _whole(tmp_path) == b"".join(raw)
    assert "120 records" in said and "0 were there" not in said


def test_pull_again_fetches_nothing_twice(board, evidence, tmp_path):
    first, second = (_pull(board, evidence, tmp_path).communicate(timeout=300)[0] for _ in range(2))
    assert f"{sum(map(len, evidence[1]))} bytes came, 0 were there" in first
    assert f"0 bytes came, {sum(map(len, evidence[1]))} were there" in second


def test_pull_finds_a_spoilt_copy(board, evidence, tmp_path):
    _pull(board, evidence, tmp_path).communicate(timeout=300)
    file = tmp_path / "journal" / "00000" / "00000096.cbor"
    data = bytearray(file.read_bytes())
    data[-3] ^= 8
    file.write_bytes(data)
    process = _pull(board, evidence, tmp_path)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1 and "BAD_SIGNATURE" in said


def test_nothing_at_the_port_is_said_in_one_sentence(tmp_path):
    done = subprocess.run([sys.executable, "-m", "host_tools", "pull", "--port", "/dev/null", "--out", str(tmp_path)],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "Check the cable" in done.stderr
