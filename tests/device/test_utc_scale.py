"""Clocks and the site power unit."""

from firmware.core.scale import choose_unit_w, to_pu
from firmware.core.types import CLOCK_HOLDING, CLOCK_SYNCHRONISED, CLOCK_UNKNOWN
from firmware.core.utc import Utc


def test_unit_leaves_room_for_150_percent_at_every_rating():
    rating_w = 10_000
    while rating_w <= 1_000_000_000:
        unit_w = choose_unit_w(rating_w)
        assert rating_w * 3 // 2 // unit_w <= 1 << 19, rating_w
        assert 3_600_000 % unit_w == 0, unit_w
        assert unit_w == 1 or rating_w // unit_w > 100_000, rating_w
        rating_w = rating_w * 11 // 10 + 1


def test_to_pu_rounds_to_nearest_and_away_from_zero():
    assert [to_pu(w, 200) for w in (0, 99, 100, 299, 300, -99, -100, -300)] == [0, 0, 1, 1, 2, 0, -1, -2]


def test_utc_rolls_over_quarters_and_keeps_uptime():
    utc = Utc()
    utc.set(1_994_000, 899_990, CLOCK_SYNCHRONISED, -3)
    assert utc.left_ms() == 10
    utc.advance(10)
    assert (utc.quarter, utc.ms) == (1_994_001, 0)
    utc.advance(1_000_000)
    assert (utc.quarter, utc.ms) == (1_994_002, 100_000)
    assert (utc.up_s, utc.up_ms) == (1000, 10)
    assert utc.age_s() == 1000


def test_unknown_clock_has_no_age():
    utc = Utc()
    utc.advance(5000)
    assert utc.trust_now() == CLOCK_UNKNOWN and utc.age_s() is None


def test_synchronised_becomes_holding_after_a_day():
    utc = Utc()
    utc.set(1_994_000, 0, CLOCK_SYNCHRONISED, 0)
    for _ in range(86_400):
        utc.advance(1000)
    assert utc.trust_now() == CLOCK_SYNCHRONISED
    utc.advance(1000)
    assert utc.trust_now() == CLOCK_HOLDING
