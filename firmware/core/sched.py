"""Run periodic tasks on a fixed grid, and background work in the slack between them.

One pass: move the bus bytes, then run the most important task that is due, or one background slice, or
idle until something is due. A longer task that is not critical starts only where its budget fits before the next
critical one. The grid is kept in 30-bit microsecond ticks: a task's next due time is its
last one plus whole periods, so nothing drifts, and grid times that have gone by are counted as missed,
so nothing bursts after a stall. A stall longer than the tick can tell (536 s) restarts the grid.
"""

from array import array

import micropython
from micropython import const

from firmware.core.background import Background, Pool
from firmware.core.errors import ConfigError
from firmware.core.table import conclude, finish, hold_over, pick, skip, spare

# As in core.table.
_COUNT = const(0)
_GATED = const(1)
_AWAITED = const(2)
_SLACK = const(3)
_BEHIND = const(8)
_HEADER = const(9)
_MISSED = const(15)
_ERRORS = const(18)
_WIDTH = const(23)
_NONE = const(255)
_ASK = const(256)
_MISSED_SOME = const(512)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_STALL_MAX_MS = const(536000)
_PASSES = const(1000)
_UNBROKEN_MAX = const(200)
_BREATH_US = const(500)


class Scheduler:
    """Dispatch tasks and background jobs; `platform` gives ms, us, idle, feed_watchdog and collect.

    The watchdog is fed once every critical task has checked in since the last feed and no check-in is
    stale; with no critical task never, since nothing would show that the firmware works.
    """

    def __init__(
        self, platform, pump=None, on_error=None, collect_every=0, collect_budget_us=5000, max_tasks=16
    ):
        # Bound methods are looked up once: a call through a class costs twice as much as one through these.
        self._poll = None if pump is None else pump.poll
        self._pump_wait_us = None if pump is None else pump.wait_us
        self._pressed = getattr(pump, "pressed", None)  # whether something is about to go out
        self._looked_away = getattr(pump, "looked_away", None)  # bytes may have come unseen
        self._us = platform.us
        self._ms = platform.ms
        self._idle = platform.idle
        self._feed = platform.feed_watchdog
        self._on_error = on_error
        self._pass_ms = self._ms()
        self.pool = Pool(self._us, platform.collect, self._failed, collect_every, collect_budget_us,
                         taken=platform.taken if hasattr(platform, "taken") else None)
        self._table = array("i", [0] * (_HEADER + _WIDTH * min(max_tasks, 250)))
        self._max_tasks = min(max_tasks, 250)
        self._runs = []
        self._fill = self._use_slack
        self._unbroken = 0  # slices since the last idling
        self.tasks = []  # most important first
        self.stop = False
        self.errors = 0
        self.restarts = 0
        self.feeds = 0
        self.feeds_refused = 0  # all were in, but one of them long ago

    def jobs(self):
        """Return the list of background jobs that are not exhausted."""
        return self.pool.jobs

    def add(self, task):
        """Add a task, on the grid of the most important one; start() begins every grid anew."""
        if len(self.tasks) == self._max_tasks:
            raise ConfigError("TASK_COUNT", "task %s is one too many; raise max_tasks" % task.name)
        now_us = self._us()
        origin_us = self.tasks[0].origin_us() if self.tasks else now_us
        index = 0
        for other in self.tasks:
            if other.name == task.name:
                raise ConfigError("TASK_TWICE", "task %s is in the table twice; names are unique" % task.name)
            if other.priority <= task.priority:
                index += 1
        self.tasks.insert(index, task)
        self._runs.insert(index, task.run)
        for row in range(len(self.tasks) - 1, index - 1, -1):
            self.tasks[row].move(self._table, _HEADER + _WIDTH * row)
        self._table[_COUNT] += 1
        self._table[_GATED] += task.gate is not None
        self._table[_AWAITED] += task.critical
        task.align(origin_us, now_us)

    def spawn(self, name, generator, budget_us):
        """Add a background job whose longest slice takes budget_us; return its Background."""
        job = Background(name, generator, budget_us)
        self.pool.add(job)
        return job

    def start(self):
        """Begin every grid as soon as all are set: what set-up took between add() and here is no lateness."""
        begin_us = self._us()
        self._align(begin_us)
        ready_us = self._us()
        self._pass_ms = self._ms()
        # Setting them again takes as long as it just took.
        self._align(ready_us - _HALF + (ready_us - begin_us & _MASK) & _MASK ^ _HALF)

    def _align(self, origin_us):
        for task in self.tasks:
            task.align(origin_us, self._us())

    def run(self, until=None):
        """Make passes until `stop` is set or until() is true (asked once a pass)."""
        self.start()
        while not self.stop and not (until is not None and until()):
            self.passes(_PASSES if until is None else 1)

    def step(self):
        """Make one pass."""
        self.passes(1)

    @micropython.native
    def passes(self, count):
        """Make up to `count` passes, until `stop` is set; what all of them need is looked up once."""
        poll = self._poll
        us = self._us
        table = self._table
        runs = self._runs
        fill = self._fill
        while count > 0:
            count -= 1
            try:
                if poll is not None:
                    poll()
            except Exception as error:  # a bus's defect must not stop the control tick
                self._failed("pump", error)
            now_us = us()
            row = pick(table, 0, now_us)
            if row > _NONE:
                row = self._settle(row)
            if row == _NONE:
                fill(now_us)
            else:
                ran = 1
                try:
                    runs[row]()
                except Exception as error:  # it goes on at its next grid time
                    ran = 0
                    self.tasks[row].count(_ERRORS, 1)
                    self._failed(self.tasks[row].name, error)
                if finish(table, row, us(), ran):
                    self._conclude()
            if self.stop:
                return

    @micropython.native
    def _settle(self, row):
        """See to closed gates and to missed grid times; return the row to run, or NONE."""
        now_us = self._us()
        while row > _NONE:
            if row >= _MISSED_SOME:
                row -= _MISSED_SOME
                if self._stalled(now_us):
                    return _NONE
                skip(self._table, row, now_us)
            else:
                row -= _ASK
                if not hold_over(self._table, row, now_us):
                    if self._gate_open(self.tasks[row]):
                        self.tasks[row].release(now_us)
                    else:
                        row += 1
            row = pick(self._table, row, now_us)
        return row

    @micropython.native
    def _gate_open(self, task):
        """Ask a gate; one that raises counts as open, so that the task still runs."""
        try:
            return task.opens()
        except Exception as error:
            task.count(_ERRORS, 1)
            self._failed(task.name, error)
        return True

    @micropython.native
    def _conclude(self):
        """Feed the watchdog, all critical tasks being in, unless one of the check-ins is stale."""
        if conclude(self._table, self._us()):
            self.feeds_refused = self.feeds_refused + 1 & _MASK
        else:
            self.feeds = self.feeds + 1 & _MASK
            self._feed()

    @micropython.native
    def _use_slack(self, now_us):
        """Use the slack: collect, or one background slice, or idle until something is due."""
        now_ms = self._ms()
        if (now_ms - self._pass_ms & _MASK) > _STALL_MAX_MS:
            self._stalled(now_us)
            return
        self._pass_ms = now_ms
        wait_us = self._table[_SLACK]
        pool = self.pool
        if pool.busy and not (self._pressed and self._pressed()):
            if pool.work(now_us, wait_us, self._table[_BEHIND], spare(self._table, now_us)):
                if self._looked_away:
                    self._looked_away()
                self._unbroken += 1
                if self._unbroken < _UNBROKEN_MAX:
                    return
                # Virtual time passes in idle only: a job that waits for a byte would wait forever.
                wait_us = min(wait_us, _BREATH_US)
            else:
                wait_us = min(wait_us, pool.wait_us)
            self._unbroken = 0
        if self._pump_wait_us is not None:
            pump_us = self._pump_wait_us()
            if pump_us < wait_us:
                wait_us = pump_us
        self._idle(wait_us)

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
        self._table[_SLACK] = 0
        for task in self.tasks:
            task.count(_MISSED, stall_ms // (task.period_us // 1000))
            task.align(now_us, now_us)

    def _failed(self, name, error):
        """Count an error and hand it on; what the reporter raises in turn is counted, not passed on."""
        self.errors = self.errors + 1 & _MASK
        if type(error) is MemoryError:
            self.pool.ask()
        if self._on_error is not None:
            try:
                self._on_error(name, error)
            except Exception:  # nobody is left to tell
                self.errors = self.errors + 1 & _MASK
