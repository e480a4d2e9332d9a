"""What cannot be cut - a write to flash, a collection - in its place behind the critical task, on a virtual clock."""

from firmware.core.background import FLASH_US
from firmware.core.sched import Scheduler
from firmware.core.task import Task
from tests.device.test_sched_background import FakePlatform, nothing, passes_until


def test_flash_slice_waits_for_its_place_behind_the_critical_task():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    tick = Task("tick", lambda: platform.spend(2000), 20, critical=True)
    lesser = Task("lesser", nothing, 20, offset_ms=10)
    scheduler.add(tick)
    scheduler.add(lesser)
    begun = []

    def write():
        for _ in range(5):
            yield FLASH_US
            begun.append(platform.now_us)
            platform.spend(11500)
            yield
            platform.spend(500)

    begin_us = platform.now_us
    work = scheduler.spawn("work", write(), 1000)
    passes_until(scheduler, platform, begin_us + 300000)
    assert len(begun) == 5 and work.over_budget == work.forced == 0 and work.slice_max_us == 11500
    assert tick.late_max_us == 0, "no critical task waits for it"
    assert 0 < lesser.late_max_us <= 11500, "a lesser one may"
    for at_us in begun:
        assert 2000 <= (at_us - begin_us) % 20000 <= 8000


def test_flash_slice_that_fits_nowhere_is_forced_at_the_longest_place():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    tick = Task("tick", nothing, 10, critical=True)
    scheduler.add(tick)
    begun = []

    def write():
        for _ in range(2):
            yield FLASH_US
            begun.append(platform.now_us)
            platform.spend(11500)

    begin_us = platform.now_us
    work = scheduler.spawn("work", write(), 1000)
    passes_until(scheduler, platform, begin_us + 4000000)
    assert work.forced == len(begun) == 2 and begun[0] - begin_us >= 1000000
    assert [(at_us - begin_us) % 10000 for at_us in begun] == [0, 0] and tick.late_max_us == 1500


def test_collection_takes_its_place_by_what_it_took():
    platform = FakePlatform()
    scheduler = Scheduler(platform, collect_every=1000, collect_budget_us=3000)
    tick = Task("tick", lambda: platform.spend(1000), 20, critical=True)
    scheduler.add(tick)
    scheduler.add(Task("lesser", lambda: scheduler.pool.ask(), 20, offset_ms=12))
    platform.collect_us = 9000
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 50000)
    late_us = tick.late_max_us  # the first one was longer than anybody knew
    tick.reset_worst()
    passes_until(scheduler, platform, begin_us + 500000)
    assert late_us == 1000 and tick.late_max_us == 0
    assert scheduler.pool.collect_max_us == 9000 and scheduler.pool.collects >= 20
    assert scheduler.pool.collects_forced == 0


def test_an_overdue_collection_waits_for_a_place_where_it_fits():
    platform = FakePlatform()
    scheduler = Scheduler(platform, collect_every=1000, collect_budget_us=9000)
    tick = Task("tick", lambda: platform.spend(1000), 20, critical=True)

    def ask():
        scheduler.pool.ask()
        scheduler.pool.ask()

    scheduler.add(tick)
    scheduler.add(Task("lesser", ask, 20, offset_ms=12))
    platform.collect_us = 9000
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 50000)  # until then nobody knows of the longest place
    tick.reset_worst()
    forced, known = scheduler.pool.collects_forced, len(platform.collects)
    passes_until(scheduler, platform, begin_us + 500000)
    assert tick.late_max_us == 0 and scheduler.pool.collects >= 20 and scheduler.pool.collects_forced == forced
    assert {(at_us - begin_us) % 20000 for at_us in platform.collects[known:]} == {1000}, "right behind the tick"


def test_no_slice_runs_while_a_critical_task_waits_for_its_gate():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    opens_us = 3000  # after each grid time
    begin_us = platform.now_us
    begun = []
    tick = Task("tick", lambda: begun.append((platform.now_us - begin_us) % 20000), 20, critical=True,
                gate=lambda: (platform.now_us - begin_us) % 20000 >= opens_us, hold_ms=15)
    scheduler.add(tick)
    scheduler.add(Task("poll", nothing, 1, budget_us=200))  # so that the gate is looked at in time
    slices = []

    def work():
        for _ in range(60):
            slices.append((platform.now_us - begin_us) % 20000)
            platform.spend(900)
            yield

    job = scheduler.spawn("work", work(), 900)
    passes_until(scheduler, platform, begin_us + 190000)
    assert len(slices) == 60 and job.forced == 0 and min(slices) >= opens_us
    assert begun and set(begun) == {opens_us}, "it begins when its gate opens, whatever waits behind it"


def test_a_slice_that_took_longer_than_it_said_gets_more_room_the_next_time():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    tick = Task("tick", nothing, 20, critical=True)
    scheduler.add(tick)
    scheduler.add(Task("lesser", lambda: platform.spend(2000), 20, offset_ms=1))
    late_us = []

    def write():
        for _ in range(6):
            yield FLASH_US
            platform.spend(17500)
            late_us.append(tick.late_max_us)
            tick.reset_worst()
            yield 40000

    scheduler.spawn("work", write(), 1000)
    passes_until(scheduler, platform, platform.now_us + 600000)
    assert len(late_us) == 6 and max(late_us[2:]) == 0
