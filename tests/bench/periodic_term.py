"""What the repetitive term costs in a control tick, and its learning beside it, on a load with a period of 2 s."""

import gc
from array import array

from firmware.control.periodic import Periodic, repeat
from tests.bench import stopwatch

PERIOD_MS, DELAY_MS, LAG_MS = 20, 30, 50
TICKS = 100  # in a period of the load
LOW, HIGH = 300_000, 475_000
LEARNT = 900


def load_pu(tick):
    """Return a load that is up for 3/4 of its period, with edges of five samples."""
    at = tick % TICKS
    up = min(at, 5) - min(max(at - 75, 0), 5)
    return LOW + (HIGH - LOW) * up // 5


def main():
    """Print {name: instructions}, and what two periods allocate."""
    term = Periodic(PERIOD_MS, DELAY_MS, LAG_MS)
    cells, ring, tracker = term.cells, term.ring, array("i", [0] * 21)
    ticks, learns = [], []
    for tick in range(LEARNT):
        tracker[16] = tracker[18] = tracker[19] = load_pu(tick)
        repeat(cells, ring, tracker)
        term.learn()
        if tick % 50 == 0:
            gc.collect()
    gate = term.gate
    for tick in range(LEARNT, LEARNT + TICKS):
        tracker[16] = tracker[18] = tracker[19] = load_pu(tick)
        ticks.append(stopwatch.counts(lambda: repeat(cells, ring, tracker)))
        learns.append(stopwatch.counts(term.learn))
        gc.collect()
    cost = stopwatch.counts(lambda: tracker)
    each = stopwatch.INSTRUCTIONS
    print({"tick": (stopwatch.median(ticks) - cost) * each, "tick_max": (max(ticks) - cost) * each,
           "learn": stopwatch.median(learns) * each, "learn_max": max(learns) * each, "gate": gate,
           "ring_bytes": 2 * len(term.ring), "cells_bytes": 4 * (len(term.cells) + len(term.finder.cells)),
           "alloc_bytes": stopwatch.allocated(lambda: repeat(cells, ring, tracker)) + stopwatch.allocated(term.learn)})
