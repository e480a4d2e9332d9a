"""Finding the period of a load: the mean size of its change over each of some hundred lags, and the lag where it dips.

A few lags a tick, chosen at random so that no period stays hidden behind the order in which they are looked at. Cells
and levels of the load are those of control.periodic.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ptr16, ptr32

# As in control.periodic.
_HEAD = const(0)
_SIZE = const(1)
_FILLED = const(2)
_PERIOD = const(3)
_STEP = const(4)
_SWING = const(5)
_AGE = const(6)
_RIPE = const(7)
_COST_BITS = const(8)
_NOW = const(9)
_LOW = const(10)
_HIGH = const(11)
_GATE = const(18)
_OFF = const(21)
_READY = const(39)

# Cells of Finder: from _MEANS on the means, levels * 256, _NONE for none yet, and then the lags in samples.
_LAGS = const(0)  # how many there are
_SEED = const(1)  # of the choice
_TICKS = const(2)  # so far, up to _GROWN
_GROWN = const(3)  # ticks from which the means reach back twice as far
_BITS = const(4)  # a mean reaches back over 2 ** this comparisons
_BITS_MAX = const(5)
_NEXT = const(6)  # lag of the search: 0 .. lags - 1 in its first pass, then the second
_LOWEST = const(7)
_HIGHEST = const(8)
_RISEN = const(9)  # 1: the means have been above half of the highest, 2: they dip, 3: they rise again
_FOUND = const(10)  # index of the lag at the bottom of that dip
_DOUBTS = const(11)  # searches in a row that said otherwise
_FRESH = const(12)  # index of the lag from one fresh sample to the next
_FIRST = const(13)  # index of the shortest lag that may be used
_MEANS = const(14)

_VISITS = const(16)  # lags compared a tick
_SEARCHED = const(8)  # lags searched a tick
_NONE = const(0x1FFFFFFF)
_LEAST_SWING = const(64)  # levels: 0.2 % of full scale
_DOUBTS_MAX = const(3)
_HELPS = const(128)  # a gate this far open: the period is kept, whatever else might be one
_COST_BITS_LEAST = const(5)
_RIPE_LEAST = const(20)  # ticks
_STEP_SHARE = const(143)  # shifts are 0.7 % of the period apart

# Start-up only.
_SHORTEST_MS = 480
_LONGEST_MS = 11_000
_SAMPLES = 4  # at least, in a period
_GROWTH = 1.03  # from one lag to the next
_REACH_MS = 16_000  # of the means


@micropython.viper
def compare(per: ptr32, ring: ptr16, lag: ptr32):
    """Take the change of the load over some lags into their means."""
    if lag[_TICKS] < lag[_GROWN]:
        lag[_TICKS] += 1
    elif lag[_BITS] < lag[_BITS_MAX]:
        lag[_BITS] += 1
        lag[_GROWN] *= 2
    if per[_FILLED] < 2 * per[_SIZE]:
        per[_FILLED] += 1
    count = lag[_LAGS]
    seed = (lag[_SEED] * 25173 + 13849) & 0xFFFF
    lag[_SEED] = seed
    at = seed * count >> 16
    visits = _VISITS if _VISITS < count else count
    while visits:
        back = lag[_MEANS + count + at]
        if back * 2 < per[_FILLED]:
            i = per[_HEAD] - back
            if i < 0:
                i += per[_SIZE]
            change = per[_NOW] - int(ring[i])
            change = (0 - change if change < 0 else change) << 8
            mean = lag[_MEANS + at]
            lag[_MEANS + at] = change if mean == _NONE else mean + (change - mean >> lag[_BITS])
        at += 1
        if at == count:
            at = 0
        visits -= 1


@micropython.viper
def search(lag: ptr32) -> int:
    """Go on looking for the dip; return 1 when all lags have been looked at.

    The first pass finds the bounds. The second takes the first dip almost as low as the lowest, once the means have
    been high: the shortest lags are low for any load that moves slowly. Of a short period a multiple will do.
    """
    count = lag[_LAGS]
    at = lag[_NEXT]
    if at == 0:
        lag[_LOWEST] = _NONE
        lag[_HIGHEST] = lag[_RISEN] = 0
    last = at + _SEARCHED
    while at < last:
        mean = at if at < count else at - count
        mean = lag[_MEANS + mean]
        if mean < _NONE and at < count:
            if mean > lag[_HIGHEST]:
                lag[_HIGHEST] = mean
            elif mean < lag[_LOWEST] and mean * 2 < lag[_HIGHEST]:
                lag[_LOWEST] = mean
        if mean < _NONE and at >= count:
            risen = lag[_RISEN]
            if risen == 0:
                lag[_RISEN] = 1 if mean * 2 > lag[_HIGHEST] else 0
            elif risen == 1 and mean < lag[_LOWEST] + ((lag[_HIGHEST] - lag[_LOWEST]) >> 2):
                lag[_RISEN] = 2
                lag[_FOUND] = at - count
            elif risen == 2 and mean < lag[_MEANS + lag[_FOUND]]:
                lag[_FOUND] = at - count
            elif risen == 2:
                lag[_RISEN] = 3 if lag[_FOUND] >= lag[_FIRST] else 0
        at += 1
        if at == 2 * count:
            lag[_NEXT] = 0
            return 1
    lag[_NEXT] = at
    return 0


@micropython.viper
def judge(per: ptr32, lag: ptr32) -> int:
    """Return the lag to adopt after a search, samples; 0 to leave things as they are, -1 to let go of the period."""
    count = lag[_LAGS]
    found = 0
    swing = lag[_HIGHEST] >> 7  # a load that is up for 3/4 of its period changes by half its swing at most
    # A wave of less than four fresh samples changes nearly as much from one to the next as it ever does, noise too:
    # what the meter shows of it may be something else. By chance the highest is too high, so one of five is left too.
    quick = lag[_MEANS + lag[_FRESH]] << 4 > lag[_HIGHEST] * 9
    if lag[_RISEN] == 3 and lag[_LOWEST] < _NONE and swing > _LEAST_SWING and not quick:
        found = lag[_MEANS + count + lag[_FOUND]]
    if found:
        per[_SWING] = swing
        away = (found << 8) - per[_PERIOD]
        if away < 0:
            away = 0 - away
        if away << 5 < per[_PERIOD]:
            lag[_DOUBTS] = 0
            return 0
    if per[_GATE] >= _HELPS and not quick:
        return 0
    lag[_DOUBTS] += 1
    if per[_PERIOD] and lag[_DOUBTS] < _DOUBTS_MAX:
        return 0
    lag[_DOUBTS] = 0
    return found if found else -1


@micropython.viper
def adopt(per: ptr32, samples: int):
    """Use a period from now on, 0 for none: nothing that was learnt of another one is kept."""
    per[_PERIOD] = samples << 8
    per[_STEP] = (samples << 8) // _STEP_SHARE + 1
    per[_AGE] = per[_GATE] = 0
    j = _OFF
    while j <= _READY:  # errors, costs, gaps, misfits
        per[j] = 0
        j += 1
    bits = _COST_BITS_LEAST
    while samples >> bits:
        bits += 1
    per[_COST_BITS] = bits
    per[_RIPE] = 2 * samples + _RIPE_LEAST


class Finder:
    """Finds the period of the load in a ring of its levels."""

    def __init__(self, per, period_ms, fresh_ms):
        """`per`: the cells of Periodic; `fresh_ms` as there."""
        count, last = self._lags(period_ms, None)
        # Filled in place: a small heap has no room for a list of as many numbers beside it.
        self.cells = cells = array("i", bytes(4 * (_MEANS + 2 * count)))
        cells[_LAGS], cells[_SEED], cells[_GROWN], cells[_BITS] = count, 1, count // 4 + 1, 1
        self._lags(period_ms, cells)
        while (1 << cells[_BITS_MAX]) * count * period_ms < _REACH_MS * _VISITS:
            cells[_BITS_MAX] += 1
        per[_SIZE] = last * 21 // 20 + 8
        per[_HIGH] = (per[_SIZE] - 6) * 250
        self.refresh(period_ms, fresh_ms)

    def refresh(self, period_ms, fresh_ms):
        """Take how often the meter has a new value; bound() is to be called next."""
        fresh = max(-(-fresh_ms // period_ms), 1)
        self.cells[_FRESH] = self._below(fresh)
        self._least = max(_SAMPLES * fresh, _SHORTEST_MS // period_ms) * 250

    def _lags(self, period_ms, cells):
        """Return (number of lags, the longest); put them into the cells, if there are any yet."""
        count, lag = 0, 1
        while True:
            if cells:
                at = _MEANS + count
                cells[at], cells[at + cells[_LAGS]] = _NONE, lag
            count += 1
            longer = max(lag + 1, round(lag * _GROWTH))
            if longer * period_ms > _LONGEST_MS:
                return count, lag
            lag = longer

    def _below(self, samples):
        """Return how many lags are shorter."""
        cells = self.cells
        at = first = _MEANS + cells[_LAGS]
        while at < len(cells) and cells[at] < samples:
            at += 1
        return at - first

    def bound(self, per, ahead):
        """Accept only periods that reach as far back as has to be looked ahead, samples * 256; None: none at all."""
        per[_LOW] = _NONE if ahead is None else max(self._least, (ahead + 640) * 103 // 100)
        self.cells[_FIRST] = self._below((per[_LOW] >> 8) + 1)

    @micropython.native
    def step(self, per, ring):
        """Compare and search a little further, once a tick."""
        compare(per, ring, self.cells)
        if search(self.cells):
            samples = judge(per, self.cells)
            if samples:
                adopt(per, max(samples, 0))
