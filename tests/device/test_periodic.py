"""The repetitive term on worked loads: the same on every VM, nothing where there is no period, no allocation."""

from array import array

from firmware.control.periodic import Periodic, repeat
from tests.locked_heap import moved

LOW, HIGH = 60_000, 95_000
T_MS, DELAY_MS, LAG_MS = 50, 75, 50


def rectangle(tick, ticks):
    """Return a load that is up for 3/4 of a period of `ticks`, with a sample on each edge."""
    at = tick % ticks
    if at == 0 or at == ticks * 3 // 4:
        return (LOW + HIGH) // 2
    return HIGH if at < ticks * 3 // 4 else LOW


class Loop:
    """The term beside the plain feed-forward without lead, its target 0."""

    def __init__(self, period_ms=T_MS, delay_ms=DELAY_MS):
        self.term = Periodic(period_ms, delay_ms, LAG_MS)
        self.tracker = array("i", [0] * 21)
        self.sum = 0

    def step(self, net_pu):
        """Return the correction of this tick."""
        cells = self.tracker
        cells[16] = cells[18] = cells[19] = net_pu  # net load, its distance from the target, feed-forward
        repeat(self.term.cells, self.term.ring, cells)
        self.term.learn()
        self.sum = (self.sum * 31 + cells[20]) & 0xFFFFFF
        return cells[20]


def test_an_edge_is_commanded_before_it_comes():
    loop = Loop()
    got = [loop.step(rectangle(tick, 40)) for tick in range(700)]
    assert loop.term.gate == 256
    assert abs(loop.term.cells[13] - 40 * 256) < 40
    # 75 ms of delay, half a period of hold, and the lag: two samples before the first that shows the edge it is there.
    rise, fall = 680 - 2, 680 - 10 - 2
    assert 30_000 < got[rise] < 40_000 and -40_000 < got[fall] < -30_000
    assert abs(got[rise - 6]) < 1_500 and abs(got[fall - 6]) < 1_500


def test_it_is_the_same_on_every_machine():
    loop = Loop()
    for tick in range(400):
        loop.step(rectangle(tick, 26) + tick * 7919 % 1000)
    # Worked out by CPython, whose integers do not overflow.
    assert (loop.term.gate, loop.term.cells[3], loop.sum) == (256, 6589, 196208)


def test_a_load_without_a_period_is_left_alone():
    loop = Loop()
    seed, level = 1, LOW
    for _ in range(700):
        seed = (seed * 25173 + 13849) & 0xFFFF
        if seed < 6000:
            level = LOW + (seed * 6)
        assert loop.step(level) == 0


def test_it_lets_go_when_the_load_stops_swinging():
    loop = Loop()
    for tick in range(500):
        loop.step(rectangle(tick, 20))
    assert loop.term.gate == 256
    last = [loop.step(LOW) for _ in range(400)]
    assert [x for x in last[25:] if abs(x) > 500] == []


def test_a_period_shorter_than_the_way_ahead_is_none():
    loop = Loop(delay_ms=600)
    for tick in range(500):
        loop.step(rectangle(tick, 12))
        assert loop.term.cells[3] == 0 or loop.term.cells[3] > 13 * 256


def test_what_is_too_late_to_be_judged_is_not_used():
    loop = Loop(20, 400)
    for tick in range(600):
        assert loop.step(HIGH if tick % 80 < 60 else LOW) == 0


def test_a_tick_allocates_nothing():
    loop = Loop()
    for tick in range(300):
        loop.step(rectangle(tick, 20))

    def work():
        tick = 300
        while tick < 400:
            loop.step(HIGH if tick % 20 < 15 else LOW)
            tick += 1

    assert moved(work) == 0 and loop.term.gate == 256


def test_a_longer_way_makes_it_look_further_ahead_and_one_too_long_lets_go():
    loop = Loop()
    for tick in range(500):
        loop.step(rectangle(tick, 20))
    assert loop.term.gate == 256
    loop.term.tune(DELAY_MS + T_MS, LAG_MS)
    got = [loop.step(rectangle(tick, 20)) for tick in range(500, 560)]
    assert loop.term.gate == 256
    assert 30_000 < got[40 - 3] < 40_000  # one sample earlier than before
    loop.term.tune(1_200, LAG_MS)
    assert loop.term.gate == 0 and [loop.step(rectangle(tick, 20)) for tick in range(560, 700)] == [0] * 140


def test_learning_twice_in_a_tick_is_learning_once():
    loop, twice = Loop(), Loop()
    for tick in range(300):
        loop.step(rectangle(tick, 20))
        twice.step(rectangle(tick, 20))
        twice.term.learn()
    assert loop.sum == twice.sum and loop.term.gate == 256
