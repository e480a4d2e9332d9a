"""Run periodic tasks on a fixed grid, and background work in the slack between them.

One pass: move the bus bytes, then run the most important task that is due, or one background slice, or
idle until something is due. The grid is kept in 30-bit microsecond ticks: a task's next due time is its
last one plus whole periods, so nothing drifts, and grid times that have gone by are counted as missed,
so nothing bursts after a stall. A stall longer than the tick can tell (536 s) restarts the grid.
"""

import micropython
from micropython import const

from firmware.core.background import Background, Pool
from firmware.core.duequeue import DueQueue
from firmware.core.errors import ConfigError
from firmware.core.watchdog import CheckIns

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_IDLE_MAX_US = const(60000000)
_STALL_MAX_MS = const(536000)


class _NoPump:
    """Stand where no bus is to be polled."""

    def poll(self):
        """Do nothing."""

    def wait_us(self):
        """Return the longest idle time."""
        return _IDLE_MAX_US


class Scheduler:
    """Dispatch tasks and background jobs; `platform` gives ms, us, idle, feed_watchdog and collect.

    collect_every: background slices between two garbage collections, 0 for none. A collection that does
    not fit waits for its place right behind a task, and holds further slices up once it is twice overdue.
    """

    def __init__(self, platform, pump=None, on_error=None, collect_every=0, collect_budget_us=5000):
        self._pump = pump or _NoPump()
        self._on_error = on_error
        self._us = platform.us
        self._ms = platform.ms
        self._idle = platform.idle
        self._collect = platform.collect
        self._collect_every = collect_every or _HALF - 1
        self._collect_budget_us = collect_budget_us
        self._uncollected = 0
        self._behind = False  # the last pass ran a task
        self._pass_ms = self._ms()
        self._queue = DueQueue(self._failed)
        self._pool = Pool(self._us, self._failed)
        self.watch = CheckIns(platform.feed_watchdog)
        self.tasks = []  # most important first
        self.stop = False
        self.errors = 0
        self.restarts = 0
        self.collects = 0
        self.collects_forced = 0

    def jobs(self):
        """Return the list of background jobs that are not exhausted."""
        return self._pool.jobs

    def add(self, task):
        """Add a task, on the grid of the most important one; start() begins every grid anew."""
        now_us = self._us()
        origin_us = now_us
        if self.tasks:
            origin_us = self.tasks[0].due_us - self.tasks[0].offset_us & _MASK
        index = 0
        for other in self.tasks:
            if other.name == task.name:
                raise ConfigError("TASK_TWICE", "task %s is in the table twice; names are unique" % task.name)
            if other.priority <= task.priority:
                index += 1
        self.tasks.insert(index, task)
        if task.critical:
            self.watch.add(task)
        self._queue.align(task, origin_us, now_us)

    def spawn(self, name, generator, budget_us):
        """Add a background job whose longest slice takes budget_us; return its Background."""
        job = Background(name, generator, budget_us)
        self._pool.add(job)
        return job

    def start(self):
        """Begin every grid now: what set-up took between add() and here is no lateness."""
        now_us = self._us()
        self._pass_ms = self._ms()
        self._queue.head = None
        for task in self.tasks:
            self._queue.align(task, now_us, now_us)

    def run(self, until=None):
        """Make passes until `stop` is set or until() is true (asked once a pass)."""
        self.start()
        while not self.stop and not (until is not None and until()):
            self.step()

    @micropython.native
    def step(self):
        """Make one pass."""
        try:
            self._pump.poll()
        except Exception as error:  # a bus's defect must not stop the control tick
            self._failed("pump", error)
        now_us = self._us()
        task = self._queue.pick(now_us)
        if task is None:
            self._fill(now_us)
        else:
            self._dispatch(task, now_us)

    @micropython.native
    def _dispatch(self, task, now_us):
        """Put the task on its next grid time, run it, and count."""
        late_us = (now_us - task.due_us & _MASK ^ _HALF) - _HALF
        if late_us >= task.period_us and self._stalled(now_us):
            return
        self._queue.take(task)
        self._queue.put(task, task.advance(late_us), now_us)
        if task.gate is not None:
            late_us = (now_us - task.release_us & _MASK ^ _HALF) - _HALF
            task.released = False
        try:
            task.run()
            if task.critical:
                self.watch.check_in(task, now_us)
        except Exception as error:  # it goes on at its next grid time
            task.errors = task.errors + 1 & _MASK
            self._failed(task.name, error)
        task.account(late_us, (self._us() - now_us & _MASK ^ _HALF) - _HALF)
        self._behind = True

    @micropython.native
    def _fill(self, now_us):
        """Use the slack: collect, or one background slice, or idle until something is due."""
        if self._stalled(now_us):
            return
        wait_us = self._queue.slack_us
        behind = self._behind
        self._behind = False
        if self._pool.jobs or self._uncollected >= self._collect_every:
            if self._worked(now_us, wait_us, behind):
                return
            if self._pool.wait_us < wait_us:
                wait_us = self._pool.wait_us
        pump_us = self._pump.wait_us()
        self._idle(pump_us if pump_us < wait_us else wait_us)

    def _worked(self, now_us, slack_us, behind):
        """Collect or run one background slice; return whether either was done."""
        if self._uncollected >= self._collect_every:
            overdue = self._uncollected >= 2 * self._collect_every
            if self._collect_budget_us <= slack_us or overdue and behind:
                self.collects_forced += self._collect_budget_us > slack_us
                self.collects += 1
                self._uncollected = 0
                self._collect()
                return True
            if overdue:
                self._pool.wait_us = _IDLE_MAX_US
                return False
        if self._pool.step(now_us, slack_us, behind):
            self._uncollected = self._uncollected + 1 & _MASK
            return True
        return False

    @micropython.native
    def _stalled(self, now_us):
        """Return whether more time went by than the microsecond tick can tell; then begin every grid now."""
        now_ms = self._ms()
        stall_ms = now_ms - self._pass_ms & _MASK
        self._pass_ms = now_ms
        if stall_ms <= _STALL_MAX_MS:
            return False
        self._restart(now_us, stall_ms)
        return True

    def _restart(self, now_us, stall_ms):
        """Begin every grid at now_us and count what a stall of stall_ms left out."""
        self.restarts += 1
        self._queue.head = None
        for task in self.tasks:
            task.missed = task.missed + stall_ms // (task.period_us // 1000) & _MASK
            self._queue.align(task, now_us, now_us)

    def _failed(self, name, error):
        """Count an error and hand it on; what the reporter raises in turn is counted, not passed on."""
        self.errors = self.errors + 1 & _MASK
        if self._on_error is not None:
            try:
                self._on_error(name, error)
            except Exception:  # nobody is left to tell
                self.errors = self.errors + 1 & _MASK
