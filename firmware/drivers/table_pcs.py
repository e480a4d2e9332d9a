"""A PCS described by register tables: one driver for all whose module in drivers.pcs holds tables instead of code.

A profile has READS (address, kind, num, den, name), of which `power_w`, `soc_permille` and the words that FAULT_BITS
(name, mask) and FAULT_CODES (name, value) name are used here; FAST and SLOW, the blocks (address, count) that are read
each period and each second; COMMAND, SETTINGS and START, rows (address, kind, num, den, name, value): the block of
every set point, what is written at set-up where it stands otherwise, and what is written at set-up in any case. A
value is a number, or SETPOINT or TIMEOUT_S. FEED is a row that the heartbeat writes, or None. ISLAND_BITS, where it has
them (name, mask on a grid, mask as an island), lie in a block that is read each second.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import Reading
from firmware.drivers import ratio, regmap
from firmware.drivers.commanded import FAULT, Commanded
from firmware.drivers.line import modbus
from firmware.drivers.line.job import Job
from firmware.drivers.put import Put
from firmware.drivers.ratio import INVALID, LIMIT_PU, U16, Ratio
from firmware.drivers.regmap import small

SETPOINT = -1
TIMEOUT_S = -2

_UNCOMMANDED = const(8)  # requests that may pass without a command before a PCS that reading feeds is sent to zero
_WHOLE_PERMILLE = const(1000)


class TablePcs(Commanded):
    """The PCS of the site's battery; power and set points in site power units, discharge positive."""

    def __init__(self, bus, unit, scale, reversion_s=10, timeout_us=200_000, lost_after=5, profile=None, rating_w=0):
        Commanded.__init__(self, bus, unit, scale, timeout_us, lost_after, profile.FUNCTION)
        self.soc = Reading()  # permille; stays without a value where the PCS has none
        self.storage_state = 0xFFFF
        self.reversion = False  # its time-out could be set
        self.max_w = self.charge_max_w = self.discharge_max_w = rating_w
        self._profile = profile
        self._reversion_s = reversion_s
        self.reads_feed = profile.READS_FEED
        self._asks = 0  # requests since the last command
        self._alive = False  # commanded since the last heartbeat
        self._bus_unit = (bus, unit)
        self._timeout_us = timeout_us
        self.stats.gap_us = max(self.stats.gap_us, profile.GAP_US)
        self._make_command()
        self._make_reads()

    def _make_command(self):
        profile = self._profile
        rows = profile.COMMAND
        first = rows[0][0]
        last = rows[-1][0] + regmap.words(rows[-1][1])
        self._registers = array("H", [0] * (last - first))
        for row in rows:
            if row[5] == SETPOINT:
                self._set_row = row
            else:
                self._store(self._registers, row[0] - first, row)
        self._set_at = small(self._set_row[0] - first)
        _, kind, num, den, _, _ = self._set_row
        self._short = kind <= U16
        self._put = Put(self._scale.unit_w * den, num)
        self._set = self._write_job(first, self._registers, True)
        most = self._put.max_short if self._short else self._put.max_value
        self.high_pu = min(self._scale.whole_pu(self.max_w), most)
        self.low_pu = -self.high_pu
        self.charge_max_pu = self.discharge_max_pu = self.high_pu
        self._read_back_by(kind, num, den * self._scale.unit_w)
        self._one = array("H", (0,)), array("H", (0, 0))
        self._ones = [self._write_job(first, registers) for registers in self._one]
        if profile.FEED is not None:
            registers = array("H", [0] * regmap.words(profile.FEED[1]))
            self._store(registers, 0, profile.FEED)
            self._beat = self._write_job(profile.FEED[0], registers)

    def _make_reads(self):
        profile = self._profile
        self._fast = self._read_job(profile.FAST)
        self._fast_bytes = small(2 * profile.FAST[1])
        row = regmap.find(profile.READS, "power_w")
        self._power_ratio = Ratio(row[1], row[2], row[3] * self._scale.unit_w, LIMIT_PU)
        self._power_at = small(2 * (row[0] - profile.FAST[0]))
        self._blocks = [(self._fast,) + self._watched(profile.FAST)]
        for block in profile.SLOW:
            self._blocks.append((self._read_job(block),) + self._watched(block))
        self._faults = bytearray(len(self._blocks))
        self._find_island()
        if profile.BACK is not None:
            self._back = self._read_job(profile.BACK)
            self._back_at = small(2 * (self._set_row[0] - profile.BACK[0]))

    def _find_island(self):
        """Find the byte of the word that says whether it forms a grid of its own, and the block that brings it."""
        bits = getattr(self._profile, "ISLAND_BITS", None)
        self._island = None
        if bits:
            name, on_grid, as_island = bits
            for block, (job, _, _, _, _) in zip((self._profile.FAST,) + self._profile.SLOW, self._blocks):
                for byte, _ in self._within(((name, 0),), block):
                    self._island = (job, byte, small(on_grid), small(as_island))

    def _watched(self, block):
        """Return (byte of the state of charge or -1, its ratio, fault masks, fault codes) of a block."""
        profile = self._profile
        soc_at, soc_ratio = -1, None
        for row in profile.READS:
            if row[4] == "soc_permille" and block[0] <= row[0] < block[0] + block[1]:
                soc_at = small(2 * (row[0] - block[0]))
                soc_ratio = Ratio(row[1], row[2], row[3], _WHOLE_PERMILLE)
        return soc_at, soc_ratio, self._within(profile.FAULT_BITS, block), self._within(profile.FAULT_CODES, block)

    def _within(self, rows, block):
        """Return (byte, number) of the named words that lie in a block; of a long one its low word."""
        found = []
        for name, number in rows:
            row = regmap.find(self._profile.READS, name)
            address = row[0] + regmap.words(row[1]) - 1
            if block[0] <= address < block[0] + block[1]:
                found.append((small(2 * (address - block[0])), small(number)))
        return tuple(found)

    def _read_job(self, block):
        bus, unit = self._bus_unit
        extra = block[2] if len(block) > 2 else 0
        job = Job(bus, unit, self._profile.FUNCTION, small(block[0]), small(block[1]), self, self._timeout_us,
                  extra=extra)
        job.persists()
        return job

    def _write_job(self, address, registers, urgent=False):
        bus, unit = self._bus_unit
        function = self._profile.WRITE_FUNCTION if len(registers) == 1 else modbus.WRITE_MANY
        return Job(bus, unit, function, small(address), len(registers), self, self._timeout_us, registers=registers,
                   urgent=urgent)

    def _store(self, registers, at, row):
        """Put the value of a row that is written into registers, high word first."""
        value = row[5]
        if value == TIMEOUT_S:
            low, high = self._profile.TIMEOUT_RANGE
            value = min(max(self._reversion_s, low), high)
        raw = value * row[3] // row[2]
        if regmap.words(row[1]) == 2:
            registers[at] = raw >> 16 & 0xFFFF
            at += 1
        registers[at] = raw & 0xFFFF

    # ---- start

    def _set_up(self):
        # Zero first: where reading feeds the watchdog, even looking for the PCS keeps its old set point alive.
        self._fill(0)
        yield from self._write_through(self._set)
        self.reversion = self._profile.TIMEOUT is not None
        for row in self._profile.SETTINGS:
            try:
                yield from self._set_once(row)
            except BusError:
                self.reversion = False  # commissioning measures what it does instead
        for row in self._profile.START:
            yield from self._write_row(row)
        self._asks = 0

    def _set_once(self, row):
        """Write a setting where it stands otherwise: what is kept in flash must not be written for nothing."""
        count = regmap.words(row[1])
        registers = self._one[count - 1]
        self._store(registers, 0, row)
        status = yield from self._reader.read(row[0], count)
        if status == modbus.OK and all(self._reader.u16(i) == registers[i] for i in range(count)):
            return
        yield from self._write_row(row)

    def _write_row(self, row):
        count = regmap.words(row[1])
        self._store(self._one[count - 1], 0, row)
        job = self._ones[count - 1]
        job.aim(row[0], count)
        yield from self._write_through(job)

    # ---- run

    @micropython.native
    def request(self):
        """Ask for the power; returns False where that is under way, or the PCS is not ready.

        A PCS that every read keeps alive is sent to zero before it is read while nobody commands it.
        """
        if not self.ready:
            return False
        if self.reads_feed:
            self._asks += 1
            if self._asks > _UNCOMMANDED:
                self._asks = _UNCOMMANDED
                self._fill(0)
                self._bus.submit(self._set)
        return self._bus.submit(self._fast)

    @micropython.native
    def command(self, power_pu):
        """Send a set point, clamped to the rating; returns False where the PCS must not be commanded."""
        if not self.ready or self.local:
            return False
        self._asks = 0
        self._alive = True
        self._fill(power_pu)
        return self._bus.submit(self._set)

    @micropython.native
    def request_slow(self):
        """Ask for the state of charge, the state, and what is commanded; once a second is enough."""
        if self.ready:
            for block in self._blocks:
                if block[0] is not self._fast:
                    self._bus.submit(block[0])
            if self._back is not None and self._back_ratio is not None:
                self._bus.submit(self._back)

    @micropython.native
    def heartbeat(self):
        """Write what keeps the set point in force, where that is a register of its own, and while somebody commands."""
        if self.ready and self._beat is not None and self._alive:
            self._alive = False
            self._bus.submit(self._beat)

    @micropython.native
    def _encode(self, setpoint_pu):
        if self._short:
            self._put.s16(self._registers, self._set_at, setpoint_pu)
        else:
            self._put.s32(self._registers, self._set_at, setpoint_pu)

    @micropython.native
    def _take_fast(self, job, buf, at):
        self._watch(0, buf, at, job.sent_ms)
        value = ratio.read(self._power_ratio.cells, buf, at + self._power_at)
        if value == 0 and self.fault and ratio.blank(buf, at, self._fast_bytes):
            self.blank += 1  # nothing but zeros beside a fault state: no values
            value = INVALID
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        else:
            self.power.take(value, job.sent_ms)

    @micropython.native
    def _take_other(self, job, buf, at):
        if job is self._back:
            value = ratio.read(self._back_ratio.cells, buf, at + self._back_at)
            if value != INVALID:
                self._check_back(value, job.sent_ms)
            return
        i = 0
        for block in self._blocks:
            if block[0] is job:
                self._watch(i, buf, at, job.sent_ms)
            i += 1
        island = self._island
        if island is not None and island[0] is job:
            word = buf[at + island[1]] << 8 | buf[at + island[1] + 1]
            self._islanded = 1 if word & island[3] else 0 if word & island[2] else -1

    @micropython.native
    def _watch(self, i, buf, at, t_ms):
        """Take the state of charge and the fault bits of block `i`."""
        block = self._blocks[i]
        soc_at = block[1]
        if soc_at >= 0:
            value = ratio.read(block[2].cells, buf, at + soc_at)
            if value == INVALID or value < 0:
                self.soc.fail()
            else:
                self.soc.take(value, t_ms)
        fault = 0
        for byte, mask in block[3]:
            if (buf[at + byte] << 8 | buf[at + byte + 1]) & mask:
                fault = 1
        for byte, code in block[4]:
            if buf[at + byte] << 8 | buf[at + byte + 1] == code:
                fault = 1
        self._faults[i] = fault
        fault = False
        for flag in self._faults:
            if flag:
                fault = True
        self.say(FAULT, fault)
