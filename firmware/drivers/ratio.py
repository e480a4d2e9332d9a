"""Registers <-> integers of the site, exactly and inside 31 bits: one ratio num/den on the way, rounded once.

A 32-bit register is never one integer here but its two 16-bit halves, and a float is taken apart by its
fields: on a 32-bit board anything from 2**30 up would be a heap object. The viper functions work on machine
words, so their steps may use all 32 bits; what they return is small.
"""

from array import array

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.core.types import ptr8, ptr32

# Kinds of register value. Two-register kinds have the high word first unless they say otherwise.
S16 = const(0)
U16 = const(1)
S32 = const(2)
U32 = const(3)
F32 = const(4)  # IEEE 754
S32_LOW_FIRST = const(5)
U32_LOW_FIRST = const(6)
F32_LOW_FIRST = const(7)

INVALID = const(-0x20000000)  # no value: not implemented, not a number, or out of range
_TOO_LARGE = const(0x1FFFFFFF)
LIMIT_PU = const(0x90000)  # 2**19 site power units and an eighth: no meter of the site can show more

# Cells of a Ratio.
KIND = const(0)
NUM = const(1)
DEN = const(2)
LIMIT = const(3)
MOST = const(4)

_NUM_MAX = const(16_383)
_DEN_MAX = const(0x7FFFFF)
_FLOAT_DEN_MAX = const(0x3FFFF)


@micropython.viper
def _ratio(high: int, low: int, num: int, den: int) -> int:
    """Return (high << 16 | low) * num / den rounded to nearest, for num < 2**14 and den < 2**23."""
    part = low * num
    top = high * num + (part >> 16)
    part &= 0xFFFF
    whole = top // den
    if whole > 0xFF:
        return _TOO_LARGE
    rest = ((top - whole * den) << 8) + (part >> 8)
    digit = rest // den
    rest = ((rest - digit * den) << 8) + (part & 0xFF)
    last = rest // den
    rest -= last * den
    whole = (whole << 16) + (digit << 8) + last
    if rest >= den - rest:
        whole += 1
    return whole


@micropython.viper
def _doubled(whole: int, rest: int, den: int, times: int) -> int:
    """Return half of (whole + rest / den) * 2**times, rounded to nearest."""
    while times > 0:
        whole += whole
        rest += rest
        if rest >= den:
            rest -= den
            whole += 1
        if whole >> 22:
            return _TOO_LARGE
        times -= 1
    return (whole + 1) >> 1


@micropython.viper
def float_ratio(high: int, low: int, num: int, den: int) -> int:
    """Return |float32| * num / den rounded to nearest, for num < 2**14 and den < 2**18."""
    exponent = (high >> 7) & 0xFF
    if exponent == 255:
        return _TOO_LARGE
    if exponent == 0:
        return 0  # zero, or smaller than anything a meter knows
    # Twice the value is mantissa * num / 2**shift / den. mantissa * num is top * 2**12 + part.
    shift = 149 - exponent
    part = (((high & 0xF) << 8) | (low >> 8)) & 0xFFF
    part = low & 0xFFF
    top = ((0x80 | (high & 0x7F)) << 4) | (low >> 12)
    part *= num
    top = top * num + (part >> 12)
    part &= 0xFFF
    if shift >= 12:
        shift -= 12
        if shift > 30:
            return 0
        return (((top >> shift) // den) + 1) >> 1
    whole = top // den
    rest = top - whole * den
    if shift >= 0:
        if whole >> (10 + shift):
            return _TOO_LARGE
        rest = (rest << (12 - shift)) + (part >> shift)
        return ((whole << (12 - shift)) + rest // den + 1) >> 1
    if whole >> 10:
        return _TOO_LARGE
    rest = (rest << 12) + part
    digit = rest // den
    return int(_doubled((whole << 12) + digit, rest - digit * den, den, 0 - shift))


def reduce(num, den):
    """Return num/den in lowest terms."""
    a, b = num, den
    while b:
        a, b = b, a % b
    return num // a, den // a


def refuse(num, den):
    """Raise the BusError of a scale that cannot be had."""
    text = "a scale of %d/%d does not fit 31 bits; check the table's unit and the site's ratings"
    raise BusError("SCALE_RANGE", text % (num, den))


@micropython.viper
def _long(cells: ptr32, at: int, kind: int, high: int, low: int) -> int:
    """Return the value of a pair of registers by the cells of a Ratio that begin at `at`, or INVALID."""
    negative = high & 0x8000
    if kind == F32:
        value = int(float_ratio(high, low, cells[at + NUM], cells[at + DEN]))
    else:
        # "Not implemented", and how some meters show an overflow.
        if low == 0xFFFF and high == (0xFFFF if kind == U32 else 0x7FFF):
            return INVALID
        if kind == U32:
            negative = 0
        if negative:
            if high == 0x8000 and low == 0:
                return INVALID
            high = 0xFFFF - high
            if low:
                low = 0x10000 - low
            else:
                high += 1
        value = int(_ratio(high, low, cells[at + NUM], cells[at + DEN]))
    if value > cells[at + LIMIT]:
        return INVALID
    return 0 - value if negative else value


@micropython.viper
def value_at(cells: ptr32, row: int, buf: ptr8, at: int) -> int:
    """Return the value at buf[at] of any kind by the cells of a Ratio that begin at `row`, or INVALID."""
    kind = cells[row]
    high = buf[at] << 8 | buf[at + 1]
    if kind > U16:
        low = buf[at + 2] << 8 | buf[at + 3]
        if kind >= S32_LOW_FIRST:
            return int(_long(cells, row, kind - 3, low, high))
        return int(_long(cells, row, kind, high, low))
    if high == (0x8000 if kind == S16 else 0xFFFF):
        return INVALID
    negative = 0
    if kind == S16 and high > 0x7FFF:
        negative = 1
        high = 0x10000 - high
    if high > cells[row + MOST]:
        return INVALID
    den = cells[row + DEN]
    value = (high * cells[row + NUM] + (den >> 1)) // den
    return 0 - value if negative else value


@micropython.viper
def read(cells: ptr32, buf: ptr8, at: int) -> int:
    """Return the value whose registers begin at buf[at] by the cells of a Ratio, or INVALID."""
    return int(value_at(cells, 0, buf, at))


@micropython.viper
def blank(buf: ptr8, at: int, n: int) -> int:
    """Return 1 where n bytes from buf[at] on are all zero, else 0."""
    end = at + n
    while at < end:
        if buf[at]:
            return 0
        at += 1
    return 1


class Ratio:
    """Reads one kind of register as raw * num / den; INVALID outside -limit .. limit (limit < 2**20)."""

    def __init__(self, kind, num, den, limit):
        num, den = reduce(num, den)
        self.limit = limit
        self._most = 0xFFFF  # the largest 16-bit raw value that is in range
        if kind <= U16:
            num, den = self._fit_short(num, den)
        elif num > _NUM_MAX or den > (_FLOAT_DEN_MAX if kind in (F32, F32_LOW_FIRST) else _DEN_MAX):
            refuse(num, den)
        self.cells = array("i", (kind, num, den, limit, self._most))

    def _fit_short(self, num, den):
        # SunSpec scale factors reach from 10**-10 to 10**10: keep what can matter, make the rest zero or out
        # of range.
        if 2 * 0xFFFF * num < den:
            return 0, 1
        self._most = min(0xFFFF, self.limit * den // num)
        if not self._most:
            return 0, 1
        if self._most * num + den >> 30:
            refuse(num, den)
        return num, den

    def read(self, buf, at):
        """Return the value whose registers begin at buf[at], or INVALID; the control path calls read() itself."""
        return read(self.cells, buf, at)
