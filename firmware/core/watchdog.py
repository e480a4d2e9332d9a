"""Feed the watchdog only while every critical task checks in."""

import micropython
from micropython import const

from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)


class CheckIns:
    """Collect the check-ins of the critical tasks; feed() is called once all are in and fresh.

    A check-in is fresh for `factor` periods of its task: a fast task that died is not covered by the
    check-in it made before a slow task came round. With no critical task nothing is ever fed, since
    nothing shows that the firmware works.
    """

    def __init__(self, feed, factor=4):
        if not 1 <= factor <= 1000:
            raise ConfigError("WATCHDOG_RANGE", "watchdog factor is %s, allowed 1..1000" % factor)
        self._feed = feed
        self._factor = factor
        self._seen = []  # per task: has checked in since the last feed
        self._last_us = []
        self._fresh_us = []
        self._awaited = 0
        self.feeds = 0
        self.refused = 0  # all were in, but one of them long ago

    def add(self, task):
        """Await check-ins of `task` from now on."""
        task.slot = len(self._seen)
        self._seen.append(False)
        self._last_us.append(0)
        self._fresh_us.append(min(task.period_us * self._factor, _HALF - 1))
        self._awaited += 1

    @micropython.native
    def check_in(self, task, now_us):
        """Note that `task` ran without an error at now_us; feed when it was the last one awaited."""
        index = task.slot
        self._last_us[index] = now_us
        if not self._seen[index]:
            self._seen[index] = True
            self._awaited -= 1
            if self._awaited == 0:
                self._conclude(now_us)

    @micropython.native
    def _conclude(self, now_us):
        """Await every task again; feed unless one of the check-ins is stale."""
        stale = 0
        for index in range(len(self._seen)):
            age_us = (now_us - self._last_us[index] & _MASK ^ _HALF) - _HALF
            if age_us < 0 or age_us > self._fresh_us[index]:
                stale += 1
                self._seen[index] = False
        self._awaited = stale
        if stale:
            self.refused = self.refused + 1 & _MASK
            return
        self._restart()
        self.feeds = self.feeds + 1 & _MASK
        self._feed()

    @micropython.native
    def _restart(self):
        seen = self._seen
        for index in range(len(seen)):
            seen[index] = False
        self._awaited = len(seen)
