"""What the bus is asked to do: a Job for each request that is made again and again, and their queue.

Jobs are made once, at start; nothing is created while the bus runs.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import modbus
from firmware.drivers.hot import bind

IDLE = const(0)
QUEUED = const(1)
ACTIVE = const(2)


class Job:
    """One request, ready to be sent, and where its outcome goes.

    `owner` has on_answer(job, buf, at), where the answer's data begin at buf[at], and on_failure(job,
    status). What a write writes stands in `registers`, an array('H').

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
        self.device = bus.device(unit)
        self.function = function
        self.owner = owner
        self.timeout_us = timeout_us  # end of request to first byte of answer
        self.urgent = urgent
        self.registers = registers
        self.is_write = function > modbus.READ_INPUT
        self.state = IDLE
        self.again = False  # a write that was submitted anew while it was on the line
        self.last = 1  # the form of the last request
        self.exception = 0  # Modbus exception code, where the last outcome was one
        self.sent_ms = 0  # tick at which the request's last byte left: the instant that a meter samples
        self.signatures = array("i", (0, 0))
        self.lengths = array("i", (0, 0))  # of the answer, bytes
        self.frames = [None, None]
        self._skip = skip
        self.aim(address, count, extra)
        self.device.late_us = max(self.device.late_us, 2 * timeout_us)
        bus.register(self)

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
        # What an answer shows of its request: function and byte count; of a write its address and quantity.
        self.signatures[which] = self.function << 23 | (address << 7 if self.is_write else 0) | count
        self.lengths[which] = modbus.answer_length(self.function, count)
        frame = bytearray(9 + 2 * count if self.function == modbus.WRITE_MANY else 8)
        if not self.is_write:
            modbus.read_request(frame, self.device.unit, self.function, address, count)
        self.frames[which] = frame

    @micropython.native
    def form(self):
        """Return which form goes next, 0 or 1: never a barred one, nor the unit's or the job's last one."""
        device = self.device
        signatures = self.signatures
        barred = device.barred
        if self.is_write:
            return 1 if barred and barred == signatures[0] else 0
        which = 1 - self.last
        signature = signatures[which]
        if signature == barred or (signature == device.signature and signatures[1 - which] != barred):
            which = 1 - which
        return which

    @micropython.native
    def build(self, which):
        """Bring the frame of a write up to its registers."""
        frame = self.frames[which]
        if self.function == modbus.WRITE_MANY:
            skip = self._skip if which else 0
            modbus.write_many_request(frame, self.device.unit, self.address + skip, self.registers, skip,
                                      self.count - skip)
        else:
            modbus.write_one_request(frame, self.device.unit, self.address, self.registers[0])


class JobQueue:
    """The jobs that are due, in the order of asking; each job has its own place, so it cannot overflow."""

    def __init__(self):
        self.count = 0
        self._jobs = []
        bind(self, ("put", "take"))

    def register(self, job):
        """Make room for one more job. Start-up only."""
        self._jobs.append(None)

    @micropython.native
    def put(self, job):
        """Queue an idle job."""
        n = self.count
        self._jobs[n] = job
        self.count = n + 1
        job.state = QUEUED

    @micropython.native
    def take(self, now_us):
        """Remove and return the first urgent job whose unit may be asked, else the first such, else None."""
        jobs = self._jobs
        n = self.count
        found = -1
        i = 0
        while i < n:
            job = jobs[i]
            urgent = job.urgent
            if found < 0 or urgent:
                device = job.device
                if not device.held or device.may_ask(job.signatures[job.form()], now_us):
                    found = i
                    if urgent:
                        break
            i += 1
        if found < 0:
            return None
        job = jobs[found]
        n -= 1
        while found < n:
            jobs[found] = jobs[found + 1]
            found += 1
        jobs[n] = None
        self.count = n
        job.state = ACTIVE
        return job
