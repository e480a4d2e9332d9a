"""core.ticks: arithmetic over the wrap, by plain modular arithmetic on unlimited integers."""

from firmware.core import ticks

_SPAN = 1 << 30


def test_difference_and_sum_agree_over_the_whole_circle():
    deltas = (0, 1, -1, 999, -999, (1 << 29) - 1, -(1 << 29))
    for tick in (0, 1, 12345, (1 << 29) - 1, 1 << 29, _SPAN - 2, _SPAN - 1):
        for delta in deltas:
            later = ticks.add(tick, delta)
            assert later == (tick + delta) % _SPAN
            assert ticks.diff(later, tick) == delta


def test_difference_is_signed_and_wraps_at_half_the_circle():
    assert ticks.diff(5, _SPAN - 5) == 10
    assert ticks.diff(_SPAN - 5, 5) == -10
    assert ticks.diff(1 << 29, 0) == -(1 << 29)
    assert ticks.MASK == _SPAN - 1
