"""One meter: asks for its power, and keeps the last valid value with the instant at which it was sampled."""

from array import array

import micropython
from micropython import const

from firmware.core import machine
from firmware.core.types import Reading, ptr8, ptr32
from firmware.drivers import regmap
from firmware.drivers.line.job import Job
from firmware.drivers.minus_one import MinusOne
from firmware.drivers.ratio import INVALID, value_at
from firmware.drivers.slow import Slow

# What is read every few seconds; of the last two the first that the table has.
_SLOW = ("import_wh", "export_wh")
_TURNED = {"import_wh": "export_wh", "export_wh": "import_wh"}
_LIVELY = ("frequency_mhz", "voltage_l1_mv")
_PHASES = ("power_l1_w", "power_l2_w", "power_l3_w")

# As in drivers.ratio.
_INVALID = const(-0x20000000)
_S32 = const(2)
_F32 = const(4)

_AT = const(4)  # as cells.AT
_SENT = const(30)  # as cells.SENT
_REFER = const(13)  # as in drivers.line.upset

# What a meter's answers are taken by, among the cells of its bus: those of the Ratio, and behind them these.
_NUM = const(1)
_DEN = const(2)
_LIMIT = const(3)
_WATCHED = const(5)  # there is a refresh counter
_TURNED_ROUND = const(6)  # the CT clamp looks the other way
_MINUS_RAW = const(7)  # what a raw -1 and a -1 W read as: perhaps no value at all
_MINUS_W = const(8)
_COUNTER_AT = const(9)  # place of the refresh counter in an answer, bytes; the count last read; it had moved then
_COUNTER = const(10)
_MOVING = const(11)
_OUT_AT = const(12)  # where the reading's row begins
_PLAIN = const(13)  # the kind, where a power is a whole number of 1/DEN
_REPEATED = const(14)
_NO_KIND = const(9)
_NO_COUNT = const(0x10000)
_MASK = const(0x3FFFFFFF)
_COUNT_MASK = const(0x1FFFFFFF)  # as core.types.take() counts


class Meter:
    """A meter of the type that `profile`, a profile.Profile, describes.

    `sign` -1 turns its CT clamps round. `power` is in site power units; its count goes up with each new
    sample, its fails with each failed or invalid one.
    """

    serial = None  # as the meter itself tells it

    def __init__(self, bus, unit, profile, scale, sign=1, timeout_us=200_000):
        self.power = Reading()
        self.invalid = 0  # answers whose value was none: not implemented, not a number, out of range
        self._bus = bus
        self._sign = sign
        self._cells = self.minus_one = None
        if profile.table:
            row = regmap.find(profile.table, "power_w")
            self._cells = scale.power(row).cells
            self.minus_one = MinusOne(row, self._cells)
        self._job = Job(bus, unit, profile.function, profile.fast_address, profile.fast_count, self,
                        timeout_us, extra=profile.fast_extra)
        self._job.persists()
        if self._cells:
            self._own = self._job.keep(self._taking(profile.counter, profile.fast_address))
            self.power.moved = self._hand
            self._hand()
        self.stats = self._job.device
        self.stats.gap_us = max(self.stats.gap_us, profile.gap_us)
        self._profile = profile
        self._phases = None
        self.slow = Slow(bus, unit, profile.function, timeout_us)
        self.slow.aim(profile, slow_rows(profile.table))
        self.slow.plan()

    # Answers that brought the sample already known.
    repeated = property(lambda meter: meter._bus.cells[meter._own + _REPEATED])

    @property
    def phases(self):
        """Return the Slow of the power of each phase: made when it is wanted first, for heap is scarce."""
        if self._phases is None:
            profile = self._profile
            self._phases = Slow(self._bus, self.stats.unit, profile.function, self._job.timeout_us)
            self._phases.aim(profile, rows_of(profile.table, _PHASES))
        return self._phases

    def feeds(self):
        """Say that the feed-forward waits for this meter. Start-up only."""
        self._job.feeds()

    def tells_grid(self, profile):
        """Read frequency and voltage beside the energies, where the meter has both. Start-up only."""
        self.slow.aim(profile, rows_of(profile.table, _SLOW + _LIVELY))
        self.slow.plan()

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
        if self._phases:
            found.update(self._phases.values())
        else:
            found.update({row[4]: None for row in rows_of(self._profile.table, _PHASES)})
        return found if self._sign > 0 else turned(found)

    @micropython.native
    def busy(self):
        """Return True while a request waits or is on the line."""
        return not self._job.idle()

    def _taking(self, counter, first):
        """Return the cells by which answers are taken; `counter` is the address of a refresh counter, or None."""
        watched = counter is not None
        counter_at = 2 * (counter - first) if watched else 0
        plain = self._cells[0] if self._cells[_NUM] == 1 else _NO_KIND
        return self._cells + array("i", [watched, self._sign < 0] + self.minus_one.values_pu
                                   + [counter_at, _NO_COUNT, 1, 0, plain, 0])

    def _hand(self):
        """Have answers put into the reading's row, wherever that has moved. Start-up only."""
        line, own = self._bus.cells, self._own
        line[own + _OUT_AT] = self.power.at
        self._job.hand_to(machine.take_power or take_power, own, self.power.cells)

    @micropython.native
    def on_answer(self, job, buf, at):
        """See to an answer that is not simply a new value."""
        line, own = self._bus.cells, self._own
        if machine.take_power and not take_power(line, own, buf, self.power.cells):
            return  # no plain one, but new
        value = value_at(line, own, buf, at)
        if value != INVALID and not line[own + _MOVING]:
            line[own + _REPEATED] += 1
        elif not self.no_value(buf, at, value):
            self.power.take(-value if line[own + _TURNED_ROUND] else value, job.sent_ms)

    def no_value(self, buf, at, value):
        """Return True, and count it, where an answer brought none: INVALID, or -1 registers for "no reading"."""
        if value == INVALID:
            self.invalid += 1
        elif not self.minus_one.refuses(buf, at, self.power):
            return False
        self.power.fail()
        return True

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; the last value stays, and ages."""
        self.power.fail()


@micropython.viper
def take_power(c: ptr32, own: int, come: ptr8, out: ptr32) -> int:
    """Put the power of an answer into its reading's row; REFER where it is none, or not a new one."""
    at = c[_AT] + 3
    moving = c[own + _MOVING]
    if c[own + _WATCHED]:
        # Only every second answer holds the refresh counter; where it stands still the sample is the old one.
        if come[at - 1] > c[own + _COUNTER_AT]:
            high = at + c[own + _COUNTER_AT]
            low = come[high] << 8 | come[high + 1]
            c[own + _MOVING] = moving = 0 if low == c[own + _COUNTER] else 1
            c[own + _COUNTER] = low
        elif moving == 0:  # if the next answer does not hold it either, for a lost one bars its form, nobody knows
            c[own + _MOVING] = 1
    high = come[at] << 8 | come[at + 1]
    low = come[at + 2] << 8 | come[at + 3]
    if c[own + _PLAIN] == _S32 and (high + 0x1000) & 0xFFFF < 0x2000:  # one division will do
        value = ((0xFFFF - high) << 16 | 0xFFFF - low) + 1 if high & 0x8000 else high << 16 | low
        value = (value + (c[own + _DEN] >> 1)) // c[own + _DEN]
        value = _INVALID if value > c[own + _LIMIT] else 0 - value if high & 0x8000 else value
    elif c[own + _PLAIN] == _F32 and (high >> 7) & 0xFF <= 149:
        shift = 149 - ((high >> 7) & 0xFF)  # of twice the value
        value = (((high & 0x7F) | 0x80) << 16 | low) >> (shift if shift < 30 else 30)
        value = (value // c[own + _DEN] + 1) >> 1
        value = _INVALID if value > c[own + _LIMIT] else 0 - value if high & 0x8000 else value
    else:
        value = int(value_at(c, own, come, at))
    unsigned = value & _MASK
    # Registers of zeros are no -1, though both may read as 0.
    if value == _INVALID or (unsigned == c[own + _MINUS_RAW] or unsigned == c[own + _MINUS_W]) and high + low != 0:
        return _REFER
    row = c[own + _OUT_AT]
    value = 0 - value if c[own + _TURNED_ROUND] else value
    if moving == 0 and (out[row] - value) & _MASK == 0:
        c[own + _REPEATED] = (c[own + _REPEATED] + 1) & _MASK
        return 0
    out[row] = value
    out[row + 1] = c[_SENT]
    out[row + 2] = (out[row + 2] & _COUNT_MASK) + 1
    return 0


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
