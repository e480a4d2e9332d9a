"""One Modbus read of 10 registers by the firmware's master: asked, answered, checked, decoded, line free again."""

import gc
from array import array

import micropython

from firmware.drivers.bus import Bus
from firmware.drivers.job import Job
from firmware.drivers.modbus import crc16
from firmware.drivers.ratio import U16, Ratio
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


class Clock:
    """A FAKE clock that stands until told to move."""

    def __init__(self):
        self.now_us = 0

    @micropython.native
    def us(self):
        """Return microseconds."""
        return self.now_us

    @micropython.native
    def ms(self):
        """Return milliseconds."""
        return 0


class Owner:
    """Decodes the ten registers as the drivers do it, each through its Ratio."""

    def __init__(self):
        self.values = array("i", [0] * REGISTERS)
        self.answers = 0
        self._read = Ratio(U16, 1, 1, 0xFFFFF).read

    @micropython.native
    def on_answer(self, job, buf, at):
        """Decode."""
        values = self.values
        read = self._read
        i = 0
        while i < REGISTERS:
            values[i] = read(buf, at)
            at += 2
            i += 1
        self.answers += 1

    def on_failure(self, job, status):
        """Refuse to measure a failure."""
        raise RuntimeError(f"status {status}")


class Transaction:
    """A bus with one job, at rest."""

    def __init__(self):
        self.clock = Clock()
        self.owner = Owner()
        self.bus = Bus(MemoryLine([answer()]), self.clock, 115_200)
        self.job = Job(self.bus, 1, 3, 0, REGISTERS, self.owner)
        self.pass_time()
        self.bus.poll()
        self.step = self._step  # a bound method is an object: made once

    @micropython.native
    def pass_time(self):
        """Let 4 ms pass."""
        self.clock.now_us = self.clock.now_us + 4000 & 0x3FFFFFFF

    @micropython.native
    def _step(self):
        """Make one transaction: three polls, each with something to do."""
        bus = self.bus
        clock = self.clock
        bus.submit(self.job)
        bus.poll()  # the request goes
        clock.now_us += 2000
        bus.poll()  # it has left, and the answer is there
        clock.now_us += 2000
        bus.poll()  # silence: the line is free


def main():
    """Print the figures."""
    made = Transaction()
    gc.collect()
    gc.disable()
    rounds = [stopwatch.counts(made.step) for _ in range(ROUNDS)]
    gc.enable()
    alloc_bytes = stopwatch.allocated(made.step)
    if made.owner.answers != ROUNDS + 1 or made.owner.values[9] != 9 << 8 | 109:
        raise RuntimeError("not every read was answered")
    print({"instructions": stopwatch.INSTRUCTIONS * stopwatch.median(rounds), "alloc_bytes": alloc_bytes})
