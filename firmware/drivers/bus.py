"""The Modbus RTU master of one RS-485 line: a state machine that advances in slices and never waits.

Only whole frames are believed: address, function, length (or a write's echo) and CRC. What came before our
own request had left, came after the time-out, or is not ours, is dropped and counted. A late answer is not
taken for a later request's: every read of a unit differs from the one before it in what its answer must look
like, a request that failed is made in its other form for the next 2 s (see Job), and after a time-out the
unit is left alone until its largest turn-around is over. What remains possible: an answer later than that,
when another of the unit's requests has failed since. A read answered twice counts once, unless a request
has failed within those 2 s. Frames are never split at pauses (t1.5): UART FIFOs, USB and operating systems
make pauses where the wire has none.
"""

from array import array

import micropython
from micropython import const

from firmware.core import ticks
from firmware.drivers import cells as k
from firmware.drivers.device import Device
from firmware.drivers.hot import bind
from firmware.drivers.judge import hear, set_deadline
from firmware.drivers.modbus import ptr32
from firmware.drivers.outcome import answered
from firmware.drivers.queue import submit, take
from firmware.drivers.upset import WINDOW, disturbed, drop, spill, still_sending

# As in drivers.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_AT = const(4)
_FRAME_N = const(11)
_DEADLINE = const(15)
_WAKE = const(18)
_COUNT = const(22)
_NOW = const(33)
_WHO = const(34)
_HOW = const(35)
_FILL = const(36)
_FRAME = const(37)
_CLOCK_MS = const(39)
_CLOCK_US = const(43)
_CAME = const(42)

# States of the line.
_QUIET = const(0)  # silence has been kept: a request may start
_SEND = const(1)
_GAP = const(3)  # waiting for silence

# As in drivers.modbus.
_OK = const(0)
_MORE = const(1)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_SIZE = const(288)  # as upset.WINDOW
_NEVER = const(0x3FFFFFFF)
_CLOCK_LASTS_US = const(1_000_000)  # so long ms are reckoned from us
_FOREVER_US = const(0x1FFFFFFF)


class Bus:
    """One line. `platform` gives us() and ms(); `serial` write, any, readinto and tx_done."""

    def __init__(self, serial, platform, baud, parity="N", stop_bits=1):
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = (bits * 1_000_000 + baud - 1) // baud
        self.silence_us = 1750 if baud > 19_200 else (7 * self.char_us + 1) // 2
        self.cells = cells = array("i", [0] * k.HEADER)
        cells[k.CHAR] = self.char_us
        cells[k.SILENCE] = self.silence_us
        cells[k.STATE] = _GAP  # whatever is in the UART at start is old
        self.rx = bytearray(WINDOW)
        self.devices = []
        self.jobs = []
        self.takers = []  # what takes each job's answer
        self.builders = []
        self.frames = []  # two a job
        self._us = platform.us
        self.ms = platform.ms
        self.attach(serial)
        cells[k.NOW] = cells[k.LAST] = cells[k.GAP_AT] = platform.us()
        cells[k.CLOCK_US] = cells[k.NOW]
        cells[k.CLOCK_MS] = platform.ms()
        cells[k.WAKE] = ticks.add(cells[k.LAST], self.silence_us)  # something is due then if no byte comes
        bind(self, ("submit", "wait_us"))

    def device(self, unit):
        """Return the record of a unit, making one at first. Start-up only."""
        for device in self.devices:
            if device.unit == unit:
                return device
        device = Device(self.cells, unit)
        self.devices.append(device)
        return device

    def register(self, job):
        """Give a job its row and its place. Start-up only."""
        at = len(self.cells)
        self.cells.extend(array("i", [0] * k.JOB_WIDTH))
        self.cells[at + k.NUMBER] = len(self.jobs)
        self.jobs.append(job)
        self.takers.append(_taker(job))
        self.builders.append(job.build)
        self.frames.extend((b"", b""))
        return at

    def set_frame(self, number, form, frame):
        """Keep the frame of one form of a job. Start-up only."""
        self.frames[2 * number + form] = frame

    @micropython.native
    def set_period(self, now_us, period_us):
        """Note that a control period of `period_us` begins: what can wait goes only where it ends before the next."""
        self.cells[k.PERIOD] = period_us
        self.cells[k.CYCLE] = ticks.add(now_us, period_us)
        self.cells[k.COMMAND_DUE] = self.cells[k.COMMANDS]

    babble = property(lambda bus: bus.cells[k.BABBLE])  # times that the line was not silent for 100 ms
    foreign = property(lambda bus: bus.cells[k.FOREIGN])  # bursts that belong to no unit

    @micropython.native
    def submit(self, job):
        """Ask for a job once, however often before its turn; returns 0 where it was asked already."""
        return submit(self.cells, job.at)

    @micropython.native
    def wait_us(self):
        """Return the microseconds until poll() has something to do even if no byte comes, 0 .. 2**29 - 1."""
        left_us = (self.cells[18] - self._us()) & _MASK  # cells.WAKE
        return 0 if left_us & _HALF else left_us

    def attach(self, serial):
        """Work on this serial from now on. Start-up only."""
        self.any_bytes = serial.any
        self.readinto = serial.readinto
        self.write = serial.write
        self.begin = _beginner(self)
        self.poll = _poller(self, serial.any, self._us, _listener(self, serial.readinto, serial.tx_done))


# What runs at every byte is made of closures: what they use is at hand for a quarter of what an attribute costs. With
# more than five variables and arguments together the VM would take a closure's frame from the heap.


def _poller(bus, any_bytes, us, listen):
    """Return poll(): advance as far as the bytes and the clock allow; 0 while no transaction is open."""
    cells = bus.cells

    @micropython.viper
    def poll() -> int:
        c = ptr32(cells)
        n = int(any_bytes())
        now = int(us())
        c[_NOW] = now
        if n == 0 and (now - c[_WAKE]) & _HALF:
            return c[_JOB]
        if c[_JOB]:
            c[_CAME] = n
            listen()
        elif n:
            drop(bus, n, now)
        else:
            c[_STATE] = _QUIET
        if c[_STATE] == _QUIET:
            if c[_COUNT]:
                bus.begin()
            else:
                c[_WAKE] = ((now - _HALF + _FOREVER_US) & _MASK) ^ _HALF
        return c[_JOB]

    return poll


def _beginner(bus):
    """Return begin(): send the request that is next, if one may go."""
    cells = bus.cells
    ms = bus.ms
    frames = bus.frames
    write = bus.write

    @micropython.viper
    def begin():
        c = ptr32(cells)
        now = c[_NOW]
        if int(take(cells, now)):
            if (now - c[_CLOCK_US]) & _MASK >= _CLOCK_LASTS_US:
                c[_CLOCK_US] = now
                c[_CLOCK_MS] = int(ms())
            if c[_FILL]:
                bus.builders[c[_WHO]](c[_HOW])
            write(frames[c[_FRAME]], c[_FRAME_N])

    return begin


def _listener(bus, readinto, tx_done):
    """Return listen(): a request is on the line; take what has come, see whether it has left, find its answer."""
    cells = bus.cells
    rx = bus.rx

    @micropython.viper
    def listen():
        c = ptr32(cells)
        n = c[_CAME]
        now = c[_NOW]
        if n:
            if n + c[_N] > _SIZE:
                n = int(spill(cells, n))
            n = int(readinto(rx, c[_N], n))
            c[_N] += n
        # The order matters: bytes first, then the question whether the request has left.
        if c[_STATE] == _SEND and not int(tx_done()):
            still_sending(bus, now)
            return
        status = int(hear(cells, rx, n, now))
        if status == _OK:
            bus.takers[int(answered(cells, rx, now))](rx, c[_AT] + 3)
            return
        if c[_DEADLINE] == _NEVER:
            set_deadline(cells)
        if status != _MORE or not n:
            disturbed(bus, n, now)

    return listen


def _taker(job):
    """Return the function that hands an answer to a job's owner."""
    owner = job.owner

    @micropython.native
    def taker(buf, at):
        owner.on_answer(job, buf, at)

    return taker
