"""The delay-limited optimum: what no law can get below that sees the load only up to the delay.

For a load of which it is known how it is drawn (the trapezoid) it is a bound on the RMS for every law, linear or not:
what is left of the load less its mean given all that was seen, without a pause, up to the delay before. Whoever reaches
it knows period and swing and how both scatter, sees every edge, and has a PCS without lag and without hold.

For a measured load nobody can know that. There it is a definition, not a law of nature: the least RMS on this very
series of all laws whose command is a fixed weighted sum of past samples of load less target (those of `REACH`), the
weights fitted to the series in hindsight; sampling, delay, hold and lag are those of every other law. A law that is not
linear may do better.
"""

import random
from bisect import bisect_right
from operator import mul
from statistics import NormalDist

from host_tools.bench import rivals, tracking

_NEWEST = 16  # samples, one by one
_LONGEST_MS = 12_000  # behind them ever wider apart, up to this
_THINNED_MS = 20  # the fit weighs the error this often
_QUANTILES = 41  # by which the length of a period is averaged over
_RISE_W = tracking.HIGH_W - tracking.LOW_W


def reach(cycle_ms):
    """Return which samples the linear law looks at, 0 the newest."""
    found, back = list(range(_NEWEST)), _NEWEST
    while back * cycle_ms <= _LONGEST_MS:
        found.append(back)
        back = back * 3 // 2
    return found


class Linear:
    """The law of these weights."""

    def __init__(self, taps, weights):
        self._pairs = list(zip(taps, weights))
        self._past = [0.0] * (taps[-1] + 1)
        self._at = 0

    def __call__(self, load_w, grid_w, bess_w, target_w):
        """Return the command for this sample, W."""
        past, at = self._past, self._at
        past[at] = load_w - target_w
        size = len(past)
        self._at = (at + 1) % size
        return sum(weight * past[(at - tap) % size] for tap, weight in self._pairs)


def fitted(load, target, way, skip_s, step_ms=tracking.STEP_MS):
    """Return the Linear law of least RMS of grid less target on this load, `skip_s` (> 12 s) left out."""
    grid = rivals.follow(rivals.greedy, load, target, way, step_ms, rating_w=float("inf"))
    given = [p - g for p, g in zip(load, grid)]  # what the newest sample alone, with weight 1, comes to
    first, every = round(skip_s * 1000 / step_ms), way.cycle_ms // step_ms
    thin = max(_THINNED_MS // step_ms, 1)
    away = [p - t for p, t in zip(load[first::thin], target[first::thin])]
    taps = reach(way.cycle_ms)
    parts = [given[first - tap * every:len(given) - tap * every:thin] for tap in taps]
    matrix = [[0.0] * len(taps) for _ in taps]
    for i, part in enumerate(parts):
        for k in range(i + 1):
            matrix[i][k] = matrix[k][i] = sum(map(mul, part, parts[k]))
    return Linear(taps, _solved(matrix, [sum(map(mul, part, away)) for part in parts]))


def _solved(matrix, right):
    """Solve a system of equations by elimination with the largest pivot."""
    rows = [[*row, value] for row, value in zip(matrix, right)]
    count = len(rows)
    for i in range(count):
        best = max(range(i, count), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for k in range(i + 1, count):
            part = rows[k][i] / rows[i][i]
            if part:
                rows[k] = [x - part * y for x, y in zip(rows[k], rows[i])]
    found = [0.0] * count
    for i in range(count - 1, -1, -1):
        found[i] = (rows[i][count] - sum(map(mul, rows[i][i + 1:count], found[i + 1:]))) / rows[i][i]
    return found


def drawn(period_s, periods, seed):
    """Return [(begin in s, length in s, swing in W)] of the periods of tracking.trapezoid_w()."""
    rng = random.Random(f"{period_s} {seed}")
    t_s, found = -period_s * rng.random(), []
    for _ in range(periods + 1):
        length_s = period_s * (1 + tracking.PERIOD_JITTER * rng.gauss(0, 1))
        found.append((t_s, length_s, _RISE_W * (1 + tracking.SWING_JITTER * rng.gauss(0, 1))))
        t_s += length_s
    return found


def power_w(since_s, length_s, swing_w):
    """Return the load of a period of this length and swing, `since_s` after its begin, W."""
    up = min(since_s / tracking.EDGE_S, 1.0)
    up -= min(max((since_s - tracking.DUTY * length_s) / tracking.EDGE_S, 0.0), 1.0)
    return tracking.LOW_W + swing_w * up


def foreseen_w(period_s, periods, seed, delay_ms, count, step_ms):
    """Return the mean of what the trapezoid load can be, given all of it up to `delay_ms` before, W, `count` steps."""
    found = drawn(period_s, periods, seed)
    begins = [begin for begin, _, _ in found]
    normal = NormalDist(period_s, tracking.PERIOD_JITTER * period_s)
    lengths = [normal.inv_cdf((i + 0.5) / _QUANTILES) for i in range(_QUANTILES)]
    values = []
    for i in range(count):
        t_s = i * step_ms / 1000
        seen_s = t_s - delay_ms / 1000
        begin, length, swing = found[max(bisect_right(begins, seen_s) - 1, 0)]
        since_s = seen_s - begin
        if since_s >= tracking.DUTY * length:  # the fall has told how long this period is
            can_be = [length]
        else:
            can_be = [each for each in lengths if tracking.DUTY * each > since_s] or [lengths[-1]]
        values.append(sum(_later(t_s - begin, each, swing, period_s) for each in can_be) / len(can_be))
    return values


def _later(after_s, length_s, swing_w, period_s):
    """Return the load so long after a period's begin, W; all periods behind it are mean ones."""
    while after_s >= length_s:
        after_s, length_s, swing_w = after_s - length_s, period_s, _RISE_W
    return power_w(after_s, length_s, swing_w)
