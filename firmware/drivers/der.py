"""A SunSpec DER of the 700 models: ratings from 702, power and state from 701.

drivers.pcs.sunspec_der and drivers.limiters.sunspec_limit build on it. Discharge and production are positive, as in
the standard.
"""

from array import array

import micropython
from micropython import const

from firmware.core import machine
from firmware.core.errors import BusError
from firmware.core.types import ptr8, ptr32
from firmware.drivers import sunspec
from firmware.drivers import sunspec_models as models
from firmware.drivers.commanded import FAULT
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

_FAULT = const(6)
_FAST_AT = const(3)  # model 701 from St to W
_FAST_COUNT = const(8)
_UNKNOWN = const(0xFFFF)

_INVALID = const(-0x20000000)  # as ratio.INVALID
_AT = const(4)  # as cells.AT
_SENT = const(30)  # as cells.SENT
_REFER = const(13)  # as in drivers.line.upset

# What an answer is taken by, among the cells of the bus: how the power is read, and what was read last.
_NUM = const(0)
_DEN = const(1)
_MOST = const(2)  # the largest raw value that is in range
_OUT_AT = const(3)  # where the power's row begins
_WARY = const(4)  # a fault, or a request without an answer before: look closer
_VALUE = const(5)  # what the power was where somebody is to look closer
_ST = const(6)  # 701 St, InvSt, ConnSt, Alrm's two words, the low one of DERMode
_INV_ST = const(7)
_CONN_ST = const(8)
_ALRM = const(9)
_ALRM_LOW = const(10)
_MODE = const(11)
_WORDS = const(6)
_STATES = const(5)
_FOLLOWS = const(1)
_FORMS = const(2)
_COUNT_MASK = const(0x1FFFFFFF)  # as core.types.take() counts


class Der(SunspecDevice):
    """One SunSpec device with models 701 and 702."""

    def __init__(self, bus, unit, scale, timeout_us=200_000, lost_after=5, profile=None):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        # Every second read goes one register further, to VA: inside the model, so no device minds.
        self._fast = self._read_job(_FAST_COUNT, 1)
        self._own = self._fast.keep(array("i", [0] * _ST + [_UNKNOWN] * _WORDS))
        self.power.moved = self._hand
        self._hand()

    def _hand(self):
        """Have power put into its reading's row, wherever that has moved. Start-up only."""
        line = self._bus.cells
        line[self._own + _OUT_AT] = self.power.at
        self._fast.hand_to(machine.take_fast or take_fast, self._own, self.power.cells)

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._fast.aim(self._address(701, _FAST_AT), _FAST_COUNT, 1)
        yield from self._read(701, models.MODEL_701, "W_SF", "W_SF")
        exponent = sunspec.exponent(self._reader.u16(0))
        power = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        line = self._bus.cells
        _, line[self._own + _NUM], line[self._own + _DEN], _, line[self._own + _MOST] = power.cells
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
        """See to what seldom changes, and to a power that is none."""
        line, own = self._bus.cells, self._own
        value = line[own + _VALUE]
        fault = line[own + _INV_ST] == _FAULT
        self.say(FAULT, fault)
        line[own + _WARY] = fault
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
        line, row = self._bus.cells, self._own + _ST
        return not (line[row] or line[row + 2] or line[row + 3] or line[row + 4])

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure, as Commanded does, and look closer at the next answer."""
        self._bus.cells[self._own + _WARY] = 1
        SunspecDevice.on_failure(self, job, status)

    def islanded(self):
        """Return 1 where it forms a grid of its own, 0 where it follows one, -1 where it has not said which."""
        line, own = self._bus.cells, self._own
        mode = line[own + _MODE]
        if mode == _UNKNOWN or line[own + _CONN_ST] == 0:
            return -1
        return 1 if mode & _FORMS else 0 if mode & _FOLLOWS else -1

    def states(self):
        """Return 701 St, InvSt, ConnSt and the two words of Alrm as they were read last, 0xFFFF where not implemented.

        No property: MicroPython takes thirty times as long for every store to an object whose class has one.
        """
        row = self._own + _ST
        return tuple(self._bus.cells[row:row + _STATES])


@micropython.viper
def take_fast(c: ptr32, own: int, come: ptr8, out: ptr32) -> int:
    """Keep the states of an answer, and put its power into the reading's row; REFER where something is amiss."""
    at = c[_AT] + 3
    c[own + _ST] = come[at] << 8 | come[at + 1]
    c[own + _INV_ST] = come[at + 2] << 8 | come[at + 3]
    c[own + _CONN_ST] = come[at + 4] << 8 | come[at + 5]
    c[own + _ALRM] = come[at + 6] << 8 | come[at + 7]
    c[own + _ALRM_LOW] = come[at + 8] << 8 | come[at + 9]
    c[own + _MODE] = come[at + 12] << 8 | come[at + 13]
    raw = come[at + 14] << 8 | come[at + 15]  # W
    value = 0x10000 - raw if raw & 0x8000 else raw
    if raw == 0x8000 or value > c[own + _MOST]:
        value = _INVALID
    else:
        value = (value * c[own + _NUM] + (c[own + _DEN] >> 1)) // c[own + _DEN]
        if raw & 0x8000:
            value = 0 - value
    if value == _INVALID or c[own + _INV_ST] == _FAULT or c[own + _WARY]:
        c[own + _VALUE] = value
        return _REFER
    row = c[own + _OUT_AT]
    out[row] = value
    out[row + 1] = c[_SENT]
    out[row + 2] = (out[row + 2] & _COUNT_MASK) + 1
    return 0
