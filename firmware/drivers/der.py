"""A SunSpec DER of the 700 models: ratings from 702, power and state from 701.

drivers.pcs.sunspec_der and drivers.limiters.sunspec_limit build on it. Discharge and production are positive, as in
the standard.
"""

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import ratio, sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

_UNKNOWN = const(0xFFFF)
_FAULT = const(6)
_FAST_AT = const(3)  # model 701 from St to W
_FAST_COUNT = const(8)


class Der(SunspecDevice):
    """One SunSpec device with models 701 and 702."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.st = self.inv_st = self.conn_st = _UNKNOWN  # 701 St, InvSt, ConnSt
        self.alarm_high = self.alarm_low = 0  # 701 Alrm
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        self._ratio = None
        # Every second read goes one register further, to VA: inside the model, so no device minds.
        self._fast = self._read_job(_FAST_COUNT, 1)
        self._fast.persists()

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._fast.aim(self._address(701, _FAST_AT), _FAST_COUNT, 1)
        yield from self._read(701, models.MODEL_701, "W_SF", "W_SF")
        exponent = sunspec.exponent(self._reader.u16(0))
        self._ratio = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        yield from self._read_ratings()

    def _read_ratings(self):
        yield from self._read(702, models.MODEL_702, "WMaxRtg", "W_SF")
        self.max_w = self._rating("WMax", 0)
        if not self.max_w:
            raise BusError("NO_RATING", "model 702 states neither WMax nor WMaxRtg")
        self.charge_max_w = self._rating("WChaRteMax", self.max_w)
        self.discharge_max_w = self._rating("WDisChaRteMax", self.max_w)

    def _rating(self, name, otherwise):
        """Return a power rating, W: the setting, else the nameplate's, else `otherwise`."""
        for point in (name, name + "Rtg"):
            power_w = self._watts(models.MODEL_702, "WMaxRtg", point, "W_SF")
            if power_w:
                return power_w
        return otherwise

    # ---- run

    @micropython.native
    def _take_fast(self, job, buf, at):
        self.st = buf[at] << 8 | buf[at + 1]
        self.inv_st = inv_st = buf[at + 2] << 8 | buf[at + 3]
        self.conn_st = buf[at + 4] << 8 | buf[at + 5]
        self.alarm_high = buf[at + 6] << 8 | buf[at + 7]
        self.alarm_low = buf[at + 8] << 8 | buf[at + 9]
        self.fault = fault = inv_st == _FAULT
        value = ratio.read(self._ratio.cells, buf, at + 14)
        if fault and not value and self._says_nothing():
            self.blank += 1
            value = INVALID
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    @micropython.native
    def _says_nothing(self):
        """Return True where nothing but the fault state stands in the frame: then its zeros are no values."""
        return not (self.st or self.conn_st or self.alarm_high or self.alarm_low)
