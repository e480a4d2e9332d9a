"""Two clocks side by side: uptime that only ever runs, and UTC as far as it is known. Advanced by the control tick.

UTC seconds need 31 bits and a sign: too large for a small integer on a 32-bit board. So UTC is kept as the number of
the quarter hour since 1970 and the milliseconds inside it. While UTC is unknown the same pair counts 900 s pieces of
monotonic time from the last cut, and says so by its trust.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import CLOCK_HOLDING, CLOCK_SYNCHRONISED, CLOCK_UNKNOWN, cell, ptr32

_HOLDING_AFTER_S = 86_400
_QUARTER_MS = const(900_000)

# Cells: what moves with every tick.
_QUARTER = const(0)
_MS = const(1)
_UP_S = const(2)
_UP_MS = const(3)
_NEWS = const(4)  # 1: somebody has set the clock


@micropython.viper
def advance(utc: ptr32, dt_ms: int) -> int:
    """Let `dt_ms` pass and return 1; nothing and 0 if it is over a second, ends a quarter or the clock is being set."""
    ms = utc[_MS] + dt_ms
    if dt_ms > 1000 or ms >= _QUARTER_MS or utc[_NEWS]:
        return 0
    utc[_MS] = ms
    ms = utc[_UP_MS] + dt_ms
    if ms >= 1000:
        ms -= 1000
        utc[_UP_S] += 1
    utc[_UP_MS] = ms
    return 1


class Utc:
    """UTC quarter hour and milliseconds in it, with trust, age and last measured error."""

    def __init__(self):
        self.cells = array("i", (0, 0, 0, 0, 0))
        self.trust = CLOCK_UNKNOWN
        self.error_ms = 0  # offset found when it was last set, true - ours
        self.set_up_s = 0  # uptime at which UTC was last set

    quarter = cell(_QUARTER)  # UTC seconds // 900; while unknown, pieces since the last cut
    ms = cell(_MS)  # 0 .. 899,999, in the quarter
    up_s = cell(_UP_S)  # uptime, whole seconds
    up_ms = cell(_UP_MS)  # and 0 .. 999

    def advance(self, dt_ms):
        """Let `dt_ms` (0 .. 1,000,000 ms) pass; the quarter may roll over."""
        self.ms += dt_ms
        while self.ms >= _QUARTER_MS:
            self.ms -= _QUARTER_MS
            self.quarter += 1
        up_ms = self.up_ms + dt_ms
        self.up_s += up_ms // 1000
        self.up_ms = up_ms % 1000

    def left_ms(self):
        """Return the ms to the next cut, 1 .. 900,000."""
        return _QUARTER_MS - self.ms

    def restart_piece(self):
        """Begin a new 900 s piece of monotonic time now (UTC unknown)."""
        self.trust = CLOCK_UNKNOWN
        self.ms = 0

    def set(self, quarter, ms, trust, error_ms):
        """Take over UTC: quarter number, ms in it, trust (CLOCK_SET, CLOCK_SYNCHRONISED), measured error in ms."""
        self.quarter = quarter
        self.ms = ms
        self.trust = trust
        self.error_ms = error_ms
        self.set_up_s = self.up_s

    def trust_now(self):
        """Return the trust, degraded to CLOCK_HOLDING a day after the last synchronisation."""
        if self.trust == CLOCK_SYNCHRONISED and self.up_s - self.set_up_s > _HOLDING_AFTER_S:
            return CLOCK_HOLDING
        return self.trust

    def age_s(self):
        """Return the seconds since UTC was last set, or None while it is unknown."""
        return None if self.trust == CLOCK_UNKNOWN else self.up_s - self.set_up_s
