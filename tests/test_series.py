"""Input series: what is refused and how, and that value and integral are exact."""

import gzip
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.errors import ToolError
from host_tools.plant.series import Series, constant, load_columns, load_power

GOOD = "time_s,power_w\n0,100\n10,200\n20,0\n"


def write(tmp_path, text, name="load.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["load.csv", "load.csv.gz"])
def test_values_are_linear_between_samples_and_held_outside(tmp_path, name):
    series = load_power(write(tmp_path, GOOD, name), scale=2.0)
    seconds = {-5: 200, 0: 200, 5: 300, 10: 400, 15: 200, 20: 0, 99: 0, 2.5: 250}
    for t_s, power_w in seconds.items():
        assert series.value(round(t_s * 1e6)) == pytest.approx(power_w)
    assert series.duration_us == 20_000_000


def test_the_integral_is_exact_over_knots_and_ends(tmp_path):
    series = load_power(write(tmp_path, GOOD))
    assert series.integral(0, 20_000_000) == pytest.approx(2500e6)
    assert series.integral(-10_000_000, 30_000_000) == pytest.approx(3500e6)
    assert series.integral(5_000_000, 15_000_000) == pytest.approx(1625e6)
    assert series.mean(0, 10_000_000) == pytest.approx(150)
    assert constant(7).integral(3, 10) == pytest.approx(49)


@pytest.mark.parametrize("text, line, word", [
    ("power_w,time_s\n0,1\n", 1, "header"),
    ("", 1, "header"),
    ("time_s,power_w\n", 2, "no sample"),
    ("time_s,power_w\n0,1\n0,2\n", 3, "does not come after"),
    ("time_s,power_w\n0,1\n5,2\n4,2\n", 4, "does not come after"),
    ("time_s,power_w\n0,1\n1,nan\n", 3, "power_w is 'nan'"),
    ("time_s,power_w\n0,1\n1,\n", 3, "power_w is ''"),
    ("time_s,power_w\ninf,1\n", 2, "time_s is 'inf'"),
    ("time_s,power_w\n0,1\n1,2e15\n", 3, "power_w is '2e15'"),
    ("time_s,power_w\n0,1\n1,2,3\n", 3, "3 fields instead of 2"),
    ("time_s,power_w\n0,1\n\n2,x\n", 4, "power_w is 'x'"),
])
def test_a_bad_line_is_refused_by_name_and_number(tmp_path, text, line, word):
    path = write(tmp_path, text)
    with pytest.raises(ToolError) as caught:
        load_power(path)
    assert f"{path}, line {line}: " in caught.value.message
    assert word in caught.value.message
    assert caught.value.advice.startswith("Allowed: ")


@pytest.mark.parametrize("name, content", [("a.csv", b"\xff\xfe\x00"), ("a.csv.gz", b"no gzip"),
                                           ("b.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:-9])])
def test_what_is_not_text_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ToolError, match="not text"):
        load_power(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ToolError, match="nothere"):
        load_power(tmp_path / "nothere.csv")


def test_several_columns(tmp_path):
    path = write(tmp_path, "time_s,a,b\n0,1,2\n1,3,4\n")
    assert load_columns(path, ("time_s", "a", "b")) == ([0, 1_000_000], [[1, 3], [2, 4]])


samples = st.lists(st.tuples(st.integers(1, 10**7), st.floats(-1e8, 1e8)), min_size=1, max_size=20)


def series_of(steps):
    times, values, t_us = [], [], 0
    for step, value in steps:
        t_us += step
        times.append(t_us)
        values.append(value)
    return Series(times, values)


@settings(deadline=None)
@given(samples, st.lists(st.integers(-10**7, 3 * 10**8), min_size=3, max_size=12))
def test_value_does_not_depend_on_the_order_of_asking(steps, moments):
    moving, fresh = series_of(steps), series_of(steps)
    asked = [moving.value(t_us) for t_us in moments]
    for t_us, value in zip(moments, asked):
        fresh._cursor = 0
        assert fresh.value(t_us) == pytest.approx(value)


@settings(deadline=None)
@given(samples, st.lists(st.integers(-10**7, 3 * 10**8), min_size=3, max_size=6))
def test_integrals_add_up_and_agree_with_trapezoids(steps, moments):
    series = series_of(steps)
    moments = sorted(moments)
    whole = series.integral(moments[0], moments[-1])
    assert sum(series.integral(a, b) for a, b in pairwise(moments)) == pytest.approx(whole, rel=1e-6, abs=1e8)
    grid = sorted({moments[0], moments[-1], *(t for t in series.times_us if moments[0] < t < moments[-1])})
    by_hand = sum((series.value(a) + series.value(b)) * (b - a) / 2 for a, b in pairwise(grid))
    assert whole == pytest.approx(by_hand, rel=1e-6, abs=1e8)
