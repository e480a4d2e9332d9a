"""What every device that is commanded has, whatever it speaks: found, set up, read, commanded, lost, found again.

drivers.sunspec_device builds on it for SunSpec, drivers.table_pcs and drivers.table_genset for register tables.
Discharge and production are positive.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers.line import modbus
from firmware.drivers.line.reader import Reader
from firmware.drivers.misses import Misses
from firmware.drivers.ratio import LIMIT_PU, Ratio

# What a device says of itself, by their places in `says`.
READY = const(0)
LOCAL = const(1)
FAULT = const(2)
_SAYS = ("ready", "local", "fault")
_DONE = const(0)
_EXCEPTION = const(2)
_DENIED = const(3)  # exceptions up to here say that the registers are not there


class Commanded:
    """One device. `start()` must have run to its end before anything else is asked of it."""

    _islanded = -1
    serial = None  # as the device itself tells it

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, function=modbus.READ_HOLDING):
        self.says = array("i", (0, 0, 0))  # the next three, at hand for the tick: say() keeps both
        self.ready = False  # found, set up, and answering
        self.local = False  # somebody commands it on the spot: hands off
        self.fault = False  # it says so itself
        self.trouble = ""  # why it is not ready: a code
        self.dry = False  # it is to be read only: its set-up writes nothing
        self.power = Reading()
        self.applied = Reading()  # the last command that it has acknowledged, or shows in its registers
        self.strayed = 0  # times that its registers showed another command than the last one
        self.reads_feed = False  # even reading keeps its set point alive
        self.invalid = 0  # answers whose power was no value, the blank ones among them
        self.blank = 0  # answers that were all zeros beside a fault state
        self._asked_pu = 0
        self.low_pu = self.high_pu = 0  # what may be commanded
        self._bus = bus
        self._scale = scale
        self._lost_after = lost_after
        self._missed = Misses(lost_after)  # reads without an answer since the last one of power
        self._refused = Misses(lost_after)  # commands without one
        self._gone = 0  # exceptions to slow reads, less the answers in between
        self._starting = False
        self._reader = Reader(bus, unit, timeout_us, function)
        self._awaited = None  # the write that start() waits for
        self._outcome = _DONE
        # Jobs: power and state, the command, reading it back, and the heartbeat.
        self._fast = self._set = self._back = self._beat = None
        self._back_ratio = None
        self._near_pu = 1  # a command that is read back may differ by this much: rounding
        self.stats = bus.device(unit)

    def say(self, what, true):
        """Note that it is ready, local or at fault (READY, LOCAL, FAULT), or no longer."""
        self.says[what] = 1 if true else 0
        setattr(self, _SAYS[what], bool(true))

    def beats(self, job):
        """Return whether this job is the heartbeat's."""
        return job is self._beat

    def reads_power(self, job):
        """Return whether this job reads power and state."""
        return job is self._fast

    # ---- start

    def start(self):
        """Find the device and set it up: a generator, at once over where another is at it.

        `ready` or `trouble` tells afterwards how it went.
        """
        if self._starting:
            return
        self._starting = True
        self.say(READY, False)
        self.trouble = ""
        try:
            yield from self._set_up()
            self._missed.count = self._refused.count = self._gone = 0
            self.say(READY, True)
        except BusError as error:
            self.trouble = error.code
        finally:
            self._starting = False

    def _write_through(self, job):
        """Send a write and wait for its outcome; raises BusError where it is not taken."""
        if self.dry:
            return
        self._awaited = job
        self._outcome = modbus.MORE
        self._bus.submit(job)
        while self._outcome == modbus.MORE:
            yield 1000
        self._awaited = None
        if self._outcome != modbus.OK:
            raise BusError("WRITE_REFUSED", "registers %d..%d: %s, exception %d" % (
                job.address, job.address + job.count - 1, modbus.STATUS_NAMES[self._outcome], job.exception))

    def _read_back_by(self, kind, num, den):
        """Read the command back as raw * num / den site power units, where that fits 31 bits."""
        try:
            self._back_ratio = Ratio(kind, num, den, LIMIT_PU)
            self._near_pu = 1 + num // den
        except BusError:
            self._back_ratio = None

    # ---- run

    def islanded(self):
        """Return 1 where it forms a grid of its own, 0 where it follows one, -1 where it has no word for that."""
        return self._islanded

    @micropython.native
    def request(self):
        """Ask for power and state; returns False where that is under way, or the device is not ready."""
        return self.ready and self._bus.submit(self._fast)

    @micropython.native
    def command(self, power_pu):
        """Send a set point or limit, clamped to what is allowed; returns False where it must not be commanded."""
        if not self.ready or self.local:
            return False
        self._fill(power_pu)
        return self._bus.submit(self._set)

    def went(self):
        """Return cells, and where among them stands when the last command was given to the wire. Start-up only."""
        return self._set.went()

    @micropython.native
    def _fill(self, power_pu):
        if power_pu > self.high_pu:
            power_pu = self.high_pu
        if power_pu < self.low_pu:
            power_pu = self.low_pu
        self._asked_pu = power_pu
        self._encode(power_pu)

    def asked_pu(self):
        """Return the last command that it was to be sent, site power units."""
        return self._asked_pu

    @micropython.native
    def heartbeat(self):
        """Show the device that somebody is in control, where it looks for that: once a second."""

    @micropython.native
    def on_answer(self, job, buf, at):
        """Take the answer to one of our requests."""
        if job is self._awaited:
            self._outcome = _DONE
        if job is self._fast:
            self._missed.count = 0
            self._take_fast(job, buf, at)
        elif job is self._set:
            self._refused.count = 0
            # Submitted anew meanwhile: what was acknowledged is the command before.
            self.applied.take(self.asked_pu() if job.idle() else self.applied.value, job.sent_ms)
        elif not job.is_write:
            if self._gone:
                self._gone -= 1
            self._take_other(job, buf, at)

    @micropython.native
    def _check_back(self, value_pu, t_ms):
        """Take the command that the device's registers show, however it came there."""
        off_pu = value_pu - self.applied.value
        if off_pu > self._near_pu or -off_pu > self._near_pu:
            self.strayed += 1
            self.applied.take(value_pu, t_ms)

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; after enough in a row (drivers.misses) the device is not ready, and wants start() again."""
        if job is self._awaited:
            self._outcome = status
        if job.is_write:
            if job.urgent:
                self._refused.add(job.sent_ms)
        elif job is self._fast or status != _EXCEPTION:
            if job is self._fast:
                self.power.fail()
            self._missed.add(job.sent_ms)
        elif job.exception <= _DENIED:
            self._gone += 2  # a model that has disappeared is looked for anew
        if self._missed.enough() or self._refused.enough() or self._gone >= 2 * self._lost_after:
            if self.ready:
                self.trouble = "LOST"
            self.say(READY, False)
