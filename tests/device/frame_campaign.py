"""Generated frames against drivers.line.bus: right, damaged, foreign, late, on a FAKE line that allocates nothing.

Request k is answered with registers that all hold k, spoilt as chance says; whatever is spoilt holds another value.
The oracle knows nothing of the bus: an answer may pass only when every byte of the right answer to this very request
has been read from the line, and only with that answer's content.
"""

import gc
from array import array

import micropython
from micropython import const

from firmware.core import ticks
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.device.frame_line import LATEST_US, SINGLE_UNIT, TIMEOUT_US, FrameLine

_BAUD = const(115_200)
_STEP_MAX_US = const(50_000)
_SLACK_US = const(2_000)  # a poll may come this late
_ENDLESS_US = const(30_000_000)
_CHUNK = const(10_000)
_WARM_UP = const(60)
_PRESSES = const(12)  # of so many steps of the bus one finds a set point asked for, whatever is on the line


class Clock:
    """Virtual time as the firmware's platform gives it: small integers that wrap."""

    def __init__(self, now_us):
        self.now_us = now_us
        self._now_ms = 0
        self._rest_us = 0

    @micropython.native
    def us(self):
        return self.now_us

    @micropython.native
    def ms(self):
        return self._now_ms

    @micropython.native
    def advance(self, us):
        """Let time pass, less than 2^20 us at once."""
        self.now_us = ticks.add(self.now_us, us)
        rest_us = self._rest_us + us
        self._now_ms = (self._now_ms + rest_us // 1000) & 0x3FFFFFFF
        self._rest_us = rest_us % 1000


class Oracle:
    """Owns all jobs; counts what passes, and what should not have passed."""

    def __init__(self, line):
        self._line = line
        self.passed = 0
        self.failed = 0
        self.wrong = 0
        self.first = None  # (k, unit, function, kind) of the first wrong one

    @micropython.native
    def on_answer(self, job, buf, at):
        self.passed += 1
        line = self._line
        frame = line.frame
        fits = line.heard == line.k and job.device.unit == frame[0] and job.function == frame[1]
        if fits and frame[1] <= 4:
            fits = buf[at - 1] == 2 * frame[5] and self._holds(buf, at, frame[5])
        if not fits:
            self.wrong += 1
            if self.first is None:
                self.first = (line.k, frame[0], frame[1], line.kind)

    @micropython.native
    def _holds(self, buf, at, count):
        value = self._line.k
        end = at + 2 * count
        while at < end:
            if buf[at] << 8 | buf[at + 1] != value:
                return False
            at += 2
        return True

    @micropython.native
    def on_failure(self, job, status):
        self.failed += 1


class Campaign:
    """One bus and its line, from one seed."""

    def __init__(self, seed):
        self.echo = seed % 4 == 3
        # Some begin shortly before the tick wraps.
        self._clock = Clock(0x3FFFFFFF - 2_000_000 if seed % 3 == 1 else seed % 1000)
        self.line = FrameLine(self._clock, _BAUD, seed, self.echo)
        self._chance = self.line.chance
        self.bus = Bus(self.line, self._clock, _BAUD)
        self.oracle = Oracle(self.line)
        self._jobs = self._make_jobs()
        self._setpoint = self._jobs[2]
        self._seen = -1

    def _make_jobs(self):
        bus = self.bus
        owner = self.oracle
        jobs = [Job(bus, 1, 4, 0, 2, owner, TIMEOUT_US, extra=2),
                Job(bus, 1, 3, 0, 3, owner, TIMEOUT_US, extra=1),
                Job(bus, 1, 16, 10, 4, owner, TIMEOUT_US, skip=1, registers=array("H", (1, 2, 3, 4)), urgent=True),
                Job(bus, 2, 4, 0, 2, owner, TIMEOUT_US, extra=2),
                Job(bus, 2, 3, 0x100, 20, owner, TIMEOUT_US, extra=2),
                Job(bus, SINGLE_UNIT, 4, 0, 2, owner, TIMEOUT_US)]
        if not self.echo:  # there the answer to a write of one register is the same as its echo
            jobs.append(Job(bus, SINGLE_UNIT, 6, 7, 1, owner, TIMEOUT_US, registers=array("H", (9,))))
        assert jobs[0].device.late_us >= LATEST_US
        return jobs

    @micropython.native
    def run(self, frames):
        """Go on until the line has carried this many frames; returns False when the bus does not move any more."""
        line = self.line
        oracle = self.oracle
        idle_us = 0
        while line.frames < frames:
            k = line.k
            self._ask(oracle.passed + oracle.failed)
            if not self._chance.below(_PRESSES):
                self.bus.submit(self._setpoint)
            step_us = self._step()
            idle_us = 0 if line.k != k else idle_us + step_us
            if idle_us > _ENDLESS_US:
                return False
        return True

    @micropython.native
    def _ask(self, outcomes):
        if outcomes == self._seen:
            return
        self._seen = outcomes
        jobs = self._jobs
        for _ in range(1 + self._chance.below(3)):
            self.bus.submit(jobs[self._chance.below(len(jobs))])

    @micropython.native
    def _step(self):
        self.bus.poll()
        wait_us = self.bus.wait_us()
        if wait_us > _STEP_MAX_US:
            wait_us = _STEP_MAX_US
        next_us = self.line.next_us()
        if next_us < wait_us:
            wait_us = next_us
        if not self._chance.below(6):
            wait_us += self._chance.below(_SLACK_US)
        if wait_us < 1:
            wait_us = 1
        self._clock.advance(wait_us)
        return wait_us


def play(seed, frames):
    """Run one campaign; returns it, and the bytes allocated while it ran."""
    campaign = Campaign(seed)
    going = campaign.run(_WARM_UP)
    gc.collect()
    gc.disable()
    before = _allocated()
    going = going and campaign.run(frames)
    after = _allocated()
    gc.enable()
    assert going, "the bus stands still; seed %d" % seed
    return campaign, after - before


def _allocated():
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def check(seed, frames):
    """Run one campaign and judge it; returns (answers that passed, requests that failed, frames)."""
    campaign, allocated = play(seed, frames)
    oracle = campaign.oracle
    assert oracle.wrong == 0, "seed %d: wrong %s" % (seed, (oracle.wrong,) + oracle.first)
    assert allocated == 0, "seed %d: %d bytes allocated" % (seed, allocated)
    counted = 0
    for device in campaign.bus.devices:
        counted += device.requests
    open_n = counted - oracle.passed - oracle.failed
    assert 0 <= open_n <= 1, "requests without an outcome"
    kinds = campaign.line.kinds
    assert frames < 1000 or min(kinds) > 0, "kinds %s" % list(kinds)
    return oracle.passed, oracle.failed, campaign.line.frames


def main(frames, seed=1):
    """Run campaigns until so many frames have been carried; prints the sums."""
    sums = [0, 0, 0]
    while sums[2] < frames:
        result = check(seed, min(_CHUNK, frames - sums[2]))
        for i in range(3):
            sums[i] += result[i]
        seed += 1
    print("%d frames, %d answers passed, %d requests failed, 0 wrong" % (sums[2], sums[0], sums[1]))

