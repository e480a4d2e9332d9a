"""Describe one periodic task of the scheduler: its grid, its gate, its budget and what it counted."""

from array import array

import micropython
from micropython import const

from firmware.core.errors import ConfigError

# As in core.table.
_START = const(5)  # of the header
_DUE = const(0)
_PERIOD = const(1)
_OFFSET = const(2)
_HOLD = const(3)
_GATE = const(4)
_RELEASE = const(5)
_LATE_LIMIT = const(6)
_BUDGET = const(7)
_CRITICAL = const(8)
_FRESH = const(11)
_RUNS = const(12)
_LATE = const(13)
_LATE_MAX = const(14)
_MISSED = const(15)
_OVER_BUDGET = const(16)
_RUN_MAX = const(17)
_ERRORS = const(18)
_LATE_SUM = const(19)
_RUN_SUM = const(20)
_MEAN_FROM = const(21)
_PACE = const(22)
_WIDTH = const(23)
_NO_GATE = const(0)
_CLOSED = const(1)
_OPEN = const(2)
_PACED = const(3)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
MAX_PERIOD_MS = 268000  # under a quarter of the tick's range, so that a stall of that length is understood

# Places in the array that take_stats() fills; the first five stand so in the quarter-hour record.
_STAT_RUNS = const(0)
_STAT_LATE = const(1)
_STAT_LATE_MAX_US = const(2)
_STAT_MISSED = const(3)
_STAT_OVER_BUDGET = const(4)
_STAT_RUN_MAX_US = const(5)
_STAT_ERRORS = const(6)
_STAT_LATE_MEAN_US = const(7)
_STAT_RUN_MEAN_US = const(8)
STATS = 9

_PLACES = {
    "period_us": _PERIOD,
    "due_us": _DUE,  # next grid time
    "runs": _RUNS,
    "late": _LATE,  # starts more than late_us after the release
    "late_max_us": _LATE_MAX,
    "missed": _MISSED,  # grid times that went by without a start
    "over_budget": _OVER_BUDGET,
    "run_max_us": _RUN_MAX,
    "errors": _ERRORS,
}


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
        self._cells = cells = array("i", [0] * _WIDTH)
        cells[_PERIOD] = period_ms * 1000
        cells[_OFFSET] = offset_ms * 1000
        cells[_HOLD] = hold_ms * 1000
        cells[_GATE] = _NO_GATE if gate is None else _CLOSED
        cells[_LATE_LIMIT] = late_us
        cells[_BUDGET] = budget_us
        cells[_CRITICAL] = 1 if critical else 0
        cells[_FRESH] = min(period_ms * 1000 * watch_periods, _HALF - 1)

    def __getattr__(self, name):
        """Return one of its times and counts; a property each would take four times as much of the heap."""
        if name not in _PLACES:
            raise AttributeError(name)
        return self._cells[self._at + _PLACES[name]]

    def move(self, cells, at):
        """Carry the row over into another array, from `at` on, and work there from now on."""
        for cell in range(_WIDTH):
            cells[at + cell] = self._cells[self._at + cell]
        self._cells = cells
        self._at = at

    def align(self, origin_us, now_us):
        """Put the task on its first grid time: its offset after the origin, within one period from now."""
        ahead_us = (origin_us - now_us & _MASK ^ _HALF) - _HALF + self._cells[self._at + _OFFSET]
        if not 0 <= ahead_us <= self.period_us:
            ahead_us %= self.period_us
        self._cells[self._at + _DUE] = now_us - _HALF + ahead_us & _MASK ^ _HALF
        if self.gate is not None:
            self._cells[self._at + _GATE] = _CLOSED

    def origin_us(self):
        """Return a time on the task's grid, its offset taken off."""
        return self.due_us - self._cells[self._at + _OFFSET] & _MASK

    def release(self, now_us):
        """Note that the gate was seen open at now_us."""
        self._cells[self._at + _GATE] = _OPEN
        self._cells[self._at + _RELEASE] = now_us

    def opens(self):
        """Return whether its gate lets it start."""
        return self._cells[self._at + _GATE] != _PACED and self.gate()

    @micropython.native
    def keep_pace(self):
        """Have the next run begin a whole period behind this one, whatever its gate says; called in the run itself."""
        cells, at = self._cells, self._at
        late_us = (cells[_START] - cells[at + _DUE] & _MASK ^ _HALF) - _HALF + cells[at + _PERIOD]
        cells[at + _PACE] = min(late_us, cells[at + _HOLD])
        cells[at + _GATE] = _PACED

    def count(self, cell, amount):
        """Add to one of the counts."""
        self._cells[self._at + cell] = self._cells[self._at + cell] + amount & _MASK

    def mean_us(self, cell):
        """Return the mean of LATE_SUM or RUN_SUM in us since the last reset, 0 when it has not run."""
        runs = self.runs - self._cells[self._at + _MEAN_FROM] & _MASK
        return self._cells[self._at + cell] // runs if runs else 0

    def take_stats(self, out):
        """Write the STATS numbers since the last reset_worst() into `out`, an array('i') or a list."""
        for stat in range(_STAT_LATE_MEAN_US):
            out[stat] = self._cells[self._at + _RUNS + stat]
        out[_STAT_LATE_MEAN_US] = self.mean_us(_LATE_SUM)
        out[_STAT_RUN_MEAN_US] = self.mean_us(_RUN_SUM)

    def reset_worst(self):
        """Begin a new count: all counts, worst cases and means to zero (once per quarter hour)."""
        for cell in range(_RUNS, _WIDTH):
            self._cells[self._at + cell] = 0


def _within(name, key, value, low, high):
    if not low <= value <= high:
        raise ConfigError("TASK_RANGE", "task %s: %s is %s, allowed %d..%d" % (name, key, value, low, high))
