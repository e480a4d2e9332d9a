"""The host at the other end of the console: any byte says that it is there, "s" that it wants an orderly end.

"c" begins a line for the operator's commands (control.override), which ends with a line feed.
"""

import select
import sys

from firmware.core import ticks

_PATIENCE_MS = 5000
_MOST_LETTERS = 120


class Console:
    """Listens on standard input; silence for five seconds means that the host has died or the cable is out."""

    def __init__(self, ms, post_command, stops=True):
        """`post_command(line)` takes each line; `stops` says whether a lone "s" is a wish to stop."""
        self._ms = ms
        self._post = post_command
        self._stops = stops
        self._line = None
        self._heard_ms = ms()
        self._stop = False
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._ready = getattr(self._poll, "ipoll", self._poll.poll)  # the first allocates nothing

    def listen(self):
        """Take the letters that are there."""
        while not self._stop:
            for _ in self._ready(0):
                break
            else:
                return
            letter = sys.stdin.read(1)
            self._heard_ms = self._ms()
            self._hear(letter)

    def wants_stop(self):
        """Return True once the host wants an end or is gone; then it stays so."""
        self.listen()
        if ticks.diff(self._ms(), self._heard_ms) > _PATIENCE_MS:
            self._stop = True
        return self._stop

    def _hear(self, letter):
        if not letter:
            self._stop = True
        elif self._line is None:
            self._stop = self._stops and letter == "s"
            if letter == "c":
                self._line = ""
        elif letter in "\r\n":
            self._post(self._line)
            self._line = None
        elif len(self._line) < _MOST_LETTERS:
            self._line += letter
