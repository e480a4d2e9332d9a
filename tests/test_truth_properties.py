"""Properties of the filters, and the real bad readings of a power analyser."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.types import BESS, GRID, LOAD, WIND
from firmware.ledger import register
from firmware.site.refusals import CODES
from tests.device.test_truth import RATED, Site

REAL = Path(__file__).resolve().parents[2] / "shared/data/load/nvidia_8xh100_bert-99_Server_ranging.txt.gz"
ROLES = (LOAD, GRID, BESS, WIND)
_value = st.one_of(st.none(), st.sampled_from((0, -1, 1, RATED, -RATED, RATED * 3 // 2 + 1)),
                   st.integers(-2 * RATED, 2 * RATED))
_second = st.tuples(_value, _value, _value, _value)


def _refused(site, role):
    return sum(site.truth.count(role, cause) for cause in range(1, len(CODES)))


@settings(max_examples=150, deadline=None)
@given(st.lists(_second, min_size=1, max_size=60))
def test_what_is_believed_was_shown_and_can_be_true(seconds):
    site = Site()
    shown = [0] * 4
    for second in seconds:
        site.second(*second)
        for i, role in enumerate(ROLES):
            shown[i] += second[i] is not None
            value, fresh = site.value(role), site.old(role) == 0
            assert -RATED * 3 // 2 <= value <= RATED * 3 // 2
            assert role != LOAD or value >= 0
            if fresh and second[i] is not None:
                assert value == second[i] or role == LOAD and value == 0 and second[i] < 0
    for i, role in enumerate(ROLES):
        assert 0 <= _refused(site, role) <= shown[i]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(2, RATED), min_size=30, max_size=90), st.data())
def test_true_values_are_never_refused_and_one_untrue_one_never_passes(loads, data):
    site = Site()
    at = data.draw(st.integers(1, len(loads) - 1))
    untrue = data.draw(st.sampled_from((-RATED, RATED * 2, -5_000, RATED * 3 // 2 + 1)))
    for i, load in enumerate(loads):
        site.second(untrue if i == at else load, load // 2, load // 4, load - load // 2 - load // 4)
        assert site.value(LOAD) == loads[i - 1 if i == at else i]
    assert _refused(site, LOAD) == 1
    assert _refused(site, GRID) == _refused(site, BESS) == _refused(site, WIND) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=20, max_size=80), st.sampled_from((1, 10, 100)), st.data())
def test_a_register_is_followed_whatever_one_reading_says(steps, resolution_wh, data):
    one = register.Register(2_000_000)
    at = data.draw(st.integers(1, len(steps) - 4))
    wrong = data.draw(st.integers(-10**7, 10**9))
    true_wh, done_wh = 10**7, 0
    for i, step in enumerate(steps):
        true_wh += step // 6
        done_wh += step // 6
        wh = true_wh // resolution_wh * resolution_wh
        before = one.wh
        code = one.take(wh + wrong if i == at else wh, 1000 * i, done_wh)
        if i == at and code >= register.GLITCH:
            assert one.wh == before
    assert one.wh is not None and abs(one.difference_wh()) <= abs(wrong) + 3 * 500 + 2 * resolution_wh
    assert before <= true_wh or code != register.MOVED


def _analyser():
    """Return the watts that the analyser logged, about one a second."""
    with gzip.open(REAL, "rt") as file:
        return [float(line.split(",")[3]) for line in file if line.startswith("Time,")]


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not here")
def test_the_real_minus_ones_of_an_analyser_are_refused_and_nothing_else():
    watts = _analyser()
    bad = sum(w == -1 for w in watts)
    assert bad >= 3 and len(watts) > 600
    site = Site()
    for w in watts:
        load = round(w * 20)  # 3 kW of a server on a rating of 5 kW: RATED units
        site.second(-1 if w == -1 else load, load, 0, 0)
        assert site.value(LOAD) >= 0
        if w != -1:
            assert site.value(LOAD) == load
    assert _refused(site, LOAD) == bad == site.truth.count(LOAD, CODES.index("MINUS_ONE"))
