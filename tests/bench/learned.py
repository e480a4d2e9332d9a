"""Keeping what the dispatcher has learnt: each slice of writing it and of taking it up, and its heap."""

import gc

from firmware.control.learned import PATH, Learned
from firmware.core.types import CLOCK_SYNCHRONISED
from firmware.core.utc import Utc
from firmware.hal.files import Files
from tests.bench import stopwatch
from tests.device.test_learned import Board


class Slices:
    """Counts each slice of a generator; the first is what it takes to begin."""

    def __init__(self, work):
        self._work = work
        self.counts = []
        self._ended = False
        while not self._ended:
            self.counts.append(stopwatch.counts(self._next))

    def _next(self):
        try:
            next(self._work)
        except StopIteration:
            self._ended = True


def main():
    """Print the figures."""
    files = Files("")
    board = Board(files)
    utc = Utc()
    utc.set(1_900_000, 0, CLOCK_SYNCHRONISED, 0)
    gc.collect()
    before = gc.mem_alloc()
    learned = Learned(files, board.dispatch, utc, "bench")
    gc.collect()
    heap_bytes = gc.mem_alloc() - before
    gc.disable()
    before = gc.mem_alloc()
    written = Slices(learned.writing(board.note)).counts
    garbage_bytes = gc.mem_alloc() - before
    gc.enable()
    again = Learned(files, board.dispatch, utc, "bench")
    start = stopwatch.counts(lambda: again.resume(board.note))
    taken = Slices(again.work(board.note)).counts
    looks = [stopwatch.counts(again.due) for _ in range(5)]
    figures = {"slices": [stopwatch.INSTRUCTIONS * count for count in written],
               "days": stopwatch.INSTRUCTIONS * max(taken), "start": stopwatch.INSTRUCTIONS * start,
               "look": stopwatch.INSTRUCTIONS * stopwatch.median(looks), "file_bytes": files.size(PATH),
               "heap_bytes": heap_bytes, "garbage_bytes": garbage_bytes}
    print(figures)
