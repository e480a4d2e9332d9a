"""One Modbus read of 10 registers by the firmware's master: asked, answered, checked, decoded, line free again."""

from array import array

import board
import micropython
import mps2
from micropython import const

from firmware.core.types import ptr8, ptr32
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from firmware.drivers.line.modbus import crc16
from firmware.drivers.line.queue import submit
from firmware.hal.open import open_platform
from tests.bench import stopwatch

REGISTERS = const(10)
ROUNDS = 15
_WARM_UP = 16  # a bus learns from the first 16 answers of each unit
_SPINS = 90_000
_INVALID = const(-0x20000000)  # as ratio.INVALID


def answer():
    """Return the answer of unit 1 to a read of 10 holding registers."""
    frame = bytearray([1, 3, 2 * REGISTERS])
    for i in range(REGISTERS):
        frame.append(i)
        frame.append(100 + i)
    crc = crc16(frame, 0, len(frame))
    return frame + bytearray([crc & 0xFF, crc >> 8])


@micropython.viper
def take_ten(c: ptr32, own: int, come: ptr8, out: ptr32) -> int:
    """Take the ten registers as drivers.der takes the words of its answer; one that is not implemented is none."""
    i = 0
    while i < REGISTERS:
        value = come[3 + 2 * i] << 8 | come[4 + 2 * i]
        out[i] = value if value != 0xFFFF else _INVALID
        i += 1
    return 0


class Owner:
    """Keeps the ten registers."""

    def __init__(self):
        self.values = array("i", [0] * REGISTERS)

    def on_answer(self, job, buf, at):
        """Leave it to take_ten()."""

    def on_failure(self, job, status):
        """Refuse to measure a failure."""
        raise RuntimeError(f"status {status}")


class Transaction:
    """A bus with one job, at rest, on the board's own clock and UART; at its other end the host has the answer."""

    def __init__(self):
        platform = open_platform(board, "board", "/")
        self.owner = Owner()
        self.serial = platform.serial(0, 115_200, "N", 1)
        self.any_bytes = self.serial.any  # looked up once: a bound method is an object, and a read must not make one
        self.bus = Bus(self.serial, platform, 115_200)
        self.job = Job(self.bus, 1, 3, 0, REGISTERS, self.owner, 2_000_000)
        self.job.hand_to(take_ten, 0, self.owner.values)
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
        any_bytes = self.any_bytes
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
    for _ in range(_WARM_UP):
        made.rest()
        made.read()
    counts = rounds(made)
    if made.job.device.answers != ROUNDS + _WARM_UP or made.owner.values[9] != 9 << 8 | 109:
        raise RuntimeError("not every read was answered")
    mps2.idle_us(4000)
    mps2.idle_us(4000)
    free = stopwatch.counts(made.bus.poll)
    idle = stopwatch.counts(made.bus.poll)
    alloc_bytes = stopwatch.allocated(made.read)
    print({"instructions": stopwatch.INSTRUCTIONS * counts[ROUNDS // 2], "alloc_bytes": alloc_bytes,
           "free": stopwatch.INSTRUCTIONS * free, "idle": stopwatch.INSTRUCTIONS * idle,
           "sending": stopwatch.INSTRUCTIONS * made.sending})
