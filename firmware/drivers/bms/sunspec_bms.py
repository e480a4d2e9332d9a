"""A battery's own management by SunSpec 802, or by 713 where that is all it has: charge, health, state, heartbeat.

Its own fall-back: 802 CtrlHb is to go up once a second; what the battery does when it stands still is the maker's
affair (it opens its contactors, as a rule). Reading feeds nothing. Its Hb stands still when the battery is dead
behind its gateway: then the state of charge is no longer taken.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import ratio, sunspec_models, sunspec_models_storage
from firmware.drivers.commanded import FAULT, LOCAL
from firmware.drivers.ratio import INVALID, U16
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

DOCUMENT = "SunSpec Alliance, models 802 (battery base) and 713 (DER storage capacity)"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 10_000  # the standard states none; devices[].turnaround_ms says what one needs
HAS_SOC = True
FED_BY = ("CtrlHb",)
READS_FEED = False
REVERTS_TO = "not stated"
TIMEOUT = None

_FAST_COUNT = const(12)  # 802 SoC .. State
_FAULT = const(99)  # 802 State
_ERROR = const(2)  # 713 Sta
_LOCAL = const(1)
_STILL_MAX = const(10)  # reads of a heartbeat that has not moved, before the charge is no longer believed
_NONE = const(0xFFFF)


class SunspecBms(SunspecDevice):
    """Where the state of charge comes from if not from the PCS; `soc` and `soh` in permille."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.soc = Reading()
        self.soh = Reading()
        self.state = _NONE  # 802 State, else 713 Sta
        self._has_802 = False
        self._soc_ratio = self._soh_ratio = None
        self._heart = _NONE
        self._still = 0
        self._beats = 0
        self._beat_registers = array("H", (0,))
        self._beat = self._write_job(self._beat_registers)
        self._fast = self._read_job(_FAST_COUNT, 1)

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._has_802 = 802 in self.found.models
        if self._has_802:
            yield from self._prepare_802()
        elif 713 in self.found.models:
            table = sunspec_models.MODEL_713
            yield from self._read(713, table, "SoC", "Pct_SF")
            exponent = self._exponent(table, "SoC", "Pct_SF")
            self._soc_ratio = self._soh_ratio = sunspec_ratio(U16, exponent, (10, 1), 1000)
            self._aim(self._fast, 713, table, "SoC", "Sta", 1)
        else:
            raise BusError("NO_MODEL_802", "the device has neither model 802 nor model 713")

    def _prepare_802(self):
        table = sunspec_models_storage.MODEL_802
        yield from self._read(802, table, "SoC_SF", "SoH_SF")
        self._soc_ratio = sunspec_ratio(U16, self._exponent(table, "SoC_SF", "SoC_SF"), (10, 1), 1000)
        self._soh_ratio = sunspec_ratio(U16, self._exponent(table, "SoC_SF", "SoH_SF"), (10, 1), 1000)
        self._aim(self._fast, 802, table, "SoC", "State", 1)
        self._aim(self._beat, 802, table, "CtrlHb", "CtrlHb")

    # ---- run

    @micropython.native
    def command(self, power_pu):
        """Return False: a battery is not commanded here."""
        return False

    @micropython.native
    def request_slow(self):
        """Ask for charge, health and state; once a second is enough."""
        self.request()

    @micropython.native
    def heartbeat(self):
        """Send CtrlHb, one more each time: once a second while the control loop is alive."""
        if self.ready and self._has_802:
            self._beats = (self._beats + 1) & 0x7FFF
            self._beat_registers[0] = self._beats
            self._bus.submit(self._beat)

    @micropython.native
    def _take_fast(self, job, buf, at):
        if self._has_802:
            self.state = state = buf[at + 22] << 8 | buf[at + 23]
            self.say(FAULT, state == _FAULT)
            self.say(LOCAL, buf[at + 12] == 0 and buf[at + 13] == _LOCAL)
            self._listen(buf[at + 14] << 8 | buf[at + 15])
        else:
            self.state = state = buf[at + 4] << 8 | buf[at + 5]
            self.say(FAULT, state == _ERROR)
        value = ratio.read(self._soc_ratio.cells, buf, at)
        if value == 0 and self.fault and ratio.blank(buf, at, 4):
            self.blank += 1  # no charge and no health beside a fault state: these zeros are no values
            value = INVALID
        if value == INVALID or self._still > _STILL_MAX:
            self.soc.fail()
            return
        self.soc.take(value, job.sent_ms)
        value = ratio.read(self._soh_ratio.cells, buf, at + (4 if self._has_802 else 2))
        if value != INVALID:
            self.soh.take(value, job.sent_ms)

    @micropython.native
    def _listen(self, heart):
        if heart == _NONE or heart != self._heart:
            self._still = 0
        elif self._still <= _STILL_MAX:
            self._still += 1
        self._heart = heart


DRIVER = SunspecBms
