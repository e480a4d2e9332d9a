"""A PCS by SunSpec models: set point by 704 WSet, power by 701, charge by 713, heartbeat by 715.

Its own fall-back: every command writes the whole block from WSetEna to WSetRvrtTms and so restarts the
reversion timer on devices that restart it by any of these points; when commands stop, it falls back to
WSetRvrt, 0 W. Where it has 715, ControllerHb has to go on as well.
"""

from array import array

import micropython
from micropython import const

from firmware.core import types
from firmware.core.errors import BusError
from firmware.core.types import Reading, ptr8, ptr16, ptr32
from firmware.drivers import ratio
from firmware.drivers import sunspec_models as models
from firmware.drivers.commanded import LOCAL
from firmware.drivers.der import Der
from firmware.drivers.line.queue import submit
from firmware.drivers.put import put_long
from firmware.drivers.ratio import INVALID, S32, U16
from firmware.drivers.regmap import sunspec_ratio

DOCUMENT = "SunSpec Alliance, models 701, 702, 704, 713 and 715 (DER information models, 2021)"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 10_000  # the standard states none; devices[].turnaround_ms says what one needs
HAS_SOC = True  # where it has model 713
FED_BY = ("WSetEna .. WSetRvrtTms", "ControllerHb")
READS_FEED = False
REVERTS_TO = "WSetRvrt: 0 W"
TIMEOUT = "WSetRvrtTms"  # s

_SET_AT = const(22)  # model 704, WSetEna .. WSetRvrtTms
_SET_COUNT = const(11)
_BACK_COUNT = const(13)  # WSetEna .. WSetRvrtRem
_SOC_AT = const(4)  # model 713, SoC, SoH, Sta
_SOC_COUNT = const(3)
_CONTROL_AT = const(2)  # model 715, LocRemCtl, DERHb
_CONTROL_COUNT = const(3)
_SENT = const(30)  # as cells.SENT
_ASK = const(1)  # as cells.ASK
_REFER = const(13)  # as in drivers.line.upset
_HEARTBEAT_AT = const(5)
_LOCAL = const(1)
_NO_LONG = const(0x8000)
_BEAT_MASK = const(0xFFFFFF)

# What set points are made by and acknowledged, among the cells of the bus.
_LOWEST = const(0)  # how far below zero it may be
_HIGHEST = const(1)
_NUM = const(2)
_DEN = const(3)
_SET_ROW = const(4)
_ASKED = const(5)
_OUT_AT = const(6)  # where the row of `applied` begins
_WARY = const(7)  # a command failed, or somebody waits for this one: look closer
_OBEYS = const(8)  # it is ready, and nobody commands it on the spot
_WHOLE = const(9)  # a site power unit is so small a whole number of its own that one product will do
_NUM_SHORT = const(512)
_SET_CELLS = const(10)
_COUNT_MASK = const(0x1FFFFFFF)  # as core.types.take() counts


class SunspecPcs(Der):
    """The PCS of the site's battery; power and set points in site power units, discharge positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        Der.__init__(self, bus, unit, scale, timeout_us, lost_after, profile)
        self.soc = Reading()  # permille
        self.storage_state = 0xFFFF  # 713 Sta: 0 ok, 1 warning, 2 error
        self.charge_max_pu = self.discharge_max_pu = 0
        self.reversion = False  # the device has a reversion timer
        self.reversion_left_s = 0  # what is left of it
        self._reversion_s = reversion_s
        self._beats = 0
        self._has_soc = self._has_control = False
        self._put = None
        self._soc_ratio = None
        self._registers = array("H", [0] * _SET_COUNT)
        self._beat_registers = array("H", (0, 0))
        # After a failed command the next one leaves out WSetEna, so that a late answer cannot pass for its
        # own.
        self._set = self._write_job(self._registers, 1, True)
        self._beat = self._write_job(self._beat_registers)
        self._back = self._read_job(_BACK_COUNT, 1)
        self._soc_job = self._read_job(_SOC_COUNT, 1)
        self._control_job = self._read_job(_CONTROL_COUNT, 2)
        for job in (self._beat, self._back, self._soc_job, self._control_job):
            job.slow = True  # a set point must not wait for it
        self._own_set = own = self._set.keep(array("i", [0] * _SET_CELLS))
        bus.cells[own + _SET_ROW] = self._set.at
        self._set.hand_to(take_applied, own, self.applied.cells)
        self.command = self._commander(bus.cells)

    # ---- start

    def _set_up(self):
        yield from Der._set_up(self)
        yield from self._prepare_setpoint()
        self._has_soc = 713 in self.found.models
        self._has_control = 715 in self.found.models
        if self._has_soc:
            yield from self._prepare_soc()
        if self._has_control:
            self._control_job.aim(self._address(715, _CONTROL_AT), _CONTROL_COUNT, 2)
            self._beat.aim(self._address(715, _HEARTBEAT_AT), 2)
            yield from self._read(715, models.MODEL_715, "LocRemCtl", "LocRemCtl")
            self.say(LOCAL, self._reader.u16(0) == _LOCAL)
        if not self.local:
            # The first command is zero, and leaves the PCS with a fall-back from now on.
            self._fill(0)
            yield from self._write_through(self._set)

    def _prepare_setpoint(self):
        table = models.MODEL_704
        yield from self._read(704, table, "WSetEna", "WSet_SF")
        if self._point(table, "WSetEna", "WSet") == _NO_LONG:
            raise BusError("NO_WSET", "the device has no set point in watts")
        exponent = self._exponent(table, "WSetEna", "WSet_SF")
        self._put = self._scale.put_power(exponent)
        self._read_back_by(S32, 10 ** max(exponent, 0), self._scale.unit_w * 10 ** max(-exponent, 0))
        self.reversion = self._point(table, "WSetEna", "WSetRvrtTms") != 0xFFFF
        registers = self._registers
        for i in range(_SET_COUNT):
            registers[i] = self._reader.u16(i)  # what is not ours goes back as it was: WSetPct, WSetPctRvrt
        registers[0] = 1  # WSetEna
        registers[1] = 1  # WSetMod WATTS
        registers[4] = registers[5] = 0  # WSetRvrt
        registers[8] = 1  # WSetEnaRvrt
        registers[9] = self._reversion_s >> 16
        registers[10] = self._reversion_s & 0xFFFF
        self._set.aim(self._address(704, _SET_AT), _SET_COUNT)
        self._back.aim(self._address(704, _SET_AT), _BACK_COUNT, 1)
        most = self._put.max_value
        self.charge_max_pu = min(self._scale.whole_pu(self.charge_max_w), most)
        self.discharge_max_pu = min(self._scale.whole_pu(self.discharge_max_w), most)
        self.low_pu = -self.charge_max_pu
        self.high_pu = self.discharge_max_pu
        line, own = self._bus.cells, self._own_set
        line[own + _LOWEST], line[own + _HIGHEST] = self.charge_max_pu, self.high_pu
        line[own + _NUM], line[own + _DEN] = self._put.num, self._put.den
        line[own + _WHOLE] = self._put.den == 1 and self._put.num <= _NUM_SHORT

    def _prepare_soc(self):
        yield from self._read(713, models.MODEL_713, "SoC", "Pct_SF")
        exponent = self._exponent(models.MODEL_713, "SoC", "Pct_SF")
        self._soc_ratio = sunspec_ratio(U16, exponent, (10, 1), 1000)
        self._soc_job.aim(self._address(713, _SOC_AT), _SOC_COUNT, 1)

    # ---- run

    def asked_pu(self):
        """Return the last command that it was to be sent, site power units."""
        return self._bus.cells[self._own_set + _ASKED]

    def _commander(self, line):
        """Return command(setpoint_pu), as Commanded has it: a closure, for it runs in every control period."""
        own = self._own_set
        registers = types.at(self._registers)
        ask = submit

        @micropython.viper
        def command(setpoint_pu: int) -> int:
            c = ptr32(line)
            h = int(own)
            if c[h + _OBEYS] == 0:
                return 0
            if setpoint_pu > c[h + _HIGHEST]:
                setpoint_pu = c[h + _HIGHEST]
            if setpoint_pu < 0 - c[h + _LOWEST]:
                setpoint_pu = 0 - c[h + _LOWEST]
            c[h + _ASKED] = setpoint_pu
            if c[h + _WHOLE]:
                setpoint_pu *= c[h + _NUM]
                out = ptr16(registers)
                out[2] = setpoint_pu >> 16 & 0xFFFF
                out[3] = setpoint_pu & 0xFFFF
            else:
                put_long(registers, 2, setpoint_pu, c[h + _NUM], c[h + _DEN], 1)
            return int(ask(c, c[h + _SET_ROW]))

        return command

    def say(self, what, true):
        """Note what the device says of itself, and whether it may be commanded."""
        Der.say(self, what, true)
        self._bus.cells[self._own_set + _OBEYS] = self.ready and not self.local

    def _write_through(self, job):
        self._bus.cells[self._own_set + _WARY] = 1
        yield from Der._write_through(self, job)

    @micropython.native
    def _encode(self, setpoint_pu):
        self._bus.cells[self._own_set + _ASKED] = setpoint_pu
        self._put.s32(self._registers, 2, setpoint_pu)

    @micropython.native
    def on_answer(self, job, buf, at):
        """Take the answer to one of our requests."""
        if job is self._set:
            self._bus.cells[self._own_set + _WARY] = 0
        Der.on_answer(self, job, buf, at)

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure, as Der does, and look closer at the next answer to a command."""
        self._bus.cells[self._own_set + _WARY] = 1
        Der.on_failure(self, job, status)

    @micropython.native
    def request_slow(self):
        """Ask for the state of charge, who commands, and what is commanded; once a second is enough."""
        if self.ready:
            if self._has_soc:
                self._bus.submit(self._soc_job)
            if self._has_control:
                self._bus.submit(self._control_job)
            if self._back_ratio is not None:
                self._bus.submit(self._back)

    @micropython.native
    def heartbeat(self):
        """Send ControllerHb, one more each time: once a second while the control loop is alive."""
        if self.ready and self._has_control:
            self._beats = (self._beats + 1) & _BEAT_MASK
            self._beat_registers[0] = self._beats >> 16
            self._beat_registers[1] = self._beats & 0xFFFF
            self._bus.submit(self._beat)

    @micropython.native
    def _take_other(self, job, buf, at):
        if job is self._soc_job:
            self._take_soc(job, buf, at)
        elif job is self._control_job:
            self.say(LOCAL, buf[at] == 0 and buf[at + 1] == _LOCAL)
        elif job is self._back:
            self.reversion_left_s = buf[at + 24] << 8 | buf[at + 25]
            value = ratio.read(self._back_ratio.cells, buf, at + 4)
            if not buf[at + 1] or value == INVALID:
                self.strayed += 1  # it follows no set point of ours
                self.applied.fail()
            else:
                self._check_back(value, job.sent_ms)

    @micropython.native
    def _take_soc(self, job, buf, at):
        value = ratio.read(self._soc_ratio.cells, buf, at)
        self.storage_state = buf[at + 4] << 8 | buf[at + 5]
        if value == INVALID:
            self.soc.fail()
        else:
            self.soc.take(value, job.sent_ms)


@micropython.viper
def take_applied(c: ptr32, own: int, come: ptr8, out: ptr32) -> int:
    """Put what a device has acknowledged into the row of `applied`; REFER where somebody is to look closer."""
    if c[own + _WARY]:
        return _REFER
    row = c[own + _OUT_AT]
    if c[c[own + _SET_ROW] + _ASK] == 0:  # else submitted anew meanwhile: the command before was acknowledged
        out[row] = c[own + _ASKED]
    out[row + 1] = c[_SENT]
    out[row + 2] = (out[row + 2] & _COUNT_MASK) + 1
    return 0


DRIVER = SunspecPcs
