"""The whole firmware on small sites, one for each PCS: followed, limited, and at zero in the end."""

import csv
import json
import subprocess
import sys

import pytest

from host_tools.toolchain import build_info, paths

EDGE = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
PCS = build_info.profiles(paths.ROOT, "pcs")
NO_SOC = ("kaco_gridsave", "sinexcel_pws2")


def site(pcs, bms):
    """Return a site of 30 kW with every role that there is."""
    config = json.loads(json.dumps(EDGE))
    config["limits"]["grid_import_w"] = 30_000
    config["ratings"].update(load_w=30_000, grid_w=30_000, wind_w=20_000, pv_w=10_000, genset_w=10_000,
                             bess_w=30_000, bess_wh=30_000)
    config["island"] = {"former": "pcs"}
    config["buses"][1]["baud"] = 38_400
    roles = [(role, "sdm630", 0) for role in ("load", "grid", "wind", "pv", "genset")]
    roles += [("pcs", pcs, 1), ("wind_limit", "sunspec_123", 1), ("pv_limit", "sunspec_limit", 1),
              ("genset_control", "dse_gencomm", 1)]
    if bms:
        roles.append(("bms", "sunspec_bms", 1))
    # The simulated devices answer sooner than the profiles must assume, and one bus can carry them all.
    config["devices"] = [{"role": role, "profile": name, "bus": bus, "unit": 1 + i, "turnaround_ms": 30}
                         for i, (role, name, bus) in enumerate(roles)]
    return config


def simulate(folder, config):
    """Run it for half a minute; return (process, rows of the trace)."""
    for name, text in (("site.json", json.dumps(config)), ("load.csv", "time_s,power_w\n0,12000\n"),
                       ("wind.csv", "time_s,power_w\n0,5000\n")):
        (folder / name).write_text(text)
    done = subprocess.run([sys.executable, "-m", "host_tools", "simulate", "--site", folder / "site.json", "--load",
                           folder / "load.csv", "--wind", folder / "wind.csv", "--duration", "30", "--vm", "cpython",
                           "--out", folder / "out"], cwd=paths.ROOT, capture_output=True, text=True)
    rows = []
    if not done.returncode:
        with open(folder / "out" / "trace.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    return done, rows


@pytest.mark.parametrize("pcs", PCS)
def test_a_small_site_is_followed_with_any_pcs(tmp_path, pcs):
    done, rows = simulate(tmp_path, site(pcs, pcs in NO_SOC))
    assert done.returncode == 0, done.stderr
    late = rows[-2]
    assert (late["mode"], late["reason"]) == ("on_grid", "follow")
    assert abs(float(late["grid_w"])) <= 300 and abs(float(late["bess_w"]) - 7000) <= 300
    assert float(late["wind_w"]) == pytest.approx(5000, abs=50)


@pytest.mark.parametrize("pcs", NO_SOC)
def test_a_site_whose_pcs_knows_no_charge_is_refused_without_a_bms(tmp_path, pcs):
    done, _ = simulate(tmp_path, site(pcs, False))
    assert done.returncode != 0
    assert "devices[5].profile" in done.stderr and "bms" in done.stderr
