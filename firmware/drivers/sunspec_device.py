"""What a SunSpec device of any sort has beside drivers.commanded: models found by discovery, points by name."""

from firmware.core.errors import BusError
from firmware.drivers import sunspec
from firmware.drivers.commanded import Commanded
from firmware.drivers.line import modbus
from firmware.drivers.line.job import Job

_UNKNOWN = 0xFFFF


class SunspecDevice(Commanded):
    """One SunSpec device; `profile` may name the bases at which its models can begin, and the gap it needs."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        Commanded.__init__(self, bus, unit, scale, timeout_us, lost_after)
        self.found = sunspec.Discovery()
        self._timeout_us = timeout_us
        self._unit = unit
        self._bases = getattr(profile, "BASES", sunspec.BASES)
        self.stats.gap_us = max(self.stats.gap_us, getattr(profile, "GAP_US", 0))

    def _read_job(self, count=1, extra=0):
        """Return a job that reads this many registers, to be aimed at set-up; till then line.budget counts them."""
        job = Job(self._bus, self._unit, modbus.READ_HOLDING, 0, count, self, self._timeout_us, extra=extra)
        job.persists()
        return job

    def _write_job(self, registers, skip=0, urgent=False):
        """Return a job that writes these registers, to be aimed at set-up."""
        return Job(self._bus, self._unit, modbus.WRITE_MANY, 0, len(registers), self, self._timeout_us, skip=skip,
                   registers=registers, urgent=urgent)

    def _set_up(self):
        yield from self.found.run(self._reader, self._bases)
        if self.found.result > sunspec.UNENDED:
            raise BusError(sunspec.RESULT_NAMES[self.found.result])
        self.serial = yield from self.found.serial(self._reader)

    def _address(self, model, offset):
        if model not in self.found.models:
            raise BusError("NO_MODEL_%d" % model)
        return self.found.address(model, offset)

    def _aim(self, job, model, table, first, last, extra=0):
        """Point a job at the points `first` .. `last` of a model."""
        begin = sunspec.offset(table, first)
        row = sunspec.find(table, last)
        job.aim(self._address(model, begin), row[0] + row[2] - begin, extra)

    def _read(self, model, table, first, last):
        """Read the points `first` .. `last` (one register) of a model; raises BusError on failure."""
        begin = sunspec.offset(table, first)
        count = sunspec.offset(table, last) - begin + 1
        status = yield from self._reader.read(self._address(model, begin), count)
        if status != modbus.OK:
            why = modbus.STATUS_NAMES[status]
            raise BusError("READ_%d" % model, "reading %s..%s: %s" % (first, last, why))

    def _point(self, table, first, name):
        """Return the register of a point in the block that was read from `first` on."""
        return self._reader.u16(sunspec.offset(table, name) - sunspec.offset(table, first))

    def _exponent(self, table, first, name):
        """Return the exponent in a scale factor of that block."""
        return sunspec.exponent(self._point(table, first, name))

    def _watts(self, table, first, name, scale_factor):
        """Return a power of that block in whole watts, 0 where it is not implemented."""
        raw = self._point(table, first, name)
        if raw == _UNKNOWN:
            return 0
        exponent = self._exponent(table, first, scale_factor)
        return raw * 10 ** exponent if exponent >= 0 else raw // 10 ** -exponent
