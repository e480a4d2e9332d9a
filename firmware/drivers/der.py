"""A SunSpec DER of the 700 models: ratings from 702, power and state from 701.

drivers.pcs.sunspec_der and drivers.limiters.sunspec_limit build on it. Discharge and production are positive, as in
the standard.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import take
from firmware.drivers import sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.modbus import ptr32
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16, U16, Ratio, plan, read_all
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

_FAULT = const(6)
_FAST_AT = const(3)  # model 701 from St to W
_FAST_COUNT = const(8)
_UNKNOWN = const(0xFFFF)

# The values of an answer, and the rows that read them: a run of whole numbers and the power.
_INV_ST = const(1)
_POWER = const(5)
_VALUES = const(6)
_ROWS = const(2)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_INVALID = const(-0x20000000)  # as ratio.INVALID
_SENT = const(30)  # as cells.SENT


class Der(SunspecDevice):
    """One SunSpec device with models 701 and 702."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self._values = array("i", [INVALID] * _VALUES)  # 701 St, InvSt, ConnSt, Alrm's two, W as they were read last
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        self._rows = None
        # Every second read goes one register further, to VA: inside the model, so no device minds.
        self._fast = self._read_job(_FAST_COUNT, 1)
        self._fast.persists()
        self._fast.hand_to(self._fast_taker(bus.cells))

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._fast.aim(self._address(701, _FAST_AT), _FAST_COUNT, 1)
        yield from self._read(701, models.MODEL_701, "W_SF", "W_SF")
        exponent = sunspec.exponent(self._reader.u16(0))
        power = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        whole = Ratio(U16, 1, 1, 0xFFFF)
        self._rows, _ = plan([(2 * i, whole) for i in range(_POWER)] + [(14, power)])
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

    def _fast_taker(self, line):
        """Return what takes power and state from an answer: a closure, for it runs in every control period."""
        values = self._values

        @micropython.viper
        def take_fast(buf, at: int):
            read_all(buf, at, self._rows, values, _ROWS)
            v = ptr32(values)
            value = ((v[_POWER] & _MASK) ^ _HALF) - _HALF
            if value == _INVALID or v[_INV_ST] == _FAULT or self.fault or self._missed:
                value = int(self.take_rare(value))
            if value != _INVALID:
                power = self.power
                take(power.cells, power.at, value, ptr32(line)[_SENT])

        return take_fast

    @micropython.native
    def take_rare(self, value):
        """See to what seldom changes in an answer with a power of `value`; return that, or INVALID."""
        self._missed = 0
        self.fault = fault = self._values[_INV_ST] == _FAULT
        if fault and not value and self._says_nothing():
            self.blank += 1
            value = INVALID
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        return value

    @micropython.native
    def _says_nothing(self):
        """Return True where nothing but the fault state stands in the frame: then its zeros are no values."""
        for i in range(_POWER):
            if self._values[i] and i != _INV_ST:
                return False
        return True

    st = property(lambda der: _word(der._values[0]))  # 701 St
    inv_st = property(lambda der: _word(der._values[_INV_ST]))
    conn_st = property(lambda der: _word(der._values[2]))
    alarm_high = property(lambda der: _word(der._values[3]))  # 701 Alrm
    alarm_low = property(lambda der: _word(der._values[4]))


def _word(value):
    return _UNKNOWN if value == INVALID else value
