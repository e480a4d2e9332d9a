"""A site without a public grid, and so without a meter of one: battery and genset carry it, and the record says so."""

import json

import pytest

from host_tools.cli import main
from host_tools.errors import ToolError
from host_tools.plant.vm import Vm
from tests.simulation_rig import SITES, Rig, summary, trace

_HOUR = 3600
_SLOW = {"control__period_ms": 5000, "control__stale_ms": 12_500, "control__frozen_ms": 50_000,
         "pcs": {"reversion_s": 20}}


def _without_grid(rig, **changes):
    devices = json.loads((SITES / "cabinet.json").read_text())["devices"]
    return rig.site("cabinet", devices=[device for device in devices if device["role"] != "grid"], **changes)


def _run(rig, site, *arguments):
    load = rig.file("load.csv", "time_s,power_w\n0,8000\n1800,7000\n3600,8000\n")
    return rig.run("--site", site, "--load", load, "--events",
                   rig.file("events.csv", "time_s,device,event,value\n0,pcs,soc_permille,330\n"), *arguments, vm=Vm)


def test_battery_then_genset_carry_a_site_that_has_no_grid(tmp_path, monkeypatch, capsys):
    rig = Rig(tmp_path, monkeypatch)
    out = _run(rig, _without_grid(rig, **_SLOW), "--duration", str(_HOUR), "--trace-step", "10")
    result = summary(out)
    assert result["island"]["shed"] == [] and result["energy"]["unserved_wh"] == 0
    assert result["genset"]["starts"] == 1
    assert result["energy"]["sources_wh"]["grid_import"] == result["energy"]["uses_wh"]["grid_export"] == 0
    later = [row["mode"] for row in trace(out) if row["time_s"] > 60]
    assert set(later) == {"island", "genset"}
    capsys.readouterr()
    assert main(["verify", str(out), "--keys", str(out / "keys.json")]) == 0


def test_without_the_section_island_the_grid_meter_is_asked_for(tmp_path, monkeypatch):
    rig = Rig(tmp_path, monkeypatch)
    with pytest.raises(ToolError, match="no device has the role grid"):
        site = json.loads((SITES / "edge.json").read_text())
        devices = [device for device in site["devices"] if device["role"] != "grid"]
        _run(rig, rig.site("edge", devices=devices), "--duration", "60", "--vm", "cpython")
