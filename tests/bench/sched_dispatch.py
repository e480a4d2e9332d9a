"""What one dispatch costs: the firmware's scheduler and asyncio, eight tasks of 8 ms each.

Due all together (one wait for eight dispatches), or one every millisecond (a wait for each).

Both run on a FAKE clock that only waiting moves, so waiting takes no instructions but those of the fake.
"""

import asyncio
import gc

import micropython

from firmware.core.sched import Scheduler
from firmware.core.task import Task
from tests.bench import stopwatch

TASKS = 8
DISPATCHES = 800


class Clock:
    """FAKE platform of the scheduler."""

    def __init__(self):
        self.now_us = 0
        self.runs = 0

    @micropython.native
    def us(self):
        """Return microseconds."""
        return self.now_us

    @micropython.native
    def ms(self):
        """Return milliseconds."""
        return self.now_us // 1000

    @micropython.native
    def idle(self, us):
        """Let time pass."""
        self.now_us += us

    @micropython.native
    def work(self):
        """Be the work of every task."""
        self.runs += 1

    def feed_watchdog(self):
        """Do nothing."""

    def collect(self):
        """Do nothing."""


def ours(apart_ms):
    """Return the counts per dispatch of the scheduler; the tasks are due `apart_ms` after one another."""
    clock = Clock()
    sched = Scheduler(clock)
    for i in range(TASKS):
        sched.add(Task(f"t{i}", clock.work, TASKS, i * apart_ms))
    sched.start()
    sched.passes(4 * TASKS)
    begun = clock.runs
    begin = stopwatch.now()
    until_us = clock.now_us + 1000 * DISPATCHES
    while clock.now_us < until_us:
        sched.passes(2 * TASKS)
    spent = stopwatch.since(begin)
    return spent / (clock.runs - begun)


class FakeQueue:
    """FAKE I/O queue of asyncio: waiting moves the clock."""

    map = True

    def __init__(self, clock):
        self._clock = clock

    @micropython.native
    def wait_io_event(self, dt):
        """Wait dt milliseconds."""
        if dt > 0:
            self._clock.now_us += dt * 1000


async def _periodic(clock):
    while True:
        clock.work()
        await asyncio.sleep_ms(TASKS)


async def _all(clock, apart_ms):
    for _ in range(TASKS):
        asyncio.create_task(_periodic(clock))
        await asyncio.sleep_ms(apart_ms)
    await asyncio.sleep_ms(4 * TASKS)
    gc.collect()
    gc.disable()
    begun = clock.runs
    begin = stopwatch.now()
    await asyncio.sleep_ms(DISPATCHES)
    spent = stopwatch.since(begin)
    gc.enable()
    return spent / (clock.runs - begun)


def theirs(apart_ms):
    """Return the counts per dispatch of asyncio; the tasks are due `apart_ms` after one another."""
    clock = Clock()
    asyncio.core.ticks = clock.ms
    asyncio.core._io_queue = FakeQueue(clock)
    return asyncio.run(_all(clock, apart_ms))


def main():
    """Print the figures."""
    figures = {}
    for name, apart_ms in (("together", 0), ("apart", 1)):
        figures["ours_" + name] = round(stopwatch.INSTRUCTIONS * ours(apart_ms))
        figures["theirs_" + name] = round(stopwatch.INSTRUCTIONS * theirs(apart_ms))
    print(figures)
