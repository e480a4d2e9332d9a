"""Fuel and work of each interval: what a counter gained in it, and nothing where that is not known."""

from firmware.ledger.supplies import Supplies

QUARTER_MS = 900_000


class StubCutter:
    """The counts of a Cutter."""

    kept = lost = 0


def made(rated_w=20_000):
    """Return a cutter and its Supplies."""
    cutter = StubCutter()
    return cutter, Supplies(cutter, rated_w)


def cut(cutter, supplies):
    """Let the tick cut an interval, and the second pass."""
    cutter.kept += 1
    supplies.sync()


def test_gains_add_up_over_intervals_to_the_counter():
    cutter, supplies = made()
    total, last = 0, 5_000
    supplies.work.hear(last)
    for count in (5_000, 5_300, 5_301, 9_999, 10_000, 10_000):
        supplies.work.hear(count)
        cut(cutter, supplies)
        total += supplies.take(0, QUARTER_MS)[1]
    assert total == 5_000


def test_intervals_wait_in_their_order():
    cutter, supplies = made()
    for count in (0, 10, 40):
        supplies.work.hear(count)
        cut(cutter, supplies)
    assert [supplies.take(0, QUARTER_MS)[1] for _ in range(3)] == [0, 10, 30]
    supplies.work.hear(41)
    cutter.kept += 1  # a record is made before the second has passed
    assert supplies.take(0, QUARTER_MS) == (None, 1)


def test_a_silent_interval_states_nothing_nor_does_the_one_that_it_ends_in():
    cutter, supplies = made()
    supplies.work.hear(100)
    cut(cutter, supplies)
    cut(cutter, supplies)  # silent
    supplies.work.hear(900)
    supplies.work.hear(950)
    cut(cutter, supplies)
    supplies.work.hear(960)
    cut(cutter, supplies)
    assert [supplies.take(0, QUARTER_MS)[1] for _ in range(4)] == [0, None, None, 10]


def test_a_counter_that_goes_back_states_nothing_for_that_interval():
    cutter, supplies = made()
    for counts in ((50, 60), (3, 9), (10,)):
        for count in counts:
            supplies.work.hear(count)
        cut(cutter, supplies)
    assert [supplies.take(0, QUARTER_MS)[1] for _ in range(3)] == [10, None, 1]


def test_an_interval_without_room_takes_its_gain_along():
    cutter, supplies = made()
    supplies.work.hear(0)
    supplies.work.hear(70)
    cutter.lost += 1
    supplies.sync()
    supplies.work.hear(75)
    cut(cutter, supplies)
    assert supplies.take(0, QUARTER_MS)[1] == 5


def test_fuel_is_believed_within_what_an_engine_can_do():
    for fuel_ml, energy_wh, believed in ((0, 0, True), (1_400, 5_000, True), (0, 1_000, True), (0, 1_001, False),
                                         (1_000, 6_000, True), (1_000, 6_001, False), (6_000, 5_000, True),
                                         (6_001, 5_000, False)):
        cutter, supplies = made()
        supplies.fuel.hear(77)
        supplies.fuel.hear(77 + fuel_ml)
        cut(cutter, supplies)
        assert supplies.take(energy_wh, QUARTER_MS)[0] == (fuel_ml if believed else None), (fuel_ml, energy_wh)
