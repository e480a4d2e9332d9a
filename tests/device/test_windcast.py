"""control.windcast on worked cases: what it knows, what it refuses to learn, what it costs; the same on every VM."""

import gc

from firmware.control.windcast import Windcast
from tests.locked_heap import allocated, moved

_RATING_PU = 164_000
_MINUTE_MS = 60_000
_SMALL_WORDS = 1 << 31  # what a 32-bit address lies below


class Wind:
    """A farm: power walks about between 0 and its rating, the same way on every machine."""

    def __init__(self, seed=1):
        self.state = seed
        self.power_pu = _RATING_PU // 3

    def step(self, most_pu=6_000):
        """Return the next power."""
        self.state = (self.state * 75 + 74) % 65537
        self.power_pu += self.state % (2 * most_pu + 1) - most_pu
        self.power_pu = min(max(self.power_pu, 0), _RATING_PU)
        return self.power_pu


def fed(windows, wind=None, step_ms=_MINUTE_MS):
    """Return a nowcast that has seen so many windows of 10 minutes, each of one power."""
    wind = wind or Wind()
    cast = Windcast(_RATING_PU)
    for _ in range(windows):
        feed(cast, wind.step(), step_ms)
    return cast


def feed(cast, power_pu, step_ms=_MINUTE_MS, minutes=10, curtailed=False):
    for _ in range(minutes * _MINUTE_MS // step_ms):
        cast.add(power_pu, step_ms, curtailed)


def told(cast):
    return [[ask(minutes) for minutes in (10, 20, 30, 60)] for ask in (cast.forecast_pu, cast.low_pu, cast.high_pu)]


def test_until_enough_is_known_it_is_persistence_with_the_widest_band():
    cast = Windcast(_RATING_PU)
    assert not cast.known and cast.forecast_pu(10) == 0
    cast.add(50_000, 1000, False)
    assert abs(cast.forecast_pu(30) - 50_000) <= 21 and (cast.low_pu(30), cast.high_pu(30)) == (0, _RATING_PU)
    feed(cast, 50_000, minutes=70)
    assert not cast.known and (cast.low_pu(60), cast.high_pu(60)) == (0, _RATING_PU)
    feed(cast, 50_000, minutes=60)
    assert cast.known and 0 < cast.low_pu(60) < cast.forecast_pu(60) < cast.high_pu(60) < _RATING_PU


def test_the_figures_are_the_same_on_every_machine():
    assert told(fed(300)) == [[12372, 13373, 14014, 15175], [7567, 6126, 5686, 4364], [16977, 20380, 22342, 26306]]


def test_the_band_widens_with_the_lead_and_minutes_lie_between():
    cast = fed(300)
    widths = [cast.high_pu(minutes) - cast.low_pu(minutes) for minutes in range(10, 61)]
    assert widths[0] < widths[10] < widths[20] < widths[-1]
    ends = sorted((cast.forecast_pu(30), cast.forecast_pu(60)))
    assert ends[0] <= cast.forecast_pu(45) <= ends[1]
    assert cast.low_pu(1) == cast.low_pu(10) and cast.high_pu(500) == cast.high_pu(60)


def test_a_farm_that_swings_back_is_learnt():
    cast = Windcast(_RATING_PU)
    for window in range(600):
        feed(cast, 60_000 if window % 2 else 90_000)
        if window == 21:
            early = cast.high_pu(10) - cast.low_pu(10)
    # Last seen: 60,000. Persistence is 30,000 off, one window and three ahead.
    assert 80_000 < cast.forecast_pu(10) <= 95_000 and 80_000 < cast.forecast_pu(30) <= 95_000
    assert abs(cast.forecast_pu(20) - 60_000) < 10_000
    assert cast.high_pu(10) - cast.low_pu(10) < early // 2


def test_the_step_of_the_samples_does_not_matter():
    expected = told(fed(30))
    for step_ms in (1000, 6000, 15_000, 600_000):
        assert told(fed(30, None, step_ms)) == expected, step_ms
    # Steps that do not divide a minute: the sample that straddles it counts on both sides.
    odd = told(fed(30, None, 7500))
    assert odd == expected


def test_duplicates_count_for_nothing():
    cast, other = fed(30), fed(30)
    for dt_ms in (0, 0, -5, -(1 << 29)):
        cast.add(_RATING_PU, dt_ms, False)
    assert told(cast) == told(other)


def test_a_missing_sample_is_covered_by_the_next():
    cast = fed(30)
    other = fed(30)
    for _ in range(5):
        cast.add(80_000, 2 * _MINUTE_MS, False)
        other.add(80_000, _MINUTE_MS, False)
        other.add(80_000, _MINUTE_MS, False)
    assert told(cast) == told(other)


def test_after_a_gap_it_waits_for_ten_minutes_and_keeps_what_it_learnt():
    for gap_ms in (600_001, 3_600_000, (1 << 29) - 1):
        cast = fed(100)
        band = cast.high_pu(60) - cast.low_pu(60)
        cast.add(40_000, gap_ms, False)
        assert not cast.known and (cast.low_pu(10), cast.high_pu(10)) == (0, _RATING_PU)
        assert abs(cast.forecast_pu(10) - 40_000) <= 21
        feed(cast, 40_000, minutes=10)
        assert cast.known and cast.high_pu(60) - cast.low_pu(60) < 2 * band


def test_what_is_curtailed_is_a_least_and_nothing_is_learnt_from_it():
    cast = fed(100)
    learnt = [list(cells) for cells in (cast.model.sums, cast.model.rights, cast.model.bands)]
    slow = cast.cells[1]
    feed(cast, 30_000, minutes=300, curtailed=True)
    assert [list(cells) for cells in (cast.model.sums, cast.model.rights, cast.model.bands)] == learnt
    assert cast.cells[1] == slow and cast.known
    # More than 30,000 there may always have been; less than its band there was one time in ten at most.
    assert cast.high_pu(10) == cast.high_pu(60) == _RATING_PU
    assert 0 < cast.low_pu(60) < cast.low_pu(10) < 30_000
    free = fed(100)
    feed(free, 30_000, minutes=300)
    assert cast.low_pu(10) <= 30_000 and abs(cast.low_pu(10) - free.low_pu(10)) < 12_000


def test_one_curtailed_sample_spoils_its_minute_only():
    cast = fed(30)
    cast.add(50_000, 30_000, False)
    cast.add(10_000, 1000, True)
    cast.add(50_000, 29_000, False)
    assert list(cast._minutes).count(-1 - 50_000 * 4096 // _RATING_PU) <= 1
    assert sum(1 for minute in cast._minutes if minute < 0) == 1
    assert cast.known and cast.high_pu(10) < _RATING_PU


def test_power_outside_the_rating_is_cut():
    cast = fed(30)
    feed(cast, 1 << 29, minutes=120)
    assert _RATING_PU * 7 // 8 < cast.forecast_pu(10) <= _RATING_PU == cast.high_pu(10)
    feed(cast, -(1 << 29), minutes=120)
    assert cast.low_pu(10) == 0 and cast.forecast_pu(10) < _RATING_PU // 8


def test_nothing_is_allocated_and_no_number_leaves_a_small_integer():
    cast = fed(20)
    wind = Wind(7)
    # The worst farm: between nothing and everything, long enough for the sums to be halved.
    for window in range(280):
        feed(cast, _RATING_PU if window % 3 else 0, 600_000)

    def work():
        for window in range(8):
            power_pu = wind.step(80_000)
            for _ in range(40):
                cast.add(power_pu, 15_000, window == 3)
            cast.forecast_pu(10)
            cast.low_pu(35)
            cast.high_pu(60)
        cast.add(power_pu, 1 << 28, False)

    assert moved(work) == 0


def test_it_takes_less_than_a_kilobyte_and_a_half():
    gc.collect()
    before = allocated()
    cast = Windcast(_RATING_PU)
    gc.collect()
    taken = allocated() - before
    assert not cast.known
    assert taken < 1536 if id(cast) < _SMALL_WORDS else taken < 2048, taken
