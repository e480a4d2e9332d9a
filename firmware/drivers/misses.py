"""When a device counts as lost: so many failures in a row, and half a second of them.

The number alone will not do. Where one answer in ten gets lost, five in a row come twice an hour at fifty requests a
second, and a device that was there all the time would be set up anew for seconds.
"""

import micropython
from micropython import const

from firmware.core.ticks import diff

_LEAST_MS = const(500)


class Misses:
    """Failures in a row of one kind of request; whoever hears an answer to it sets `count` to 0."""

    def __init__(self, least):
        """`least`: so many in a row are needed, 1 or more."""
        self.count = 0
        self._least = least
        self._first_ms = self._last_ms = 0

    @micropython.native
    def add(self, sent_ms):
        """Count a failed request that was sent at this tick, ms."""
        if not self.count:
            self._first_ms = sent_ms
        self._last_ms = sent_ms
        self.count += 1

    @micropython.native
    def enough(self):
        """Return whether they say that the device is lost."""
        return self.count >= self._least and diff(self._last_ms, self._first_ms) >= _LEAST_MS
