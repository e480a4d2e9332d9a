"""A FAKE serial line whose bytes take their time: devices in the image answer 3.5 characters after a request.

What they answer is asked of them once for each request and kept: a line that knows its requests costs little, and
allocates nothing.
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

    def __init__(self, baud, slaves, told=None):
        self.char_us = (10_000_000 + baud - 1) // baud
        self.pause_us = 35_000_000 // baud
        self._slaves = slaves
        self._told = told
        self.taught = 0  # requests so far that were new: each took time that no device takes
        self._requests = []
        self._answers = []
        self._answer = b""
        self._left = 0  # bytes of it that have not been read
        self._end_us = 0  # when the request's last byte leaves
        self._first_us = 0  # when the answer's first byte is complete

    @micropython.native
    def write(self, buf, n):
        """Send a request; its answer begins 3.5 characters after its last byte."""
        self._end_us = end_us = mps2.ticks_us() + n * self.char_us & _MASK
        self._first_us = end_us + self.pause_us + self.char_us & _MASK
        at = self._find(buf)
        if at < 0:
            at = self.learn(buf, n)
        self._answer = self._answers[at]
        self._left = len(self._answer)
        if self._told is not None:
            self._told(buf, end_us)

    @micropython.native
    def _find(self, buf):
        """Return the number of a request by its first six bytes, or -1."""
        for at in range(len(self._requests)):
            request = self._requests[at]
            i = 0
            while i < 6 and request[i] == buf[i]:
                i += 1
            if i == 6:
                return at
        return -1

    def learn(self, buf, n):
        """Ask the slaves what they answer to a request, keep it, and return its number."""
        request = bytes(memoryview(buf)[:n])
        answer = b""
        for slave in self._slaves:
            for _, data in slave(request, 0):
                answer = data
        self.taught += 1
        self._requests.append(request)
        self._answers.append(answer)
        return len(self._requests) - 1

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
        """Return the microseconds until the answer is whole."""
        if not self._left:
            return 1_000_000
        wait_us = behind(self._first_us + (len(self._answer) - 1) * self.char_us & _MASK, mps2.ticks_us())
        return wait_us if wait_us > 0 else 0
