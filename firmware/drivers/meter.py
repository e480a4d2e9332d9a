"""One meter: asks for its power, and keeps the last valid value with the instant at which it was sampled."""

from array import array

import micropython
from micropython import const

from firmware.core.types import Reading, take
from firmware.drivers import regmap
from firmware.drivers.job import Job
from firmware.drivers.minus_one import MinusOne
from firmware.drivers.modbus import ptr8, ptr32
from firmware.drivers.ratio import read
from firmware.drivers.slow import Slow

# What is read every few seconds; of the last two the first that the table has.
_SLOW = ("import_wh", "export_wh")
_TURNED = {"import_wh": "export_wh", "export_wh": "import_wh"}
_LIVELY = ("frequency_mhz", "voltage_l1_mv")
_PHASES = ("power_l1_w", "power_l2_w", "power_l3_w")

_INVALID = const(-0x20000000)  # as ratio.INVALID
_SENT = const(30)  # as cells.SENT
_WATCHED = const(5)  # behind the cells of the Ratio: there is a refresh counter
_TURNED_ROUND = const(6)  # the CT clamp looks the other way
_MINUS_RAW = const(7)  # what a raw -1 and a -1 W read as: perhaps no value at all
_MINUS_W = const(8)
_COUNTER_AT = const(9)  # place of the refresh counter in an answer, bytes; the count last read; it had moved then
_COUNTER = const(10)
_MOVING = const(11)
_NO_COUNT = const(0x10000)
_MASK = const(0x3FFFFFFF)


class Meter:
    """A meter of the type that `profile`, a profile.Profile, describes.

    `sign` -1 turns its CT clamps round. `power` is in site power units; its count goes up with each new
    sample, its fails with each failed or invalid one.
    """

    def __init__(self, bus, unit, profile, scale, sign=1, timeout_us=200_000):
        self.power = Reading()
        self.invalid = 0  # answers whose value was none: not implemented, not a number, out of range
        self.repeated = 0  # answers that brought the sample already known
        self._bus = bus
        self._sign = sign
        self._cells = self.minus_one = None
        if profile.table:
            row = regmap.find(profile.table, "power_w")
            self._cells = scale.power(row).cells
            self.minus_one = MinusOne(row, self._cells)
            watched = profile.counter is not None
            self._cells.extend(array("i", [watched, sign < 0] + self.minus_one.values_pu + [0, _NO_COUNT, 1]))
            if watched:
                self._cells[_COUNTER_AT] = 2 * (profile.counter - profile.fast_address)
        self._job = Job(bus, unit, profile.function, profile.fast_address, profile.fast_count, self,
                        timeout_us, extra=profile.fast_extra)
        self._job.persists()
        if self._cells:
            self._job.hand_to(self._power_taker(bus.cells))
        self.stats = self._job.device
        self.stats.gap_us = max(self.stats.gap_us, profile.gap_us)
        rows = slow_rows(profile.table), rows_of(profile.table, _PHASES)
        self.slow, self.phases = [Slow(bus, unit, profile.function, timeout_us) for _ in rows]
        self.slow.aim(profile, rows[0])
        self.slow.plan()
        self.phases.aim(profile, rows[1])

    def feeds(self):
        """Say that the feed-forward waits for this meter. Start-up only."""
        self._job.feeds()

    @micropython.native
    def request(self):
        """Ask for the power; returns False where that is under way already."""
        return self._bus.submit(self._job)

    @micropython.native
    def request_slow(self):
        """Ask for energies and one more quantity; returns False where a round of that is open, or there are none."""
        return self.slow.request()

    @micropython.native
    def request_phases(self):
        """Ask for the power of each phase; returns False where that is under way, or the meter has none."""
        return self.phases.request()

    def values(self):
        """Return {name: value in the unit that ends it, or None} of slow and phases, the CT clamp turned round.

        Decoded anew each time, exactly; may allocate.
        """
        found = self.slow.values()
        found.update(self.phases.values())
        return found if self._sign > 0 else turned(found)

    @micropython.native
    def busy(self):
        """Return True while a request waits or is on the line."""
        return not self._job.idle()

    def _power_taker(self, line):
        """Return what takes the power from an answer: a closure, for it runs in every control period."""
        cells = self._cells

        @micropython.viper
        def take_power(buf, at: int):
            value = int(read(cells, buf, at))
            c = ptr32(cells)
            if c[_WATCHED]:
                # Only every second answer holds the refresh counter; where it stands still the sample is the old one.
                come = ptr8(buf)
                behind = c[_COUNTER_AT]
                if come[at - 1] > behind:
                    counter = come[at + behind] << 8 | come[at + behind + 1]
                    c[_MOVING] = 0 if counter == c[_COUNTER] else 1
                    c[_COUNTER] = counter
                if c[_MOVING] == 0 and value != _INVALID:
                    self.repeated = int(self.repeated) + 1
                    return
            if value == _INVALID:
                self.reject()
                return
            unsigned = value & _MASK
            if unsigned == c[_MINUS_RAW] or unsigned == c[_MINUS_W]:
                if self.no_reading(buf, at):
                    return
            power = self.power
            take(power.cells, power.at, 0 - value if c[_TURNED_ROUND] else value, ptr32(line)[_SENT])

        return take_power

    def reject(self):
        """Count an answer that brought no value."""
        self.invalid += 1
        self.power.fail()

    def no_reading(self, buf, at):
        """Return True, and count a failure, where the registers say -1 for "no reading"."""
        if not self.minus_one.refuses(buf, at, self.power):
            return False
        self.power.fail()
        return True

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; the last value stays, and ages."""
        self.power.fail()


def rows_of(table, names):
    """Return the rows of these names that a table has, in the order of the names."""
    return [row for name in names for row in table if row[4] == name]


def slow_rows(table):
    """Return the rows that are read every few seconds."""
    return rows_of(table, _SLOW) + rows_of(table, _LIVELY)[:1]


def turned(values):
    """Return values as they are with the CT clamps turned round: powers change sign, import is export."""
    found = {}
    for name in values:
        value = values[name]
        if value is not None and name.startswith("power_"):
            value = -value
        found[_TURNED.get(name, name)] = value
    return found
