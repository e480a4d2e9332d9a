"""`command` against the real uplink through a real mosquitto: asked, obeyed, answered, or refused in silence."""

import contextlib
import json
import subprocess
import sys
import time

import pytest

from host_tools.operators import key as operator_key
from tests import uplink_rig
from tests.broker import Broker
from tests.evidence_writer import keys_document


@pytest.fixture(params=sorted(uplink_rig.VMS))
def scene(request, tmp_path):
    with _scene(tmp_path, request.param) as made:
        yield made


@pytest.fixture(params=sorted(uplink_rig.VMS))
def scene_in_time(request, tmp_path):
    with _scene(tmp_path, request.param, utc_s=int(time.time())) as made:
        yield made


@pytest.fixture(params=sorted(uplink_rig.VMS))
def scene_a_year_behind(request, tmp_path):
    with _scene(tmp_path, request.param, utc_s=int(time.time()) - 400 * 86_400) as made:
        yield made


@contextlib.contextmanager
def _scene(tmp_path, vm, **options):
    """A running uplink, and what a command line takes to reach it."""
    folder = uplink_rig.Folder(tmp_path / "board", 30)
    key = operator_key.new(tmp_path / "operator.pem")
    (tmp_path / "board" / "operators.json").write_text(json.dumps({"version": 1, "keys": [key.row("control room")]}))
    (tmp_path / "keys.json").write_text(json.dumps(keys_document(folder.device)))
    with Broker(tmp_path) as broker:
        process = folder.start(vm, broker.port, **options)
        try:
            yield tmp_path, process, ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--board", "north/cab-1", "--keys",
                                      str(tmp_path / "keys.json"), "--operator-key", str(tmp_path / "operator.pem")]
        finally:
            process.kill()
            process.communicate()


def _command(arguments, *words):
    done = subprocess.run([sys.executable, "-m", "host_tools", "command", *words, *arguments], capture_output=True,
                          text=True, timeout=240)
    return done.returncode, done.stdout + done.stderr


def _until(process, words):
    for line in iter(process.stdout.readline, ""):
        if words in line:
            return line
    raise AssertionError("the board ended")


def test_commands_are_answered_by_the_board_itself(scene):
    folder, process, arguments = scene
    _until(process, "FOUND")
    code, said = _command(arguments, "time")  # the board knew no time: this one may be asked all the same
    assert code == 0 and "the clock is set" in said, said
    code, said = _command(arguments, "checkpoint")
    assert code == 0 and "the checkpoint goes again" in said, said
    code, said = _command([*arguments, "--wait", "3"], "again", "30")  # there is no such record
    assert code == 1 and "no answer" in said, said
    assert "RANGE" in _until(process, "REFUSED")
    other = operator_key.new(folder / "other.pem")
    assert other.kid
    arguments[-1] = str(folder / "other.pem")
    code, said = _command([*arguments, "--wait", "3"], "checkpoint")
    assert code == 1 and "KEY" in _until(process, "REFUSED")


def test_set_point_is_refused_by_a_board_that_knows_no_time(scene):
    _, process, arguments = scene
    _until(process, "FOUND")
    code, said = _command([*arguments, "--wait", "3"], "set-point", "200000", "--for", "60")
    assert code == 1 and "CLOCK" in _until(process, "REFUSED")  # nobody can tell whether it is still valid
    code, said = _command(arguments, "set-point", "nothing")
    assert code == 2 and "needs a power in W" in said


def test_set_point_and_mode_reach_the_operator_of_the_board(scene_in_time):
    _, process, arguments = scene_in_time
    _until(process, "FOUND")
    code, said = _command(arguments, "set-point", "-200000", "--for", "60", "--reason", "a test")
    assert code == 0 and "override_w -200000 60 a test" in said, said
    assert "override_w -200000 60 a test" in _until(process, "LINE")
    code, said = _command(arguments, "import-cap", "800000", "--for", "60")
    assert code == 0 and "import_w 800000 60" in _until(process, "LINE")
    code, said = _command(arguments, "mode", "dry_run", "--for", "60")
    assert code == 0 and "mode dry_run 60" in _until(process, "LINE")


def test_a_clock_that_is_a_year_behind_is_set_and_then_believed(scene_a_year_behind):
    _, process, arguments = scene_a_year_behind
    _until(process, "FOUND")
    code, said = _command([*arguments, "--wait", "3"], "set-point", "200000", "--for", "60")
    assert code == 1 and "TIME" in _until(process, "REFUSED")
    code, said = _command(arguments, "time")  # whose window the board does not believe either: its challenge does it
    assert code == 0 and said.count("the clock is set") == 2 and "ms old" in said, said
    code, said = _command(arguments, "set-point", "200000", "--for", "60")
    assert code == 0 and "override_w 200000 60" in said, said
