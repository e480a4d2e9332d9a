"""The bench's closed loop: its loads, its plant and its metrics on cases that can be worked out by hand."""

import math

import pytest

from host_tools.bench import tracking


def _sine(hz, amplitude, seconds, step_ms=tracking.STEP_MS):
    return [amplitude * math.sin(2 * math.pi * hz * i * step_ms / 1000) for i in range(seconds * 1000 // step_ms)]


def _gain(hz, seconds=60):
    """Return what the PCS's lag leaves of a sine that is followed without delay."""
    load = _sine(hz, 1e6, seconds)
    zero = [0.0] * len(load)
    grid = tracking.run(lambda load_w, target_w: load_w - target_w, load, zero, tracking.STEP_MS, 0)
    return tracking.fractions(grid, load, zero, 1)["rms"]


def test_the_plant_is_a_first_order_lag():
    for hz in (0.1, 0.5, 2.0):
        x = 2 * math.pi * hz * tracking.LAG_MS / 1000
        assert _gain(hz) == pytest.approx(x / math.hypot(1, x), rel=0.1)


def test_a_command_acts_after_the_delay_and_not_before():
    load = [0.0] * 100 + [1e6] * 100
    grid = tracking.run(lambda load_w, target_w: load_w - target_w, load, [0.0] * 200, 20, 30)
    assert all(power == 1e6 for power in grid[100:107]) and grid[107] < 1e6
    assert grid[-1] < 1e4


def test_the_rating_holds():
    load = [100e6] * 400
    grid = tracking.run(lambda load_w, target_w: load_w, load, [0.0] * 400, 20, 30)
    assert grid[-1] == pytest.approx(60e6, rel=1e-3)


def test_period_and_delay_are_whole_steps():
    with pytest.raises(ValueError, match="whole steps"):
        tracking.run(lambda load_w, target_w: 0.0, [0.0], [0.0], 20, 33)


def test_the_band_counts_what_lies_in_it_and_nothing_else():
    for hz, power in ((0.02, 0.0), (0.3, 0.5), (1.9, 0.5), (3.0, 0.0)):
        assert tracking.band_power(_sine(hz, 1.0, 200)) == pytest.approx(power, abs=0.01), hz


def test_metrics_of_half_the_load_are_one_half():
    load = tracking.trapezoid_w(2, 40, 1)
    target = tracking.mean_w(load)
    half = [t + (p - t) / 2 for p, t in zip(load, target)]
    got = tracking.fractions(half, load, target, 2)
    assert got == pytest.approx({"rms": 0.5, "p99": 0.5, "ramp": 0.5, "band": 0.25})


def test_the_trapezoid_has_the_named_shape_and_jitter():
    load = tracking.trapezoid_w(2, 400, 7)
    step_s = tracking.STEP_MS / 1000
    rises = [i for i in range(1, len(load)) if load[i - 1] < 75e6 <= load[i]]
    lengths = [(b - a) * step_s for a, b in zip(rises, rises[1:])]
    mean_s = sum(lengths) / len(lengths)
    spread = math.sqrt(sum((x - mean_s) ** 2 for x in lengths) / len(lengths)) / mean_s
    assert mean_s == pytest.approx(2, rel=0.002) and spread == pytest.approx(0.005, rel=0.3)
    assert min(load) == tracking.LOW_W
    assert sum(power > 77.5e6 for power in load) / len(load) == pytest.approx(0.75, abs=0.01)
    steepest = max(b - a for a, b in zip(load, load[1:])) / step_s
    assert 350e6 < steepest < 350e6 * 1.25
    assert load == tracking.trapezoid_w(2, 400, 7) != tracking.trapezoid_w(2, 400, 8)


def test_the_baseline_is_slow_and_its_ramp_is_limited():
    load = [60e6] * 200 + [95e6] * 12_000
    base = tracking.baseline_w(load)
    steps = [b - a for a, b in zip(base, base[1:])]
    assert max(steps) <= 1e6 * tracking.STEP_MS / 1000 * (1 + 1e-9)
    assert base[199] == 60e6
    at_s = (len(load) - 200) * tracking.STEP_MS / 1000  # 35 MW: 1 MW/s until 30 MW are left, then the filter
    assert base[-1] == pytest.approx(95e6 - 30e6 * math.exp(-(at_s - 5) / 30), rel=0.01)


def test_feed_forward_leads_the_lag():
    led = tracking.periodic(lambda: tracking.FeedForward(20), 10, 20, 30, 1, periods=10)
    plain = tracking.periodic(lambda: tracking.FeedForward(20, 0), 10, 20, 30, 1, periods=10)
    assert led["rms"] < 0.8 * plain["rms"] < 0.8


def test_the_gpt3_run_spans_what_it_is_said_to():
    load, synthetic = tracking.gpt3_w()
    if synthetic:
        pytest.skip("the GPT-3 measurement cannot be had here")
    assert min(load) == pytest.approx(59.5e6, rel=0.002) and max(load) == pytest.approx(95e6, rel=0.002)
    assert len(load) == pytest.approx(1704 * 2 * 1000 / tracking.STEP_MS, abs=1)
