"""A FAKE line for the campaign of generated frames: it answers each request as chance says, and allocates nothing."""

from array import array

import micropython
from micropython import const

from firmware.core import ticks

TIMEOUT_US = const(20_000)
LATEST_US = const(40_000)  # the units' largest turn-around, as the bus takes it: twice the time-out
SINGLE_UNIT = const(3)  # its requests have no second form
_SLOTS = const(8)
_SIZE = const(160)
_SOON_US = const(15_000)
_VERY_LATE_US = const(1_800_000)
_SPOILT = const(0x5A5A)
_AFAR_US = const(1_000_000)

KINDS = ("right", "silence", "noise", "noise before", "noise behind", "damaged", "cut", "exception", "unit",
         "function", "length", "crc", "late", "twice", "foreign", "merged", "very late")
_WEIGHTS = (40, 3, 5, 5, 5, 6, 5, 3, 5, 4, 5, 4, 5, 2, 2, 2, 1)  # in this order; the sum is below()'s argument
_SUM = const(102)
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


class FrameLine:
    """The serial port: a script of bursts, each with its time. `heard` is the last request answered rightly."""

    def __init__(self, clock, baud, seed, echo):
        self.chance = Chance(seed)
        self.frame = bytearray(64)  # the request
        self.k = 0
        self.heard = -1
        self.kind = 0
        self.frames = 0
        self.kinds = array("i", [0] * len(KINDS))
        self._clock = clock
        self._char_us = (10_000_000 + baud - 1) // baud
        self._echo = echo
        self._end_us = clock.us()
        self._peace_us = clock.us()  # until then everything is answered rightly
        self._bufs = [bytearray(_SIZE) for _ in range(_SLOTS)]
        self._at_us = array("i", [0] * _SLOTS)  # when the first byte is complete
        self._n = array("i", [0] * _SLOTS)  # 0: the slot is free
        self._read = array("i", [0] * _SLOTS)
        self._k = array("i", [0] * _SLOTS)  # whose right answer is in it
        self._ends = array("i", [0] * _SLOTS)  # and where that ends
        self._now = -1  # the slot that is being heard
        self._scratch = bytearray(_SIZE)
        assert sum(_WEIGHTS) == _SUM and len(_WEIGHTS) == len(KINDS)

    # ---- what the bus calls

    @micropython.native
    def any(self):
        slot = self._current()
        return self._arrived(slot) if slot >= 0 else 0

    @micropython.native
    def readinto(self, buf, off, n):
        slot = self._current()
        if slot < 0:
            return 0
        have = self._arrived(slot)
        if n > have:
            n = have
        source = self._bufs[slot]
        at = self._read[slot]
        for i in range(n):
            buf[off + i] = source[at + i]
        at += n
        self._read[slot] = at
        if self._k[slot] == self.k and at >= self._ends[slot]:
            self.heard = self.k
        if at >= self._n[slot]:
            self._n[slot] = 0
            self._now = -1
        return n

    @micropython.native
    def tx_done(self):
        return ticks.diff(self._clock.us(), self._end_us) >= 0

    @micropython.native
    def write(self, buf, n):
        for i in range(n):
            self.frame[i] = buf[i]
        self.k = (self.k + 1) & 0x7FFF
        now_us = self._clock.us()
        self._end_us = ticks.add(now_us, n * self._char_us)
        if self._echo:
            slot = self._free()
            for i in range(n):
                self._bufs[slot][i] = buf[i]
            self._put(slot, n, ticks.add(now_us, self._char_us), -1, 0)
            self.frames -= 1  # our own is none of those that are counted
        self._turn()

    # ---- the bursts

    @micropython.native
    def _current(self):
        if self._now >= 0:
            return self._now
        now_us = self._clock.us()
        best = -1
        best_us = -1
        for slot in range(_SLOTS):
            if self._n[slot]:
                ago_us = ticks.diff(now_us, self._at_us[slot])
                if ago_us > best_us:
                    best = slot
                    best_us = ago_us
        self._now = best
        return best

    @micropython.native
    def _arrived(self, slot):
        n = ticks.diff(self._clock.us(), self._at_us[slot]) // self._char_us + 1
        if n > self._n[slot]:
            n = self._n[slot]
        return n - self._read[slot]

    @micropython.native
    def next_us(self):
        """Return the time until a burst begins or ends, at most 1 s."""
        now_us = self._clock.us()
        least_us = _AFAR_US
        for slot in range(_SLOTS):
            n = self._n[slot]
            if n:
                left_us = ticks.diff(self._at_us[slot], now_us)
                if left_us < 1:
                    left_us += (n - 1) * self._char_us
                if left_us < least_us:
                    least_us = left_us
        return least_us

    @micropython.native
    def _free(self):
        for slot in range(_SLOTS):
            if not self._n[slot]:
                return slot
        raise OSError("no slot is free")

    @micropython.native
    def _put(self, slot, n, at_us, k, end):
        self._n[slot] = n
        self._at_us[slot] = at_us
        self._read[slot] = 0
        self._k[slot] = k
        self._ends[slot] = end
        self.frames += 1

    # ---- what becomes of a request

    @micropython.native
    def _choose(self):
        if ticks.diff(self._peace_us, self._clock.us()) > 0:
            return 0
        r = self.chance.below(_SUM)
        kind = 0
        while r >= _WEIGHTS[kind]:
            r -= _WEIGHTS[kind]
            kind += 1
        # A request that has no second form cannot be told from its repetition longer than the largest turn-around.
        return 12 if kind == 16 and self.frame[0] == SINGLE_UNIT else kind

    @micropython.native
    def _turn(self):
        chance = self.chance
        kind = self.kind = self._choose()
        self.kinds[kind] += 1
        if kind == 1:
            self.frames += 1  # the one that did not come
            return
        at_us = ticks.add(self._end_us, 300 + chance.below(_SOON_US))
        if kind == 12:
            at_us = ticks.add(self._end_us, TIMEOUT_US - 4_000 + chance.below(LATEST_US - TIMEOUT_US - 2_000))
        elif kind == 14:
            at_us = self._strangers(at_us)
        elif kind == 16:
            at_us = ticks.add(self._end_us, TIMEOUT_US + chance.below(_VERY_LATE_US))
            self._peace_us = ticks.add(at_us, 50_000)
        slot = self._free()
        buf = self._bufs[slot]
        if 5 <= kind <= 11 or kind == 2:
            self._put(slot, self._spoilt(kind, buf), at_us, -1, 0)
            return
        before_n = self._front(kind, buf)
        end = n = self._answer(buf, before_n, self.k)
        if kind == 4:
            n = self._noise(buf, n)
        self._put(slot, n, at_us, self.k, end)
        if kind == 13:
            self._again(ticks.add(at_us, n * self._char_us + chance.below(1_400)))

    @micropython.native
    def _again(self, at_us):
        slot = self._free()
        n = self._answer(self._bufs[slot], 0, self.k)
        self._put(slot, n, at_us, self.k, n)

    @micropython.native
    def _strangers(self, at_us):
        """Let another master ask another device, and that answer; returns when the line is free again."""
        chance = self.chance
        slot = self._free()
        buf = self._bufs[slot]
        buf[0] = 9
        for i in range(1, 6):
            buf[i] = self.frame[i]
        n = seal(buf, 6)
        self._put(slot, n, at_us, -1, 0)
        at_us = ticks.add(at_us, (n + 1) * self._char_us + chance.below(2_000))
        slot = self._free()
        buf = self._bufs[slot]
        n = self._answer(buf, 0, self.k ^ _SPOILT)
        buf[0] = 9
        n = seal(buf, n - 2)
        self._put(slot, n, at_us, -1, 0)
        return ticks.add(at_us, (n + 1) * self._char_us + chance.below(2_000))

    @micropython.native
    def _front(self, kind, buf):
        """Put what goes before a right answer without a pause; returns its length."""
        if kind == 3:
            return self._noise(buf, 0)
        if kind != 15:
            return 0
        n = self._answer(buf, 0, self.k ^ _SPOILT)
        buf[0] = self._other_unit()
        return seal(buf, n - 2)

    @micropython.native
    def _noise(self, buf, n):
        chance = self.chance
        for _ in range(1 + chance.below(12)):
            buf[n] = chance.below(256)
            n += 1
        return n

    @micropython.native
    def _answer(self, buf, at, value):
        """Put the whole answer to the request at buf[at]; returns where it ends. All registers hold `value`."""
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
    def _other_unit(self):
        """Return another unit than the one that is asked: often one of ours."""
        unit = 1 + self.chance.below(5)
        return unit if unit != self.frame[0] else 6

    # ---- what is no answer to the request

    @micropython.native
    def _spoilt(self, kind, buf):
        """Put something that must not pass; returns its length."""
        chance = self.chance
        if kind == 2:
            return self._noise(buf, 0)
        if kind == 7:
            buf[0] = self.frame[0]
            buf[1] = self.frame[1] | 0x80
            buf[2] = 1 + chance.below(11)
            return seal(buf, 3)
        if kind == 10:
            return self._other_length(buf)
        n = self._answer(buf, 0, self.k ^ _SPOILT)
        if kind == 5:  # a burst of at most 16 bits: no CRC-16 misses one
            at = chance.below(n - 1)
            buf[at] ^= 1 + chance.below(255)
            buf[at + 1] ^= chance.below(256)
        elif kind == 6:
            return 1 + chance.below(n - 1)
        elif kind == 8:
            buf[0] = self._other_unit()
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
        n = self._answer(buf, 0, self.k ^ _SPOILT)
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
