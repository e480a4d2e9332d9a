"""A counter that a site feeds beside its meters: fuel burnt, or computing work done. One read every two seconds."""

import micropython

from firmware.core.types import ptr8
from firmware.drivers.line.job import Job


@micropython.viper
def _copy(target: ptr8, source: ptr8, begin: int, n: int):
    i = 0
    while i < n:
        target[i] = source[begin + i]
        i += 1


class Counter:
    """`words` registers from `address` on, high word first; one count is `per_count` of its unit."""

    def __init__(self, bus, row):
        self.count = 0  # whole readings so far
        self._per_count = row["per_count"]
        self._raw = bytearray(2 * row["words"])
        timeout_us = row["timeout_ms"] * 1000
        self._job = Job(bus, row["unit"], row["function"], row["register"], row["words"], self, timeout_us)

    @micropython.native
    def request(self):
        """Ask for it."""
        return self._job.bus.submit(self._job)

    @micropython.native
    def on_answer(self, job, buf, at):
        """Keep a reading's bytes."""
        _copy(self._raw, buf, at, len(self._raw))
        self.count += 1

    def on_failure(self, job, status):
        """Leave the last reading as it is."""

    def value(self):
        """Return the last reading in the counter's unit, None for one that stands for "not available"."""
        if self._raw == b"\xff" * len(self._raw):
            return None
        return int.from_bytes(self._raw, "big") * self._per_count
