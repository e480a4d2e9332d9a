"""How the wind goes on from hour to hour: a Markov chain of eight levels, learned on this very farm.

A day ahead nobody knows the wind of an hour; but how often much wind stays, fades or comes is soon known, and that is
what a plan needs that has to leave room for it. It starts from a chain that mostly stays where it is.
"""

from array import array

import micropython
from micropython import const

from firmware.core.fixed import clamp
from firmware.core.types import ptr8, ptr32

LEVELS = const(8)
_EDGES = bytes((0, 3, 10, 20, 36, 56, 87, 141))  # where each level begins, 256ths of the rating
_MIDDLES = bytes((1, 6, 15, 28, 46, 71, 114, 198))
_STAYS = const(5)  # so many of eight, at first
_FALLS = const(2)
_RISES = const(1)
_MOST = const(255)
_EVEN = const(8)
_SHARES = const(128)  # parts of what is certain: with more of them the largest values would not fit 32 bits
VALUES = const(17)


@micropython.viper
def expect(counts: ptr8, values: ptr32, level: int, expected: ptr32):
    """Put what `values` (17 of each level, 0 .. 2**24) come to an hour after this level into `expected`."""
    row = level * LEVELS
    total = 0
    k = 0
    while k < LEVELS:
        total += counts[row + k]
        k += 1
    i = 0
    while i < VALUES:
        left = _SHARES  # what is lost to rounding stays where it is
        mean = 0
        k = 0
        while k < LEVELS:
            share = counts[row + k] * _SHARES // total
            left -= share
            mean += values[k * VALUES + i] * share
            k += 1
        expected[i] = (mean + values[level * VALUES + i] * left) // _SHARES
        i += 1


class WindChain:
    """Counts the ways from level to level of a farm of `rating_pu`."""

    def __init__(self, rating_pu):
        self._rating_pu = max(rating_pu, 1)
        self.counts = bytearray(LEVELS * LEVELS)
        self.means = array("i", [rating_pu * middle >> 8 for middle in _MIDDLES])
        self._last = None
        for level in range(LEVELS):
            row = level * LEVELS
            self.counts[row + level] += _STAYS
            self.counts[row + max(level - 1, 0)] += _FALLS
            self.counts[row + min(level + 1, LEVELS - 1)] += _RISES

    def level(self, wind_pu):
        """Return the level, 0 .. 7, of a power."""
        share = clamp(wind_pu, 0, self._rating_pu) * 256 // self._rating_pu
        level = LEVELS - 1
        while _EDGES[level] > share:
            level -= 1
        return level

    def add(self, wind_pu):
        """Take the mean of one more hour."""
        level = self.level(wind_pu)
        self.means[level] += (wind_pu - self.means[level]) // _EVEN
        if self._last is not None:
            self._count(self._last * LEVELS, level)
        self._last = level

    def _count(self, row, level):
        if self.counts[row + level] == _MOST:  # what was long ago counts less
            for k in range(LEVELS):
                self.counts[row + k] = (self.counts[row + k] + 1) >> 1
        self.counts[row + level] += 1
