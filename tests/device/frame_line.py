"""A FAKE line for the campaign of generated frames: it answers each request as chance says, and allocates nothing."""

from array import array

import micropython
from micropython import const

from firmware.core import ticks
from tests.device.frame_maker import Chance, FrameMaker, seal

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


class FrameLine:
    """The serial port: a script of bursts, each with its time. `heard` is the last request answered rightly."""

    def __init__(self, clock, baud, seed, echo):
        self.chance = Chance(seed)
        self._maker = FrameMaker(self.chance)
        self.frame = self._maker.frame  # the request
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
        self._maker.k = self.k = (self.k + 1) & 0x7FFF
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
            self._put(slot, self._maker.spoilt(kind, buf), at_us, -1, 0)
            return
        before_n = self._maker.front(kind, buf)
        end = n = self._maker.answer(buf, before_n, self.k)
        if kind == 4:
            n = self._maker.noise(buf, n)
        self._put(slot, n, at_us, self.k, end)
        if kind == 13:
            self._again(ticks.add(at_us, n * self._char_us + chance.below(1_400)))

    @micropython.native
    def _again(self, at_us):
        slot = self._free()
        n = self._maker.answer(self._bufs[slot], 0, self.k)
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
        n = self._maker.answer(buf, 0, self.k ^ _SPOILT)
        buf[0] = 9
        n = seal(buf, n - 2)
        self._put(slot, n, at_us, -1, 0)
        return ticks.add(at_us, (n + 1) * self._char_us + chance.below(2_000))
