"""What the FAKE boards of the benches have in common: lines at the pace of a wire, a platform that idles on them."""

import micropython
import mps2
from micropython import const

from firmware.hal.mps2 import Platform

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)


class Paced:
    """One answer at a time, whose bytes come in their time. A subclass knows the answers: write() begins one."""

    def __init__(self, baud, pause_us):
        """`pause_us`: from a request's last byte to its answer's first."""
        self.char_us = (10_000_000 + baud - 1) // baud
        self.pause_us = pause_us
        self._source = b""  # of the answer that is under way
        self._at = 0  # where it begins in there
        self._n = 0  # its length
        self._left = 0  # bytes of it that have not been read
        self._end_us = 0  # when the request's last byte leaves
        self._first_us = 0  # when the answer's first byte is complete

    @micropython.native
    def _send(self, n):
        """Let the n bytes of a request go, from now on; return when the last one leaves."""
        self._end_us = end_us = mps2.ticks_us() + n * self.char_us & _MASK
        self._first_us = end_us + self.pause_us + self.char_us & _MASK
        return end_us

    @micropython.native
    def _begin(self, source, at, n):
        """Let source[at : at + n] be the answer."""
        self._source = source
        self._at = at
        self._n = self._left = n

    @micropython.native
    def tx_done(self):
        """Return whether the request has left."""
        return ((mps2.ticks_us() - self._end_us & _MASK) ^ _HALF) - _HALF >= 0

    @micropython.native
    def any(self):
        """Return the bytes that have come and not been read."""
        left = self._left
        if not left:
            return 0
        since_us = ((mps2.ticks_us() - self._first_us & _MASK) ^ _HALF) - _HALF
        if since_us < 0:
            return 0
        come = since_us // self.char_us + 1
        n = self._n
        return (come if come < n else n) - (n - left)

    @micropython.native
    def readinto(self, buf, off, n):
        """Move n bytes to buf[off:]."""
        source = self._source
        at = self._at + self._n - self._left
        for i in range(n):
            buf[off + i] = source[at + i]
        self._left -= n
        return n

    @micropython.native
    def wait_us(self):
        """Return the microseconds until the answer is whole, a second where none is under way."""
        if not self._left:
            return 1_000_000
        end_us = self._first_us + (self._n - 1) * self.char_us
        wait_us = ((end_us - mps2.ticks_us() & _MASK) ^ _HALF) - _HALF
        return wait_us if wait_us > 0 else 0


class PacedBoard(Platform):
    """The board itself, but for its lines: line(index, baud), which a subclass has, makes a FAKE one."""

    def __init__(self, root):
        Platform.__init__(self, root)
        self.lines = []

    def serial(self, index, baud, parity, stop_bits):
        """Return a FAKE line."""
        line = self.line(index, baud)
        self.lines.append(line)
        return line

    def hear_operator(self):
        """Hear nobody: this console is that of a test or a bench."""

    @micropython.native
    def until_heard_us(self, us):
        """Return the microseconds until an answer is whole, `us` at most."""
        for line in self.lines:
            wait_us = line.wait_us()
            if wait_us < us:
                us = wait_us
        return us
