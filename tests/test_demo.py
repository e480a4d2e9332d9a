"""The demonstration: two runs side by side, verified by others' eyes, ten lines, an honest exit code."""

import argparse
import io
import json

import pytest

from host_tools.commands import demo
from host_tools.errors import ToolError
from host_tools.report.run_data import RunData
from host_tools.report.side_by_side import Child, _StatusLine, run_all
from host_tools.report.ten_lines import ten_lines
from host_tools.toolchain import paths
from tests import made_run

PASSED = {"integrity": "PASS", "completeness": "PASS", "plausibility": "PASS"}


class FakeChild(Child):
    """A child without a process."""

    def __init__(self, name, running=True):
        self.name, self.percent, self.speed, self.words, self.alive = name, 0, 0, [], running

    def running(self):
        return self.alive


def test_progress_lines_become_one_line():
    first, second = FakeChild("hyperscale"), FakeChild("edge", running=False)
    first.take("simulate: 0:14:12 of 0:56:48, 25 %, 175 times real time")
    first.take("something else")
    first.take("")
    assert first.state() == "hyperscale 25 % (175 times real time)" and first.words == ["something else"]
    stream = io.StringIO()
    line = _StatusLine(stream)
    line.show([first, second])
    line.show([first, second])
    assert stream.getvalue().count("\n") == 1 and "edge done" in stream.getvalue()
    line.show([first, second], last=True)
    assert stream.getvalue().count("\n") == 2


def test_processes_run_side_by_side_and_a_failure_is_told():
    run_all({"one": ["schema"], "two": ["dataset"]}, io.StringIO())
    with pytest.raises(ToolError) as caught:
        run_all({"good": ["schema"], "bad": ["simulate", "--site", "nowhere.json", "--load", "x.csv", "--out",
                                             "build/never"]}, io.StringIO())
    assert caught.value.message.startswith("bad: ") and "nowhere.json" in caught.value.message


def test_inputs_and_words_of_both_runs(tmp_path):
    commands = demo.simulations(tmp_path, True, "cpython")
    assert list(commands) == ["hyperscale", "edge"]
    for name, words in commands.items():
        given = dict(zip(words[1::2], words[2::2]))
        assert given["--out"] == str(tmp_path / name) and given["--vm"] == "cpython"
        assert all((paths.ROOT / given[flag]).is_file() for flag in ("--site", "--load"))
    assert "--wind" in commands["edge"] and "--carbon" in commands["edge"]
    assert dict(zip(commands["edge"][1::2], commands["edge"][2::2]))["--duration"] == "7200"
    assert "86400" in demo.simulations(tmp_path, False, "cpython")["edge"]


def test_verify_judges_as_anybody_would(tmp_path):
    folder = made_run.make(tmp_path / "run")
    assert {name: demo.verify(folder)[name] for name in PASSED} == PASSED
    data = bytearray((folder / "records.cbor").read_bytes())
    data[400] ^= 1
    (folder / "records.cbor").write_bytes(data)
    assert demo.verify(folder)["integrity"] == "FAIL"
    (folder / "keys.json").unlink()
    with pytest.raises(ToolError, match="keys"):
        demo.verify(folder)


@pytest.mark.parametrize("change, quarters, code, said", (
    ({}, 96, 0, ""),
    ({"integrity": "FAIL"}, 96, 1, "edge: integrity is FAIL"),
    ({"completeness": "UNKNOWN"}, 96, 1, "edge: completeness is UNKNOWN"),
    ({"plausibility": "FAIL"}, 96, 1, "edge: plausibility is FAIL"),
    ({}, 95, 1, "95 records of quarter hours, 96 expected"),
))
def test_the_exit_code_is_honest(capsys, change, quarters, code, said):
    assert demo.judge({"hyperscale": PASSED, "edge": PASSED | change}, quarters, 96) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("synthetic", (False, True))
def test_ten_lines_that_say_what_came_out(tmp_path, synthetic):
    folder = made_run.make(tmp_path / "run", synthetic=synthetic)
    (folder / "run" / "site.json").write_text(json.dumps(made_run.SITE))
    run = RunData(folder)
    verdicts = {"hyperscale": PASSED, "edge": PASSED | {"completeness": "UNKNOWN"}}
    lines = ten_lines(run, run, verdicts, 96, "/somewhere/report.html", 90.0)
    assert len(lines) == 10 and all("\n" not in line and len(line) < 140 for line in lines)
    text = "\n".join(lines)
    for words in ("MicroPython 1.25.0", "600 kW RMS with the battery, 4.00 MW without: 15 %", "1.5 minutes",
                  "4.00 MW in 2 s with the battery, 30.0 MW without", "8 of 96 quarter hours", "100 ms",
                  "39.0 MWh with the battery, 31.0 MWh without: +25.8 %", "completeness UNKNOWN",
                  "/somewhere/report.html"):
        assert words in text, words
    assert ("SYNTHETIC" in text) == synthetic and ("real measurements" in text) != synthetic


def test_the_quick_demonstration(tmp_path, capsys):
    assert paths.UNIX_VM.is_file(), "the MicroPython unix VM is not set up; run make setup"
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    code = demo.run(parser.parse_args(["--quick", "--out", str(tmp_path)]))
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "8 of 8 quarter hours" in said.out and said.out.count("integrity PASS, completeness PASS") == 2
    report = (tmp_path / "report.html").read_text()
    assert report.count('<section class="run"') == 2 and 100_000 < len(report) < 3_000_000
