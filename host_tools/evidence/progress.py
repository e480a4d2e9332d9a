"""Show on a terminal how far a long run has come."""

import sys
import time


class Pace:
    """Tell when it is time for another word: after two seconds, then twice a second."""

    def __init__(self):
        self._next_s = time.monotonic() + 2

    def due(self):
        """Return whether a word is due, which counts as said then."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + 0.5
        return True


class Progress:
    """Say how many records have been read, once it takes longer than two seconds; silent where nobody watches."""

    def __init__(self, stream=None):
        self.stream = sys.stderr if stream is None else stream
        self._pace = Pace()

    def __call__(self, number):
        if self._pace.due():
            print(f"\r{number} records", end="\r", file=self.stream, flush=True)


def progress():
    """Return a Progress for a terminal, else None."""
    return Progress() if sys.stderr.isatty() else None
