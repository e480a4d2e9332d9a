"""How often the control tick comes."""

from firmware.core.pace import tick_ms


def test_a_tick_comes_each_period_and_four_times_in_a_long_one():
    for period_ms in (20, 100, 1000, 10_000, 39_999):
        assert tick_ms(period_ms) == period_ms
    assert [tick_ms(period_ms) for period_ms in (40_000, 60_000)] == [10_000, 15_000]
