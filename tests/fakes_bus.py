"""A FAKE serial line and a virtual clock for bus tests: no UART, and no time passes by itself."""

from array import array

from firmware.core import ticks
from firmware.drivers.line.modbus import crc16


class FakeClock:
    """Virtual microseconds; gives the bus us() and ms()."""

    def __init__(self, start_us=0):
        self.now_us = start_us  # does not wrap

    def us(self):
        return self.now_us & ticks.MASK

    def ms(self):
        return self.now_us // 1000 & ticks.MASK


class FakeSerial:
    """A line on which a script answers: script(frame, end_us) returns [(arrival_us, bytes), ...].

    Each item's bytes follow one another at the line's speed, the first of them being complete at arrival_us.
    """

    def __init__(self, clock, baud, script=None, bits=10):
        self.clock = clock
        self.char_us = (bits * 1_000_000 + baud - 1) // baud
        self.script = script
        self.sent = []  # (start_us, end_us, frame)
        self.incoming = []  # (arrival_us, byte), in order
        self._end_us = clock.now_us

    def feed(self, arrival_us, data):
        """Let bytes arrive."""
        for i in range(len(data)):
            self.incoming.append((arrival_us + i * self.char_us, data[i]))
        self.incoming.sort()

    def any(self):
        n = 0
        for arrival_us, _ in self.incoming:
            if arrival_us > self.clock.now_us:
                break
            n += 1
        return n

    def readinto(self, buf, off, n):
        n = min(n, self.any())
        for i in range(n):
            buf[off + i] = self.incoming.pop(0)[1]
        return n

    def write(self, buf, n):
        frame = bytes(buf[:n])
        start_us = max(self.clock.now_us, self._end_us)
        self._end_us = start_us + n * self.char_us
        self.sent.append((start_us, self._end_us, frame))
        if self.script:
            for arrival_us, data in self.script(frame, self._end_us):
                self.feed(arrival_us, data)

    def tx_done(self):
        return self.clock.now_us >= self._end_us


def run(bus, serial, until_us, step_us=100_000, each=None):
    """Poll until a time, going from event to event, at most `step_us` at once."""
    clock = serial.clock
    while clock.now_us < until_us:
        bus.poll()
        if each:
            each()
        next_us = clock.now_us + max(1, min(bus.wait_us(), step_us))
        if serial.incoming:
            next_us = min(next_us, max(serial.incoming[0][0], clock.now_us + 1))
        clock.now_us = min(next_us, until_us)
    bus.poll()


def sealed(data):
    """Return a frame with its CRC."""
    crc = crc16(bytearray(data), 0, len(data))
    return bytes(data) + bytes((crc & 0xFF, crc >> 8))


def read_answer(request, registers):
    """Return the answer to a read, with these register values from the requested address on."""
    count = request[4] << 8 | request[5]
    data = bytearray((request[0], request[1], 2 * count))
    for i in range(count):
        data.append(registers[i] >> 8)
        data.append(registers[i] & 0xFF)
    return sealed(data)


class Owner:
    """Keeps what became of a job."""

    def __init__(self):
        self.log = []  # (status, data or exception code)

    def on_answer(self, job, buf, at):
        n = buf[at - 1] if not job.is_write else 4
        self.log.append((0, bytes(buf[at:at + n])))

    def on_failure(self, job, status):
        self.log.append((status, job.exception))


class ImageSlave:
    """A FAKE device: a register image at `base`, read by FC03 and FC04, written by FC16."""

    def __init__(self, unit, base, image, turnaround_us=1000):
        self.unit = unit
        self.base = base
        self.image = bytearray(image)
        self.turnaround_us = turnaround_us
        self.silent = False
        self.refuse_writes = False
        self.writes = []  # (address, bytes)

    def put(self, address, registers):
        """Set registers."""
        at = 2 * (address - self.base)
        for value in registers:
            self.image[at] = value >> 8 & 0xFF
            self.image[at + 1] = value & 0xFF
            at += 2

    def get(self, address, count=1):
        """Return registers as a list."""
        at = 2 * (address - self.base)
        return [self.image[at + 2 * i] << 8 | self.image[at + 2 * i + 1] for i in range(count)]

    def __call__(self, frame, end_us):
        if self.silent or frame[0] != self.unit:
            return []
        return [(end_us + self.turnaround_us, sealed(self._answer(frame)))]

    def _answer(self, frame):
        address = frame[2] << 8 | frame[3]
        count = frame[4] << 8 | frame[5]
        at = 2 * (address - self.base)
        if at < 0 or at + 2 * count > len(self.image) or (frame[1] == 16 and self.refuse_writes):
            return bytes((frame[0], frame[1] | 0x80, 2))
        if frame[1] == 16:
            data = frame[7:7 + 2 * count]
            self.writes.append((address, bytes(data)))
            for i in range(2 * count):
                self.image[at + i] = data[i]
            return frame[:6]
        return bytes((frame[0], frame[1], 2 * count)) + bytes(self.image[at:at + 2 * count])


class AnySlave:
    """A FAKE device: has every register, each of the same value, and takes every write."""

    def __init__(self, unit, value=1):
        self.unit = unit
        self.value = value
        self.writes = []  # whole frames

    def __call__(self, frame, end_us):
        if frame[0] != self.unit:
            return []
        if frame[1] in (6, 16):
            self.writes.append(bytes(frame))
            return [(end_us + 1000, sealed(frame[:6]))]
        count = frame[4] << 8 | frame[5]
        return [(end_us + 1000, read_answer(frame, [self.value] * count))]


class Replay:
    """A FAKE serial that answers each request from a list made beforehand, and allocates nothing itself."""

    def __init__(self, answers):
        self.answers = answers
        self.requests = 0
        self.command = bytearray(64)  # the last write of registers
        self._ready = False

    def write(self, buf, n):
        if buf[1] == 16:
            for i in range(n):
                self.command[i] = buf[i]
        self._ready = True

    def tx_done(self):
        return True

    def any(self):
        return len(self.answers[self.requests]) if self._ready else 0

    def readinto(self, buf, off, n):
        answer = self.answers[self.requests]
        for i in range(n):
            buf[off + i] = answer[i]
        self.requests += 1
        self._ready = False
        return n


class Recorder:
    """Asks the slaves, and keeps what they answered, so that a Replay can give it again: once `answers` is a list."""

    def __init__(self, slaves):
        self.slaves = slaves
        self.answers = None

    def __call__(self, frame, end_us):
        for slave in self.slaves:
            answers = slave(frame, end_us)
            if answers:
                if self.answers is not None:
                    self.answers.append(bytearray(answers[0][1]))
                return answers
        return []


def drive(generator, bus, serial, limit_us=60_000_000):
    """Run a start() generator to its end while the bus goes on."""
    end_us = serial.clock.now_us + limit_us
    for _ in generator:
        if serial.clock.now_us > end_us:
            raise AssertionError("the generator does not end")
        bus.poll()
        next_us = serial.clock.now_us + max(1, min(bus.wait_us(), 10_000))
        if serial.incoming:
            next_us = min(next_us, max(serial.incoming[0][0], serial.clock.now_us + 1))
        serial.clock.now_us = next_us


def registers16(n):
    """Return n zero registers, as a write's registers are held."""
    return array("H", [0] * n)
