"""The command line: exit codes, help, errors in two lines, the project's own environment."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import cli
from host_tools.evidence.findings import CODES
from tests.evidence_writer import START_MS, day
from tests.tamper import Case

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def case(tmp_path):
    """A run folder: records, checkpoint, keys."""
    made = Case(tmp_path, day(4))
    (tmp_path / "records.cbor").write_bytes(b"".join(made.records))
    (tmp_path / "checkpoint.txt").write_bytes(made.anchor)
    return made


def _run(capsys, *argv):
    code = cli.main([str(part) for part in argv])
    return code, *capsys.readouterr()


def _start(*argv, **options):
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([str(part) for part in argv], **options)


def test_overview_and_unknown_command(capsys):
    code, out, _ = _run(capsys, "--help")
    assert code == 0 and all(name in out for name in cli.COMMANDS)
    assert _run(capsys)[0] == 2
    code, _, err = _run(capsys, "verfiy")
    assert code == 2 and "no command" in err and len(err.splitlines()) == 2


@pytest.mark.parametrize("name", ["decode", "verify", "explain", "provision", "report", "export"])
def test_every_help_shows_an_example(name, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0 and "example:" in out and f"python3 -m host_tools {name}" in out


def test_every_command_has_its_module():
    for name in cli.COMMANDS:
        path = ROOT / "host_tools" / "commands" / (name.replace("-", "_") + ".py")
        assert path.is_file(), name


def test_verify_exit_codes_and_words(case, capsys):
    code, out, _ = _run(capsys, "verify", case.folder, "--keys", case.keys)
    lines = out.splitlines()
    assert code == 0
    assert re.match(r"integrity +PASS +4 records, 2024-05-17T00:00:00Z to 2024-05-17T01:00:00Z", lines[0])
    assert re.match(r"completeness +PASS +numbers 0 to 3, signed end anchor of 4", lines[1])
    assert "taken from the folder" in out and "g/kWh" in out and "\x1b" not in out
    code, out, _ = _run(capsys, "verify", case.folder / "records.cbor", "--keys", case.keys)
    assert code == 1 and re.search(r"completeness +UNKNOWN", out) and "NO_END_ANCHOR" in out
    code, _, err = _run(capsys, "verify", case.folder, "--keys", case.folder / "none.json")
    assert code == 2 and len(err.splitlines()) == 2


def test_verify_json_carries_everything(case, capsys):
    data = bytearray((case.folder / "records.cbor").read_bytes())
    data[len(case.records[0]) + 300] ^= 4
    (case.folder / "records.cbor").write_bytes(bytes(data))
    code, out, _ = _run(capsys, "verify", case.folder, "--keys", case.keys, "--json")
    result = json.loads(out)
    assert code == result["exit_code"] == 1 and result["integrity"] == "FAIL" and not result["holds"]
    finding = result["findings"][0]
    assert finding["seq"] == 1 and finding["offset_bytes"] == len(case.records[0])
    assert finding["severity"] == "error" and finding["advice"] == CODES[finding["code"]][3]


def test_verify_range(case, capsys):
    base = ("verify", case.folder, "--keys", case.keys)
    assert _run(capsys, *base, "--from", "2024-05-17T00:00:00Z", "--to", "2024-05-17T01:00:00Z")[0] == 0
    assert _run(capsys, *base, "--to", "2024-05-17T01:15:00Z")[0] == 1
    assert _run(capsys, *base, "--from", "yesterday")[0] == 2
    assert _run(capsys, *base, "--from", "2024-05-18", "--to", "2024-05-17")[0] == 2
    assert START_MS == 1_715_904_000_000


def test_long_lists_are_shortened_for_people(case, capsys, tmp_path):
    board = day(30)
    for record in board.records:
        record[20] = 5
    other = Case(tmp_path, board)
    (tmp_path / "records.cbor").write_bytes(b"".join(other.records))
    out = _run(capsys, "verify", tmp_path / "records.cbor", "--keys", other.keys)[1]
    assert "and 25 more" in out and out.count("substitute values, method") == 5


def test_unexpected_errors_show_no_traceback(case, capsys, monkeypatch):
    module = importlib.import_module("host_tools.commands.decode")

    def fall(args):
        raise RuntimeError("inner fault")

    monkeypatch.setattr(module, "run", fall)
    code, _, err = _run(capsys, "decode", case.folder)
    assert code == 2 and "inner fault" in err and "EVENKEEL_DEBUG=1" in err
    monkeypatch.setenv("EVENKEEL_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["decode", str(case.folder)])

    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run", interrupt)
    assert cli.main(["decode", str(case.folder)]) == 130


def test_codes_in_the_source_are_all_in_the_table():
    used = set()
    for path in (ROOT / "host_tools" / "evidence").glob("*.py"):
        if path.name != "findings.py":
            used |= set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|EXCERPT)"', path.read_text()))
    other = {"KEY_ORDER", "LONG_FORM", "KEY_DUPLICATE"}
    assert set(CODES) <= used and used - set(CODES) <= other


def test_runs_from_any_folder_with_relative_files(case):
    for start in ([sys.executable, str(ROOT / "host_tools")], [sys.executable, "-m", "host_tools"]):
        argv = ["verify", "records.cbor", "--keys", "keys.json", "--checkpoint", "checkpoint.txt"]
        done = _start(*start, *argv, cwd=case.folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stderr
        assert "integrity     PASS" in done.stdout


def test_closed_pipe_is_no_error(tmp_path):
    made = Case(tmp_path, day(40))
    (tmp_path / "records.cbor").write_bytes(b"".join(made.records) * 20)
    command = f"{sys.executable} -m host_tools decode {tmp_path} --json | head -1"
    done = _start("sh", "-c", command)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_a_verdict_that_nobody_read_to_its_end_is_not_good(tmp_path):
    made = Case(tmp_path, day(40))
    (tmp_path / "records.cbor").write_bytes(b"".join(made.records) * 20)
    command = f"({sys.executable} -m host_tools decode {tmp_path} --json; echo $? >&2) | head -1"
    assert _start("sh", "-c", command).stderr.strip() == "141"


def test_missing_package_leads_to_advice(tmp_path):
    empty = tmp_path / "host_tools"
    empty.symlink_to(ROOT / "host_tools")
    code = ("import sys; sys.modules['cryptography'] = None; sys.argv = ['x', 'verify', 'a', '--keys', 'b'];"
            "import host_tools.__main__ as m; m.ROOT = 'nowhere'; sys.exit(m.start())")
    done = _start(sys.executable, "-c", code)
    assert done.returncode == 2 and "make setup" in done.stderr and "Traceback" not in done.stderr
