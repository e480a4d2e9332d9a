"""A control law against the plant of the definitions, step by step: loads, the closed loop, and what is left of them.

The plant: a sample of the load every control period, a total delay from the sample to the command that the PCS holds,
and a PCS that follows as a first-order lag. Everything lies on one fine grid of `step_ms`, powers in W.
"""

import cmath
import math
import random
import tempfile
from functools import lru_cache

from host_tools.datasets import gpt3_load
from host_tools.plant.series import load_power

STEP_MS = 5
LAG_MS = 50
BESS_W = 40e6
SKIP_S = 60  # of the GPT-3 run
SKIP_PERIODS = 30  # of a periodic load
LOW_W, HIGH_W = 60e6, 95e6
EDGE_S = 0.1
DUTY = 0.75
PERIOD_JITTER, SWING_JITTER = 0.005, 0.05
BAND_HZ = (0.1, 2.0)
_BASELINE_S = 30
_BASELINE_W_PER_S = 1e6
_COARSE_MS = 50  # the band is judged on means over this long


@lru_cache(maxsize=2)
def gpt3_w(step_ms=STEP_MS):
    """Return (load on the grid, W, 59.5 to 95.0 MW; True if the measurement could not be had and it is made up)."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        made = gpt3_load(folder)
        series = load_power(made.path)
    return [series.value(t_us) for t_us in range(0, series.duration_us, step_ms * 1000)], made.synthetic


def trapezoid_w(period_s, periods, seed, step_ms=STEP_MS):
    """Return a load that swings between 60 and 95 MW, up for 3/4 of a period, on the grid, W.

    Edges of 0.1 s; each period's length and swing drawn anew (normal, 0.5 % and 5 %); it begins somewhere in the first.
    """
    rng = random.Random(f"{period_s} {seed}")
    step_s = step_ms / 1000
    load, t_s, k = [], -period_s * rng.random(), 0
    for _ in range(periods + 1):
        length_s = period_s * (1 + PERIOD_JITTER * rng.gauss(0, 1))
        swing_w = (HIGH_W - LOW_W) * (1 + SWING_JITTER * rng.gauss(0, 1))
        while k * step_s < t_s + length_s:
            since_s = k * step_s - t_s
            up = min(since_s / EDGE_S, 1.0) - min(max((since_s - DUTY * length_s) / EDGE_S, 0.0), 1.0)
            load.append(LOW_W + swing_w * up)
            k += 1
        t_s += length_s
    return load


def baseline_w(load, step_ms=STEP_MS, filter_s=_BASELINE_S, ramp_w_per_s=_BASELINE_W_PER_S):
    """Return the baseline of a load: a first-order filter whose output moves no faster than the ramp limit, W."""
    share = 1 - math.exp(-step_ms / 1000 / filter_s)
    most_w = ramp_w_per_s * step_ms / 1000
    value, values = load[0], []
    for power in load:
        value += min(max((power - value) * share, -most_w), most_w)
        values.append(value)
    return values


def mean_w(load):
    """Return the mean of a load as a target that does not move, on the load's grid, W."""
    return [math.fsum(load) / len(load)] * len(load)


class FeedForward:
    """The plain law that others are compared with: load less target, led by its last slope over `lead_ms`."""

    def __init__(self, period_ms, lead_ms=LAG_MS):
        self._factor = lead_ms / period_ms
        self._last = None

    def __call__(self, load_w, target_w):
        """Return the command for this sample, W."""
        last = load_w if self._last is None else self._last
        self._last = load_w
        return load_w + self._factor * (load_w - last) - target_w


def run(law, load, target, period_ms, delay_ms, step_ms=STEP_MS, lag_ms=LAG_MS, rating_w=BESS_W):
    """Return the grid's power on the grid of times, W, when law(load_w, target_w) -> command_w is asked each period.

    `delay_ms` is the whole way from a sample to the command at the PCS; both are whole steps. Discharge is +.
    """
    every, late = period_ms // step_ms, delay_ms // step_ms
    if every * step_ms != period_ms or late * step_ms != delay_ms:
        raise ValueError("period and delay must be whole steps")
    share = 1 - math.exp(-step_ms / lag_ms)
    under_way = []  # (index from which it holds, command)
    command = bess = 0.0
    grid = []
    for i, power in enumerate(load):
        if i % every == 0:
            under_way.append((i + late, law(power, target[i])))
        while under_way and under_way[0][0] <= i:
            command = min(max(under_way.pop(0)[1], -rating_w), rating_w)
        grid.append(power - bess)
        bess += (command - bess) * share
    return grid


def fractions(grid, load, target, skip_s, step_ms=STEP_MS):
    """Return {"rms", "p99", "ramp", "band"} of the grid as fractions of the load's own, `skip_s` left out."""
    first = round(skip_s * 1000 / step_ms)
    ours = _measures([g - t for g, t in zip(grid[first:], target[first:])], grid[first:], step_ms)
    alone = _measures([p - t for p, t in zip(load[first:], target[first:])], load[first:], step_ms)
    return {name: value / alone[name] for name, value in ours.items()}


def _measures(off, power, step_ms):
    sizes = sorted(map(abs, off))
    second = 1000 // step_ms
    return {"rms": math.sqrt(math.fsum(x * x for x in off) / len(off)),
            "p99": sizes[min(len(sizes) * 99 // 100, len(sizes) - 1)],
            "ramp": max((abs(b - a) for a, b in zip(power, power[second:])), default=0.0),
            "band": band_power(off, step_ms)}


def band_power(values, step_ms=STEP_MS, band_hz=BAND_HZ):
    """Return the mean square of what lies between the two frequencies, in squared units, by one Hann window."""
    many = max(_COARSE_MS // step_ms, 1)
    coarse = [sum(values[i:i + many]) / many for i in range(0, len(values) - many + 1, many)]
    count, coarse_s = len(coarse), many * step_ms / 1000
    mean = sum(coarse) / count
    window = [0.5 - 0.5 * math.cos(2 * math.pi * (i + 0.5) / count) for i in range(count)]
    size = 1 << (count - 1).bit_length()
    lines = _fft([(x - mean) * w for x, w in zip(coarse, window)] + [0.0] * (size - count))
    power = 0.0
    for k in range(1, size // 2):
        hz = k / (size * coarse_s)
        if band_hz[0] <= hz <= band_hz[1]:
            x = math.pi * hz * coarse_s  # the means damp what is fast: undone here
            power += 2 * abs(lines[k]) ** 2 * (x / math.sin(x)) ** 2
    return power / (size * math.fsum(w * w for w in window))


def _fft(values):
    """Return the discrete Fourier transform of 2**n values."""
    size = len(values)
    if size == 1:
        return values
    even, odd = _fft(values[::2]), _fft(values[1::2])
    turned = [cmath.rect(1.0, -2 * math.pi * k / size) * x for k, x in enumerate(odd)]
    return [a + b for a, b in zip(even, turned)] + [a - b for a, b in zip(even, turned)]


def periodic(make_law, period_s, period_ms, delay_ms, seed, periods=90):
    """Return the fractions of a trapezoid load of this period under make_law(); the target is the mean load."""
    load = trapezoid_w(period_s, periods + SKIP_PERIODS, seed)
    target = mean_w(load)
    grid = run(make_law(), load, target, period_ms, delay_ms)
    return fractions(grid, load, target, SKIP_PERIODS * period_s)


def gpt3(make_law, period_ms, delay_ms):
    """Return the fractions of the GPT-3 run under make_law(); the target is the load's baseline."""
    load, _ = gpt3_w()
    target = baseline_w(load)
    grid = run(make_law(), load, target, period_ms, delay_ms)
    return fractions(grid, load, target, SKIP_S)
