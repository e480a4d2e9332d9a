"""The host at the other end of the console: any byte says that it is there, "s" that it wants an orderly end."""

import select
import sys

from firmware.core import ticks

_PATIENCE_MS = 5000


class Console:
    """Listens on standard input; silence for five seconds means that the host has died or the cable is out."""

    def __init__(self, ms):
        self._ms = ms
        self._heard_ms = ms()
        self._stop = False
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    def wants_stop(self):
        """Return True once the host wants an end or is gone; then it stays so."""
        while not self._stop and self._poll.poll(0):
            letter = sys.stdin.read(1)
            self._heard_ms = self._ms()
            self._stop = letter == "s" or not letter
        if ticks.diff(self._ms(), self._heard_ms) > _PATIENCE_MS:
            self._stop = True
        return self._stop
