"""The wind nowcast: what a sample, the end of a minute and of a window, and an answer cost, and its heap."""

import gc

from firmware.control.windcast import Windcast
from tests.bench import stopwatch

_RATING_PU = 164_000
_MINUTE_MS = 60_000


class Feeding:
    """A nowcast that has seen three hours; called, it takes a sample."""

    def __init__(self, cast, dt_ms):
        self.cast = cast
        self.dt_ms = dt_ms
        self.power_pu = 60_000

    def __call__(self):
        """Take the next sample: a power that goes up and down."""
        self.power_pu += 700 if self.power_pu < 70_000 else -40_000
        self.cast.add(self.power_pu, self.dt_ms, False)


def main():
    """Print the figures."""
    gc.collect()
    before = gc.mem_alloc()
    cast = Windcast(_RATING_PU)
    gc.collect()
    heap_bytes = gc.mem_alloc() - before
    minute = Feeding(cast, _MINUTE_MS)
    for _ in range(180):
        minute()
    gc.collect()
    gc.disable()
    minutes = [stopwatch.counts(minute) for _ in range(10)]
    sample = Feeding(cast, 1000)
    samples = [stopwatch.counts(sample) for _ in range(15)]
    answers = [stopwatch.counts(lambda: cast.low_pu(35)) for _ in range(15)]
    gc.enable()
    alloc_bytes = max(stopwatch.allocated(minute) for _ in range(10))
    figures = {"sample": stopwatch.median(samples), "minute": stopwatch.median(minutes), "window": max(minutes),
               "answer": stopwatch.median(answers)}
    figures = {name: stopwatch.INSTRUCTIONS * figures[name] for name in figures}
    figures["heap_bytes"] = heap_bytes
    figures["alloc_bytes"] = alloc_bytes
    print(figures)
