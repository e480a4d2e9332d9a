"""A FAKE serial line whose bytes take their time: devices in the image answer 3.5 characters after a request.

What they answer is asked of them once for each request and kept, so that the line costs little afterwards.
"""

import micropython
import mps2

_MASK = 0x3FFFFFFF
_HALF = 0x20000000


@micropython.native
def behind(later_us, earlier_us):
    """Return later - earlier of two ticks."""
    return ((later_us - earlier_us & _MASK) ^ _HALF) - _HALF


class PacedLine:
    """`slaves` answer; `told(frame, end_us)` hears of each request."""

    def __init__(self, baud, slaves, told):
        self.char_us = (10_000_000 + baud - 1) // baud
        self.pause_us = 35_000_000 // baud
        self._slaves = slaves
        self._told = told
        self._known = {}
        self._answer = b""
        self._left = 0  # bytes of it that have not been read
        self._end_us = 0  # when the request's last byte leaves
        self._first_us = 0  # when the answer's first byte is complete

    def write(self, buf, n):
        """Send a request; its answer begins 3.5 characters after its last byte."""
        now_us = mps2.ticks_us()
        self._end_us = end_us = now_us + n * self.char_us & _MASK
        self._first_us = end_us + self.pause_us + self.char_us & _MASK
        key = bytes(memoryview(buf)[:6])
        answer = self._known.get(key)
        if answer is None:
            answer = b""
            for slave in self._slaves:
                for _, data in slave(bytes(buf[:n]), 0):
                    answer = data
            self._known[key] = answer
        self._answer = answer
        self._left = len(answer)
        self._told(buf, end_us)

    @micropython.native
    def tx_done(self):
        """Return whether the request has left."""
        return behind(mps2.ticks_us(), self._end_us) >= 0

    @micropython.native
    def any(self):
        """Return the bytes that have come and not been read."""
        left = self._left
        if not left:
            return 0
        since_us = behind(mps2.ticks_us(), self._first_us)
        if since_us < 0:
            return 0
        come = since_us // self.char_us + 1
        n = len(self._answer)
        return (come if come < n else n) - (n - left)

    @micropython.native
    def readinto(self, buf, off, n):
        """Move n bytes to buf[off:]."""
        answer = self._answer
        at = len(answer) - self._left
        for i in range(n):
            buf[off + i] = answer[at + i]
        self._left -= n
        return n

    @micropython.native
    def wait_us(self):
        """Return the microseconds until the next byte comes."""
        if not self._left:
            return 1_000_000
        at = len(self._answer) - self._left
        wait_us = behind(self._first_us + at * self.char_us & _MASK, mps2.ticks_us())
        return wait_us if wait_us > 0 else 0
