"""Setting a board's clock by a challenge of its own: believed whatever its clock says, once, and only while it is new.

The real orders, kinds and verification, as in test_orders.py; clock and flash are FAKES.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.types import CLOCK_SET, CLOCK_SYNCHRONISED
from tests import test_orders
from tests.test_orders import Bench

_TRUE_S = test_orders._NOW_S + 400 * 86_400  # the board's clock is behind by more than a year


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def _shown(bench):
    """Return the challenge that the next status carries."""
    steps = bench.challenge.show()
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return bytes.fromhex(end.value.decode())


def _time(bench, challenge, second=_TRUE_S, **changes):
    words = {1: second, 2: 250} | ({} if challenge is None else {3: challenge})
    return bench.operator.sign(10, words, k6=second - 300, k7=second + 300, **changes)


def _set_to_ms(row):
    return row[0] * 900_000 + row[1]


def test_a_board_whose_clock_is_wrong_disbelieves_a_time_without_a_challenge(bench):
    bench.take(_time(bench, None))
    assert bench.refused == {"TIME": 1} and not bench.done


def test_a_board_that_knows_no_time_takes_only_a_challenge(bench, monkeypatch):
    monkeypatch.setattr(test_orders._Utc, "trust", 0)
    bench.take(_time(bench, None))
    assert bench.refused == {"CLOCK": 1} and not bench.done
    bench.take(_time(bench, _shown(bench)))
    assert bench.done[0][2:] == (CLOCK_SYNCHRONISED, 0)


def test_a_time_that_names_the_last_challenge_is_taken_and_counts_as_synchronised(bench):
    challenge = _shown(bench)
    bench.now_ms += 600
    bench.take(_time(bench, challenge))
    quarter, ms, trust, off_ms = bench.done[0]
    assert _set_to_ms((quarter, ms)) == _TRUE_S * 1000 + 250 + 300 and trust == CLOCK_SYNCHRONISED
    assert off_ms == 0x3FFFFFFF and "at most 600 ms old" in bench.answers[0][5]  # as much as a record can say


def test_a_challenge_seen_a_minute_ago_only_sets_the_clock(bench):
    challenge = _shown(bench)
    bench.now_ms += 60_000
    bench.take(_time(bench, challenge))
    assert _set_to_ms(bench.done[0]) == _TRUE_S * 1000 + 250 and bench.done[0][2] == CLOCK_SET


def test_replayed_word_for_word_it_changes_nothing(bench):
    data = _time(bench, _shown(bench))
    bench.take(data)
    bench.take(data)
    assert len(bench.done) == 1 and bench.refused == {"REPLAY": 1}


def test_a_challenge_counts_once_even_in_a_new_message(bench):
    challenge = _shown(bench)
    bench.take(_time(bench, challenge))
    bench.take(_time(bench, challenge, _TRUE_S + 5))
    assert len(bench.done) == 1 and bench.refused == {"CHALLENGE": 1}


def test_once_one_is_used_the_one_before_is_void_too(bench):
    before, last = _shown(bench), _shown(bench)
    bench.take(_time(bench, last))
    bench.take(_time(bench, before))
    assert len(bench.done) == 1 and bench.refused == {"CHALLENGE": 1} and bench.challenge.spent


def test_the_one_before_the_last_is_taken_and_no_older_one(bench):
    oldest, before, _ = _shown(bench), _shown(bench), _shown(bench)
    bench.take(_time(bench, oldest))
    assert not bench.done and bench.refused == {"CHALLENGE": 1}
    bench.take(_time(bench, before))
    assert len(bench.done) == 1


def test_a_challenge_is_forgotten_after_ten_minutes(bench):
    challenge = _shown(bench)
    bench.now_ms += 600_001
    bench.take(_time(bench, challenge))
    assert not bench.done and bench.refused == {"CHALLENGE": 1}


@pytest.mark.parametrize("wrong", [b"", bytes(8), b"\xff" * 8, 7, "text", None, [1], {1: 2}])
def test_what_the_board_has_not_shown_is_refused(bench, wrong):
    _shown(bench)
    bench.take(bench.operator.sign(10, {1: _TRUE_S, 2: 0, 3: wrong}))
    assert not bench.done and bench.refused == {"CHALLENGE": 1}


def test_a_forger_cannot_use_up_a_challenge(bench):
    challenge = _shown(bench)
    forged = test_orders.Operator(2)
    bench.take(forged.sign(10, {1: 1_600_000_000, 2: 0, 3: challenge}, named=bench.operator.kid))
    assert not bench.done and bench.refused == {"SIGNATURE": 1}
    bench.take(_time(bench, challenge))
    assert len(bench.done) == 1


def test_no_two_statuses_show_the_same(bench):
    assert len({_shown(bench) for _ in range(200)}) == 200


@settings(max_examples=25, deadline=None)
@given(age_ms=st.integers(0, 600_000), way=st.floats(0, 1))
def test_property_the_true_time_is_within_the_age_of_the_challenge(tmp_path_factory, age_ms, way):
    """Signed at any moment between the status and the arrival: what is set is off by no more than the age."""
    bench = Bench(tmp_path_factory.mktemp("board"))
    challenge = _shown(bench)
    signed_ms = int(age_ms * way)
    bench.now_ms += age_ms
    bench.take(_time(bench, challenge))
    true_ms = _TRUE_S * 1000 + 250 + age_ms - signed_ms
    off_ms = abs(_set_to_ms(bench.done[0]) - true_ms)
    assert off_ms <= (500 if bench.done[0][2] == CLOCK_SYNCHRONISED else age_ms)
