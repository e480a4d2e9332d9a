"""One Modbus read of 10 registers by the firmware's master: asked, answered, checked, decoded, line free again."""

from array import array

import board
import micropython
import mps2

from firmware.drivers.bus import Bus
from firmware.drivers.job import Job
from firmware.drivers.modbus import crc16
from firmware.drivers.queue import submit
from firmware.drivers.ratio import U16, Ratio, plan, read_all
from firmware.hal.open import open_platform
from tests.bench import stopwatch

REGISTERS = 10
ROUNDS = 15
_SPINS = 90_000


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
        self._rows, self._count = plan([(2 * i, Ratio(U16, 1, 1, 0xFFFFF)) for i in range(REGISTERS)])

    def decoder(self):
        """Return what decodes an answer."""
        rows, count, values = self._rows, self._count, self.values

        @micropython.native
        def take(buf, at):
            read_all(buf, at, rows, values, count)

        return take

    def on_answer(self, job, buf, at):
        """Leave it to what decoder() has made."""

    def on_failure(self, job, status):
        """Refuse to measure a failure."""
        raise RuntimeError(f"status {status}")


class Transaction:
    """A bus with one job, at rest, on the board's own clock and UART; at its other end the host has the answer."""

    def __init__(self):
        platform = open_platform(board, "board", "/")
        self.owner = Owner()
        self.serial = platform.serial(0, 115_200, "N", 1)
        self.bus = Bus(self.serial, platform, 115_200)
        self.job = Job(self.bus, 1, 3, 0, REGISTERS, self.owner, 2_000_000)
        self.job.hand_to(self.owner.decoder())
        self.sending = 0

    def rest(self):
        """Let the silence pass, and free the line."""
        for _ in range(3):  # an idle ends early where bytes have come since the last
            mps2.idle_us(4000)
            self.bus.poll()

    @micropython.native
    def read(self):
        """Make one read; return its counts: of asking and sending, and of the answer, once it is there whole."""
        bus = self.bus
        job = self.job
        any_bytes = self.serial.any
        begin = stopwatch.now()
        submit(bus.cells, job.at)
        bus.poll()
        spent = stopwatch.since(begin)
        spins = 0
        while any_bytes() < 5 + 2 * REGISTERS:
            mps2.idle_us(20)  # the emulator looks after its sockets when a timer runs out
            spins += 1
            if spins > _SPINS:
                raise RuntimeError("the host does not answer")
        begin = stopwatch.now()
        bus.poll()
        self.sending = spent - stopwatch.cost
        return self.sending + stopwatch.since(begin) - stopwatch.cost


def rounds(made):
    """Return the counts of ROUNDS reads, sorted."""
    counts = []
    for _ in range(ROUNDS):
        made.rest()
        counts.append(made.read())
    return sorted(counts)


def main():
    """Print the figures."""
    made = Transaction()
    made.rest()
    made.read()
    counts = rounds(made)
    if made.job.device.answers != ROUNDS + 1 or made.owner.values[9] != 9 << 8 | 109:
        raise RuntimeError("not every read was answered")
    mps2.idle_us(4000)
    mps2.idle_us(4000)
    free = stopwatch.counts(made.bus.poll)
    idle = stopwatch.counts(made.bus.poll)
    alloc_bytes = stopwatch.allocated(made.read)
    print({"instructions": stopwatch.INSTRUCTIONS * counts[ROUNDS // 2], "alloc_bytes": alloc_bytes,
           "free": stopwatch.INSTRUCTIONS * free, "idle": stopwatch.INSTRUCTIONS * idle,
           "sending": stopwatch.INSTRUCTIONS * made.sending})
