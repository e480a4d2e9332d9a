"""From integers of the site to registers: value * num / den, exactly and inside 31 bits, rounded once."""

from array import array

import micropython
from micropython import const

from firmware.core.crc import ptr16
from firmware.drivers.ratio import reduce, refuse

_PUT_MAX = const(0x3FFFFF)
_S32_MAX = 0x7FFFFFFF  # no small integer on a 32-bit board: start-up only
VALUE_MAX = const(0xFFFFF)


@micropython.viper
def put_long(registers: ptr16, at: int, value: int, num: int, den: int, half: int):
    """Store value * num / den as registers[at : at + 2], rounded to nearest (half 1) or towards 0 (0).

    |value| < 2**20, num and den below 2**22, and the result below 2**31.
    """
    magnitude = 0 - value if value < 0 else value
    low = (magnitude & 0xFF) * num
    rest = (low >> 8) + ((magnitude >> 8) & 0xFF) * num
    part = ((rest & 0xFF) << 8) | (low & 0xFF)
    rest = (rest >> 8) + (magnitude >> 16) * num
    high = rest // den
    rest = ((rest - high * den) << 8) + (part >> 8)
    digit = rest // den
    rest = ((rest - digit * den) << 8) + (part & 0xFF)
    low = rest // den
    rest -= low * den
    low += digit << 8
    if half:
        if rest >= den - rest:
            low += 1
    high += low >> 16
    low &= 0xFFFF
    if value < 0:
        high = 0xFFFF - high
        if low:
            low = 0x10000 - low
        else:
            high += 1
    registers[at] = high & 0xFFFF
    registers[at + 1] = low


class Put:
    """Writes value * num / den: to a signed 32-bit register pair, or to one of 16 bits, rounded down."""

    def __init__(self, num, den):
        num, den = reduce(num, den)
        if num > _PUT_MAX or den > _PUT_MAX:
            refuse(num, den)
        self.num = num
        self.den = den
        self.max_value = min(VALUE_MAX, _S32_MAX * den // num)  # the largest magnitude that fits 32 bits
        self.max_short = min(VALUE_MAX, 0x7FFF * den // num)  # and the one that fits 16
        self._scratch = array("H", (0, 0))

    @micropython.native
    def s32(self, registers, at, value):
        """Store |value| <= max_value as registers[at : at + 2], high word first, rounded to nearest."""
        put_long(registers, at, value, self.num, self.den, 1)

    @micropython.native
    def s16(self, registers, at, value):
        """Store |value| <= max_short as registers[at], rounded to nearest."""
        put_long(self._scratch, 0, value, self.num, self.den, 1)
        registers[at] = self._scratch[1]

    @micropython.native
    def u16_floor(self, value):
        """Return the raw value of 0 <= value <= max_value rounded down, at most 0xFFFF."""
        put_long(self._scratch, 0, value, self.num, self.den, 0)
        return 0xFFFF if self._scratch[0] else self._scratch[1]
