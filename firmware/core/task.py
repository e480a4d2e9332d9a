"""Describe one periodic task of the scheduler: its grid, its gate, its budget and what it counted."""

from array import array

from micropython import const

from firmware.core import table as t
from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
MAX_PERIOD_MS = 268000  # under a quarter of the tick's range, so that a stall of that length is understood

# Places in the array that take_stats() fills; the first five stand so in the quarter-hour record.
STAT_RUNS = 0
STAT_LATE = 1
STAT_LATE_MAX_US = 2
STAT_MISSED = 3
STAT_OVER_BUDGET = 4
STAT_RUN_MAX_US = 5
STAT_ERRORS = 6
STAT_LATE_MEAN_US = 7
STAT_RUN_MEAN_US = 8
STATS = 9


def _cell(cell):
    """Make the attribute that reads one cell of the task's row."""
    return property(lambda task: task._cells[task._at + cell])


class Task:
    """Hold one row of the task table; due every period_ms, offset_ms after the grid's origin.

    A task with a gate, a callable that returns whether it may go, becomes due on its grid but starts only
    when the gate is open or hold_ms have passed since the grid time: its release, from which lateness
    counts. `critical`: the watchdog is fed only while it runs without an error, within watch_periods.
    """

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
        watch_periods=4,
    ):
        _within(name, "period_ms", period_ms, 1, MAX_PERIOD_MS)
        _within(name, "offset_ms", offset_ms, 0, period_ms)
        _within(name, "budget_us", budget_us, 1, period_ms * 1000)
        _within(name, "late_us", late_us, 0, period_ms * 1000)
        _within(name, "hold_ms", hold_ms, 0, 0 if gate is None else period_ms - 1)
        _within(name, "watch_periods", watch_periods, 1, 1000)
        self.name = name
        self.run = run
        self.priority = priority
        self.critical = critical
        self.gate = gate
        self._at = 0
        self._cells = cells = array("i", [0] * t.WIDTH)
        cells[t.PERIOD] = period_ms * 1000
        cells[t.OFFSET] = offset_ms * 1000
        cells[t.HOLD] = hold_ms * 1000
        cells[t.GATE] = t.NO_GATE if gate is None else t.CLOSED
        cells[t.LATE_LIMIT] = late_us
        cells[t.BUDGET] = budget_us
        cells[t.CRITICAL] = 1 if critical else 0
        cells[t.FRESH] = min(period_ms * 1000 * watch_periods, _HALF - 1)

    period_us = _cell(t.PERIOD)
    due_us = _cell(t.DUE)  # next grid time
    runs = _cell(t.RUNS)
    late = _cell(t.LATE)  # starts more than late_us after the release
    late_max_us = _cell(t.LATE_MAX)
    missed = _cell(t.MISSED)  # grid times that went by without a start
    over_budget = _cell(t.OVER_BUDGET)
    run_max_us = _cell(t.RUN_MAX)
    errors = _cell(t.ERRORS)

    def move(self, cells, at):
        """Carry the row over into another array, from `at` on, and work there from now on."""
        for cell in range(t.WIDTH):
            cells[at + cell] = self._cells[self._at + cell]
        self._cells = cells
        self._at = at

    def align(self, origin_us, now_us):
        """Put the task on its first grid time: its offset after the origin, within one period from now."""
        ahead_us = (origin_us - now_us & _MASK ^ _HALF) - _HALF + self._cells[self._at + t.OFFSET]
        if not 0 <= ahead_us <= self.period_us:
            ahead_us %= self.period_us
        self._cells[self._at + t.DUE] = now_us - _HALF + ahead_us & _MASK ^ _HALF
        if self.gate is not None:
            self._cells[self._at + t.GATE] = t.CLOSED

    def origin_us(self):
        """Return a time on the task's grid, its offset taken off."""
        return self.due_us - self._cells[self._at + t.OFFSET] & _MASK

    def release(self, now_us):
        """Note that the gate was seen open at now_us."""
        self._cells[self._at + t.GATE] = t.OPEN
        self._cells[self._at + t.RELEASE] = now_us

    def count(self, cell, amount):
        """Add to one of the counts."""
        self._cells[self._at + cell] = self._cells[self._at + cell] + amount & _MASK

    def mean_us(self, cell):
        """Return the mean of LATE_SUM or RUN_SUM in us since the last reset, 0 when it has not run."""
        runs = self.runs - self._cells[self._at + t.MEAN_FROM] & _MASK
        return self._cells[self._at + cell] // runs if runs else 0

    def take_stats(self, out):
        """Write the STATS numbers since the last reset_worst() into `out`, an array('i') or a list."""
        for stat in range(STAT_LATE_MEAN_US):
            out[stat] = self._cells[self._at + t.RUNS + stat]
        out[STAT_LATE_MEAN_US] = self.mean_us(t.LATE_SUM)
        out[STAT_RUN_MEAN_US] = self.mean_us(t.RUN_SUM)

    def reset_worst(self):
        """Begin a new count: all counts, worst cases and means to zero (once per quarter hour)."""
        for cell in range(t.RUNS, t.WIDTH):
            self._cells[self._at + cell] = 0


def _within(name, key, value, low, high):
    if not low <= value <= high:
        raise ConfigError("TASK_RANGE", "task %s: %s is %s, allowed %d..%d" % (name, key, value, low, high))
