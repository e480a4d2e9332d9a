"""Demonstration inputs: measured where the data is, synthetic and saying so where not, repairs stated."""

import gzip
import hashlib
import json

import pytest

from host_tools import data_sources, datasets
from host_tools.errors import ToolError
from host_tools.plant.series import load_columns, load_power

HAVE_DATA = all(any((folder / source.file).is_file() for folder in data_sources._folders())
                for source in data_sources.SOURCES.values())
needs_data = pytest.mark.skipif(not HAVE_DATA, reason="the public measurements are not on this machine")


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No data folder, no network."""
    monkeypatch.setattr(data_sources, "_folders", lambda: [tmp_path / "empty"])
    monkeypatch.setenv("EVENKEEL_OFFLINE", "1")


MAKERS = [datasets.gpt3_load, datasets.alibaba_day, datasets.la_haute_borne_day, datasets.carbon_day,
          datasets.pv_days]


@pytest.mark.parametrize("make", MAKERS)
def test_without_data_an_input_is_synthetic_and_says_so(make, nowhere, tmp_path):
    prepared = make(tmp_path)
    assert prepared.synthetic and prepared.path.name.startswith("synthetic_")
    story = json.loads(prepared.path.with_suffix(".json").read_text())
    assert story["synthetic"] is True and "synthetic" in story["done"][0]
    if make is datasets.carbon_day:
        assert load_columns(prepared.path, tuple(datasets._CARBON_HEADER.split(",")))
    else:
        series = load_power(prepared.path)
        assert min(series.values) >= 0 and max(series.values) > 0
    assert make(tmp_path).path.read_bytes() == prepared.path.read_bytes()


@needs_data
@pytest.mark.parametrize("make", MAKERS)
def test_with_data_an_input_is_measured(make, tmp_path):
    prepared = make(tmp_path)
    assert not prepared.synthetic and not prepared.path.name.startswith("synthetic_")
    assert json.loads(prepared.path.with_suffix(".json").read_text())["origin"] == prepared.origin


@needs_data
def test_the_figures_of_the_measurements(tmp_path):
    load = load_power(datasets.gpt3_load(tmp_path).path)
    assert min(load.values) == pytest.approx(59.5e6, rel=1e-3)
    assert max(load.values) == pytest.approx(95.0e6, rel=1e-3)
    assert load.duration_us == 3408 * 1_000_000
    day = load_power(datasets.alibaba_day(tmp_path, 3, 1e6).path)
    assert sum(day.values) / len(day.values) == pytest.approx(1e6, rel=1e-6)
    wind = load_power(datasets.la_haute_borne_day(tmp_path).path)
    assert len(wind.values) == 145 and wind.duration_us == 86_400 * 1_000_000
    # the famous step of 2014-07-06, 14:10 UTC
    steps = {t // 60_000_000: value for t, value in zip(wind.times_us, wind.values)}
    assert steps[14 * 60] == pytest.approx(1.35e6, rel=1e-2)
    assert steps[14 * 60 + 10] == pytest.approx(6.64e6, rel=1e-2)


@needs_data
@pytest.mark.parametrize("day, said", [("2014-03-30", "24 values with a double stamp"),
                                       ("2014-10-26", "6 steps without any value")])
def test_defects_of_the_wind_data_are_repaired_and_stated(tmp_path, day, said):
    prepared = datasets.la_haute_borne_day(tmp_path, day)
    assert any(said in sentence for sentence in prepared.done)
    assert min(load_power(prepared.path).values) >= 0


def farm(*rows):
    head = "Wind_turbine_name,Date_time,P_avg\n"
    lines = [f"{name},2014-07-06T{stamp}+02:00,{power}\n" for name, stamp, power in rows]
    return (head + "".join(lines)).encode()


def test_partial_farms_doubles_holes_and_own_consumption():
    data = farm(("a", "02:00:00", "100"), ("b", "02:00:00", "300"), ("a", "02:00:00", "999"),
                ("a", "02:10:00", ""), ("a", "02:20:00", "-8"), ("b", "02:20:00", "-8"),
                ("c", "02:20:00", "-8"), ("d", "02:20:00", "-8"), ("a", "01:50:00", "500"))
    rows, done = datasets._farm_power(data, datasets._day("2014-07-06", 2014))
    assert rows == [(0, 800_000.0), (1200, 0.0)]
    assert [sentence.split(" ")[0] for sentence in done] == ["1", "1", "1", "1", "143"]


@pytest.mark.parametrize("call", [
    lambda out: datasets.alibaba_day(out, 2), lambda out: datasets.la_haute_borne_day(out, "2015-01-01"),
    lambda out: datasets.la_haute_borne_day(out, "6 July"), lambda out: datasets.carbon_day(out, "x"),
])
def test_days_that_do_not_exist(call, tmp_path):
    with pytest.raises(ToolError):
        call(tmp_path)


def test_a_file_with_the_wrong_content_is_refused(monkeypatch, tmp_path):
    source = data_sources.SOURCES["gpt3"]
    path = tmp_path / source.file
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"time_s,power_w\n0,1\n"))
    monkeypatch.setenv("EVENKEEL_DATA", str(tmp_path))
    with pytest.raises(ToolError, match="SHA-256"):
        data_sources.obtain("gpt3")


def test_what_is_fetched_is_checked_and_kept(monkeypatch, tmp_path):
    content = b"cpu_util_percent\n50\n"
    digest = hashlib.sha256(content).hexdigest()
    source = data_sources.Source("load/x.csv.gz", digest, "o", "l", lambda: content)
    monkeypatch.setattr(data_sources.paths, "CACHE", tmp_path)
    monkeypatch.setattr(data_sources, "_folders", lambda: [tmp_path / "data"])
    monkeypatch.setitem(data_sources.SOURCES, "x", source)
    monkeypatch.delenv("EVENKEEL_OFFLINE", raising=False)
    assert data_sources.obtain("x") == content
    assert gzip.decompress((tmp_path / "data" / "load" / "x.csv.gz").read_bytes()) == content
    wrong = data_sources.Source("load/y.csv.gz", "0" * 64, "o", "l", lambda: content)
    monkeypatch.setitem(data_sources.SOURCES, "y", wrong)
    assert data_sources.obtain("y") is None


def test_node_logs_are_summed_on_a_common_grid():
    def log(*readings):
        entries = [{"time_ms": t, "key": "power_reading", "value": v} for t, v in readings]
        lines = [":::MLLOG " + json.dumps(entry) for entry in [{"key": "other", "value": 1}, *entries]]
        return "\n".join(["noise", *lines]).encode()

    logs = [log((1000, 100), (3000, 200), (6000, 500)), log((2000, 10), (5500, 45)), b"an empty one"]
    assert data_sources.sum_of_nodes(logs).decode() == "time_s,power_w\n0.0,160\n2.0,330\n"
