"""Properties of the repetitive term: it stays inside its arrays and small integers, helps where there is a period and
does no harm where there is none. The closed loop is the bench's.
"""

import math
import random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from firmware.control.periodic import Periodic, repeat
from host_tools.bench import tracking
from host_tools.bench.periodic_law import PeriodicLaw

FULL = 1 << 19
SMALL = range(-(1 << 30), 1 << 30)
SITES = {20: 30, 100: 150}  # control period and delay, ms


@st.composite
def loads(draw):
    """Return a load, pu: stretches of a repeated shape and of noise, up to full scale."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        rng = random.Random(draw(st.integers(0, 10_000)))
        noise = draw(st.sampled_from([0, 0, 1000, FULL]))
        levels = [rng.choice((-FULL, FULL, rng.randint(-FULL, FULL))) for _ in range(draw(st.integers(1, 12)))]
        shape = [level for level in levels for _ in range(rng.randint(1, 6))]
        for _ in range(400 // len(shape) + 1):
            made += [max(-FULL, min(FULL, level + rng.randint(-noise, noise))) for level in shape]
    return made


@settings(max_examples=40, deadline=None)
@given(loads(), st.sampled_from([20, 50, 100, 250, 1000, 60_000]), st.integers(0, 600), st.integers(0, 200),
       st.integers(-FULL, FULL))
def test_property_every_cell_is_a_small_integer_and_every_index_in_its_array(load, period_ms, delay_ms, lag_ms, off):
    term = Periodic(period_ms, delay_ms, lag_ms)
    cells, tracker = term.cells, [0] * 21
    for net in load:
        tracker[16] = tracker[18] = net
        tracker[19] = max(-FULL, min(FULL, net + off))
        repeat(cells, term.ring, tracker)
        assert abs(tracker[20]) <= FULL
        term.learn()
        assert min(cells) in SMALL and max(cells) in SMALL
        assert min(term.finder.cells) in SMALL and max(term.finder.cells) in SMALL
        assert 0 <= term.gate <= 256
        if cells[3]:  # the newest and the oldest sample that a look into the past can touch
            steps = 3 * cells[4]
            assert cells[3] - steps - cells[14] - 256 - 128 >= 256
            assert (cells[3] + steps + 128 >> 8) + 2 < cells[1]


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.floats(0.5, 10), st.integers(0, 10_000), st.sampled_from(sorted(SITES)))
def test_property_whatever_the_period_the_term_helps(period_s, seed, period_ms):
    delay_ms, periods = SITES[period_ms], math.ceil(20 / period_s) + 8
    load = tracking.trapezoid_w(period_s, periods + tracking.SKIP_PERIODS, seed)
    target = tracking.mean_w(load)
    got = []
    for used in (False, True):
        grid = tracking.run(PeriodicLaw(period_ms, delay_ms, used), load, target, period_ms, delay_ms)
        got.append(tracking.fractions(grid, load, target, tracking.SKIP_PERIODS * period_s))
    without, ours = got
    assert all(ours[name] < without[name] for name in ("rms", "p99", "band"))
    if period_ms == 20:
        assert ours["rms"] <= 0.20 and ours["p99"] <= 0.50 and ours["band"] <= 0.04


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.floats(0.3, 4), st.integers(0, 10_000), st.sampled_from(sorted(SITES)))
def test_property_a_load_of_random_steps_is_not_made_worse(mean_s, seed, period_ms):
    rng, load, level = random.Random(seed), [], 60e6
    while len(load) < 30_000:
        goal = rng.uniform(60e6, 95e6)
        load += [level + (goal - level) * i / 20 for i in range(20)]
        load += [goal] * int(rng.expovariate(1 / mean_s) * 200)
        level = goal
    target = tracking.mean_w(load)
    without, ours = (
        tracking.fractions(tracking.run(PeriodicLaw(period_ms, SITES[period_ms], used), load, target, period_ms,
                                        SITES[period_ms]), load, target, 20) for used in (False, True))
    assert all(ours[name] <= 1.02 * without[name] for name in ours)


@pytest.mark.parametrize("period_ms", sorted(SITES))
def test_the_gpt3_run_is_not_made_worse(period_ms):
    if tracking.gpt3_w()[1]:
        pytest.skip("the GPT-3 measurement cannot be had here")
    without, ours = (tracking.gpt3(lambda: PeriodicLaw(period_ms, SITES[period_ms], used),  # noqa: B023
                                   period_ms, SITES[period_ms]) for used in (False, True))
    assert all(ours[name] <= 1.02 * without[name] for name in ours)


@pytest.mark.parametrize("period_ms, period_s, rms, p99, band", (
    (20, 1, 0.20, 0.50, 0.04), (20, 5, 0.20, 0.50, 0.04), (100, 1, 0.25, 0.55, 0.04), (100, 2, 0.25, 0.55, 0.04)))
def test_the_targets_hold_for_other_seeds(period_ms, period_s, rms, p99, band):
    got = tracking.periodic(lambda: PeriodicLaw(period_ms, SITES[period_ms]), period_s, period_ms,
                            SITES[period_ms], seed=77, periods=40)
    assert got["rms"] <= rms and got["p99"] <= p99 and got["band"] <= band
