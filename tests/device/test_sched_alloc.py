"""Passes of the scheduler allocate nothing; on a 32-bit board this proves the range of integers as well."""

import gc

import micropython

from firmware.core.sched import Scheduler
from firmware.core.task import Task

MASK = 0x3FFFFFFF


def allocated():
    """Return the bytes ever allocated, 0 where the runtime does not tell."""
    return micropython.mem_total() if hasattr(micropython, "mem_total") else 0


def locked(function, argument):
    """Call function(argument) with the heap locked, where the runtime can."""
    if not hasattr(micropython, "heap_lock"):
        return function(argument)
    gc.collect()
    gc.disable()
    micropython.heap_lock()
    try:
        function(argument)
    finally:
        micropython.heap_unlock()
        gc.enable()


class FakePlatform:
    """A fake: a clock in two 30-bit ticks, near their wrap, that moves only when told to."""

    def __init__(self):
        self.tick_us = MASK - 5000
        self.tick_ms = MASK - 20
        self.part_us = 0

    def us(self):
        return self.tick_us

    def ms(self):
        return self.tick_ms

    def idle(self, us):
        self.tick_us = self.tick_us - 0x20000000 + us & MASK ^ 0x20000000
        us += self.part_us
        self.part_us = us % 1000
        self.tick_ms = self.tick_ms - 0x20000000 + us // 1000 & MASK ^ 0x20000000

    def feed_watchdog(self):
        pass

    def collect(self):
        pass


class Pump:
    """A fake bus that is never busy."""

    def poll(self):
        pass

    def wait_us(self):
        return 3000


class Gate:
    """A gate that lets every second question through."""

    def __init__(self):
        self.open = False

    def __call__(self):
        self.open = not self.open
        return self.open


def nothing():
    pass


def make():
    platform = FakePlatform()
    scheduler = Scheduler(platform, Pump())
    scheduler.add(Task("tick", nothing, 20, critical=True, gate=Gate(), hold_ms=10, priority=1))
    scheduler.add(Task("fast", nothing, 7, offset_ms=3, critical=True, priority=2))
    scheduler.add(Task("slow", nothing, 268000, priority=3))
    return platform, scheduler


def some_passes(scheduler):
    for _ in range(200):
        scheduler.step()


def a_stall(pair):
    pair[0].idle(500000000)  # longer than any idle of the scheduler's own
    for _ in range(20):
        pair[1].step()


def test_passes_allocate_nothing():
    platform, scheduler = make()
    some_passes(scheduler)
    runs = scheduler.tasks[0].runs
    before = allocated()
    some_passes(scheduler)
    after = allocated()
    assert after == before, after - before
    locked(some_passes, scheduler)
    assert scheduler.errors == 0 and scheduler.tasks[0].runs > runs and scheduler.feeds > 10


def test_a_stall_allocates_nothing():
    pair = make()
    some_passes(pair[1])
    before = allocated()
    a_stall(pair)
    after = allocated()
    assert after == before, after - before
    locked(a_stall, pair)
    assert pair[1].errors == 0 and pair[1].tasks[0].late_max_us > 400000000
