"""Register tables, one line a register, and how any row of them is decoded.

A row is (address, kind, num, den, name): raw * num / den is the quantity in the unit that ends its name, an
integer. Powers of the control path are read through a ratio.Ratio instead; what stands here may allocate.
"""

from array import array

from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import ratio
from firmware.drivers.put import VALUE_MAX, Put
from firmware.drivers.ratio import LIMIT_PU, Ratio

# Kinds beside those of drivers.ratio: energies of four registers, high word first.
U64 = const(8)
S64 = const(9)
ACC32 = const(10)  # a SunSpec accumulator: 0 stands for "not implemented"

_SENTINELS = (0x8000, 0xFFFF)


class Scale:
    """The site power unit, for whatever reads or writes power: `unit_w` watts (1 .. 5,000) are one."""

    def __init__(self, unit_w):
        self.unit_w = unit_w

    def power(self, row):
        """Return the Ratio that reads a table row of watts as site power units."""
        return Ratio(row[1], row[2], row[3] * self.unit_w, LIMIT_PU)

    def put_power(self, exponent):
        """Return the Put of a register that holds watts / 10**exponent."""
        return Put(self.unit_w * 10 ** max(-exponent, 0), 10 ** max(exponent, 0))

    def whole_pu(self, power_w):
        """Return how many whole units fit in `power_w` >= 0, at most 2**20 - 1. Start-up only."""
        return min(power_w // self.unit_w, VALUE_MAX)


def sunspec_ratio(kind, exponent, per_unit, limit):
    """Return the Ratio of a 16-bit SunSpec point: raw * 10**exponent * per_unit (a pair num, den)."""
    num, den = per_unit
    return Ratio(kind, num * 10 ** max(exponent, 0), den * 10 ** max(-exponent, 0), limit)


def small(number):
    """Return an integer out of a table as a small one: in a frozen tuple it may be an object, to reckon with allocates.

    Start-up only.
    """
    return array("i", (number,))[0]


def words(kind):
    """Return how many registers a kind takes: 1, 2 or 4."""
    if U64 <= kind <= S64:
        return 4
    return 1 if kind <= ratio.U16 else 2


def find(table, name):
    """Return the row of a quantity; raises BusError where the table has none."""
    for row in table:
        if row[4] == name:
            return row
    raise BusError("NO_REGISTER", "the table has no register %s" % name)


def value(row, buf, at):
    """Return the quantity at buf[at] in the unit that ends its name, or None for no value."""
    kind, num, den = row[1], row[2], row[3]
    first = buf[at] << 8 | buf[at + 1]
    if kind <= ratio.U16:
        if first == _SENTINELS[kind]:
            return None
        return rounded(first - 0x10000 if kind == ratio.S16 and first & 0x8000 else first, num, den)
    if kind == ACC32:
        raw = int.from_bytes(bytes(buf[at:at + 4]), "big")
        return rounded(raw, num, den) if raw else None
    if kind >= U64:
        return _long(int.from_bytes(bytes(buf[at:at + 8]), "big"), kind == S64, num, den)
    second = buf[at + 2] << 8 | buf[at + 3]
    if kind >= ratio.S32_LOW_FIRST:
        first, second = second, first
        kind -= 3
    raw = first << 16 | second
    if kind == ratio.F32:
        return _float(raw, num, den)
    if kind == ratio.U32:
        return None if raw == 0xFFFFFFFF else rounded(raw, num, den)
    # The largest positive value is how some meters show an overflow; the most negative one is "not
    # implemented".
    return None if raw in (0x7FFFFFFF, 0x80000000) else rounded(raw - ((raw & 0x80000000) << 1), num, den)


def _long(raw, signed, num, den):
    if not signed:
        return None if raw == 0xFFFFFFFFFFFFFFFF else rounded(raw, num, den)
    if raw in (0x7FFFFFFFFFFFFFFF, 0x8000000000000000):
        return None
    return rounded(raw - ((raw & 0x8000000000000000) << 1), num, den)


def rounded(raw, num, den):
    """Return raw * num / den rounded to nearest, halves away from zero."""
    magnitude = (2 * abs(raw) * num + den) // (2 * den)
    return -magnitude if raw < 0 else magnitude


def _float(bits, num, den):
    exponent = (bits >> 23) & 0xFF
    if exponent == 255:
        return None
    mantissa = bits & 0x7FFFFF
    if exponent:
        mantissa |= 0x800000
        exponent -= 1
    if bits & 0x80000000:
        mantissa = -mantissa
    if exponent >= 149:
        return rounded(mantissa << (exponent - 149), num, den)
    return rounded(mantissa, num, den << (149 - exponent))
