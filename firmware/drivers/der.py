"""What a SunSpec DER of any sort has: models found by discovery, ratings from 702, power and state from 701.

drivers.pcs.sunspec_der and drivers.limiter build on it. Discharge and production are positive, as in the
standard.
"""

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import modbus, sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.job import Job
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16
from firmware.drivers.regmap import sunspec_ratio

_UNKNOWN = const(0xFFFF)
_FAULT = const(6)
_FAST_AT = const(3)  # model 701 from St to W
_FAST_COUNT = const(8)
_DONE = const(0)


class Der:
    """One SunSpec device. `start()` must have run to its end before anything else is asked of it."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5):
        self.ready = False  # found, set up, and answering
        self.fault = False  # it says so itself
        self.local = False  # somebody commands it on the spot: hands off
        self.trouble = ""  # why it is not ready: a code
        self.power = Reading()
        self.st = self.inv_st = self.conn_st = _UNKNOWN  # 701 St, InvSt, ConnSt
        self.alarm_high = self.alarm_low = 0  # 701 Alrm
        self.found = sunspec.Discovery()
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        self._bus = bus
        self._scale = scale
        self._lost_after = lost_after
        self._missed = 0  # reads of 701 without an answer, in a row
        self._refused = 0  # commands without one
        self._starting = False
        self._reader = sunspec.Reader(bus, unit, timeout_us)
        self._ratio = None
        self._outcome = _DONE
        # Every second read goes one register further, to VA: inside the model, so no device minds.
        self._fast = Job(bus, unit, modbus.READ_HOLDING, 0, _FAST_COUNT, self, timeout_us, extra=1)
        self.stats = self._fast.device

    # ---- start

    def start(self):
        """Find the device and set it up: a generator, at once over where another is at it.

        `ready` or `trouble` tells afterwards how it went.
        """
        if self._starting:
            return
        self._starting = True
        self.ready = False
        self.trouble = ""
        try:
            yield from self._set_up()
            self._missed = self._refused = 0
            self.ready = True
        except BusError as error:
            self.trouble = error.code
        finally:
            self._starting = False

    def _set_up(self):
        yield from self.found.run(self._reader)
        if self.found.result > sunspec.UNENDED:
            raise BusError(sunspec.RESULT_NAMES[self.found.result])
        self._fast.aim(self._address(701, _FAST_AT), _FAST_COUNT, 1)
        yield from self._read(701, models.MODEL_701, "W_SF", "W_SF")
        exponent = sunspec.exponent(self._reader.u16(0))
        self._ratio = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        yield from self._read_ratings()

    def _address(self, model, offset):
        if model not in self.found.models:
            raise BusError("NO_MODEL_%d" % model)
        return self.found.address(model, offset)

    def _read(self, model, table, first, last):
        """Read the points `first` .. `last` (one register) of a model; raises BusError on failure."""
        begin = sunspec.offset(table, first)
        count = sunspec.offset(table, last) - begin + 1
        status = yield from self._reader.read(self._address(model, begin), count)
        if status != modbus.OK:
            why = modbus.STATUS_NAMES[status]
            raise BusError("READ_%d" % model, "reading %s..%s: %s" % (first, last, why))

    def _read_ratings(self):
        yield from self._read(702, models.MODEL_702, "WMaxRtg", "W_SF")
        exponent = sunspec.exponent(self._point(models.MODEL_702, "WMaxRtg", "W_SF"))
        self.max_w = self._rating("WMax", exponent, 0)
        if not self.max_w:
            raise BusError("NO_RATING", "model 702 states neither WMax nor WMaxRtg")
        self.charge_max_w = self._rating("WChaRteMax", exponent, self.max_w)
        self.discharge_max_w = self._rating("WDisChaRteMax", exponent, self.max_w)

    def _point(self, table, first, name):
        """Return the register of a point in the block that was read from `first` on."""
        return self._reader.u16(sunspec.offset(table, name) - sunspec.offset(table, first))

    def _rating(self, name, exponent, otherwise):
        """Return a power rating, W: the setting, else the nameplate's, else `otherwise`."""
        for point in (name, name + "Rtg"):
            raw = self._point(models.MODEL_702, "WMaxRtg", point)
            if raw != _UNKNOWN and raw:
                return raw * 10 ** exponent if exponent >= 0 else raw // 10 ** -exponent
        return otherwise

    def _write_through(self, job):
        """Send a write and wait for its outcome; raises BusError where it is not taken."""
        self._outcome = modbus.MORE
        self._bus.submit(job)
        while self._outcome == modbus.MORE:
            yield 1000
        if self._outcome != modbus.OK:
            raise BusError("WRITE_REFUSED", "registers %d..%d: %s, exception %d" % (
                job.address, job.address + job.count - 1, modbus.STATUS_NAMES[self._outcome], job.exception))

    # ---- run

    @micropython.native
    def request(self):
        """Ask for power and state; returns False where that is under way, or the device is not ready."""
        return self.ready and self._bus.submit(self._fast)

    @micropython.native
    def on_answer(self, job, buf, at):
        """Take the answer to one of our requests."""
        self._outcome = modbus.OK
        if job is self._fast:
            self._missed = 0
            self._take_state(buf, at)
            self._take_power(job, buf, at)
        else:
            self._take_other(job, buf, at)

    @micropython.native
    def _take_state(self, buf, at):
        self.st = buf[at] << 8 | buf[at + 1]
        self.inv_st = buf[at + 2] << 8 | buf[at + 3]
        self.conn_st = buf[at + 4] << 8 | buf[at + 5]
        self.alarm_high = buf[at + 6] << 8 | buf[at + 7]
        self.alarm_low = buf[at + 8] << 8 | buf[at + 9]
        self.fault = self.inv_st == _FAULT

    @micropython.native
    def _take_power(self, job, buf, at):
        value = self._ratio.read(buf, at + 14)
        if value == INVALID:
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    def _take_other(self, job, buf, at):
        """Take an answer that is not 701's; a subclass says what it is."""

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; after `lost_after` in a row the device is not ready, and wants start() again."""
        self._outcome = status
        if job is self._fast:
            self.power.fail()
            self._missed += 1
        elif job.urgent:
            self._refused += 1
        if self._missed >= self._lost_after or self._refused >= self._lost_after:
            if self.ready:
                self.trouble = "LOST"
            self.ready = False
