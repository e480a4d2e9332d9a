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

from firmware.core import crc, machine, ticks, types
from firmware.core.types import ptr32
from firmware.drivers.line.device import Device
from firmware.drivers.line.hot import bind
from firmware.drivers.line.listener import hear, leave, look_closer
from firmware.drivers.line.queue import set_period, submit, take
from firmware.drivers.line.upset import WINDOW, attend, drop, spill

# As in drivers.line.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_BASE = const(3)
_AT = const(4)
_VERDICT = const(5)
_TRIED = const(6)
_NOISY = const(7)
_SPILT = const(8)
_FRAME_N = const(11)
_ANSWER_N = const(12)
_BUSY = const(13)
_END = const(14)
_LAST = const(16)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_HEAD = const(21)
_FOREIGN = const(24)
_BUSY_US = const(31)
_BEGUN = const(32)
_NOW = const(33)
_WHO = const(34)
_HOW = const(35)
_COMMANDED = const(37)
_REFUSED = const(38)
_CLOCK_MS = const(39)
_INTRUDED = const(41)
_CAME = const(42)
_CLOCK_US = const(43)
_COMMAND_DUE = const(46)
_KEPT = const(47)
_HEADER = const(48)
_REQUESTS = const(2)
_SIGNATURE = const(13)
_ASK = const(1)
_RANK = const(2)
_DEVICE = const(3)
_SIGNATURES = const(4)
_ANSWER_LENGTH = const(6)
_FRAME_LENGTH = const(8)
_FORM = const(10)
_WRITES = const(12)
_ASKED = const(14)
_NUMBER = const(15)
_OWN = const(22)
_WENT = const(23)
_JOB_WIDTH = const(24)

# States of the line.
_QUIET = const(0)  # silence has been kept: a request may start
_SEND = const(1)
_GAP = const(3)  # waiting for silence

# As in drivers.line.modbus, drivers.line.upset and drivers.line.listener.
_OK = const(0)
_SENDING = const(12)
_UNUSUAL = const(14)
_WINDOW = const(288)

# As in drivers.line.queue.
_ACTIVE = const(2)
_URGENT = const(0)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_CLOCK_LASTS_US = const(1_000_000)
_FOREVER_US = const(0x1FFFFFFF)


class Bus:
    """One line. `platform` gives us() and ms(); `serial` write, any, readinto and tx_done."""

    def __init__(self, serial, platform, baud, parity="N", stop_bits=1):
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = (bits * 1_000_000 + baud - 1) // baud
        self.silence_us = 1750 if baud > 19_200 else (7 * self.char_us + 1) // 2
        self.cells = cells = array("i", [0] * _HEADER)
        cells[_CHAR] = self.char_us
        cells[_SILENCE] = self.silence_us
        cells[_STATE] = _GAP  # whatever is in the UART at start is old
        self.rx = bytearray(WINDOW)
        self.devices = []
        self.jobs = []
        self.takers = []  # of each job what takes its answers, and where to
        self.frames = []  # of each of a job's two forms its frame, and of a write the registers that it is made from
        self._us = platform.us
        self.ms = platform.ms
        self.attach(serial)
        cells[_NOW] = cells[_LAST] = cells[_BEGUN] = platform.us()
        self.set_clock()
        cells[_WAKE] = ticks.add(cells[_LAST], self.silence_us)  # something is due then if no byte comes
        bind(self, ("submit", "wait_us"))

    def device(self, unit):
        """Return the record of a unit, making one at first. Start-up only."""
        for device in self.devices:
            if device.unit == unit:
                return device
        device = Device(self, unit)
        self.devices.append(device)
        return device

    def register(self, job):
        """Give a job its row and its place. Start-up only."""
        at = self.lengthen(array("i", [0] * _JOB_WIDTH))
        self.cells[at + _NUMBER] = len(self.jobs)
        self.jobs.append(job)
        self.takers.append((leave, b""))
        self.frames.extend((None, None, None, None))
        return at

    def lengthen(self, more):
        """Put more cells behind those that there are; returns where they begin. Start-up only."""
        at = len(self.cells)
        self.cells.extend(more)
        self.poll = self._renewed  # the cells may have moved, and what runs at every byte has them at hand
        return at

    def _renewed(self):
        self.attach(self._serial)
        return self.poll()

    def set_frame(self, number, form, frame, source):
        """Keep the frame of one form of a job, and the registers of a write. Start-up only."""
        at = 4 * number + 2 * form
        self.frames[at:at + 2] = [frame, source and types.at(source)]

    @micropython.native
    def set_period(self, now_us, period_us):
        """Note that a control period of `period_us` begins: what can wait goes only where it ends before the next."""
        set_period(self.cells, now_us, period_us)

    @micropython.native
    def set_clock(self):
        """Note the clock's ms at this poll's us: instants are reckoned from there."""
        self.cells[_CLOCK_US] = self.cells[_NOW]
        self.cells[_CLOCK_MS] = self.ms()

    # What is not at every byte poll() finds here: with names of this module in it, each would cost more.
    attend = attend
    drop = drop

    @micropython.native
    def spill(self, n):
        """Take what there is room for of `n` bytes, more having come than fits; return how many."""
        n = spill(self.cells, n)
        return self.readinto(self.rx, self.cells[_N], n)

    foreign = property(lambda bus: bus.cells[_FOREIGN])  # bursts that belong to no unit

    @micropython.native
    def submit(self, job):
        """Ask for a job once, however often before its turn; returns 0 where it was asked already."""
        return submit(self.cells, job.at)

    @micropython.native
    def wait_us(self):
        """Return the microseconds until poll() has something to do even if no byte comes, 0 .. 2**29 - 1."""
        left_us = (self.cells[_WAKE] - self._us()) & _MASK
        return 0 if left_us & _HALF else left_us

    def attach(self, serial):
        """Work on this serial from now on. Start-up only."""
        self._serial = serial
        self.any_bytes = serial.any
        self.readinto = serial.readinto
        on = (self, self.rx, serial.readinto, serial.tx_done, machine.hear or hear, types.at(self.rx),
              types.at(crc.TABLE), look_closer, self.takers)
        self.poll = _poller(self, serial.any, self._us, _beginner(self, serial.write), on)


# What runs at every byte is made of closures: what they use is at hand for a quarter of what an attribute costs. With
# more than five variables and arguments together the VM would take a closure's frame from the heap.


def _poller(bus, any_bytes, us, begin, on):
    """Return poll(): advance as far as the bytes and the clock allow; 0 while no transaction is open."""
    cells = types.at(bus.cells)

    @micropython.viper
    def poll() -> int:
        c = ptr32(cells)
        n = int(any_bytes())
        now = int(us())
        c[_NOW] = now
        job = c[_JOB]
        if n == 0 and (now - c[_WAKE]) & _HALF:
            return job
        if job:
            owner, rx, readinto, tx_done, judge, come, table, closer, takers = on
            if n:  # bytes first, then the question whether the request has left: the order matters
                n = int(readinto(rx, c[_N], n)) if n + c[_N] <= _WINDOW else int(owner.spill(n))
                c[_N] += n
            c[_CAME] = n
            status = int(judge(cells, come, table)) if c[_STATE] != _SEND or int(tx_done()) else _SENDING
            if status == _UNUSUAL:
                status = int(closer(cells, come, job))
            if status == _OK:
                give, out = takers[c[_WHO]]
                status = int(give(cells, c[job + _OWN], come, out))
            if status:
                owner.attend(status, n, now)
        elif n:
            on[0].drop(n, now)
        else:
            if c[_STATE]:
                c[_STATE] = _QUIET
                c[_BUSY_US] = (c[_BUSY_US] + ((c[_WAKE] - c[_BEGUN]) & _MASK)) & _MASK
            if (now - c[_CLOCK_US]) & _MASK >= _CLOCK_LASTS_US:
                on[0].set_clock()
        if c[_STATE] == _QUIET:
            begin()
        return c[_JOB]

    return poll


def _beginner(bus, write):
    """Return begin(): send the request that is next, if one may go; the frame of a write is made anew."""
    cells, frames, others = types.at(bus.cells), bus.frames, (take, crc.seal, types.at(crc.TABLE))

    @micropython.viper
    def begin():
        c = ptr32(cells)
        now = c[_NOW]
        if c[_HEAD] == 0:
            c[_WAKE] = ((now - _HALF + _FOREVER_US) & _MASK) ^ _HALF
            return
        choose, seal, table = others
        job = int(choose(cells, now))
        if job == 0:
            return
        c[job + _FORM] = form = c[_HOW]
        device = c[job + _DEVICE]
        c[device + _SIGNATURE] = c[job + _SIGNATURES + form]
        c[device + _REQUESTS] = (c[device + _REQUESTS] + 1) & _MASK
        c[job + _ASK] = _ACTIVE
        c[_JOB] = job
        c[_WHO] = c[job + _NUMBER]
        c[_STATE] = c[_VERDICT] = c[_TRIED] = 1  # SEND, MORE
        c[_N] = c[_BASE] = c[_AT] = c[_SPILT] = c[_INTRUDED] = c[_REFUSED] = c[_NOISY] = 0
        c[_ANSWER_N] = c[job + _ANSWER_LENGTH + form]
        c[_FRAME_N] = c[job + _FRAME_LENGTH + form]
        c[_BUSY] = c[_BEGUN] = now
        c[_END] = ((now - _HALF + c[_FRAME_N] * c[_CHAR]) & _MASK) ^ _HALF
        c[_WAKE] = c[_END]
        frame = frames[4 * c[_WHO] + 2 * form]
        if c[job + _WRITES]:
            if c[job + _RANK] == _URGENT:
                c[_COMMAND_DUE] = 0
                c[_KEPT] >>= 1  # two, one, none
                c[job + _WENT] = now
                c[_COMMANDED] = c[job + _ASKED] | 1
            seal(frame, frames[4 * c[_WHO] + 2 * form + 1], table, c[_FRAME_N])
        write(frame, c[_FRAME_N])

    return begin
