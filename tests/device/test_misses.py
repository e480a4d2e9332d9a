"""drivers.misses: when failures in a row say that a device is lost."""

from firmware.core import ticks
from firmware.drivers.misses import Misses


def _after(most, begin_ms, *gaps_ms):
    """Return what is said behind each of some failures in a row, so far apart."""
    misses, at_ms, said = Misses(most), begin_ms, []
    for gap_ms in (0,) + gaps_ms:
        at_ms = ticks.add(at_ms, gap_ms)
        misses.add(at_ms)
        said.append(misses.enough())
    return said


def test_the_number_and_the_time_must_both_be_there():
    assert _after(5, 0, *[20] * 25) == [False] * 25 + [True]  # 500 ms
    assert _after(5, 0, *[200] * 4) == [False] * 4 + [True]
    assert _after(5, 0, 5000, 5000) == [False] * 3
    assert _after(1, 0, 499, 1) == [False, False, True]


def test_the_time_goes_on_where_the_ticks_begin_anew():
    assert _after(2, ticks.add(0, -100), 300, 300) == [False, False, True]


def test_one_answer_and_all_are_forgotten():
    misses = Misses(2)
    for at_ms in (0, 1000):
        misses.add(at_ms)
    assert misses.enough()
    misses.count = 0
    assert not misses.enough()
    for at_ms, enough in ((1100, False), (1500, False), (1600, True)):
        misses.add(at_ms)
        assert misses.enough() == enough, at_ms
