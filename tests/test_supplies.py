"""Fuel and work from the simulated site's counters, over the wire, through the record, to the host."""

import csv
import json
import subprocess
import sys

import pytest

from firmware.core.errors import ConfigError
from firmware.site import config as site_config
from host_tools.toolchain import paths

SITE = json.loads((paths.ROOT / "host_tools" / "sites" / "cabinet.json").read_text())
COUNTERS = [{"what": "work", "bus": 1, "unit": 20, "register": 100, "words": 4},
            {"what": "fuel", "bus": 1, "unit": 21, "register": 7, "function": 4, "per_count": 10}]
SECONDS = 2700


def _host_tools(*words):
    return subprocess.run([sys.executable, "-m", "host_tools", *map(str, words)], cwd=paths.ROOT, text=True,
                          capture_output=True, timeout=200)


def _series(path, header, *values):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *values])
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An hour off the grid: the genset charges, the cluster counts its work."""
    folder = tmp_path_factory.mktemp("supplies")
    site = SITE | {"counters": COUNTERS, "site": SITE["site"] | {"work_unit": "GPU-seconds"},
                   "genset": {"soc_start_permille": 600, "soc_stop_permille": 700}}
    (folder / "site.json").write_text(json.dumps(site))
    load = _series(folder / "load.csv", ("time_s", "power_w"), (0, 6000), (SECONDS, 7000))
    work = _series(folder / "work.csv", ("time_s", "work_per_s"), (0, 80), (SECONDS, 95))
    events = _series(folder / "events.csv", ("time_s", "device", "event", "value"), (30, "grid", "fail", 1))
    done = _host_tools("simulate", "--site", folder / "site.json", "--load", load, "--work", work, "--events", events,
                       "--vm", "micropython", "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def _records(run):
    shown = _host_tools("decode", run, "--json").stdout.splitlines()
    return [row for row in map(json.loads, shown) if row["kind"] == 1]


def test_fuel_and_work_are_what_the_site_burnt_and_did(run):
    summary, rows = json.loads((run / "summary.json").read_text()), _records(run)
    assert len(rows) == 3 and all(row["work"] for row in rows)
    assert summary["work"]["done"] * 0.995 < sum(row["work"] for row in rows) <= summary["work"]["done"]
    burnt_ml = 1000 * summary["genset"]["fuel_l"]
    assert burnt_ml > 1000 and burnt_ml - 60 < sum(row["fuel_ml"] for row in rows) <= burnt_ml + 10


def test_the_gensets_carbon_is_that_of_its_fuel(run):
    for row in _records(run):
        assert row["fuel_mg_per_l"] == {"direct": 2_692_000, "lifecycle": 3_320_000}
        assert not row["flags"] >> 18 & 1
    done = _host_tools("verify", run, "--keys", run / "keys.json")
    assert done.returncode == 0, done.stdout


def test_carbon_is_told_for_each_unit_of_work(run):
    row = _records(run)[1]
    grams = row["carbon_direct_ug"]["load"] / row["work"] / 1e6
    assert f"work {row['work']} at {grams:.4g} g" in _host_tools("decode", run, "--seq", "1").stdout
    told = _host_tools("explain", run, "--seq", "1").stdout
    assert f"{row['work']} units of computing work were done" in told and f"{grams:.6g} g direct" in told
    assert f"The genset burnt {row['fuel_ml'] / 1000:.3f} l" in told


@pytest.mark.parametrize("change, path", [
    ({"bus": 7}, "counters[1].bus"), ({"what": "work"}, "counters[1].what"), ({"words": 5}, "counters[1].words"),
    ({"register": -1}, "counters[1].register"), ({"colour": 1}, "counters[1].colour")])
def test_a_counter_that_cannot_be_is_refused_by_its_path(change, path):
    site = SITE | {"counters": [COUNTERS[0], COUNTERS[1] | change]}
    with pytest.raises(ConfigError) as caught:
        site_config.load(json.dumps(site).encode())
    assert path in caught.value.detail


def test_fuel_needs_a_genset():
    site = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
    site["counters"] = [COUNTERS[1] | {"bus": 0}]
    with pytest.raises(ConfigError) as caught:
        site_config.load(json.dumps(site).encode())
    assert "counters[0].what" in caught.value.detail
