"""The wind nowcast: mean power of the 10 minutes that end 1 to 60 minutes ahead, with its P10-P90 band.

Persistence, corrected by what `wind_model` has learnt on this very farm. What is kept is kept by the minute, what is
learnt is learnt by windows of ten, and the work of a window is spread over its minutes. No clock is needed, only the ms
between samples.

Three cases. Most of the last 10 minutes measured: forecast and band. Curtailed: the meter shows what was let through,
the least there was, so the low end is that of such a power, the high end the rating, and nothing is learnt. Neither, or
too little learnt yet: the last power, and the widest band.

Below 10 minutes the answer is the one for 10: there was no measurement on which a narrower band could be proved.
"""

from array import array

import micropython
from micropython import const

from firmware.control.wind_model import (
    FULL_Q12,
    HIGHS,
    LEADS,
    LOWS,
    NONE,
    ROW,
    ROWS,
    WINDOWS,
    WindModel,
    ptr16,
    regress,
)

_MASK_16 = const(0xFFFF)
_HALF_16 = const(0x8000)  # NONE is its negative
_MINUTE_MS = const(60_000)
_WINDOW = const(10)  # minutes
_HOLD_MS = const(600_000)  # a sample stands for the time since the one before, but not for more
_LAGS = const(30)  # minutes
_ENOUGH_MINUTES = const(8)
_ENOUGH_SCORES = const(12)
_CURTAILED = const(-1)  # a curtailed minute of x is kept as -1 - x
_FAST = const(36)  # windows, 6 hours
_SLOW = const(288)  # windows, 2 days
_MEAN_SHIFT = const(14)  # the slow means are Q26

# Cells: the two slow means, and the windows they are of, at most _SLOW.
_QUICK = const(0)
_LAZY = const(1)
_SETTLED = const(2)


@micropython.viper
def _look(minutes: ptr16) -> int:
    """Return the mean of ten minutes; -1 - x where x is but the least it was; NONE: not known."""
    measured = 0
    total = 0
    present = 0
    least = 0
    i = 0
    while i < _WINDOW:
        x = ((minutes[i] & _MASK_16) ^ _HALF_16) - _HALF_16
        if x >= 0:
            measured += 1
            total += x
        elif x != 0 - _HALF_16:
            present += 1
            least += _CURTAILED - x
        i += 1
    if measured >= _ENOUGH_MINUTES:
        return (total + measured // 2) // measured
    present += measured
    if present >= _ENOUGH_MINUTES:
        return _CURTAILED - (total + least) // present
    return 0 - _HALF_16


@micropython.viper
def _to_q12(power_pu: int, rating_pu: int) -> int:
    """Return a power, cut to 0 .. rating, in 4096ths of the rating; in two steps, for 31 bits."""
    if power_pu > rating_pu:
        power_pu = rating_pu
    if power_pu < 0:
        power_pu = 0
    power_pu <<= 10
    whole = power_pu // rating_pu
    return (whole << 2) + (((power_pu - whole * rating_pu) << 2) + rating_pu // 2) // rating_pu


@micropython.viper
def _to_pu(power_q12: int, rating_pu: int) -> int:
    """Return a power of 0 .. 4096ths of the rating in site power units."""
    return (rating_pu * (power_q12 >> 2) + (rating_pu * (power_q12 & 3) >> 2) + 512) >> 10


def _empty(cells):
    for i in range(len(cells)):
        cells[i] = NONE


class Windcast:
    """Forecasts a farm's power in site power units, 0 .. `rating_pu` (1 .. 2**19 - 1)."""

    def __init__(self, rating_pu):
        self._rating_pu = rating_pu
        self.model = WindModel()
        self._minutes = array("h", [NONE] * _WINDOW)
        self._means = array("h", [NONE] * _LAGS)
        self._rows = array("h", [NONE] * (ROW * ROWS))
        self._now = array("h", [0] * ROW)
        self._outcomes = array("h", [0] * LEADS)
        self._ahead = array("h", [0] * LEADS)  # forecasts by lead; their bands stand in the row of now
        self._minute = 0  # 0 .. 29
        self._next = 0  # 0 .. ROWS - 1, the oldest row
        self._ms = 0
        self._sum = 0  # 4096ths times ms
        self._curtailed = False
        self.cells = array("i", (0, 0, 0))  # what control.learned keeps, besides the model's
        self._last = 0
        self.known = False  # else it is persistence with the widest band

    def forecast_pu(self, minutes):
        """Return the expected mean power of the 10 minutes that end so many minutes ahead, 1 .. 60."""
        return _to_pu(self._at(self._ahead, 0, minutes) if self.known else self._last, self._rating_pu)

    def low_pu(self, minutes):
        """Return what that power falls short of one time in ten."""
        return _to_pu(self._at(self._now, LOWS, minutes), self._rating_pu) if self.known else 0

    def lately_pu(self):
        """Return the mean of the last six hours or so."""
        return _to_pu(self.cells[_QUICK] >> _MEAN_SHIFT, self._rating_pu)

    def high_pu(self, minutes):
        """Return what that power exceeds one time in ten."""
        return _to_pu(self._at(self._now, HIGHS, minutes), self._rating_pu) if self.known else self._rating_pu

    @micropython.native
    def _at(self, cells, base, minutes):
        if minutes >= 60:
            return cells[base + 3]
        at = base + 2
        part = minutes - 30
        step = 30
        if part < 0:
            part = minutes - 10 if minutes > 10 else 0
            at = base + part // 10
            part %= 10
            step = 10
        early = cells[at]
        return early + (cells[at + 1] - early) * part // step

    @micropython.native
    def add(self, wind_pu, dt_ms, curtailed):
        """Take the power measured now, `dt_ms` after the last; curtailed: the wind limit was active in between.

        Steps of 1 to 60 s are meant; up to 10 minutes a sample stands for the whole step, a longer one is a gap.
        """
        if dt_ms <= 0:
            return
        x = _to_q12(wind_pu, self._rating_pu)
        if not curtailed or x > self._last:
            self._last = x
        if dt_ms > _HOLD_MS:
            self._skip(dt_ms)
            return
        while dt_ms:
            part_ms = _MINUTE_MS - self._ms
            if part_ms > dt_ms:
                part_ms = dt_ms
            self._sum += x * part_ms
            self._ms += part_ms
            dt_ms -= part_ms
            if curtailed:
                self._curtailed = True
            if self._ms == _MINUTE_MS:
                self._end_minute()

    def _skip(self, gap_ms):
        """Go on after a gap: nothing of before is near enough, the slow means and what was learnt stay."""
        self._ms += gap_ms % _MINUTE_MS
        minutes = gap_ms // _MINUTE_MS + self._ms // _MINUTE_MS
        self._minute = (self._minute + minutes) % _LAGS
        self._ms %= _MINUTE_MS
        self._sum = self._last * self._ms
        self._curtailed = False
        _empty(self._minutes)
        _empty(self._means)
        _empty(self._rows)
        self.known = False

    @micropython.native
    def _end_minute(self):
        x = self._sum // _MINUTE_MS
        self._minutes[self._minute % _WINDOW] = _CURTAILED - x if self._curtailed else x
        self._sum = self._ms = 0
        self._curtailed = False
        mean = _look(self._minutes)
        if mean != NONE:
            self._last = mean if mean >= 0 else _CURTAILED - mean
        here = self._minute
        self._minute = (here + 1) % _LAGS
        phase = self._minute % _WINDOW
        if phase == 0 and mean >= 0:
            self._settle(mean)
        whole = self._regress(mean, here)
        self._means[here] = mean
        if phase == 0:
            self._learn(mean)
        elif phase <= LEADS:
            self.model.improve(phase - 1)
        self._foresee(mean)
        if phase == 0:
            self._keep(mean, whole)

    def _settle(self, mean):
        """Let the slow means follow this window's; while they are young, as the mean of all there were."""
        cells = self.cells
        if cells[_SETTLED] < _SLOW:
            cells[_SETTLED] += 1
        cells[_QUICK] += ((mean << _MEAN_SHIFT) - cells[_QUICK]) // min(cells[_SETTLED], _FAST)
        cells[_LAZY] += ((mean << _MEAN_SHIFT) - cells[_LAZY]) // cells[_SETTLED]

    def _regress(self, mean, here):
        """Fill the row of now; return whether all it is made of was measured. What was not counts as no change."""
        if mean < 0:
            x = _CURTAILED - mean if mean != NONE else 0
            regress(self._now, x, x, x, x, x, x)
            return False
        x1, x2, x3 = self._means[(here + 20) % _LAGS], self._means[(here + 10) % _LAGS], self._means[here]
        whole = x1 >= 0 and x2 >= 0 and x3 >= 0
        x1 = x1 if x1 >= 0 else mean
        x2 = x2 if x2 >= 0 else x1
        x3 = x3 if x3 >= 0 else x2
        cells = self.cells
        fast, slow = cells[_QUICK] >> _MEAN_SHIFT, cells[_LAZY] >> _MEAN_SHIFT
        settled = cells[_SETTLED]
        regress(self._now, mean, x1, x2, x3, fast if settled else mean, slow if settled else mean)
        return whole

    def _learn(self, mean):
        """Learn from the rows whose windows this one brings to an end; `mean` is its power, below 0 if not measured."""
        if mean < 0:
            return
        rows, model = self._rows, self.model
        oldest = self._next * ROW
        learns = rows[oldest + 1] != NONE
        for lead in range(LEADS):
            behind = WINDOWS[lead]
            made = (self._next + ROWS - behind) % ROWS * ROW
            if rows[made + 1] != NONE:
                model.score(lead, rows, made, mean)
            outcome = mean if behind == ROWS else rows[(self._next + behind) % ROWS * ROW]
            self._outcomes[lead] = outcome
            learns = learns and outcome != NONE
        if learns:
            model.learn(rows, oldest, self._outcomes)

    @micropython.native
    def _keep(self, mean, whole):
        """Keep the row of this window in the place of the oldest: its power for those before, all of it if whole."""
        at = self._next * ROW
        for i in range(ROW):
            self._rows[at + i] = self._now[i]
        if mean < 0:
            self._rows[at] = NONE
        if not whole:
            self._rows[at + 1] = NONE
        self._next = (self._next + 1) % ROWS

    @micropython.native
    def _foresee(self, mean):
        """Work out forecast, low and high at each lead, so that asking is cheap."""
        now = self._now
        for lead in range(LEADS):
            self._ahead[lead] = self.model.foretell(lead, now)
            if mean < 0:
                now[HIGHS + lead] = FULL_Q12
        self.known = mean != NONE and self.model.scored() >= _ENOUGH_SCORES
