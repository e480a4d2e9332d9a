"""The scheduler's background work, errors, watchdog and collection, on a virtual clock."""

from firmware.core.background import COLLECTED
from firmware.core.sched import Scheduler
from firmware.core.task import Task

MASK = 0x3FFFFFFF


class FakePlatform:
    """A fake: a clock that moves only when told to."""

    def __init__(self):
        self.now_us = 0x3FFFFFFF - 3000
        self.feeds = 0
        self.collects = []
        self.collect_us = 3000

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
        self.collects.append(self.now_us)
        self.now_us += self.collect_us

    def spend(self, us):
        self.now_us += us


def nothing():
    pass


def broken():
    raise ValueError("made to fail")


def job(platform, log, name, slices, cost_us, rest_us=0):
    for _ in range(slices):
        log.append((name, platform.now_us))
        platform.now_us += cost_us
        yield rest_us


def passes_until(scheduler, platform, end_us):
    while platform.now_us < end_us:
        scheduler.step()


def test_round_robin_in_the_slack():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    task = Task("tick", nothing, 10)
    scheduler.add(task)
    log = []
    a = scheduler.spawn("a", job(platform, log, "a", 3, 900), 1000)
    scheduler.spawn("b", job(platform, log, "b", 2, 900), 1000)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 30000)
    assert [name for name, _ in log] == ["a", "b", "a", "b", "a"]
    assert scheduler.jobs() == [] and a.slices == 4 and a.slice_max_us == 900
    assert task.late_max_us == 0


def test_a_job_that_waits_without_resting_lets_time_pass():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    scheduler.add(Task("tick", nothing, 100))
    end_us = platform.now_us + 20000

    def waiting():
        while platform.now_us < end_us:
            yield

    scheduler.spawn("waiting", waiting(), 100)
    for _ in range(20000):
        scheduler.step()
    assert scheduler.jobs() == [], "slices take no time in virtual time: only idling does"


def test_slice_waits_when_it_does_not_fit():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    task = Task("tick", nothing, 10)
    scheduler.add(task)
    log = []
    scheduler.spawn("big", job(platform, log, "big", 5, 4000), 4000)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 40000)
    assert [at - begin_us for _, at in log] == [0, 4000, 10000, 14000, 20000]
    assert task.late_max_us == 0


def test_slice_that_never_fits_is_forced_behind_a_task():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    task = Task("tick", nothing, 10)
    scheduler.add(task)
    log = []
    begin_us = platform.now_us
    big = scheduler.spawn("big", job(platform, log, "big", 2, 12000), 15000)
    passes_until(scheduler, platform, begin_us + 2500000)
    assert big.forced == 2 and scheduler.jobs() == [big]
    passes_until(scheduler, platform, begin_us + 3500000)
    assert big.forced == 3 and scheduler.jobs() == [], "the last resume ends it"
    assert [at - begin_us for _, at in log] == [1000000, 2020000], "right behind a task, after 1 s"
    assert task.missed == 0 and task.late_max_us == 2000 and task.late == 2


def test_over_budget_and_rest():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    scheduler.add(Task("tick", nothing, 100))
    log = []
    begin_us = platform.now_us
    slow = scheduler.spawn("slow", job(platform, log, "slow", 3, 600, rest_us=7000), 500)
    passes_until(scheduler, platform, begin_us + 50000)
    assert [at - begin_us for _, at in log] == [0, 7600, 15200]
    assert slow.over_budget == 3


def test_errors_are_counted_and_do_not_stop_the_rest():
    platform = FakePlatform()
    told = []
    scheduler = Scheduler(platform, on_error=lambda name, error: told.append((name, str(error))))
    good = Task("good", nothing, 10)
    bad = Task("bad", broken, 10, priority=1)
    scheduler.add(good)
    scheduler.add(bad)
    log = []

    def failing():
        yield
        raise ValueError("in the background")

    scheduler.spawn("failing", failing(), 100)
    scheduler.spawn("fine", job(platform, log, "fine", 4, 100), 100)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 30000)
    assert good.runs == 3 and bad.runs == 3 and bad.errors == 3
    assert len(log) == 4 and scheduler.jobs() == []
    assert told.count(("bad", "made to fail")) == 3
    assert told.count(("failing", "in the background")) == 1
    assert scheduler.errors == 4


def test_a_reporter_a_gate_and_a_pump_that_raise():
    class Pump:
        def poll(self):
            raise ValueError("bus")

        def wait_us(self):
            return 1000

    def reporter(name, error):
        raise ValueError("reporter")

    platform = FakePlatform()
    scheduler = Scheduler(platform, Pump(), reporter)
    task = Task("tick", nothing, 10, gate=broken, hold_ms=5)
    scheduler.add(task)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 20000)
    assert task.runs == 2 and task.errors == 2, "an unreadable gate counts as open"
    assert scheduler.errors == 2 * (22 + 2)


def test_watchdog_needs_every_critical_task():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    switch = [nothing, nothing]
    fast = Task("fast", lambda: switch[0](), 10, critical=True)
    slow = Task("slow", lambda: switch[1](), 30, offset_ms=1, critical=True)
    scheduler.add(fast)
    scheduler.add(slow)
    scheduler.add(Task("other", broken, 10))
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 90000)
    assert platform.feeds == 3, "once per period of the slowest"
    switch[1] = broken
    passes_until(scheduler, platform, begin_us + 1000000)
    fed = platform.feeds
    passes_until(scheduler, platform, begin_us + 2000000)
    assert platform.feeds == fed, "a task that raises does not check in"
    switch[1] = nothing
    passes_until(scheduler, platform, begin_us + 3000000)
    assert platform.feeds > fed


def test_watchdog_refuses_a_stale_check_in():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    switch = [nothing]
    scheduler.add(Task("fast", lambda: switch[0](), 10, critical=True))
    scheduler.add(Task("slow", nothing, 500, offset_ms=400, critical=True))
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 100000)
    switch[0] = broken
    passes_until(scheduler, platform, begin_us + 3000000)
    assert platform.feeds == 0 and scheduler.feeds_refused == 1
    switch[0] = nothing
    passes_until(scheduler, platform, begin_us + 4000000)
    assert platform.feeds >= 1


def test_no_critical_task_no_feed():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    scheduler.add(Task("tick", nothing, 10))
    passes_until(scheduler, platform, platform.now_us + 100000)
    assert platform.feeds == 0


def test_collection_after_slices_in_its_place():
    platform = FakePlatform()
    scheduler = Scheduler(platform, collect_every=4, collect_budget_us=3000)
    task = Task("tick", nothing, 10)
    scheduler.add(task)
    scheduler.spawn("work", job(platform, [], "work", 1000, 1000), 1000)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 100000)
    assert scheduler.pool.collects >= 9 and scheduler.pool.collects_forced == 0
    assert task.late_max_us == 0, "never where it does not fit"


def test_collection_that_never_fits_is_forced_behind_a_task():
    platform = FakePlatform()
    scheduler = Scheduler(platform, collect_every=4, collect_budget_us=20000)
    scheduler.add(Task("tick", nothing, 10))
    work = scheduler.spawn("work", job(platform, [], "work", 1000, 1000), 1000)
    begin_us = platform.now_us
    passes_until(scheduler, platform, begin_us + 100000)
    assert scheduler.pool.collects_forced == scheduler.pool.collects == len(platform.collects) > 3
    assert work.slices <= 8 * (scheduler.pool.collects + 1), "slices wait once it is twice overdue"
    assert (platform.collects[0] - begin_us) % 10000 == 0


def test_a_job_goes_on_behind_a_collection_where_it_asks_for_that():
    for critical in (False, True):
        platform = FakePlatform()
        scheduler = Scheduler(platform)
        scheduler.add(Task("tick", nothing, 20, critical=critical))
        log, seen = [], []

        def work():
            for _ in range(3):
                seen.append(len(platform.collects))
                yield COLLECTED
            seen.append(len(platform.collects))

        scheduler.spawn("work", work(), 1000)
        scheduler.spawn("other", job(platform, log, "other", 20, 500), 1000)
        passes_until(scheduler, platform, platform.now_us + 200000)
        assert seen == [0, 1, 2, 3] and len(platform.collects) == 3 and len(log) == 20
        assert scheduler.jobs() == [] and scheduler.tasks[0].late_max_us <= 0


def test_a_slice_starts_only_where_the_longest_of_its_job_would_fit():
    platform = FakePlatform()
    scheduler = Scheduler(platform)
    tick = Task("tick", nothing, 20, critical=True)
    scheduler.add(tick)
    begin_us = platform.now_us
    starts = []

    def work():
        yield 17000  # so that the first one that is too long has three milliseconds left
        for cost_us in (5000, 1000, 1000, 5000, 1000):
            starts.append((platform.now_us - begin_us) % 20000)
            platform.spend(cost_us)
            yield 17000

    job = scheduler.spawn("work", work(), 2000)
    passes_until(scheduler, platform, begin_us + 30000)
    late_us = tick.late_max_us
    tick.reset_worst()
    passes_until(scheduler, platform, begin_us + 300000)
    assert late_us == 2000 and tick.late_max_us == 0, "the first one was longer than anybody knew"
    assert starts[0] == 17000 and max(starts[1:]) <= 15000 and len(starts) == 5
    assert job.over_budget == 2 and job.forced == 0
