"""The scheduler on a virtual clock: grid, stall, priority, gate, budget, errors, watchdog."""

from array import array

from micropython import const

from firmware.core import table
from firmware.core.errors import ConfigError
from firmware.core.sched import Scheduler
from firmware.core.task import STATS, Task

# As in core.table.
_START = const(5)
_LATENESS = const(6)
_HEADER = const(9)
_LATE_SUM = const(19)
_RUN_SUM = const(20)
_WIDTH = const(23)

MASK = 0x3FFFFFFF


class FakePlatform:
    """A fake: a clock that moves only when told to, from a start near the wrap of both ticks."""

    def __init__(self, start_us=0x3FFFFFFF - 5000):
        self.now_us = start_us
        self.feeds = 0
        self.collects = 0

    def us(self):
        return self.now_us & MASK

    def ms(self):
        return (self.now_us // 1000) & MASK

    def idle(self, us):
        assert us >= 0
        self.now_us += us

    def feed_watchdog(self):
        self.feeds += 1

    def collect(self):
        self.collects += 1


class Log:
    """Note when it was called; take cost_us; raise when told to."""

    def __init__(self, platform, cost_us=0):
        self.platform = platform
        self.cost_us = cost_us
        self.times = []
        self.fail = False

    def __call__(self):
        self.times.append(self.platform.now_us)
        self.platform.now_us += self.cost_us
        if self.fail:
            raise ValueError("made to fail")


def passes_until(scheduler, platform, end_us):
    while platform.now_us < end_us:
        scheduler.step()


def test_grid_does_not_drift_over_the_wrap():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    log = Log(platform, cost_us=1234)
    scheduler.add(Task("tick", log, 20))
    begin_us = platform.now_us
    scheduler.start()
    passes_until(scheduler, platform, begin_us + 2000000)
    assert len(log.times) == 100
    for index, at_us in enumerate(log.times):
        assert at_us == begin_us + 20000 * index
    assert scheduler.tasks[0].late_max_us == 0 and scheduler.tasks[0].missed == 0


def test_offset_and_common_origin():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    first, second = Log(platform), Log(platform)
    scheduler.add(Task("a", first, 10, offset_ms=3))
    scheduler.add(Task("b", second, 20, offset_ms=5))
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 40000)
    assert [at - begin_us for at in first.times] == [3000, 13000, 23000, 33000]
    assert [at - begin_us for at in second.times] == [5000, 25000]


def test_stall_is_counted_not_caught_up():
    for stall_us in (15000, 95000, 61000000, 500000000):
        platform = FakePlatform()
        scheduler = Scheduler(platform)
        log = Log(platform)
        task = Task("tick", log, 10)
        scheduler.add(task)
        begin_us = platform.now_us
        scheduler.step()
        platform.now_us = begin_us + 10000 + stall_us
        scheduler.step()
        scheduler.step()
        scheduler.step()
        assert task.runs == 3
        assert task.late_max_us == stall_us
        assert task.missed == stall_us // 10000
        assert log.times[2] == begin_us + (task.missed + 2) * 10000, "back on the grid, no burst"


def nothing():
    pass


def test_stall_beyond_the_tick_restarts_the_grid():
    for stall_s in (540, 800, 1100, 1500, 90000):
        platform = FakePlatform()
        scheduler = Scheduler(platform)
        tick = Task("tick", nothing, 20, priority=1)
        scheduler.add(tick)
        scheduler.add(Task("slow", nothing, 60000))
        passes_until(scheduler, platform, platform.now_us + 2000000)
        assert scheduler.restarts == 0
        platform.now_us += stall_s * 1000000
        before = tick.runs
        passes_until(scheduler, platform, platform.now_us + 1000000)
        assert scheduler.restarts == 1
        assert 49 <= tick.runs - before <= 52
        assert tick.missed >= (stall_s - 537) * 50


def test_most_important_first_and_equals_in_due_order():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    order = []
    scheduler.add(Task("low", lambda: order.append("low"), 10, priority=9))
    scheduler.add(Task("high", lambda: order.append("high"), 10, offset_ms=2, priority=1))
    scheduler.add(Task("mid", lambda: order.append("mid"), 10, offset_ms=1, priority=5))
    platform.now_us += 5000
    for _ in range(3):
        scheduler.step()
    assert order == ["high", "mid", "low"]
    assert [task.name for task in scheduler.tasks] == ["high", "mid", "low"]


class Gate:
    """A gate that opens at a given time."""

    def __init__(self, platform, open_us):
        self.platform = platform
        self.open_us = open_us

    def __call__(self):
        return self.platform.now_us >= self.open_us


class Pump:
    """A fake bus that wants to be polled every wait microseconds."""

    def __init__(self, wait):
        self.wait = wait
        self.polls = 0

    def poll(self):
        self.polls += 1

    def wait_us(self):
        return self.wait


def test_gate_releases_and_hold_ends_it():
    platform = FakePlatform()
    begin_us = platform.now_us
    scheduler = Scheduler(platform, Pump(500))
    log = Log(platform)
    gate = Gate(platform, begin_us + 4000)
    task = Task("tick", log, 20, gate=gate, hold_ms=9)
    scheduler.add(task)
    passes_until(scheduler, platform, begin_us + 20000)
    assert log.times == [begin_us + 4000]
    assert task.late_max_us == 0, "lateness counts from the release"
    gate.open_us = begin_us + 1000000
    passes_until(scheduler, platform, begin_us + 40000)
    assert log.times[1:] == [begin_us + 29000], "the hold ended it"
    assert task.late_max_us == 0 and task.missed == 0
    platform.now_us = begin_us + 53000
    scheduler.step()
    assert task.late_max_us == 4000, "13 ms after the grid time, 4 after the hold"


def test_a_run_that_keeps_pace_has_the_next_begin_a_whole_period_behind_it():
    platform = FakePlatform()
    begin_us = platform.now_us
    scheduler = Scheduler(platform, Pump(500))
    log = Log(platform)
    gate = Gate(platform, begin_us + 4000)

    def run():
        log()
        if len(log.times) < 3:
            task.keep_pace()

    task = Task("tick", run, 20, gate=gate, hold_ms=9)
    scheduler.add(task)
    passes_until(scheduler, platform, begin_us + 80000)
    assert [at - begin_us for at in log.times] == [4000, 24000, 44000, 60000]
    assert task.late_max_us == 0 and task.missed == 0


def test_no_pace_is_slower_than_the_hold():
    platform = FakePlatform()
    begin_us = platform.now_us
    scheduler = Scheduler(platform, Pump(500))
    log = Log(platform)
    task = Task("tick", lambda: log() or task.keep_pace(), 20, gate=lambda: False, hold_ms=9)
    scheduler.add(task)
    platform.now_us = begin_us + 12000
    passes_until(scheduler, platform, begin_us + 40000)
    assert [at - begin_us for at in log.times] == [12000, 29000]


def test_idle_ends_at_the_next_hold_without_a_pump():
    platform = FakePlatform()
    begin_us = platform.now_us
    scheduler = Scheduler(platform)
    log = Log(platform)
    scheduler.add(Task("tick", log, 20, gate=lambda: False, hold_ms=7))
    for _ in range(5):
        scheduler.step()
    assert log.times == [begin_us + 7000, begin_us + 27000]


def test_pump_is_polled_every_pass():
    platform = FakePlatform()
    pump = Pump(700)
    scheduler = Scheduler(platform, pump)
    scheduler.add(Task("tick", Log(platform), 10))
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 10000)
    assert pump.polls == 16, "one with the task, then 15 of 700 us"


def test_counts_and_stats():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    log = Log(platform, cost_us=3000)
    task = Task("tick", log, 10, budget_us=2500, late_us=100)
    scheduler.add(task)
    begin_us = platform.now_us
    scheduler.step()
    platform.now_us = begin_us + 10101
    scheduler.step()
    platform.now_us = begin_us + 20100
    log.cost_us = 1000
    scheduler.step()
    stats = array("i", [0] * STATS)
    task.take_stats(stats)
    assert list(stats) == [3, 1, 101, 0, 2, 3000, 0, 67, 2333]
    task.reset_worst()
    task.take_stats(stats)
    assert list(stats) == [0] * STATS


def test_sums_stay_inside_31_bits():
    cells = array("i", [0] * (_HEADER + _WIDTH))
    task = Task("tick", None, 20)
    task.move(cells, _HEADER)
    cells[_LATENESS] = 300000000
    cells[_START] = 0x3FFFFFFF
    for _ in range(50):
        table.finish(cells, 0, 399999999, 1)
        assert cells[_HEADER + _LATE_SUM] < 0x20000000
        assert cells[_HEADER + _RUN_SUM] < 0x20000000
    stats = array("i", [0] * STATS)
    task.take_stats(stats)
    assert stats[0] == 50 and stats[2] == 300000000 and stats[5] == 400000000
    assert 250000000 < stats[7] <= 300000000 and 350000000 < stats[8] <= 400000000


def test_bad_rows_are_refused():
    for bad in (
        {"period_ms": 0},
        {"period_ms": 268001},
        {"period_ms": 10, "offset_ms": 11},
        {"period_ms": 10, "budget_us": 10001},
        {"period_ms": 10, "hold_ms": 1},
        {"period_ms": 10, "gate": len, "hold_ms": 10},
    ):
        try:
            Task("bad", None, **bad)
        except ConfigError as error:
            assert "bad" in str(error)
        else:
            raise AssertionError(str(bad))
