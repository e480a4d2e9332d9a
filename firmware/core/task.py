"""Describe one periodic task of the scheduler: its grid, its gate, its budget and what it counted.

Times are 30-bit microsecond ticks. A difference is taken as ((a - b) & MASK ^ HALF) - HALF: no step of
it leaves the 31-bit integers of a real board, so none allocates.
"""

import micropython
from micropython import const

from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_SUM_LIMIT = const(0x20000000)
MAX_PERIOD_MS = const(268000)  # under a quarter of the tick's range, so that order survives a stall

# Places in the array that take_stats() fills; the first five stand so in the quarter-hour record.
STAT_RUNS = const(0)
STAT_LATE = const(1)
STAT_LATE_MAX_US = const(2)
STAT_MISSED = const(3)
STAT_OVER_BUDGET = const(4)
STAT_RUN_MAX_US = const(5)
STAT_LATE_MEAN_US = const(6)
STAT_RUN_MEAN_US = const(7)
STAT_ERRORS = const(8)
STATS = const(9)


class Task:
    """Hold one row of the task table; due every period_ms, offset_ms after the grid's origin."""

    def __init__(
        self,
        name,
        run,
        period_ms,
        offset_ms=0,
        priority=100,
        budget_us=1000,
        critical=False,
        gate=None,
        hold_ms=0,
        late_us=1000,
    ):
        check(name, period_ms, offset_ms, budget_us, gate, hold_ms, late_us)
        self.name = name
        self.run = run
        self.period_us = period_ms * 1000
        self.offset_us = offset_ms * 1000
        self.priority = priority
        self.budget_us = budget_us
        self.critical = critical
        self.gate = gate
        self.hold_us = hold_ms * 1000
        self.late_us = late_us
        self.due_us = 0  # next grid time; kept by the scheduler, like the three below
        self.release_us = 0  # when an opened gate let it go
        self.released = False
        self.next = None  # next task in the order of due times
        self.slot = 0  # place among the critical tasks
        self.reset_worst()

    def reset_worst(self):
        """Begin a new count: all counters, worst cases and means to zero (once per quarter hour)."""
        self.runs = 0
        self.late = 0
        self.late_max_us = 0
        self.late_sum_us = 0
        self.missed = 0
        self.over_budget = 0
        self.run_max_us = 0
        self.run_sum_us = 0
        self.errors = 0
        self._mean_from = 0  # run count from which the two sums hold

    @micropython.native
    def gate_open(self, now_us, overdue_us):
        """Return whether the gate lets the task go at now_us, overdue_us after its grid time."""
        if not self.released:
            if overdue_us >= self.hold_us:
                self.release_us = self.due_us + self.hold_us - _HALF & _MASK ^ _HALF
            elif self.gate():
                self.release_us = now_us
            else:
                return False
            self.released = True
        return True

    @micropython.native
    def advance(self, overdue_us):
        """Move to the first grid time after now and return how far ahead it is; count skipped ones."""
        period_us = self.period_us
        if overdue_us >= period_us:
            skipped = overdue_us // period_us
            self.missed = self.missed + skipped & _MASK
            skipped_us = skipped * period_us
            overdue_us -= skipped_us
            self.due_us = self.due_us - _HALF + skipped_us & _MASK ^ _HALF
        self.due_us = self.due_us - _HALF + period_us & _MASK ^ _HALF
        return period_us - overdue_us

    @micropython.native
    def account(self, late_us, run_us):
        """Count one run that began late_us after its release and took run_us."""
        self.runs = self.runs + 1 & _MASK
        if late_us > self.late_max_us:
            self.late_max_us = late_us
        if late_us > self.late_us:
            self.late = self.late + 1 & _MASK
        if run_us > self.run_max_us:
            self.run_max_us = run_us
        if run_us > self.budget_us:
            self.over_budget = self.over_budget + 1 & _MASK
        late_us += self.late_sum_us
        run_us += self.run_sum_us
        self.late_sum_us = late_us
        self.run_sum_us = run_us
        if late_us >= _SUM_LIMIT or run_us >= _SUM_LIMIT:
            self._halve()

    def _halve(self):
        """Halve both sums and their count: the means stay, the sums stay inside 31 bits."""
        self.late_sum_us >>= 1
        self.run_sum_us >>= 1
        count = self.runs - self._mean_from & _MASK
        self._mean_from = self.runs - (count + 1 >> 1) & _MASK

    def late_mean_us(self):
        """Return the mean lateness in us since the last reset, 0 when it has not run."""
        count = self.runs - self._mean_from & _MASK
        return self.late_sum_us // count if count else 0

    def run_mean_us(self):
        """Return the mean run time in us since the last reset, 0 when it has not run."""
        count = self.runs - self._mean_from & _MASK
        return self.run_sum_us // count if count else 0

    def take_stats(self, out):
        """Write the STATS numbers since the last reset_worst() into `out`, an array('i') or a list."""
        out[STAT_RUNS] = self.runs
        out[STAT_LATE] = self.late
        out[STAT_LATE_MAX_US] = self.late_max_us
        out[STAT_MISSED] = self.missed
        out[STAT_OVER_BUDGET] = self.over_budget
        out[STAT_RUN_MAX_US] = self.run_max_us
        out[STAT_LATE_MEAN_US] = self.late_mean_us()
        out[STAT_RUN_MEAN_US] = self.run_mean_us()
        out[STAT_ERRORS] = self.errors


def check(name, period_ms, offset_ms, budget_us, gate, hold_ms, late_us):
    """Refuse a row that cannot be scheduled; every limit in the unit of its name."""
    _within(name, "period_ms", period_ms, 1, MAX_PERIOD_MS)
    _within(name, "offset_ms", offset_ms, 0, period_ms)
    _within(name, "budget_us", budget_us, 1, period_ms * 1000)
    _within(name, "late_us", late_us, 0, period_ms * 1000)
    _within(name, "hold_ms", hold_ms, 0, 0 if gate is None else period_ms - 1)


def _within(task, key, value, low, high):
    if not low <= value <= high:
        raise ConfigError("TASK_RANGE", "task %s: %s is %s, allowed %d..%d" % (task, key, value, low, high))
