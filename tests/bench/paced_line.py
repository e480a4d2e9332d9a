"""A FAKE serial line whose bytes take their time: devices in the image answer 3.5 characters after a request.

What they answer is asked of them once for each request and kept: a line that knows its requests costs little, and
allocates nothing.
"""

import micropython

from tests.bench.paced import Paced

_MASK = 0x3FFFFFFF
_HALF = 0x20000000


@micropython.native
def behind(later_us, earlier_us):
    """Return later - earlier of two ticks."""
    return ((later_us - earlier_us & _MASK) ^ _HALF) - _HALF


class PacedLine(Paced):
    """`slaves` answer; `told(frame, end_us)` hears of each request."""

    def __init__(self, baud, slaves, told=None):
        Paced.__init__(self, baud, 35_000_000 // baud)
        self._slaves = slaves
        self._told = told
        self.taught = 0  # requests so far that were new: each took time that no device takes
        self._requests = []
        self._answers = []

    @micropython.native
    def write(self, buf, n):
        """Send a request; its answer begins 3.5 characters after its last byte."""
        end_us = self._send(n)
        at = self._find(buf)
        if at < 0:
            at = self.learn(buf, n)
        answer = self._answers[at]
        self._begin(answer, 0, len(answer))
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
