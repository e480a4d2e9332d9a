"""What the wind nowcast has learnt: weights that correct persistence, and a P10-P90 band, for four lead times.

Powers are counted in 4096ths of the rating (`_q12`). A row is one power and seven regressors: the last three changes,
how far two slow means lie off, and two shapes of the level. Their products are summed, the sums halved now and then so
that what is old fades, and one step a lead and window (coordinate descent) takes the weights towards the least squares
of these sums: it cannot diverge, and needs neither a float nor a product beyond 31 bits. The band's ends are quantiles
of the error by forecast level: each moves 9 steps out on a miss and 1 step in on a hit, so that in the long run one in
ten misses, whatever the errors are like. A step has two parts: all of the end in proportion, which is quick to find out
how unsteady this farm is, and the level it happened at, which finds out the shape.

What it starts from was measured elsewhere: wind speeds of a mast (brightwind's demonstration data, 2016-17) through a
generic power curve.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ptr32

FULL_Q12 = const(4096)
NONE = const(-32768)
LEADS = const(4)
WINDOWS = (1, 2, 3, 6)  # the leads, in windows of 10 minutes

_COUNT = const(0)
_SCORED = const(1)

# A row: its power, the regressors made of it, and the band's ends that were told then, by lead.
LOWS = const(8)
HIGHS = const(12)
ROW = const(16)
ROWS = const(6)  # as many as the longest lead has windows

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_MASK_16 = const(0xFFFF)
_HALF_16 = const(0x8000)
_FULL = const(4096)
_TERMS = const(7)
_NODES = const(9)
_NODE_SHIFT = const(9)
_NODE_WIDTH = const(512)  # of 4096, from one node to the next
_NODE_MASK = const(511)
_BAND_SHIFT = const(12)
_BAND_MOST = const(1 << 24)
_SCALE_SHIFT = const(10)  # a miss moves all of an end by 9/1024 of its distance,
_STEP = const(8)  # and the place it happened at by at most 9 of 4096 besides

_PRODUCT_SHIFT = const(6)
_SUM_MOST = const(1 << 28)
_HALVE_AT = const(20_000)  # windows, 139 days; half of them stay
_STARTED_WITH = const(500)
_PIVOT_MOST = const(1 << 13)  # with weights below 2 in Q12 and seven terms no sum leaves 31 bits
_RIGHT_MOST = const(1 << 26)
_WEIGHT_MOST = const(8191)

_START_PRODUCTS = (1141962, 1141900, 1141887, 327359, 346824, 2560942, 1748426)
_START_WEIGHTS_Q12 = (-274, -466, -264, 608, 60, -41, 270, -749, -705, -413, 1063, 179, -85, 451,
                      -973, -803, -497, 1360, 327, -108, 566, -1147, -907, -591, 1861, 818, -143, 790)
_START_LOW_Q12 = (-73, -465, -789, -1016, -1189, -1370, -1389, -1269, -222)  # at a lead of 60 minutes
_START_HIGH_Q12 = (102, 568, 895, 1271, 1442, 1289, 952, 520, 146)
_START_SHARES = (133, 176, 200, 230)  # of that, by lead, in 256ths: a farm is a little steadier than a point


def ptr16(cells):
    """Return `cells`: viper takes this name for a pointer to 16-bit words, and never calls this."""
    return cells


@micropython.native
def regress(row, x, x1, x2, x3, fast, slow):
    """Fill the row of power x, those of 10, 20, 30 minutes before, and two slow means; each 0 .. 4096."""
    row[0] = x
    row[1] = x - x1
    row[2] = x1 - x2
    row[3] = x2 - x3
    row[4] = (fast - x) >> 2  # quartered: as large as the changes, so that the sums keep their digits
    row[5] = (slow - fast) >> 2
    bow = x * (FULL_Q12 - x) >> 12
    row[6] = bow
    row[7] = bow * (FULL_Q12 - 2 * x) >> 11


@micropython.viper
def _forecast(row: ptr16, at: int, weights: ptr32, base: int) -> int:
    """Return what these weights make of the row, 0 .. 4096."""
    total = 2048
    i = 0
    while i < _TERMS:
        term = ((row[at + 1 + i] & _MASK_16) ^ _HALF_16) - _HALF_16
        total += term * (((weights[base + i] & _MASK) ^ _HALF) - _HALF)
        i += 1
    total = row[at] + (total >> 12)
    if total > _FULL:
        total = _FULL
    if total < 0:
        total = 0
    return total


@micropython.viper
def _edge(bands: ptr32, at: int, level: int) -> int:
    """Return an end of the band, 0 .. 4096, where the forecast is `level`; the end's nodes begin at `at`."""
    at += level >> _NODE_SHIFT
    part = level & _NODE_MASK
    edge = (((bands[at] & _MASK) ^ _HALF) - _HALF) >> _BAND_SHIFT
    if part:
        other = (((bands[at + 1] & _MASK) ^ _HALF) - _HALF) >> _BAND_SHIFT
        edge += (other - edge) * part >> _NODE_SHIFT
    edge += level
    if edge > _FULL:
        edge = _FULL
    if edge < 0:
        edge = 0
    return edge


@micropython.viper
def _move(bands: ptr32, at: int, level: int, steps: int):
    """Move an end of the band where the forecast was `level`: all nodes in proportion, those on both sides as well."""
    here = at + (level >> _NODE_SHIFT)
    part = level & _NODE_MASK
    end = at + _NODES
    while at < end:
        edge = ((bands[at] & _MASK) ^ _HALF) - _HALF
        size = edge
        if size < 0:
            size = 0 - size
        edge += size * steps >> _SCALE_SHIFT
        if at == here:
            edge += (_NODE_WIDTH - part) * _STEP * steps
        if at == here + 1:
            edge += part * _STEP * steps
        if edge > _BAND_MOST:
            edge = _BAND_MOST
        if edge < 0 - _BAND_MOST:
            edge = 0 - _BAND_MOST
        bands[at] = edge
        at += 1


@micropython.viper
def _sum_up(sums: ptr32, rights: ptr32, row: ptr16, at: int, outcomes: ptr16) -> int:
    """Add a row and the power at each lead after it; return the largest sum there is."""
    cell = 0
    most = 0
    i = 0
    while i < _TERMS:
        one = ((row[at + 1 + i] & _MASK_16) ^ _HALF_16) - _HALF_16
        total = 0
        j = 0
        while j <= i:
            other = ((row[at + 1 + j] & _MASK_16) ^ _HALF_16) - _HALF_16
            total = (((sums[cell] & _MASK) ^ _HALF) - _HALF) + ((one * other + 32) >> _PRODUCT_SHIFT)
            sums[cell] = total
            cell += 1
            j += 1
        if total > most:
            most = total
        j = 0
        while j < 4:
            total = ((rights[j * _TERMS + i] & _MASK) ^ _HALF) - _HALF
            total += (one * (outcomes[j] - row[at]) + 32) >> _PRODUCT_SHIFT
            rights[j * _TERMS + i] = total
            if total < 0:
                total = 0 - total
            if total > most:
                most = total
            j += 1
        i += 1
    return most


@micropython.viper
def _halve(sums: ptr32, count: int):
    i = 0
    while i < count:
        sums[i] = ((((sums[i] & _MASK) ^ _HALF) - _HALF) + 1) >> 1
        i += 1


@micropython.viper
def _scale(sums: ptr32) -> int:
    """Return by how many bits the sums are to be shifted right for the largest pivot to stay below 2**13."""
    shift = 0
    i = 0
    while i < _TERMS:
        while sums[i * (i + 3) // 2] >> shift >= _PIVOT_MOST:
            shift += 1
        i += 1
    return shift


@micropython.viper
def _improve(sums: ptr32, rights: ptr32, weights: ptr32, base: int, shift: int):
    """Set each weight of a lead in turn to what would be best were the others right."""
    i = 0
    while i < _TERMS:
        pivot = sums[i * (i + 3) // 2] >> shift
        if pivot:
            rest = ((rights[base + i] & _MASK) ^ _HALF) - _HALF
            most = _RIGHT_MOST
            if shift < 12:
                most >>= 12 - shift
            else:
                rest >>= shift - 12
            if rest > most:
                rest = most
            if rest < 0 - most:
                rest = 0 - most
            if shift < 12:
                rest <<= 12 - shift
            j = 0
            while j < _TERMS:
                cell = i * (i + 1) // 2 + j
                if j > i:
                    cell = j * (j + 1) // 2 + i
                share = (((sums[cell] & _MASK) ^ _HALF) - _HALF) >> shift
                rest -= share * (((weights[base + j] & _MASK) ^ _HALF) - _HALF)
                j += 1
            rest = (((weights[base + i] & _MASK) ^ _HALF) - _HALF) + (rest + pivot // 2) // pivot
            if rest > _WEIGHT_MOST:
                rest = _WEIGHT_MOST
            if rest < 0 - _WEIGHT_MOST:
                rest = 0 - _WEIGHT_MOST
            weights[base + i] = rest
        i += 1


class WindModel:
    """Learns from rows, one a window of 10 minutes; forecasts from a row."""

    def __init__(self):
        self.sums = array("i", bytes(4 * _TERMS * (_TERMS + 1) // 2))  # of products of regressors, lower triangle
        self.rights = array("i", bytes(4 * _TERMS * LEADS))  # of regressor times outcome, by lead
        self.weights = array("i", _START_WEIGHTS_Q12)
        self.bands = array("i", bytes(4 * 2 * _NODES * LEADS))  # Q24; by lead all lows, then all highs
        self.cells = array("i", (_STARTED_WITH, 0))  # windows that the sums are of, those the band was held against
        self._start()

    def _start(self):
        for i in range(_TERMS):
            self.sums[i * (i + 3) // 2] = _START_PRODUCTS[i]
            for lead in range(LEADS):
                weight = self.weights[lead * _TERMS + i]
                self.rights[lead * _TERMS + i] = _START_PRODUCTS[i] // 64 * weight // 64
        for lead in range(LEADS):
            for node in range(_NODES):
                at = 2 * _NODES * lead + node
                self.bands[at] = _START_LOW_Q12[node] * _START_SHARES[lead] << 4
                self.bands[at + _NODES] = _START_HIGH_Q12[node] * _START_SHARES[lead] << 4

    def scored(self):
        """Return the windows that the band was held against, at most 20,000."""
        return self.cells[_SCORED]

    @micropython.native
    def foretell(self, lead, row):
        """Return the expected power, 0 .. 4096, of the window this lead after the row; write its band into the row."""
        level = _forecast(row, 0, self.weights, lead * _TERMS)
        at = 2 * _NODES * lead
        low = _edge(self.bands, at, level)
        high = _edge(self.bands, at + _NODES, level)
        row[LOWS + lead] = low if low < level else level
        row[HIGHS + lead] = high if high > level else level
        return level

    @micropython.native
    def score(self, lead, row, at, outcome_q12):
        """Move the band of this lead by what came of the row, against the band that was told then.

        Not against today's: errors come in flocks, and a band that has just moved out for one would not count the next.
        """
        level = _forecast(row, at, self.weights, lead * _TERMS)
        node = 2 * _NODES * lead
        _move(self.bands, node, level, -9 if outcome_q12 < row[at + LOWS + lead] else 1)
        _move(self.bands, node + _NODES, level, 9 if outcome_q12 > row[at + HIGHS + lead] else -1)
        if self.cells[_SCORED] < _HALVE_AT:
            self.cells[_SCORED] += 1

    def learn(self, row, at, outcomes):
        """Add a row and what came of it, the power at each lead, to the sums; halve these when they are full."""
        most = _sum_up(self.sums, self.rights, row, at, outcomes)
        cells = self.cells
        cells[_COUNT] += 1
        if cells[_COUNT] >= _HALVE_AT or most >= _SUM_MOST:
            _halve(self.sums, len(self.sums))
            _halve(self.rights, len(self.rights))
            cells[_COUNT] >>= 1

    def improve(self, lead):
        """Take one step of each weight of this lead towards what the sums call for."""
        _improve(self.sums, self.rights, self.weights, lead * _TERMS, _scale(self.sums))
