"""A genset controller described by register tables: a module in drivers.gensets holds them (see dse_gencomm).

It reports, starts and stops; when to do so is decided elsewhere. Nothing here reverts by itself.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import modbus, ratio, regmap
from firmware.drivers.commanded import Commanded
from firmware.drivers.job import Job
from firmware.drivers.ratio import INVALID, LIMIT_PU, Ratio
from firmware.drivers.regmap import small

_PERMILLE = const(1000)
_BATTERY_MV = const(100_000)
_RPM_MAX = const(10_000)
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
        self.wanted = 0  # 1 started, 0 stopped: the last command
        self._profile = profile
        self.stats.gap_us = max(self.stats.gap_us, profile.GAP_US)
        self._registers = array("H", (0, 0))
        self._set = Job(bus, unit, profile.WRITE_FUNCTION, profile.COMMAND_AT, 2, self, timeout_us,
                        registers=self._registers)
        self._fast = Job(bus, unit, profile.FUNCTION, small(profile.FAST[0]), small(profile.FAST[1]), self, timeout_us)
        self._slow = [Job(bus, unit, profile.FUNCTION, small(at), small(count), self, timeout_us)
                      for at, count in profile.SLOW]
        self._modes, self._instruments, self._engine = self._slow
        self._power = self._ratio("power_w", self._scale.unit_w, LIMIT_PU)
        self._fuel = self._ratio("fuel_permille", 1, _PERMILLE)
        self._battery = self._ratio("battery_mv", 1, _BATTERY_MV)
        self._speed = self._ratio("speed_rpm", 1, _RPM_MAX)
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
        if not self.ready or self.local:
            return False
        return self._key(self._profile.START_KEY if run else self._profile.STOP_KEY)

    @micropython.native
    def auto(self):
        """Put the controller into Auto mode, in which it takes commands; returns False where it is not ready."""
        return self.ready and self._key(self._profile.AUTO_KEY)

    @micropython.native
    def _key(self, key):
        self.asked_pu = self.wanted
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

    @micropython.native
    def _take_fast(self, job, buf, at):
        value = ratio.read(self._power.cells, buf, at)
        if value == INVALID:
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    @micropython.native
    def _take_other(self, job, buf, at):
        if job is self._modes:
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
        self.local = mode not in self._auto_modes
        self.fault = ((buf[at + 4] << 8 | buf[at + 5]) & self._profile.FAULT_MASK) != 0

    @micropython.native
    def _take_into(self, reading, scale, buf, at, t_ms):
        value = ratio.read(scale.cells, buf, at)
        if value == INVALID:
            reading.fail()
        else:
            reading.take(value, t_ms)
