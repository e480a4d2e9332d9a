"""What the campaign of generated frames puts on its line: answers right and spoilt, noise. Allocates nothing."""

from array import array

import micropython
from micropython import const

_SIZE = const(160)
_SPOILT = const(0x5A5A)
_NIBBLES = array("H", (0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
                       0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400))


@micropython.native
def seal(buf, n):
    """Put the CRC behind n bytes; returns the frame's length. Written for the tests alone, by nibbles."""
    crc = 0xFFFF
    table = _NIBBLES
    for i in range(n):
        crc ^= buf[i]
        crc = crc >> 4 ^ table[crc & 15]
        crc = crc >> 4 ^ table[crc & 15]
    buf[n] = crc & 0xFF
    buf[n + 1] = crc >> 8
    return n + 2


class Chance:
    """Wichmann and Hill's generator: three small ones, in small integers."""

    def __init__(self, seed):
        self._x = 1 + seed % 30_000
        self._y = 1 + seed // 30_000 % 30_000
        self._z = 12_345

    @micropython.native
    def below(self, n):
        """Return a number from 0 to n - 1, n at most 2^21."""
        self._x = x = 171 * self._x % 30_269
        self._y = y = 172 * self._y % 30_307
        self._z = z = 170 * self._z % 30_323
        if n <= 0x4000:
            return (x + y + z) % n
        return ((x + y + z) % 2048 * 1024 + (x ^ z) % 1024) % n


class FrameMaker:
    """Makes the bytes that answer the request in `frame`, number `k`. All registers of an answer hold one value."""

    def __init__(self, chance):
        self.chance = chance
        self.frame = bytearray(64)
        self.k = 0
        self._scratch = bytearray(_SIZE)

    @micropython.native
    def front(self, kind, buf):
        """Put what goes before a right answer without a pause; returns its length."""
        if kind == 3:
            return self.noise(buf, 0)
        if kind != 15:
            return 0
        n = self.answer(buf, 0, self.k ^ _SPOILT)
        buf[0] = self.other_unit()
        return seal(buf, n - 2)

    @micropython.native
    def noise(self, buf, n):
        """Put 1 to 12 bytes of anything at buf[n]; returns where they end."""
        chance = self.chance
        for _ in range(1 + chance.below(12)):
            buf[n] = chance.below(256)
            n += 1
        return n

    @micropython.native
    def answer(self, buf, at, value):
        """Put the whole answer to the request at buf[at]; returns where it ends."""
        frame = self.frame
        buf[at] = frame[0]
        buf[at + 1] = frame[1]
        if frame[1] > 4:
            for i in range(2, 6):
                buf[at + i] = frame[i]
            return self._seal_at(buf, at, 6)
        count = frame[5]
        buf[at + 2] = 2 * count
        i = at + 3
        for _ in range(count):
            buf[i] = value >> 8
            buf[i + 1] = value & 0xFF
            i += 2
        return self._seal_at(buf, at, 3 + 2 * count)

    @micropython.native
    def _seal_at(self, buf, at, n):
        if not at:
            return seal(buf, n)
        scratch = self._scratch
        for i in range(n):
            scratch[i] = buf[at + i]
        n = seal(scratch, n)
        for i in range(n):
            buf[at + i] = scratch[i]
        return at + n

    @micropython.native
    def other_unit(self):
        """Return another unit than the one that is asked: often one of ours."""
        unit = 1 + self.chance.below(5)
        return unit if unit != self.frame[0] else 6

    # ---- what is no answer to the request

    @micropython.native
    def spoilt(self, kind, buf):
        """Put something that must not pass; returns its length."""
        chance = self.chance
        if kind == 2:
            return self.noise(buf, 0)
        if kind == 7:
            buf[0] = self.frame[0]
            buf[1] = self.frame[1] | 0x80
            buf[2] = 1 + chance.below(11)
            return seal(buf, 3)
        if kind == 10:
            return self._other_length(buf)
        n = self.answer(buf, 0, self.k ^ _SPOILT)
        if kind == 5:  # a burst of at most 16 bits: no CRC-16 misses one
            at = chance.below(n - 1)
            buf[at] ^= 1 + chance.below(255)
            buf[at + 1] ^= chance.below(256)
        elif kind == 6:
            return 1 + chance.below(n - 1)
        elif kind == 8:
            buf[0] = self.other_unit()
            return seal(buf, n - 2)
        elif kind == 9:
            buf[1] = 1 + (self.frame[1] + chance.below(22)) % 23  # never its own: 3, 4, 6, 16 are below 23
            return seal(buf, n - 2)
        else:  # 11
            buf[n - 1 - chance.below(2)] ^= 1 + chance.below(255)
        return n

    @micropython.native
    def _other_length(self, buf):
        """Answer with other registers than were asked for: more, fewer, or for a write elsewhere."""
        n = self.answer(buf, 0, self.k ^ _SPOILT)
        chance = self.chance
        if self.frame[1] > 4:
            buf[2 + chance.below(4)] ^= 1 + chance.below(255)
            return seal(buf, 6)
        n -= 2
        more_n = 1 + chance.below(3)
        if buf[2] > 2 * more_n and chance.below(2):
            n -= 2 * more_n
        else:
            for _ in range(2 * more_n):
                buf[n] = chance.below(256)
                n += 1
        buf[2] = n - 3
        return seal(buf, n)
