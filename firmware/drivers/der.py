"""A SunSpec DER of the 700 models: ratings from 702, power and state from 701.

drivers.pcs.sunspec_der and drivers.limiters.sunspec_limit build on it. Discharge and production are positive, as in
the standard.
"""

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import take
from firmware.drivers import sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.modbus import ptr8, ptr32
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16, read
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

_FAULT = const(6)
_FAST_AT = const(3)  # model 701 from St to W
_FAST_COUNT = const(8)
_WORDS = const(10)  # bytes of St .. Alrm
_INVALID = const(-0x20000000)  # as ratio.INVALID
_SENT = const(30)  # as cells.SENT


class Der(SunspecDevice):
    """One SunSpec device with models 701 and 702."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self._words = bytearray(b"\xff" * 6 + bytes(4))  # 701 St .. Alrm as they were read last
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        self._ratio_cells = None
        # Every second read goes one register further, to VA: inside the model, so no device minds.
        self._fast = self._read_job(_FAST_COUNT, 1)
        self._fast.persists()
        self._fast.hand_to(self._fast_taker(bus.cells))

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._fast.aim(self._address(701, _FAST_AT), _FAST_COUNT, 1)
        yield from self._read(701, models.MODEL_701, "W_SF", "W_SF")
        exponent = sunspec.exponent(self._reader.u16(0))
        self._ratio_cells = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU).cells
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
        words = self._words

        @micropython.viper
        def take_fast(buf, at: int):
            to = ptr8(words)
            come = ptr8(buf)
            i = 0
            while i < _WORDS:
                to[i] = come[at + i]
                i += 1
            value = int(read(self._ratio_cells, buf, at + 14))
            if value == _INVALID or to[2] << 8 | to[3] == _FAULT or self.fault or self._missed:
                value = int(self.take_rare(value))
            if value != _INVALID:
                power = self.power
                take(power.cells, power.at, value, ptr32(line)[_SENT])

        return take_fast

    @micropython.native
    def take_rare(self, value):
        """See to what seldom changes in an answer with a power of `value`; return that, or INVALID."""
        self._missed = 0
        self.fault = fault = _word(self._words, 1) == _FAULT
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
        for i in range(10):
            if self._words[i] and i != 3:
                return False
        return True

    st = property(lambda der: _word(der._words, 0))  # 701 St
    inv_st = property(lambda der: _word(der._words, 1))
    conn_st = property(lambda der: _word(der._words, 2))
    alarm_high = property(lambda der: _word(der._words, 3))  # 701 Alrm
    alarm_low = property(lambda der: _word(der._words, 4))


@micropython.native
def _word(words, i):
    return words[2 * i] << 8 | words[2 * i + 1]
