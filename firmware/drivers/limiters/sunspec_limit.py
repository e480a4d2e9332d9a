"""A limit for a wind or PV plant's output, by SunSpec 704 WMaxLimPct with its reversion timer.

The limit goes out in percent of the plant's WMax (702), always rounded down: what is asked for is never
exceeded. When commands stop, the plant falls back to `fallback_pct` of WMax.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import sunspec_models as models
from firmware.drivers.der import Der
from firmware.drivers.percent import Percent, rating_pu

DOCUMENT = "SunSpec Alliance, models 701, 702 and 704 (DER information models, 2021)"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 10_000  # the standard states none; devices[].turnaround_ms says what one needs
FED_BY = ("WMaxLimPctEna .. WMaxLimPctRvrtTms",)
READS_FEED = False
REVERTS_TO = "WMaxLimPctRvrt: 0 % of WMax"
TIMEOUT = "WMaxLimPctRvrtTms"  # s

_LIMIT_AT = const(14)  # model 704, WMaxLimPctEna .. WMaxLimPctRvrtTms
_LIMIT_COUNT = const(6)


class PowerLimit(Der):
    """The controller of a wind or PV plant; limits and power in site power units, production positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, fallback_pct=0,
                 profile=None, rating_w=0):
        Der.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.max_pu = 0  # WMax, rounded up
        self.reversion = False
        self._reversion_s = reversion_s
        self._fallback_pct = fallback_pct
        self._percent = None
        self._registers = array("H", [0] * _LIMIT_COUNT)
        self._set = self._write_job(self._registers, 1, True)
        self._back = self._read_job(2, 1)

    def _set_up(self):
        yield from Der._set_up(self)
        table = models.MODEL_704
        yield from self._read(704, table, "WMaxLimPctEna", "WMaxLimPct_SF")
        if self._point(table, "WMaxLimPctEna", "WMaxLimPct") == 0xFFFF:
            raise BusError("NO_WMAXLIMPCT", "the device has no limit in percent")
        exponent = self._exponent(table, "WMaxLimPctEna", "WMaxLimPct_SF")
        self.reversion = self._point(table, "WMaxLimPctEna", "WMaxLimPctRvrtTms") != 0xFFFF
        self.high_pu = self.max_pu = rating_pu(self.max_w, self._scale)
        self._percent = Percent(exponent, self.max_pu)
        self._near_pu = self._percent.near_pu
        self._registers[0] = 1  # WMaxLimPctEna
        self._registers[2] = self._percent.whole * self._fallback_pct // 100
        self._registers[3] = 1  # WMaxLimPctEnaRvrt
        self._registers[4] = self._reversion_s >> 16
        self._registers[5] = self._reversion_s & 0xFFFF
        self._set.aim(self._address(704, _LIMIT_AT), _LIMIT_COUNT)
        self._back.aim(self._address(704, _LIMIT_AT), 2, 1)
        self._fill(self.max_pu)
        yield from self._write_through(self._set)

    @micropython.native
    def request_slow(self):
        """Ask which limit the plant shows; once a second is enough."""
        if self.ready:
            self._bus.submit(self._back)

    @micropython.native
    def _encode(self, limit_pu):
        self._registers[1] = self._percent.put.u16_floor(limit_pu)

    @micropython.native
    def _take_other(self, job, buf, at):
        raw = buf[at + 2] << 8 | buf[at + 3]
        if not buf[at + 1] or raw > self._percent.whole:
            self.strayed += 1  # no limit is in force
            self.applied.fail()
        else:
            self._check_back(self._percent.read(raw), job.sent_ms)


DRIVER = PowerLimit
