"""A genset controller described by register tables: a module in drivers.gensets holds them (see dse_gencomm).

It reports, starts and stops; when to do so is decided elsewhere. Nothing here reverts by itself.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import ratio, regmap
from firmware.drivers.commanded import FAULT, LOCAL, Commanded
from firmware.drivers.line import modbus
from firmware.drivers.line.job import Job
from firmware.drivers.ratio import INVALID, LIMIT_PU, Ratio
from firmware.drivers.regmap import small

_PERMILLE = const(1000)
_BATTERY_MV = const(100_000)
_RPM_MAX = const(10_000)
_MAINS_MHZ = const(100_000)
_MAINS_MV = const(50_000_000)
_NONE = const(-1)  # no value
_HOURS_HIGH = const(0x3FFF)  # seconds from there on are none
_EXCEPTION = const(2)  # as modbus.EXCEPTION
_NO_STATE = const(15)  # engine states from here on are none
_COMPLEMENT = const(0xFFFF)


class TableGenset(Commanded):
    """One genset; power in site power units, production positive; fuel in permille, starter battery in mV."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        Commanded.__init__(self, bus, unit, scale, timeout_us, lost_after, profile.FUNCTION)
        self.running = False
        self.available = False  # it would start if asked: in auto mode, and without a fault
        self.fuel = Reading()
        self.battery = Reading()
        self.mode = self.engine_state = 0xFFFF
        self.speed_rpm = 0
        self.mains_mhz = self.mains_mv = _NONE  # what it senses of the grid
        self.run_h = _NONE  # whole hours that the engine has run
        self.wanted = 0  # 1 started, 0 stopped: the last command
        self._profile = profile
        self.stats.gap_us = max(self.stats.gap_us, profile.GAP_US)
        self._registers = array("H", (0, 0))
        self._set = Job(bus, unit, profile.WRITE_FUNCTION, profile.COMMAND_AT, 2, self, timeout_us,
                        registers=self._registers)
        self._fast = Job(bus, unit, profile.FUNCTION, small(profile.FAST[0]), small(profile.FAST[1]), self, timeout_us)
        self._fast.persists()
        self._slow = [Job(bus, unit, profile.FUNCTION, small(at), small(count), self, timeout_us)
                      for at, count in profile.SLOW]
        self._modes, self._instruments, self._engine = self._slow
        self._sometimes = [Job(bus, unit, profile.FUNCTION, small(at), small(count), self, timeout_us)
                           for at, count in profile.SOMETIMES]
        self._mains, self._hours = self._sometimes
        self._turn = 0
        self._power = self._ratio("power_w", self._scale.unit_w, LIMIT_PU)
        self._fuel = self._ratio("fuel_permille", 1, _PERMILLE)
        self._battery = self._ratio("battery_mv", 1, _BATTERY_MV)
        self._speed = self._ratio("speed_rpm", 1, _RPM_MAX)
        self._frequency = self._ratio("mains_frequency_mhz", 1, _MAINS_MHZ)
        self._voltage = self._ratio("mains_voltage_l1_mv", 1, _MAINS_MV)
        self._auto_modes = tuple(small(mode) for mode in profile.AUTO_MODES)
        self._running_states = tuple(small(state) for state in profile.RUNNING_STATES)

    def _ratio(self, name, unit, limit):
        row = regmap.find(self._profile.READS, name)
        return Ratio(row[1], row[2], row[3] * unit, limit)

    # ---- start

    def _set_up(self):
        profile = self._profile
        status = yield from self._reader.read(profile.SUPPORT_AT, 8)
        if status != modbus.OK:
            raise BusError("NO_KEYS", "reading the control keys: %s" % modbus.STATUS_NAMES[status])
        for key in (profile.START_KEY, profile.STOP_KEY):
            code = key - profile.FIRST_KEY
            if not self._reader.u16(code // 16) >> (15 - code % 16) & 1:
                raise BusError("NO_REMOTE_START", "the controller does not know key %d" % key)
        status = yield from self._reader.read(profile.SLOW[0][0], profile.SLOW[0][1])
        if status != modbus.OK:
            raise BusError("READ_MODE", modbus.STATUS_NAMES[status])
        self._take_modes(self._reader.data, 0)

    # ---- run

    @micropython.native
    def command(self, run):
        """Start (true) or stop the genset; returns False where it must not be commanded."""
        self.wanted = 1 if run else 0
        if not self.ready or self.local or self.dry:
            return False
        return self._key(self._profile.START_KEY if run else self._profile.STOP_KEY)

    @micropython.native
    def auto(self):
        """Put the controller into Auto mode, in which it takes commands; returns False where it is not ready."""
        return self.ready and self._key(self._profile.AUTO_KEY)

    @micropython.native
    def _key(self, key):
        self._asked_pu = self.wanted
        self._registers[0] = key
        self._registers[1] = _COMPLEMENT - key
        return self._bus.submit(self._set)

    @micropython.native
    def request_slow(self):
        """Ask for power, state, alarms, fuel and battery; once a second is enough."""
        if self.ready:
            self._bus.submit(self._fast)
            for job in self._slow:
                self._bus.submit(job)
            self._turn = 1 - self._turn
            if self._sometimes[self._turn] is not None:
                self._bus.submit(self._sometimes[self._turn])

    @micropython.native
    def _take_fast(self, job, buf, at):
        value = ratio.read(self._power.cells, buf, at)
        if value == INVALID:
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; what only some models have is not asked for again where it is refused."""
        if status == _EXCEPTION and job is self._mains:
            self._sometimes[0] = None
        elif status == _EXCEPTION and job is self._hours:
            self._sometimes[1] = None
        else:
            Commanded.on_failure(self, job, status)

    @micropython.native
    def _take_other(self, job, buf, at):
        if job is self._mains:
            self.mains_mhz = self._value(self._frequency, buf, at)
            self.mains_mv = self._value(self._voltage, buf, at + 2)
        elif job is self._hours:
            high = buf[at] << 8 | buf[at + 1]
            self.run_h = _NONE if high > _HOURS_HIGH else ((high << 16) + (buf[at + 2] << 8 | buf[at + 3])) // 3600
        elif job is self._modes:
            self._take_modes(buf, at)
        elif job is self._instruments:
            self._take_into(self.fuel, self._fuel, buf, at, job.sent_ms)
            self._take_into(self.battery, self._battery, buf, at + 4, job.sent_ms)
            value = ratio.read(self._speed.cells, buf, at + 6)
            self.speed_rpm = 0 if value == INVALID else value
        elif job is self._engine:
            self.engine_state = buf[at] << 8 | buf[at + 1]
        state = self.engine_state
        if state < _NO_STATE:
            self.running = state in self._running_states
        else:
            self.running = self.speed_rpm > self._profile.RUNNING_RPM
        self.available = not self.fault and not self.local

    @micropython.native
    def _take_modes(self, buf, at):
        self.mode = mode = buf[at] << 8 | buf[at + 1]
        self.say(LOCAL, mode not in self._auto_modes)
        self.say(FAULT, (buf[at + 4] << 8 | buf[at + 5]) & self._profile.FAULT_MASK)

    @micropython.native
    def _value(self, scale, buf, at):
        value = ratio.read(scale.cells, buf, at)
        return _NONE if value == INVALID else value

    @micropython.native
    def _take_into(self, reading, scale, buf, at, t_ms):
        value = ratio.read(scale.cells, buf, at)
        if value == INVALID:
            reading.fail()
        else:
            reading.take(value, t_ms)
