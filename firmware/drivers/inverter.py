"""A SunSpec inverter of the 100 models: power and state from 101 to 103 or 111 to 113, ratings from 120 and 121.

drivers.pcs.sunspec_124 and drivers.limiters.sunspec_123 build on it. Output is positive; a storage inverter that
charges shows a negative W.
"""

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import ratio
from firmware.drivers import sunspec_models_100 as models
from firmware.drivers.commanded import FAULT, READY
from firmware.drivers.ratio import F32, INVALID, LIMIT_PU, S16, Ratio
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

_INTEGER = (103, 102, 101)  # these three have one layout
_FLOAT = (113, 112, 111)
_FAULT = const(7)
_FAST_COUNT = const(25)  # W .. St in an integer model
_ST_AT = const(48)  # bytes from W to St in an integer model
_FLOAT_ST_AT = const(52)


class Inverter(SunspecDevice):
    """One SunSpec device with an inverter model."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.st = 0xFFFF  # St: 1 OFF, 2 SLEEPING, 3 STARTING, 4 MPPT, 5 THROTTLED, 6 SHUTTING_DOWN, 7 FAULT, 8 STANDBY
        self.max_w = 0
        self._model = 0
        self._ratio = None
        self._st_at = _ST_AT
        self._w_sf = -1  # the register of W_SF; a device that changes it is set up anew
        # Every second read goes one register further, to StVnd: inside the model.
        self._fast = self._read_job(_FAST_COUNT, 1)

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._model = 0
        for model in _INTEGER + _FLOAT:
            if model in self.found.models:
                self._model = model
                break
        if not self._model:
            raise BusError("NO_MODEL_103", "the device has no inverter model")
        if self._model in _FLOAT:
            self._st_at = _FLOAT_ST_AT
            self._w_sf = -1
            self._ratio = Ratio(F32, 1, self._scale.unit_w, LIMIT_PU)
            self._aim(self._fast, self._model, models.MODEL_113, "W", "St", 1)
        else:
            yield from self._prepare_integer()
        yield from self._read_ratings()

    def _prepare_integer(self):
        table = models.MODEL_103
        yield from self._read(self._model, table, "W", "W_SF")
        self._st_at = _ST_AT
        self._w_sf = self._point(table, "W", "W_SF")
        exponent = self._exponent(table, "W", "W_SF")
        self._ratio = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        self._aim(self._fast, self._model, table, "W", "St", 1)

    def _read_ratings(self):
        self.max_w = 0
        if 121 in self.found.models:
            yield from self._read(121, models.MODEL_121, "WMax", "WMax_SF")
            self.max_w = self._watts(models.MODEL_121, "WMax", "WMax", "WMax_SF")
        if not self.max_w and 120 in self.found.models:
            yield from self._read(120, models.MODEL_120, "WRtg", "WRtg_SF")
            self.max_w = self._watts(models.MODEL_120, "WRtg", "WRtg", "WRtg_SF")
        if not self.max_w:
            raise BusError("NO_RATING", "neither 121 WMax nor 120 WRtg states a rating")

    # ---- run

    @micropython.native
    def _take_fast(self, job, buf, at):
        st_at = at + self._st_at
        self.st = st = buf[st_at] << 8 | buf[st_at + 1]
        fault = st == _FAULT
        if fault != self.fault:
            self.say(FAULT, fault)
        value = ratio.read(self._ratio.cells, buf, at)
        if self._w_sf >= 0 and buf[at + 2] << 8 | buf[at + 3] != self._w_sf:
            self.trouble = "RESCALED"  # nothing here holds any longer
            self.say(READY, False)
            value = INVALID
        elif fault and not value and not buf[at + 4] and not buf[at + 5]:
            self.blank += 1  # no power and no frequency beside a fault state: these zeros are no values
            value = INVALID
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)
