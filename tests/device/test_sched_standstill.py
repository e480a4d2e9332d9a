"""Background work after the machine has stood still once: what that taught does not last; on a virtual clock."""

from firmware.core.background import FLASH_US
from firmware.core.sched import Scheduler
from firmware.core.task import Task
from tests.device.test_sched_background import FakePlatform, job, passes_until


class Machine(FakePlatform):
    """One that keeps no list of its collections: there are too many for a small board."""

    def collect(self):
        self.now_us += self.collect_us


def machine():
    """A machine whose tick takes longer later on: the longest place that it has ever had never comes again."""
    platform = Machine()
    scheduler = Scheduler(platform, collect_every=1000, collect_budget_us=3000)
    begin_us = platform.now_us
    tick = Task("tick", lambda: platform.spend(500 if platform.now_us < begin_us + 100000 else 3000), 20, critical=True)
    scheduler.add(tick)
    scheduler.spawn("first", job(platform, [], "first", 100, 200, 1000), 1000)
    passes_until(scheduler, platform, begin_us + 200000)
    return platform, scheduler, tick


def slices_after_a_standstill(before, slice_us=900):
    """One slice takes too long, as where the machine stood still; return how many there are in four later seconds."""
    platform, scheduler, tick = machine()
    count = [0]

    def work():
        yield before
        platform.spend(30000)
        while True:
            yield before
            count[0] += 1
            platform.spend(slice_us)

    scheduler.spawn("work", work(), 1000)
    passes_until(scheduler, platform, platform.now_us + 3000000)
    count[0] = 0
    tick.reset_worst()
    passes_until(scheduler, platform, platform.now_us + 4000000)
    assert tick.late_max_us == 0
    return count[0]


def test_one_long_standstill_slows_no_job_down_for_ever():
    assert slices_after_a_standstill(None) > 1500


def test_one_long_standstill_slows_no_flash_down_for_ever():
    assert slices_after_a_standstill(FLASH_US, slice_us=11000) >= 190, "one a period"


def test_one_long_standstill_in_a_collection_is_forgotten():
    platform, scheduler, tick = machine()
    pool = scheduler.pool

    def ask():
        pool.ask()
        pool.ask()

    platform.collect_us = 30000
    ask()
    passes_until(scheduler, platform, platform.now_us + 2000000)
    assert pool.collect_max_us == 30000
    platform.collect_us = 2500
    scheduler.add(Task("lesser", ask, 20, offset_ms=12))
    passes_until(scheduler, platform, platform.now_us + 3000000)
    forced, known = pool.collects_forced, pool.collects
    tick.reset_worst()
    passes_until(scheduler, platform, platform.now_us + 3000000)
    assert pool.collects_forced == forced and pool.collects - known >= 145 and tick.late_max_us == 0
