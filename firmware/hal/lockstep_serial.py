"""One UART in virtual time: bytes received in a ring, and the time until which it sends."""

import micropython
from micropython import const

from firmware.core import ticks

_RING = const(1024)


def ptr8(buf):
    """Return `buf`: viper takes this name for a pointer to bytes, and never calls this."""
    return buf


@micropython.viper
def copy(target: ptr8, at: int, source: ptr8, n: int):
    """Copy the first `n` bytes of `source` to target[at:]."""
    i = 0
    while i < n:
        target[at + i] = source[i]
        i += 1


@micropython.viper
def _put_in(ring: ptr8, at: int, source: ptr8, begin: int, n: int):
    i = 0
    while i < n:
        ring[(at + i) & (_RING - 1)] = source[begin + i]
        i += 1


@micropython.viper
def _take_out(target: ptr8, at: int, ring: ptr8, begin: int, n: int):
    i = 0
    while i < n:
        target[at + i] = ring[(begin + i) & (_RING - 1)]
        i += 1


class LockstepSerial:
    """One UART whose bytes travel through the plant's model of the line."""

    def __init__(self, platform, port):
        self._platform = platform
        self._port = port
        self._ring = bytearray(_RING)
        self._head = 0
        self._count = 0
        self._busy_until_us = 0
        self._sending = False
        self._char_us = 0
        self._bits = 0
        self._baud = 0
        self.overflow = 0

    def configure(self, baud, parity, stop_bits):
        self._bits = (9 + (1 if parity != "N" else 0) + stop_bits) * 1_000_000
        self._baud = baud
        self._char_us = (self._bits + baud - 1) // baud

    @micropython.native
    def deliver(self, data, at, n):
        room = _RING - self._count
        if n > room:
            self.overflow += 1
            n = room
        _put_in(self._ring, self._head + self._count, data, at, n)
        self._count += n

    @micropython.native
    def any(self):
        """Return the number of bytes received and not yet read."""
        return self._count

    @micropython.native
    def readinto(self, buf, off, n):
        """Move up to `n` received bytes to buf[off:]; return how many."""
        if n > self._count:
            n = self._count
        _take_out(buf, off, self._ring, self._head, n)
        self._head = (self._head + n) & (_RING - 1)
        self._count -= n
        return n

    @micropython.native
    def write(self, buf, n):
        """Start sending the first `n` bytes of `buf`."""
        platform = self._platform
        # The plant rounds the end of the frame to the nearest: it is never sooner than this.
        platform.send(self._port, buf, n, n * self._bits // self._baud)
        now_us = platform.us()
        begin_us = now_us
        if self._sending and ticks.diff(self._busy_until_us, now_us) > 0:
            begin_us = self._busy_until_us
        self._busy_until_us = ticks.add(begin_us, n * self._char_us)
        self._sending = True

    @micropython.native
    def tx_done(self):
        """Return True when the last bit has left the shifter."""
        if self._sending and ticks.diff(self._platform.us(), self._busy_until_us) >= 0:
            self._sending = False
        return not self._sending
