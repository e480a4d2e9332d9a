"""The laws that ours is compared with, and a closed loop in which each sees what its meters show it.

The plant is that of tracking.run(); here the law is told what the meters of load and grid showed `age_ms` ago and what
the PCS gives now, which is how samples of different age come to be mixed. Powers in W, discharge and import are +.
"""

import math
from dataclasses import dataclass

from host_tools.bench import tracking

OPENEMS_CYCLE_MS = 1000


@dataclass(frozen=True)
class Way:
    """How a law is connected: its cycle, the age of what the meters show, and the way from there to the PCS, in ms."""

    cycle_ms: int
    age_ms: int
    way_ms: int
    lag_ms: float = tracking.LAG_MS
    grid_age_ms: int | None = None  # of what the grid meter shows, where it samples at other times than the load's

    @property
    def delay_ms(self):
        """Return the whole way from a sample to the command at the PCS."""
        return self.age_ms + self.way_ms


def follow(law, load, target, way, step_ms=tracking.STEP_MS, rating_w=tracking.BESS_W):
    """Return the grid's power on the grid of times, W, when the law is asked each cycle.

    law(load_w, grid_w, bess_w, target_w) -> command_w.
    """
    times = way.cycle_ms, way.age_ms, way.way_ms, way.age_ms if way.grid_age_ms is None else way.grid_age_ms
    every, old, late, grid_old = (value // step_ms for value in times)
    if any(value % step_ms for value in times):
        raise ValueError("cycle, age and way must be whole steps")
    share = 1 - math.exp(-step_ms / way.lag_ms) if way.lag_ms else 1.0
    under_way = []  # (index from which it holds, command)
    command = bess = 0.0
    grid = []
    for i, power in enumerate(load):
        while under_way and under_way[0][0] <= i:
            command = under_way.pop(0)[1]
        grid.append(power - bess)
        if i % every == 0:
            seen = max(i - old, 0)
            asked = law(load[seen], grid[max(i - grid_old, 0)], bess, target[seen])
            under_way.append((i + late, min(max(asked, -rating_w), rating_w)))
            if not late:
                command = under_way.pop()[1]
        bess += (command - bess) * share
    return grid


def nothing(load_w, grid_w, bess_w, target_w):
    """Return the command of a site without a battery: 0 W."""
    return 0.0


def greedy(load_w, grid_w, bess_w, target_w):
    """Return the net load of the last sample as the command, W."""
    return load_w - target_w


def balance(load_w, grid_w, bess_w, target_w):
    """Return the command of the plain balance law, W: what the PCS gives now and what the grid meter showed last."""
    return bess_w + grid_w - target_w


class OpenEmsPid:
    """The form that OpenEMS has by default: a PID on the power of the battery, towards that of the balance law.

    No time step is in it: its gains are per call, once a second. The sum is added to behind the output and held within
    ten times the rating.
    """

    PROPORTIONAL, INTEGRAL, DERIVATIVE = 0.3, 0.3, 0.1

    def __init__(self, rating_w=tracking.BESS_W):
        self._rating = rating_w
        self._sum = 0.0
        self._last = None

    def __call__(self, load_w, grid_w, bess_w, target_w):
        """Return the command for this sample, W."""
        wanted = balance(load_w, grid_w, bess_w, target_w)
        off = wanted - bess_w
        if off == 0:
            return wanted
        moved = 0.0 if self._last is None else bess_w - self._last
        self._last = bess_w
        asked = self.PROPORTIONAL * off + self.INTEGRAL * self._sum - self.DERIVATIVE * moved
        most = 10 * self._rating
        self._sum = min(max(self._sum + off, -most), most)
        return min(max(asked, -self._rating), self._rating)


class GridPi:
    """A PI on the grid meter, tuned by the SIMC rule to delay and lag; its output never leaves the rating."""

    def __init__(self, way, rating_w=tracking.BESS_W):
        late_ms = way.delay_ms + way.cycle_ms / 2  # a command stands for half a cycle, on average
        self._gain = way.lag_ms / (2 * late_ms)  # closed loop as slow as the delay: SIMC's tight setting
        integral_ms = min(way.lag_ms, 8 * late_ms)
        self._part = self._gain * way.cycle_ms / integral_ms
        self._rating = rating_w
        self._asked = 0.0
        self._last = None

    def __call__(self, load_w, grid_w, bess_w, target_w):
        """Return the command for this sample, W."""
        off = grid_w - target_w
        last = off if self._last is None else self._last
        self._last = off
        asked = self._asked + self._gain * (off - last) + self._part * off
        self._asked = min(max(asked, -self._rating), self._rating)
        return self._asked


class Metered:
    """A law that sees the load's meter alone, as one of this loop: law(load_w, target_w) -> command_w."""

    def __init__(self, law):
        self._law = law

    def __call__(self, load_w, grid_w, bess_w, target_w):
        """Return the command for this sample, W."""
        return self._law(load_w, target_w)
