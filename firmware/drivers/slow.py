"""What is read of a meter beside its power, every few seconds or on demand: as raw bytes, decoded when asked for.

One round reads all blocks; what values() decodes is always one whole round. Nothing allocates while rounds run.
"""

import micropython

from firmware.core.types import ptr8
from firmware.drivers import regmap
from firmware.drivers.line.job import Job

_ILLEGAL_ADDRESS = 2


@micropython.viper
def _copy(target: ptr8, at: int, source: ptr8, begin: int, n: int):
    i = 0
    while i < n:
        target[at + i] = source[begin + i]
        i += 1


class Slow:
    """Some rows of one meter's table.

    `count` are the whole rounds so far, `t_ms` is the tick at which the first row of the last one was sampled.
    A meter that refuses a block because of registers between those of its table is read without these from then on.
    """

    def __init__(self, bus, unit, function, timeout_us):
        self.count = 0
        self.t_ms = 0
        self.fails = 0  # rounds that were not whole
        self._bus = bus
        self._unit = unit
        self._function = function
        self._timeout_us = timeout_us
        self._jobs = []  # as many as have been needed
        self._used = ()
        self._rows = ()
        self._left = 0
        self._whole = True
        self._due = False  # the requests are to be planned before the next round
        self._stamp_ms = 0
        self._raw = self._last = bytearray(0)

    def aim(self, profile, rows, bridges=True):
        """Read rows of a profile's table, the most important one first. Not while a round is open.

        The requests are planned and made at the first round, or by plan(): what is never read takes no memory.
        """
        self._profile = profile
        self._rows = rows
        self._bridges = bridges
        self._due = True
        self._used = ()
        self._raw = self._last = bytearray(0)

    def reserve(self, jobs):
        """Have at least so many jobs. May allocate."""
        while len(self._jobs) < jobs:
            job = Job(self._bus, self._unit, self._function, 0, 1, self, self._timeout_us)
            job.slow = True
            self._jobs.append(job)

    def plan(self):
        """Point the requests at the rows. May allocate."""
        from firmware.drivers.line import blocks  # mostly at the start only: main.py forgets it then

        profile, rows, bridges = self._profile, self._rows, self._bridges
        self._due = False
        spans = sorted({(row[0], regmap.words(row[1])) for row in rows})
        cost_us = blocks.request_us(self._bus, profile.turnaround_us, profile.gap_us)
        planned = blocks.plan(spans, profile.max_read, cost_us, blocks.word_us(self._bus), bridges)
        used = []
        at = 0
        for address, count in planned:
            self.reserve(len(used) + 1)
            job = self._jobs[len(used)]
            job.aim(address, count, self._extra(address, count))
            job.place = at
            job.first = rows and address <= rows[0][0] < address + count
            at += 2 * count
            used.append(job)
        self._used = used
        self._raw = bytearray(at)
        self._last = bytearray(at)

    def _extra(self, address, count):
        """Return how far the second form runs on: over the next value, where the table has one right behind."""
        for row in self._profile.table:
            words = regmap.words(row[1])
            if row[0] == address + count and count + words <= self._profile.max_read:
                return words
        return 0

    def used(self):
        """Return the jobs of a round; of a meter that is not found yet all that it may have."""
        return self._used or self._jobs

    @micropython.native
    def open(self):
        """Return True while a round is under way."""
        return self._left > 0

    @micropython.native
    def request(self):
        """Ask for all blocks once; returns False where a round is open still, or there is nothing to read."""
        if self._left:
            return False
        if self._due:
            self.plan()
        if not self._used:
            return False
        self._left = len(self._used)
        self._whole = True
        for job in self._used:
            self._bus.submit(job)
        return True

    @micropython.native
    def on_answer(self, job, buf, at):
        """Keep a block's bytes."""
        _copy(self._raw, job.place, buf, at, 2 * job.count)
        if job.first:
            self._stamp_ms = job.sent_ms
        self._close()

    @micropython.native
    def on_failure(self, job, status):
        """Give the round up."""
        self._whole = False
        if job.exception == _ILLEGAL_ADDRESS and self._bridges:
            self._bridges = False
            self._due = True
        self._close()

    @micropython.native
    def _close(self):
        self._left -= 1
        if self._left:
            return
        if self._whole:
            _copy(self._last, 0, self._raw, 0, len(self._raw))
            self.t_ms = self._stamp_ms
            self.count += 1
        else:
            self.fails += 1

    def values(self):
        """Return {name: value in the unit that ends it, or None} of the last whole round. May allocate."""
        found = {}
        for row in self._rows:
            found[row[4]] = regmap.value(row, self._last, self._place(row[0])) if self.count else None
        return found

    def _place(self, address):
        for job in self._used:
            if job.address <= address < job.address + job.count:
                return job.place + 2 * (address - job.address)
        return 0
