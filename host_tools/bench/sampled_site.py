"""A site whose meters sample at their own pace, around the firmware's tracker: held frequencies, without buses.

Load and grid meter refresh at their own instants, which nobody tells the tracker; the grid is read at three quarters of
a period. `sent_ms` is the way of a command to the PCS and `dead_ms` its dead time, of which the tracker is told. Cheap
enough for thousands of frequencies: `simulate` has the buses, and takes fifty times as long.
"""

import cmath
import math
import random

from host_tools.bench import tracking
from host_tools.bench.periodic_law import PeriodicLaw

MEAN_W, SWING_W = 77e6, 10e6
TRACE_S = 0.005
_READ_S = 0.003  # from a read of the load to the tick
_HELD_S, _HELD_PERIODS, _FITTED_S = 60, 4, 30
_PIECES = 60  # of the battery's past that are kept


class SampledSite:
    """Load, meters, tracker and battery; the target is the load's mean. `phases` of the meters, 0 .. 1 of a refresh."""

    def __init__(self, period_ms, refresh_ms, phases=(0.9, 0.3), sent_ms=4, dead_ms=14, told_refresh_ms=10, law=None):
        """`law(load_w, target_w)` takes the tracker's place, if there is one."""
        self.period_s, self.refresh_s = period_ms / 1000, refresh_ms / 1000
        self._offsets_s = [phase * self.refresh_s for phase in phases]
        self._late_s = (sent_ms + dead_ms) / 1000
        delay_ms = round(1000 * _READ_S) + sent_ms + dead_ms + told_refresh_ms // 2
        self.law = law or PeriodicLaw(period_ms, delay_ms, refresh_ms=told_refresh_ms)
        self._plain = law is not None
        self._pieces = [(-1.0, 0.0, 0.0)]  # (begin in s, power there, power it goes to)
        self._under_way = []
        self._sampled_s = None

    def bess_w(self, t_s):
        """Return the battery's power at a time not long ago."""
        at = len(self._pieces) - 1
        while at and self._pieces[at][0] > t_s:
            at -= 1
        begin_s, from_w, to_w = self._pieces[at]
        return to_w + (from_w - to_w) * math.exp(-(t_s - begin_s) * 1000 / tracking.LAG_MS)

    def _obey(self, until_s):
        while self._under_way and self._under_way[0][0] <= until_s:
            begin_s, command_w = self._under_way.pop(0)
            self._pieces.append((begin_s, self.bess_w(begin_s), command_w))
            del self._pieces[:-_PIECES]

    def _sample_s(self, meter, t_s):
        offset_s = self._offsets_s[meter]
        return math.floor((t_s - offset_s) / self.refresh_s) * self.refresh_s + offset_s

    def run(self, load_w, seconds):
        """Run on a load, a function of s; return the grid's power each TRACE_S, W."""
        trace = []
        for tick in range(1, int(seconds / self.period_s)):
            t_s = tick * self.period_s
            while len(trace) * TRACE_S < t_s:
                self._obey(len(trace) * TRACE_S)
                trace.append(load_w(len(trace) * TRACE_S) - self.bess_w(len(trace) * TRACE_S))
            self._obey(t_s)
            self._under_way.append((t_s + self._late_s, self._command_w(load_w, t_s)))
        return trace

    def _command_w(self, load_w, t_s):
        sampled_s = self._sample_s(0, t_s - _READ_S)
        if self._plain:
            command_w = self.law(load_w(sampled_s), MEAN_W)
        else:
            seen_s = self._sample_s(1, max(t_s - self.period_s / 4, 0))
            grid_w = load_w(seen_s) - self.bess_w(seen_s)
            command_w = self.law.with_grid(load_w(sampled_s), grid_w, None, MEAN_W, sampled_s != self._sampled_s)
        self._sampled_s = sampled_s
        return min(max(command_w, -tracking.BESS_W), tracking.BESS_W)


def held_s(hz):
    """Return how long a frequency is held: the longer of 60 s and four periods."""
    return math.ceil(max(_HELD_S, _HELD_PERIODS / hz))


def swing(values, hz, end_s, step_s):
    """Return the fitted swing at a frequency over the last whole periods of at least 30 s before `end_s`."""
    span_s = math.ceil(_FITTED_S * hz) / hz
    last = min(int(end_s / step_s), len(values))
    first = last - round(span_s / step_s)
    mean = math.fsum(values[first:last]) / (last - first)
    turn = -2j * math.pi * hz * step_s
    return 2 * abs(sum((values[i] - mean) * cmath.exp(turn * i) for i in range(first, last))) / (last - first)


def gain(hz, *site, **more):
    """Return what a SampledSite leaves of a held frequency, of the load's own swing."""
    grid = SampledSite(*site, **more).run(lambda t_s: MEAN_W + SWING_W * math.sin(2 * math.pi * hz * t_s), held_s(hz))
    return swing(grid, hz, held_s(hz), TRACE_S) / SWING_W


def generated(count, period_ms, refresh_ms, seed, from_hz=0.01, to_nyquist=0.8, **more):
    """Yield (frequency, phases, ours, plain) of `count` generated ones up to a part of the sampling's Nyquist rate."""
    dice = random.Random(f"{period_ms} {refresh_ms} {seed}")
    to_hz = to_nyquist * 500 / max(period_ms, refresh_ms)
    for i in range(count):
        hz = from_hz * (to_hz / from_hz) ** ((i + dice.random()) / count)
        phases = dice.random(), dice.random()
        plain = gain(hz, period_ms, refresh_ms, phases, law=tracking.FeedForward(period_ms), **more)
        yield hz, phases, gain(hz, period_ms, refresh_ms, phases, **more), plain
