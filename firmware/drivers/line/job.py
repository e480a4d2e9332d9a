"""What the bus is asked to do: a Job for each request that is made again and again.

Jobs are made once, at start; nothing is created while the bus runs.
"""

import micropython
from micropython import const

from firmware.core import types
from firmware.core.errors import BusError
from firmware.drivers.line import modbus
from firmware.drivers.line.queue import COMMON, FEED, IDLE, SLOW, URGENT

# As in drivers.line.cells.
_FEEDS = const(22)
_SENT = const(30)
_COMMANDS = const(45)
_ASK = const(1)
_RANK = const(2)
_DEVICE = const(3)
_SIGNATURES = const(4)
_ANSWER_LENGTH = const(6)
_FRAME_LENGTH = const(8)
_FORM = const(10)
_TIMEOUT = const(11)
_WRITES = const(12)
_NUMBER = const(15)
_EXPECTED = const(16)
_PERSISTS = const(19)
_EXPECTED_MORE = const(20)
_OWN = const(22)
_WENT = const(23)


class Job:
    """One request, ready to be sent, and where its outcome goes.

    `owner` has on_answer(job, buf, at), where the answer's data begin at buf[at], and on_failure(job,
    status). What a write writes stands in `registers`, an array('H'). In both, `sent_ms` is the tick at which
    the request's last byte left, the instant that a meter samples; `exception` is the Modbus exception code
    where the outcome was one.

    A read has a second form that is `extra` registers longer, a write one that leaves out the first `skip`
    registers. The bus changes form so that two reads in a row of one unit never have the same answer, and no
    request has that of one which was not answered: so a late answer is told from the one waited for. With 0
    there is no second form, and after a failure the unit's `late_us` is waited out once more before the same
    again.
    """

    def __init__(self, bus, unit, function, address, count, owner, timeout_us=200_000, extra=0, skip=0,
                 registers=None, urgent=False):
        if not 1 <= unit <= 247:
            raise BusError("UNIT_RANGE", "unit %d is no Modbus address; give 1..247" % unit)
        self.bus = bus
        self.device = bus.device(unit)
        self.function = function
        self.owner = owner
        self.registers = registers
        self.is_write = function > modbus.READ_INPUT
        self.exception = 0
        self._skip = skip
        self.at = bus.register(self)
        self.set_rank(URGENT if urgent else COMMON)
        cells = bus.cells
        cells[self.at + _DEVICE] = self.device.at
        cells[self.at + _TIMEOUT] = timeout_us
        cells[self.at + _WRITES] = self.is_write
        cells[self.at + _FORM] = 1
        self.aim(address, count, extra)
        self.device.late_us = max(self.device.late_us, 2 * timeout_us)

    def set_rank(self, rank):
        """Give the job its place in the queue, URGENT, FEED, COMMON or SLOW. Start-up only."""
        self.bus.cells[self.at + _RANK] = rank
        if rank == URGENT:
            self.bus.cells[_COMMANDS] = 1
        elif rank == FEED:
            self.bus.cells[_FEEDS] = 1

    def feeds(self):
        """Say that the feed-forward waits for this job: it goes before the common ones. Start-up only."""
        self.set_rank(FEED)

    def keep(self, cells):
        """Give cells a place among those of the bus; returns where they begin. Start-up only."""
        return self.bus.lengthen(cells)

    def hand_to(self, taker, own, out):
        """Have answers handed to taker(cells, own, buf, out) first. Start-up only.

        `own` is where in the bus's cells those begin that it works on; the answer's data begin at buf[AT + 3]. It
        returns 0, or REFER where the owner's on_answer() is to see to this answer.
        """
        self.bus.cells[self.at + _OWN] = own
        self.bus.takers[self.bus.cells[self.at + _NUMBER]] = (taker, types.at(out))

    def went(self):
        """Return the bus's cells, and where among them stands when this set point was last given to the wire."""
        return self.bus.cells, self.at + _WENT

    def persists(self):
        """Say that this read is made once more where it fails for the first time. Start-up only."""
        self.bus.cells[self.at + _PERSISTS] = 1

    def _slow(self, slow):
        self.set_rank(SLOW if slow else COMMON)

    slow = property(lambda job: job.bus.cells[job.at + _RANK] == SLOW, _slow)  # it can wait for a gap
    urgent = property(lambda job: job.bus.cells[job.at + _RANK] == URGENT)
    state = property(lambda job: job.bus.cells[job.at + _ASK])  # IDLE, QUEUED or ACTIVE
    last = property(lambda job: job.bus.cells[job.at + _FORM])  # the form of the last request
    sent_ms = property(lambda job: job.bus.cells[_SENT])
    timeout_us = property(lambda job: job.bus.cells[job.at + _TIMEOUT])  # end of request to first byte of answer

    @micropython.native
    def idle(self):
        """Return True while it is neither queued nor on the line."""
        return self.bus.cells[self.at + _ASK] == IDLE

    def aim(self, address, count, extra=0):
        """Point the job at other registers. Start-up only, and not while it is queued."""
        most = modbus.MAX_WRITE if self.is_write else modbus.MAX_READ
        if self.function == modbus.WRITE_ONE:
            most = 1
        last = address + count + extra - 1
        if not (self._skip < count and count + extra <= most and 0 <= address and last <= 0xFFFF):
            text = "unit %d: registers %d..%d cannot be one request; at most %d, up to 65535"
            raise BusError("REGISTER_RANGE", text % (self.device.unit, address, last, most))
        self.address = address
        self.count = count
        self._form(0, address, count)
        self._form(1, address + self._skip, count + extra - self._skip)

    def _form(self, which, address, count):
        cells, at = self.bus.cells, self.at
        # What an answer shows of its request: function and byte count; of a write its address and quantity.
        signature = self.function << 23 | (address << 7 if self.is_write else 0) | count
        cells[at + _SIGNATURES + which] = signature
        cells[at + _ANSWER_LENGTH + which] = modbus.answer_length(self.function, count)
        frame = bytearray(9 + 2 * count if self.function == modbus.WRITE_MANY else 8)
        cells[at + _FRAME_LENGTH + which] = len(frame)
        unit = self.device.unit
        cells[at + _EXPECTED + which] = cells[at + _EXPECTED_MORE + which] = 0
        source = None
        if self.is_write:
            source = memoryview(self.registers)[self._skip if which else 0:]
        if self.function == modbus.WRITE_ONE:
            modbus.write_one_request(frame, unit, address, source)
        elif self.is_write:
            cells[at + _EXPECTED + which] = unit | self.function << 8 | address >> 8 << 16
            cells[at + _EXPECTED_MORE + which] = address & 0xFF | count << 16
            modbus.write_many_request(frame, unit, address, source, count)
        else:
            cells[at + _EXPECTED + which] = unit | self.function << 8 | 2 * count << 16
            modbus.read_request(frame, unit, self.function, address, count)
        self.bus.set_frame(cells[at + _NUMBER], which, frame, source)
