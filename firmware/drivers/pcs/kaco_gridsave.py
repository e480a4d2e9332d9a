"""KACO blueplanet gridsave: SunSpec with the vendor model 64201 for watchdog and set point. No charge: add a BMS.

WSetPct is in percent of 121 WMax, negative is charge. Its own fall-back: Watchdog holds the time-out in seconds, 0 is
off, and only a write to it feeds it; every command here writes it together with WSetPct, which stands behind it. What
the inverter does when it runs out is not in the model's text: taken as 0 W, and measured at commissioning. Reading
feeds nothing. At set-up WSetPct is zero before RequestedState asks for GRID_CONNECTED.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import kaco_model, ratio, sunspec
from firmware.drivers import sunspec_models_100 as models
from firmware.drivers.commanded import FAULT
from firmware.drivers.percent import Percent
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec_device import SunspecDevice

DOCUMENT = "KACO, vendor model 64201 as published in OpenEMS; SunSpec models 120 and 121"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 50_000
HAS_SOC = False
FED_BY = ("Watchdog, WSetPct",)
READS_FEED = False
REVERTS_TO = "0 W"
TIMEOUT = "Watchdog"  # s

_MODEL = const(64201)
_CONNECTED = const(11)  # RequestedState, CurrentState: GRID_CONNECTED
_FAULT = const(7)
_TABLE = kaco_model.MODEL_64201
_NO_TIME = const(0xFFFE)


class KacoPcs(SunspecDevice):
    """The PCS of the site's battery; power and set points in site power units, discharge positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        SunspecDevice.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.soc = Reading()  # without a value: the inverter knows none
        self.storage_state = 0xFFFF
        self.st = 0  # CurrentState
        self.max_w = self.charge_max_w = self.discharge_max_w = 0
        self.charge_max_pu = self.discharge_max_pu = 0
        self.reversion = True
        self._ratio = self._percent = None
        self._registers = array("H", (min(reversion_s, _NO_TIME), 0))  # Watchdog, WSetPct
        self._state_registers = array("H", (_CONNECTED,))
        self._set = self._write_job(self._registers, 0, True)
        self._state = self._write_job(self._state_registers)
        self._fast = self._read_job(3, 1)
        self._back = self._read_job(6, 1)

    def _set_up(self):
        yield from SunspecDevice._set_up(self)
        self._aim(self._fast, _MODEL, _TABLE, "W", "Hz", 1)
        self._aim(self._back, _MODEL, _TABLE, "RequestedState", "WSetPct", 1)
        self._aim(self._set, _MODEL, _TABLE, "Watchdog", "WSetPct")
        self._aim(self._state, _MODEL, _TABLE, "RequestedState", "RequestedState")
        yield from self._read_rating()
        yield from self._read(_MODEL, _TABLE, "WSetPctSF", "WSF")
        exponent = self._exponent(_TABLE, "WSetPctSF", "WSF")
        self._ratio = sunspec_ratio(S16, exponent, (1, self._scale.unit_w), LIMIT_PU)
        most_pu = max(self._scale.whole_pu(self.max_w), 1)
        self._percent = Percent(sunspec.exponent(self._reader.u16(0)), most_pu)
        self._near_pu = self._percent.near_pu
        self.charge_max_w = self.discharge_max_w = self.max_w
        self.high_pu = self.charge_max_pu = self.discharge_max_pu = most_pu
        self.low_pu = -most_pu
        self._fill(0)
        yield from self._write_through(self._set)
        yield from self._write_through(self._state)

    def _read_rating(self):
        self.max_w = 0
        for model, table, name, scale_factor in ((121, models.MODEL_121, "WMax", "WMax_SF"),
                                                 (120, models.MODEL_120, "WRtg", "WRtg_SF")):
            if not self.max_w and model in self.found.models:
                yield from self._read(model, table, name, scale_factor)
                self.max_w = self._watts(table, name, name, scale_factor)
        if not self.max_w:
            raise BusError("NO_RATING", "neither 121 WMax nor 120 WRtg states a rating")

    # ---- run

    @micropython.native
    def _encode(self, setpoint_pu):
        self._percent.put.s16(self._registers, 1, setpoint_pu)

    @micropython.native
    def request_slow(self):
        """Ask for the state and what is commanded; once a second is enough."""
        if self.ready:
            self._bus.submit(self._back)

    @micropython.native
    def _take_fast(self, job, buf, at):
        value = ratio.read(self._ratio.cells, buf, at)
        if value == 0 and self.fault and ratio.blank(buf, at, 6):
            self.blank += 1  # no power and no frequency beside a fault state: these zeros are no values
            value = INVALID
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    @micropython.native
    def _take_other(self, job, buf, at):
        self.st = state = buf[at + 2] << 8 | buf[at + 3]
        self.say(FAULT, state == _FAULT)
        raw = buf[at + 10] << 8 | buf[at + 11]
        self._check_back(self._percent.read(raw - 0x10000 if raw & 0x8000 else raw), job.sent_ms)


DRIVER = KacoPcs
