"""A whole control tick - answers in, set-point frame out, energy added - allocates nothing, at every rating.

The allocation total is looked at besides the heap lock: a function's frame that is too large for the stack falls back
to it only when the heap is locked. What a 64-bit VM or CPython cannot show, the 32-bit board does.
"""

from firmware.core.types import BESS, GRID, LOAD, WIND
from tests.fakes_bus import Replay
from tests.fakes_station import one_period, station
from tests.locked_heap import moved

_RATINGS_W = (10_000, 2_000_000, 100_000_000, 1_000_000_000)


def _locked_periods(made, platform):
    """Run two periods under the heap lock and return by how much the allocation total moved."""
    def work():
        one_period(made, platform)
        one_period(made, platform)

    return moved(work)


def _rehearsed(rating_w, load_w, grid_w, wind_w, bess_w):
    """Return a station and its platform with the line replaced by a replay of two periods learnt before."""
    made, platform, recorder = station(rating_w, load_w, grid_w, wind_w, bess_w)
    for _ in range(20):  # until the bus has learnt how fast each device is
        one_period(made, platform)
        platform.line.sent.clear()  # or the 20 periods fill a small heap with old requests
    recorder.answers = []
    for _ in range(2):
        one_period(made, platform)
    replay = Replay(recorder.answers)
    bus = made.field.buses[0]
    bus.attach(replay)
    return made, platform, replay


def _check(rating_w, load_w, grid_w, wind_w, bess_w):
    """Prove it for one site at these powers; returns the set point in W."""
    made, platform, replay = _rehearsed(rating_w, load_w, grid_w, wind_w, bess_w)
    energy = made.cutter.energy
    before = list(energy.wh) + list(energy.rest)
    count = _locked_periods(made, platform)
    assert count == 0, "%d bytes at %d W" % (count, rating_w)
    assert replay.requests == len(replay.answers) >= 10
    power = made.measure.snapshot.power_pu
    rough_w = max(made.unit_w, rating_w // 5_000)  # a PCS of 16 bits shows no more
    for role, watts in ((LOAD, load_w), (GRID, grid_w), (WIND, wind_w), (BESS, bess_w)):
        assert abs(power[role] * made.unit_w - watts) <= rough_w, role
    assert replay.command[0] == 10 and replay.command[1] == 16  # the set point went out
    assert list(energy.wh) + list(energy.rest) != before
    return made.setpoint.bess_pu * made.unit_w


def test_a_whole_tick_allocates_nothing_at_the_upper_end():
    for rating_w in _RATINGS_W:
        top_w = rating_w * 3 // 2
        assert _check(rating_w, top_w, top_w - rating_w, 0, rating_w) >= rating_w * 99 // 100


def test_a_whole_tick_allocates_nothing_at_the_lower_end():
    for rating_w in _RATINGS_W:
        top_w = rating_w * 3 // 2
        assert _check(rating_w, 0, -top_w, top_w, -top_w) <= -rating_w * 99 // 100


def test_a_whole_tick_allocates_nothing_across_a_quarter_hour():
    made, platform, _ = _rehearsed(2_000_000, 1_000_000, 1_000_000, 0, 0)
    made.utc.set(1_994_000, 899_950, 2, 0)
    waiting = made.cutter.waiting
    assert _locked_periods(made, platform) == 0
    assert made.cutter.waiting == waiting + 1
