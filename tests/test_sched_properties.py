"""Properties of the scheduler over random tables, run times, stalls and gates, on a virtual clock."""

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core import table
from firmware.core.sched import Scheduler
from firmware.core.task import MAX_PERIOD_MS, Task

MASK = 0x3FFFFFFF
HALF = 0x20000000


class FakePlatform:
    """A fake: a clock that moves only when told to."""

    def __init__(self, start_us):
        self.now_us = start_us
        self.feeds = 0

    def us(self):
        return self.now_us & MASK

    def ms(self):
        return (self.now_us // 1000) & MASK

    def idle(self, us):
        assert 0 <= us <= 60000000
        self.now_us += us

    def feed_watchdog(self):
        self.feeds += 1

    def collect(self):
        """Take no time."""


class Row:
    """One task of a random table: takes the next of its run times at every run, and notes its starts."""

    def __init__(self, platform, costs_us):
        self.platform = platform
        self.costs_us = costs_us
        self.starts = []
        self.missed_before = []
        self.task = None

    def __call__(self):
        self.starts.append(self.platform.now_us)
        self.missed_before.append(self.task.missed)
        self.platform.now_us += self.costs_us[len(self.starts) % len(self.costs_us)]


row = st.tuples(
    st.integers(1, 60),  # period_ms
    st.integers(0, 60),  # offset_ms
    st.integers(1, 5),  # priority
    st.lists(st.one_of(st.integers(0, 900), st.integers(0, 150000)), min_size=1, max_size=5),  # run times
)
start = st.one_of(st.integers(0, 2**31), st.integers(MASK - 200000, MASK + 1))


def build(rows, start_us):
    platform = FakePlatform(start_us)
    scheduler = Scheduler(platform)
    table = []
    for index, (period_ms, offset_ms, priority, costs_us) in enumerate(rows):
        entry = Row(platform, costs_us)
        offset_ms = min(offset_ms, period_ms)
        entry.offset_us = offset_ms * 1000
        entry.task = Task(f"t{index}", entry, period_ms, offset_ms, priority, budget_us=1)
        scheduler.add(entry.task)
        table.append(entry)
    scheduler.start()
    return platform, scheduler, table


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=6), start)
def test_every_grid_point_is_run_or_missed_and_never_twice(rows, start_us):
    platform, scheduler, table = build(rows, start_us)
    for _ in range(300):
        scheduler.step()
    for entry in table:
        task = entry.task
        origin_us = start_us + entry.offset_us
        for index, at_us in enumerate(entry.starts):
            # missed_before counts those skipped when this very run began: they lie behind its grid point
            before = entry.missed_before[index - 1] if index else 0
            grid_us = origin_us + (index + before) * task.period_us
            assert at_us >= grid_us, "no start before its grid time"
            assert entry.missed_before[index] - before == (at_us - grid_us) // task.period_us
        points = task.runs + task.missed
        next_us = origin_us + points * task.period_us
        assert next_us & MASK == task.due_us, "run and missed points together lead to the next one"
        if entry.starts:
            assert next_us > entry.starts[-1]
            assert task.late_max_us == max(
                at - origin_us - (i + (entry.missed_before[i - 1] if i else 0)) * task.period_us
                for i, at in enumerate(entry.starts)
            )


@settings(max_examples=40, deadline=None)
@given(st.lists(row, min_size=2, max_size=6), start)
def test_no_task_starts_while_a_more_important_one_is_due(rows, start_us):
    platform, scheduler, table = build(rows, start_us)
    for _ in range(200):
        due = [
            entry.task.priority
            for entry in table
            if start_us + entry.offset_us + (entry.task.runs + entry.task.missed) * entry.task.period_us
            <= platform.now_us
        ]
        before = [entry.task.runs for entry in table]
        scheduler.step()
        ran = [entry.task for entry, count in zip(table, before) if entry.task.runs > count]
        assert len(ran) == (1 if due else 0)
        assert not ran or ran[0].priority == min(due)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, MAX_PERIOD_MS), st.lists(st.integers(0, 500_000_000), min_size=5, max_size=80), start)
def test_no_drift_over_2_to_the_31_ms_of_jumps(period_ms, jumps_us, start_us):
    platform, scheduler, table = build([(period_ms, 0, 1, [0])], start_us)
    task = table[0].task
    end_us = start_us + 2**31 * 1000
    largest_us = max(jumps_us) + 400_000_000  # so that the end is reached in some thousand jumps
    index = 0
    points = 0
    while platform.now_us < end_us:
        platform.now_us += min(jumps_us[index % len(jumps_us)] + largest_us, 470_000_000)
        scheduler.step()
        index += 1
        points += task.runs + task.missed
        task.reset_worst()
        next_us = start_us + points * task.period_us
        assert next_us & MASK == task.due_us
        assert 0 < next_us - platform.now_us <= task.period_us
        scheduler.step()  # idles: a pass in the slack looks at the millisecond tick
    assert scheduler.restarts == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, MASK), st.integers(1, MAX_PERIOD_MS), st.integers(0, HALF - 1))
def test_grid_arithmetic_of_one_row(due_us, period_ms, overdue_us):
    cells = array("i", [0] * (table._HEADER + table._WIDTH))
    task = Task("t", None, period_ms)
    task.move(cells, table._HEADER)
    cells[table._HEADER + table._DUE] = due_us
    now_us = (due_us + overdue_us) & MASK
    cells[table._COUNT] = 1
    row = table.pick(cells, 0, now_us)
    if overdue_us >= task.period_us:
        assert row == table._MISSED_SOME and task.due_us == due_us, "left as it was"
        table.skip(cells, 0, now_us)
        row = table.pick(cells, 0, now_us)
    assert row == 0
    assert cells[table._LATENESS] + cells[table._EXTRA] == overdue_us
    assert task.missed == overdue_us // task.period_us
    assert task.due_us == (due_us + (task.missed + 1) * task.period_us) & MASK


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 50),
    st.integers(0, 49),
    st.lists(st.integers(0, 60000), min_size=1, max_size=20),
    st.integers(100, 5000),
)
def test_a_gated_task_starts_at_its_release_or_after(period_ms, hold_ms, opens_us, wait_us):
    """Starts lie between the gate's opening or the hold's end and one polling step after."""

    class Pump:
        def poll(self):
            """Move nothing."""

        def wait_us(self):
            return wait_us

    platform = FakePlatform(MASK - 100000)
    begin_us = platform.now_us
    hold_ms = min(hold_ms, period_ms - 1)
    entry = Row(platform, [0])

    def gate():
        points = entry.task.runs + entry.task.missed
        return platform.now_us - begin_us - points * entry.task.period_us >= opens_us[points % len(opens_us)]

    scheduler = Scheduler(platform, Pump())
    entry.task = Task("t", entry, period_ms, gate=gate, hold_ms=hold_ms)
    scheduler.add(entry.task)
    while len(entry.starts) < 40:
        scheduler.step()
    for index, at_us in enumerate(entry.starts):
        after_us = at_us - begin_us - index * entry.task.period_us
        release_us = min(opens_us[index % len(opens_us)], hold_ms * 1000)
        assert release_us <= after_us <= release_us + wait_us
    assert entry.task.missed == 0 and entry.task.late_max_us == 0


lesser = st.tuples(
    st.integers(5, 50),  # in periods of the tick
    st.integers(0, 19),  # offset_ms
    st.integers(1, 4000),  # run time, and a budget that holds
)


@settings(max_examples=60, deadline=None)
@given(st.lists(lesser, min_size=1, max_size=3), st.integers(0, 5), start)
def test_a_tick_is_not_late_by_lesser_tasks_that_keep_their_budgets(rows, opens_ms, start_us):
    """T = 20 ms, a gate that opens after some ms: there is room behind the tick for all lesser tasks together."""
    platform = FakePlatform(start_us)

    class Pump:
        def poll(self):
            """Move nothing."""

        def wait_us(self):
            return 100

    scheduler = Scheduler(platform, Pump())
    begin = Task("begin", lambda: None, 20, 0, 0, 200, True)
    tick = Task("tick", lambda: None, 20, 0, 1, 500, True, gate=lambda: (platform.now_us - start_us) % 20_000
                >= opens_ms * 1000, hold_ms=15)
    scheduler.add(begin)
    scheduler.add(tick)
    entries = []
    for index, (periods, offset_ms, cost_us) in enumerate(rows):
        entry = Row(platform, [cost_us])
        entry.task = Task(f"lesser{index}", entry, 20 * periods, offset_ms, 2 + index, budget_us=cost_us)
        scheduler.add(entry.task)
        entries.append(entry)
    scheduler.start()
    while platform.now_us < start_us + 3_000_000:
        scheduler.step()
    short_us = sum(cost_us for _, _, cost_us in rows if cost_us <= table._SHORT_US)
    assert begin.late_max_us <= short_us and tick.missed == begin.missed == 0
    for index, entry in enumerate(entries):
        assert entry.task.missed == 0 and entry.task.late_max_us <= 20_000 + 15_000
        assert abs(entry.task.runs * rows[index][0] * 20 - 3000) <= rows[index][0] * 20 + 40


def test_a_task_that_never_fits_runs_half_its_period_late():
    platform = FakePlatform(0)
    scheduler = Scheduler(platform)
    tick = Task("tick", lambda: None, 20, critical=True)
    entry = Row(platform, [0])
    entry.task = Task("long", entry, 1000, 0, 2, budget_us=30_000)
    scheduler.add(tick)
    scheduler.add(entry.task)
    scheduler.start()
    while platform.now_us < 2_900_000:
        scheduler.step()
    assert entry.starts == [500_000, 1_500_000, 2_500_000]
