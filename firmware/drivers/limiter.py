"""A limit for a wind or PV plant's output, by SunSpec 704 WMaxLimPct with its reversion timer.

The limit goes out in percent of the plant's WMax (702), always rounded down: what is asked for is never
exceeded. When commands stop, the plant falls back to `fallback_pct` of WMax.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import modbus, sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.der import Der
from firmware.drivers.job import Job
from firmware.drivers.ratio import Put

_LIMIT_AT = const(14)  # model 704, WMaxLimPctEna .. WMaxLimPctRvrtTms
_LIMIT_COUNT = const(6)


class PowerLimit(Der):
    """The controller of a wind or PV plant; limits and power in site power units, production positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, fallback_pct=0):
        Der.__init__(self, bus, unit, scale, timeout_us, lost_after)
        self.applied = Reading()  # the last limit that the plant has acknowledged
        self.max_pu = 0  # WMax, rounded up
        self.reversion = False
        self.asked_pu = 0
        self._reversion_s = reversion_s
        self._fallback_pct = fallback_pct
        self._whole = 0  # the raw value of 100 %
        self._put = None
        self._registers = array("H", [0] * _LIMIT_COUNT)
        self._set = Job(bus, unit, modbus.WRITE_MANY, 0, _LIMIT_COUNT, self, timeout_us, skip=1,
                        registers=self._registers, urgent=True)

    def _set_up(self):
        yield from Der._set_up(self)
        table = models.MODEL_704
        yield from self._read(704, table, "WMaxLimPctEna", "WMaxLimPct_SF")
        if self._point(table, "WMaxLimPctEna", "WMaxLimPct") == 0xFFFF:
            raise BusError("NO_WMAXLIMPCT", "the device has no limit in percent")
        exponent = sunspec.exponent(self._point(table, "WMaxLimPctEna", "WMaxLimPct_SF"))
        if not -2 <= exponent <= 2:
            raise BusError("SCALE_FACTOR", "WMaxLimPct_SF is %d; -2..2 can hold 0 to 100 %%" % exponent)
        self.reversion = self._point(table, "WMaxLimPctEna", "WMaxLimPctRvrtTms") != 0xFFFF
        self._whole = 100 * 10 ** -exponent if exponent <= 0 else 100 // 10 ** exponent
        self.max_pu = -(-self.max_w // self._scale.unit_w)
        self._put = Put(self._whole, self.max_pu)
        self._registers[0] = 1  # WMaxLimPctEna
        self._registers[2] = self._whole * self._fallback_pct // 100
        self._registers[3] = 1  # WMaxLimPctEnaRvrt
        self._registers[4] = self._reversion_s >> 16
        self._registers[5] = self._reversion_s & 0xFFFF
        self._set.aim(self._address(704, _LIMIT_AT), _LIMIT_COUNT)
        self._fill(self.max_pu)
        yield from self._write_through(self._set)

    @micropython.native
    def command(self, limit_pu):
        """Send a limit of 0 or more; returns False where the plant is not ready."""
        if not self.ready:
            return False
        self._fill(limit_pu)
        return self._bus.submit(self._set)

    @micropython.native
    def _fill(self, limit_pu):
        if limit_pu > self.max_pu:
            limit_pu = self.max_pu
        if limit_pu < 0:
            limit_pu = 0
        self.asked_pu = limit_pu
        self._registers[1] = self._put.u16_floor(limit_pu)

    @micropython.native
    def _take_other(self, job, buf, at):
        if job is self._set:
            self._refused = 0
            # Submitted anew meanwhile: what was acknowledged is the limit before.
            self.applied.take(self.applied.value if job.state else self.asked_pu, job.sent_ms)
