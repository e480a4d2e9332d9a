"""One energy register of a meter: which of its readings are believed, and what they say against integrated power.

Background only: a register is an exact integer of Wh of any size. A reading is refused when it is lower than the last
(BACK), or higher by more than 1.5 times the rating could bring since it last moved, or than twice what the power has
(GLITCH): frames with a right CRC and a wrong counter exist. Three refused readings that agree with each other are a
new beginning: the meter was changed or reset; no energy is booked for the jump.

Where the register moves, the true energy is known to one step of it or to the time between two readings, whichever is
less: there it is compared with the integral. Between moves, and where it does not move, the integral stands.
"""

BEGUN = 0  # the first reading, or one after a long silence: nothing to compare it with
STILL = 1
MOVED = 2
GLITCH = 3
BACK = 4
RENEWED = 5  # taken as a new beginning after readings that were refused

_MS_PER_H = 3_600_000
_LONG_MS = 900_000  # a silence after which nothing is booked: its intervals are written
_APART_MS = 2000  # how far reading and integral may lie apart in time
_AGREEING = 3
_LEARNING = 4  # moves after which the resolution is known well enough to compare with the integral


class Register:
    """Follows one register of a plant rated `rated_w`. Energies in Wh, `up_ms` the uptime of the sampling instant."""

    def __init__(self, rated_w):
        self._rated_w = rated_w
        self.wh = None  # last believed reading
        self.start_wh = None  # the same when the interval began
        self.step_wh = None  # smallest step seen: the resolution, or what passes between two readings
        self._common_wh = 0  # what all steps are multiples of: the resolution
        self._moves = 0
        self._up_ms = self._moved_ms = 0
        self._done_wh = self._moved_done_wh = 0  # integral at the last reading, and when it last moved
        self._base = None  # (register, integral) at the last move, None before the first
        self._odd_wh = self._odd_ms = None  # the reading last refused
        self._odd_times = 0
        self._stale_ms = 0  # since it last moved: time for which the power was not measured
        self.begin_interval()

    def begin_interval(self):
        """Begin a new interval where the last one ended."""
        self.start_wh = self.wh
        self.renewed = self.wh is None  # it has no one stretch from end to end
        self.readings = 0
        self.gained_wh = 0  # by the register, between moves
        self.integral_wh = 0  # over the same time
        self.differs = False
        self.agrees = False  # the last move was what the power says, within 5 % of the rating
        self._smallest_wh = None
        self._interval_stale_ms = 0

    def take(self, wh, up_ms, done_wh):
        """Judge a reading against the last one; `done_wh` is the integrated power up to the same instant."""
        if self.wh is None:
            self._begin(wh, up_ms, done_wh)
            return BEGUN
        if not self.wh <= wh <= self.wh + self._most_wh(up_ms, done_wh):
            return self._refuse(wh, up_ms, done_wh)
        self._odd_times = 0
        self.readings += 1
        if up_ms - self._up_ms > _LONG_MS:
            self._begin(wh, up_ms, done_wh)
            return BEGUN
        code = STILL
        if wh > self.wh:
            self._move(wh, up_ms, done_wh)
            code = MOVED
        self.wh, self._up_ms, self._done_wh = wh, up_ms, done_wh
        return code

    def pass_stale(self, ms):
        """Let time pass in which the power of this role was not measured: the integral may be wrong by that much."""
        self._stale_ms += ms
        self._interval_stale_ms += ms

    def stands_still(self, done_wh):
        """Return True when the power says that the register must have moved by more than three steps."""
        if self.wh is None:
            return False
        grown_wh = done_wh - self._moved_done_wh
        return grown_wh > 3 * (self.step_wh or self._coarse_wh()) + self._in_time_wh(_APART_MS + self._stale_ms)

    def difference_wh(self):
        """Return what the register says more than the integral, in this interval."""
        return self.gained_wh - self.integral_wh

    def holds(self):
        """Return True while the difference is within 5 %, or three steps, and what the time in between can make."""
        limit_wh = max(self.gained_wh, self.integral_wh) // 20
        if self.step_wh:
            limit_wh = max(limit_wh, 3 * self.step_wh)
        limit_wh += self._in_time_wh(_APART_MS + self._interval_stale_ms)
        return abs(self.difference_wh()) <= limit_wh

    def _in_time_wh(self, ms):
        return self._rated_w * ms // _MS_PER_H

    def _coarse_wh(self):
        """Return the coarsest resolution to be expected of a register that has not moved yet."""
        return 1000 + self._rated_w // 100

    def _most_wh(self, up_ms, done_wh):
        """Return by how much the register can have grown since the last reading."""
        since_ms = up_ms - self._moved_ms
        if up_ms - self._up_ms <= _LONG_MS:
            since_ms = min(since_ms, _LONG_MS)
        most_wh = self._in_time_wh(since_ms + _APART_MS) * 3 // 2
        if self.step_wh is None:
            return most_wh + self._coarse_wh()
        by_power_wh = 2 * max(done_wh - self._moved_done_wh, 0)
        by_power_wh += self._in_time_wh(self._stale_ms + 5 * _APART_MS) * 3 // 2
        if up_ms - self._up_ms <= _LONG_MS:
            most_wh = min(most_wh, by_power_wh)
        return most_wh + 2 * self.step_wh  # a float's step doubles as it grows

    def _begin(self, wh, up_ms, done_wh):
        if self.start_wh is None:
            self.start_wh = wh
        self.renewed = True
        self.wh = wh
        self._up_ms = self._moved_ms = up_ms
        self._done_wh = self._moved_done_wh = done_wh
        self._base = None
        self._common_wh = self._moves = 0
        self._stale_ms = 0
        self._odd_times = 0

    def _refuse(self, wh, up_ms, done_wh):
        """Count a reading that cannot follow the last one; believe the third of three that follow each other."""
        agrees = False
        if self._odd_times:
            most_wh = self._in_time_wh(up_ms - self._odd_ms + _APART_MS) * 3 // 2
            most_wh += 2 * (self.step_wh or self._coarse_wh())
            agrees = self._odd_wh <= wh <= self._odd_wh + most_wh
        self._odd_times = self._odd_times + 1 if agrees else 1
        self._odd_wh, self._odd_ms = wh, up_ms
        if self._odd_times >= _AGREEING:
            self._begin(wh, up_ms, done_wh)
            return RENEWED
        return BACK if wh < self.wh else GLITCH

    def _move(self, wh, up_ms, done_wh):
        step_wh = wh - self.wh
        self.agrees = abs(step_wh - done_wh + self._moved_done_wh) <= \
            self._in_time_wh(up_ms - self._moved_ms) // 20 + 2 * (self._common_wh or step_wh)
        if self._smallest_wh is None or step_wh < self._smallest_wh:
            self._smallest_wh = step_wh
        if self.step_wh is None or self._smallest_wh < self.step_wh:
            self.step_wh = self._smallest_wh
        self._common_wh = _common(self._common_wh, step_wh)
        self._moves += 1
        # The register has passed `wh` since the last reading, and is not yet a step further: half of that, on average.
        base = wh + min(self._common_wh, max(done_wh - self._done_wh, 0)) // 2, done_wh
        if self._moves < _LEARNING:
            base = None
        elif self._base is not None:
            self.gained_wh += base[0] - self._base[0]
            self.integral_wh += base[1] - self._base[1]
        self._base = base
        self._moved_ms, self._moved_done_wh = up_ms, done_wh
        self._stale_ms = 0

    def end_interval(self):
        """Close the interval: what the smallest step was in it is what the next one is judged by."""
        if self._smallest_wh is not None:
            self.step_wh = self._smallest_wh


def _common(a, b):
    """Return the greatest number of which both are multiples."""
    while b:
        a, b = b, a % b
    return a
