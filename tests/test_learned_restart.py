"""The whole firmware goes on with what it had learnt before it was started again; the record of it verifies."""

import json
import shutil

import pytest

from host_tools.cli import main
from host_tools.plant.vm import Vm
from tests.simulation_rig import MINUTE, Rig

_DAMAGE = {"LEARNED": lambda data: data, "LEARNED_REFUSED": lambda data: data[:600] + b"\xff\xff" + data[602:]}


def _series(end_s, step_s, power_w):
    return "time_s,power_w\n" + "".join(f"{t_s},{power_w(t_s)}\n" for t_s in range(0, end_s, step_s))


def _run(rig, vm, start):
    site = rig.site("edge", **MINUTE)
    load = rig.file("load.csv", _series(15_000, 900, lambda t_s: 900_000 + t_s % 7200 * 40))
    wind = rig.file("wind.csv", _series(15_000, 600, lambda t_s: t_s * 331 % 8_000_000))
    return rig.run("--site", site, "--load", load, "--wind", wind, "--duration", "10800", "--start", start,
                   "--trace-step", "60", "--vm", vm, vm=Vm)


def _codes(out):
    return [json.loads(line)["code"] for line in (out / "events.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("code", _DAMAGE)
@pytest.mark.parametrize("vm", ("cpython", "micropython"))
def test_what_was_learnt_is_taken_up_unless_it_is_damaged(tmp_path, monkeypatch, capsys, vm, code):
    rig = Rig(tmp_path, monkeypatch)
    out = _run(rig, vm, "2026-01-15T00:00:00Z")
    assert not [code for code in _codes(out) if code.startswith("LEARNED")]
    first = (out / "run" / "learned.bin").read_bytes()
    (tmp_path / "learned.bin").write_bytes(_DAMAGE[code](first))
    shutil.rmtree(out)
    out = _run(rig, vm, "2026-01-15T06:00:00Z")
    assert [found for found in _codes(out) if found.startswith("LEARNED")] == [code]
    second = (out / "run" / "learned.bin").read_bytes()
    assert len(second) == len(first)
    days = slice(-8 - 2 * 672, -8)
    known = [sum(data[days][at:at + 2] != b"\x00\x80" for at in range(0, 2 * 672, 2)) for data in (first, second)]
    assert 11 <= known[0] <= 12 and known[1] == (2 * known[0] if code == "LEARNED" else known[0])
    capsys.readouterr()
    assert main(["verify", str(out), "--keys", str(out / "keys.json")]) == 0
