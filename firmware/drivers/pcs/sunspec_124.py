"""A PCS by SunSpec 124 basic storage control: a limit pair instead of a set point, power by 103, charge by ChaState.

124 knows how much it may charge (InWRte) and discharge (OutWRte) at most, in percent of WChaMax, and either may be
negative: a fixed power P is the window OutWRte = P, InWRte = -P, with both bits of StorCtl_Mod set. Percent of
WChaMax both ways, as Fronius does; a device that takes another rating for the discharge is found out at
commissioning.

Its own fall-back: every command writes the pair with InOutWRte_RvrtTms behind it, which restarts the timer; when
commands stop, StorCtl_Mod falls to 0, and the inverter does what its own settings say (self-consumption, as a rule).
Some devices do not have the timer (0xFFFF): then nothing reverts. StorCtl_Mod is read back once a second; where it
has fallen, the next command writes it again.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import ratio
from firmware.drivers import sunspec_models_100 as models
from firmware.drivers.inverter import Inverter
from firmware.drivers.percent import Percent
from firmware.drivers.ratio import INVALID, U16
from firmware.drivers.regmap import sunspec_ratio

DOCUMENT = "SunSpec Alliance, models 103, 113, 120, 121 and 124 (inverter and storage information models)"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 10_000  # the standard states none; devices[].turnaround_ms says what one needs
HAS_SOC = True
FED_BY = ("OutWRte .. InOutWRte_RvrtTms",)
READS_FEED = False
REVERTS_TO = "StorCtl_Mod 0: the inverter's own settings"
TIMEOUT = "InOutWRte_RvrtTms"  # s, up to 65534

_BOTH = const(3)  # StorCtl_Mod: limits of charge and discharge in force
_PAIR_AT = const(7)  # registers from StorCtl_Mod to OutWRte
_NO_TIME = const(0xFFFF)


class StoragePcs(Inverter):
    """The PCS of the site's battery; power and set points in site power units, discharge positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        Inverter.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.soc = Reading()  # permille
        self.storage_state = 0xFFFF  # 124 ChaSt: 3 DISCHARGING, 4 CHARGING, 5 FULL, ...
        self.charge_max_w = self.discharge_max_w = 0
        self.charge_max_pu = self.discharge_max_pu = 0
        self.reversion = False
        self._reversion_s = min(reversion_s, _NO_TIME - 1)
        self._percent = self._soc_ratio = None
        self._fallen = False  # StorCtl_Mod no longer says that the window holds
        self._registers = array("H", (0, 0, 0, 0))  # OutWRte, InWRte, WinTms, RvrtTms
        self._mode_registers = array("H", (_BOTH,))
        self._set = self._write_job(self._registers, 0, True)
        self._mode = self._write_job(self._mode_registers)
        self._back = self._read_job(11, 1)

    def _set_up(self):
        yield from Inverter._set_up(self)
        table = models.MODEL_124
        yield from self._read(124, table, "WChaMax", "InOutWRte_SF")
        first = "WChaMax"
        most_w = self._watts(table, first, "WChaMax", "WChaMax_SF")
        if not most_w:
            raise BusError("NO_RATING", "model 124 states no WChaMax")
        exponent = self._exponent(table, first, "InOutWRte_SF")
        soc_exponent = self._exponent(table, first, "ChaState_SF")
        times = self._point(table, first, "InOutWRte_WinTms"), self._point(table, first, "InOutWRte_RvrtTms")
        self._soc_ratio = sunspec_ratio(U16, soc_exponent, (10, 1), 1000)
        yield from self._read_storage_ratings(most_w)
        self._prepare_setpoint(exponent, most_w, times)
        # The first command is zero, in the pair before the mode that makes it valid.
        self._fill(0)
        yield from self._write_through(self._set)
        yield from self._write_through(self._mode)

    def _read_storage_ratings(self, most_w):
        self.charge_max_w = self.discharge_max_w = most_w
        if 120 in self.found.models:
            table = models.MODEL_120
            yield from self._read(120, table, "MaxChaRte", "MaxDisChaRte_SF")
            charge_w = self._watts(table, "MaxChaRte", "MaxChaRte", "MaxChaRte_SF")
            discharge_w = self._watts(table, "MaxChaRte", "MaxDisChaRte", "MaxDisChaRte_SF")
            self.charge_max_w = min(charge_w or most_w, most_w)
            self.discharge_max_w = min(discharge_w or most_w, most_w)

    def _prepare_setpoint(self, exponent, most_w, times):
        most_pu = max(self._scale.whole_pu(most_w), 1)
        self._percent = Percent(exponent, most_pu)
        self._near_pu = self._percent.near_pu
        self.charge_max_pu = min(self._scale.whole_pu(self.charge_max_w), most_pu)
        self.discharge_max_pu = min(self._scale.whole_pu(self.discharge_max_w), most_pu)
        self.low_pu = -self.charge_max_pu
        self.high_pu = self.discharge_max_pu
        self.reversion = times[1] != _NO_TIME
        self._registers[2] = times[0]  # WinTms goes back as it was
        self._registers[3] = self._reversion_s
        table = models.MODEL_124
        # A device without the timer refuses to have it written.
        self._aim(self._set, 124, table, "OutWRte", "InOutWRte_RvrtTms" if self.reversion else "InWRte")
        self._aim(self._mode, 124, table, "StorCtl_Mod", "StorCtl_Mod")
        self._aim(self._back, 124, table, "StorCtl_Mod", "InOutWRte_RvrtTms", 1)

    # ---- run

    @micropython.native
    def _encode(self, setpoint_pu):
        self._percent.put.s16(self._registers, 0, setpoint_pu)
        self._percent.put.s16(self._registers, 1, 0 - setpoint_pu)

    @micropython.native
    def command(self, power_pu):
        """Send a set point, clamped to the ratings; returns False where the PCS must not be commanded."""
        if not self.ready or self.local:
            return False
        self._fill(power_pu)
        asked = self._bus.submit(self._set)
        if self._fallen:
            self._fallen = False
            self._bus.submit(self._mode)  # behind the window, which is urgent
        return asked

    @micropython.native
    def request_slow(self):
        """Ask for the state of charge, and what is commanded; once a second is enough."""
        if self.ready:
            self._bus.submit(self._back)

    @micropython.native
    def _take_other(self, job, buf, at):
        value = ratio.read(self._soc_ratio.cells, buf, at + 6)
        self.storage_state = buf[at + 12] << 8 | buf[at + 13]
        if value == INVALID:
            self.soc.fail()
        else:
            self.soc.take(value, job.sent_ms)
        if buf[at + 1] & _BOTH != _BOTH:
            self.strayed += 1
            self.applied.fail()
            self._fallen = True
        else:
            raw = buf[at + 2 * _PAIR_AT] << 8 | buf[at + 2 * _PAIR_AT + 1]
            self._check_back(self._percent.read(raw - 0x10000 if raw & 0x8000 else raw), job.sent_ms)


DRIVER = StoragePcs
