"""A FAKE serial line in memory; its cost is measured beside, so that it can be told from the bus's own."""

import micropython


@micropython.viper
def _copy(to: ptr8, off: int, source: ptr8, n: int):  # noqa: F821 - words of viper
    i = 0
    while i < n:
        to[off + i] = source[i]
        i += 1


class MemoryLine:
    """Gives each request the next answer of a list, whole, at the first look after the request; then from the start."""

    def __init__(self, answers):
        self.answers = answers
        self.requests = 0
        self._next = 0
        self.frame = None
        self._answer = answers[0] if answers else b""
        self._ready = 0

    @micropython.native
    def write(self, buf, n):
        """Take a request; its answer is there at once."""
        self.frame = buf
        i = self._next
        self._answer = answer = self.answers[i]
        self._ready = len(answer)
        i += 1
        self._next = i if i < len(self.answers) else 0
        self.requests += 1

    @micropython.native
    def tx_done(self):
        """Return True: a request leaves in no time."""
        return True

    @micropython.native
    def any(self):
        """Return the bytes that wait."""
        return self._ready

    @micropython.native
    def readinto(self, buf, off, n):
        """Move the answer to buf[off:]; returns its length."""
        _copy(buf, off, self._answer, n)
        self._ready = 0
        return n
