"""A limit for a wind or PV plant's output, by SunSpec 123 WMaxLimPct with WMaxLimPct_RvrtTms.

The limit goes out in percent of 121 WMax, always rounded down. Its own fall-back: every command writes the block
from WMaxLimPct to WMaxLim_Ena, the reversion time among it; when commands stop, the model knows no value to fall
back to: the limit is off, and the plant runs free. Conn is shown, never written: who has disconnected a plant
connects it again.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import sunspec_models_100 as models
from firmware.drivers.inverter import Inverter
from firmware.drivers.percent import Percent, rating_pu

DOCUMENT = "SunSpec Alliance, models 103, 113, 120, 121 and 123 (inverter information models)"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 10_000  # the standard states none; devices[].turnaround_ms says what one needs
FED_BY = ("WMaxLimPct .. WMaxLim_Ena",)
READS_FEED = False
REVERTS_TO = "no limit"
TIMEOUT = "WMaxLimPct_RvrtTms"  # s, up to 65534

_COUNT = const(5)  # WMaxLimPct .. WMaxLim_Ena


class PowerLimit123(Inverter):
    """The inverter of a wind or PV plant; limits and power in site power units, production positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        Inverter.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.connected = True  # Conn
        self.max_pu = 0  # WMax, rounded up
        self.reversion = False
        self._reversion_s = reversion_s
        self._percent = None
        self._registers = array("H", [0] * _COUNT)
        self._set = self._write_job(self._registers, 0, True)
        self._back = self._read_job(1 + _COUNT, 1)

    def _set_up(self):
        yield from Inverter._set_up(self)
        table = models.MODEL_123
        yield from self._read(123, table, "Conn", "WMaxLimPct_SF")
        first = "Conn"
        if self._point(table, first, "WMaxLimPct") == 0xFFFF:
            raise BusError("NO_WMAXLIMPCT", "the device has no limit in percent")
        exponent = self._exponent(table, first, "WMaxLimPct_SF")
        self.connected = self._point(table, first, "Conn") != 0
        self.reversion = self._point(table, first, "WMaxLimPct_RvrtTms") != 0xFFFF
        self.high_pu = self.max_pu = rating_pu(self.max_w, self._scale)
        self._percent = Percent(exponent, self.max_pu)
        self._near_pu = self._percent.near_pu
        registers = self._registers
        for i in range(_COUNT):
            registers[i] = self._reader.u16(1 + i)  # WinTms and RmpTms go back as they were
        if self.reversion:
            registers[2] = min(self._reversion_s, 0xFFFE)
        registers[4] = 1  # WMaxLim_Ena
        self._aim(self._set, 123, table, "WMaxLimPct", "WMaxLim_Ena")
        self._aim(self._back, 123, table, "Conn", "WMaxLim_Ena", 1)
        self._fill(self.max_pu)
        yield from self._write_through(self._set)

    @micropython.native
    def request_slow(self):
        """Ask which limit the plant shows, and whether it is connected; once a second is enough."""
        if self.ready:
            self._bus.submit(self._back)

    @micropython.native
    def _encode(self, limit_pu):
        self._registers[0] = self._percent.put.u16_floor(limit_pu)

    @micropython.native
    def _take_other(self, job, buf, at):
        self.connected = buf[at] != 0 or buf[at + 1] != 0
        raw = buf[at + 2] << 8 | buf[at + 3]
        if not buf[at + 11] or raw > self._percent.whole:
            self.strayed += 1  # no limit is in force
            self.applied.fail()
        else:
            self._check_back(self._percent.read(raw), job.sent_ms)


DRIVER = PowerLimit123
