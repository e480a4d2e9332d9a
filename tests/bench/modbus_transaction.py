"""One Modbus read of 10 registers by the firmware's master: asked, answered, checked, decoded, line free again."""

import gc
from array import array

import micropython
import mps2

from firmware.drivers.bus import Bus
from firmware.drivers.job import Job
from firmware.drivers.modbus import crc16
from firmware.drivers.ratio import U16, Ratio, plan, read_all
from tests.bench import stopwatch
from tests.bench.memory_line import MemoryLine

REGISTERS = 10
ROUNDS = 15


def answer():
    """Return the answer of unit 1 to a read of 10 holding registers."""
    frame = bytearray([1, 3, 2 * REGISTERS])
    for i in range(REGISTERS):
        frame.append(i)
        frame.append(100 + i)
    crc = crc16(frame, 0, len(frame))
    return frame + bytearray([crc & 0xFF, crc >> 8])


class Owner:
    """Decodes the ten registers as the drivers do it, each through its Ratio."""

    def __init__(self):
        self.values = array("i", [0] * REGISTERS)
        self.answers = 0
        self._plan = plan([(2 * i, Ratio(U16, 1, 1, 0xFFFFF)) for i in range(REGISTERS)])

    @micropython.native
    def on_answer(self, job, buf, at):
        """Decode."""
        read_all(self._plan, REGISTERS, buf, at, self.values)
        self.answers += 1

    def on_failure(self, job, status):
        """Refuse to measure a failure."""
        raise RuntimeError(f"status {status}")


class Clock:
    """The board's own clock, as its platform gives it."""

    us = staticmethod(mps2.ticks_us)
    ms = staticmethod(mps2.ticks_ms)


class Transaction:
    """A bus with one job, at rest, on the board's own clock."""

    def __init__(self):
        self.owner = Owner()
        self.serial = MemoryLine([answer()])
        self.bus = Bus(self.serial, Clock(), 115_200)
        self.job = Job(self.bus, 1, 3, 0, REGISTERS, self.owner)
        self.step = self._step  # a bound method is an object: made once

    def rest(self):
        """Let the silence pass, and free the line."""
        mps2.idle_us(4000)
        self.bus.poll()

    @micropython.native
    def _step(self):
        """Make one transaction up to the ten values: the request goes; it has left, and its answer is there."""
        bus = self.bus
        bus.submit(self.job)
        bus.poll()
        bus.poll()


def counted(step, made, rounds=ROUNDS):
    """Return the counts of `rounds` calls of `step`, sorted; the line rests and garbage goes in between."""
    counts = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        made.rest()
        counts.append(stopwatch.counts(step))
    gc.enable()
    return sorted(counts)


def main():
    """Print the figures."""
    made = Transaction()
    counts = counted(made.step, made)
    mps2.idle_us(4000)
    free = stopwatch.counts(made.bus.poll)
    idle = stopwatch.counts(made.bus.poll)
    alloc_bytes = stopwatch.allocated(made.step)
    if made.owner.answers != ROUNDS + 1 or made.owner.values[9] != 9 << 8 | 109:
        raise RuntimeError("not every read was answered")
    print({"instructions": stopwatch.INSTRUCTIONS * counts[ROUNDS // 2], "alloc_bytes": alloc_bytes,
           "free": stopwatch.INSTRUCTIONS * free, "idle": stopwatch.INSTRUCTIONS * idle})
