"""Try again, but not at once: says for each of several things whether its last try is long enough ago."""

from firmware.core import ticks


class Retry:
    """Holds the tick of each thing's last try; the first one is due at once."""

    def __init__(self, pause_ms):
        self._pause_ms = pause_ms
        self._last_ms = {}

    def due(self, thing, now_ms):
        """Return True, and take note of the try, where none was made in the last pause. May allocate."""
        last_ms = self._last_ms.get(thing)
        if last_ms is not None and ticks.diff(now_ms, last_ms) < self._pause_ms:
            return False
        self._last_ms[thing] = now_ms
        return True
