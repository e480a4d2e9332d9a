"""The tracker's coefficients, from what was measured: control period, delay from sample to command, lag of the PCS.

The lead undoes the lag of the PCS and a part of the delay. All of the delay undone would leave less swing, but larger
steps where the load turns: measured on the GPT-3 run, 3/20 leave the steps as small as no lead of the delay does.

Start-up, and when a measurement has moved: it may allocate. Integers only.
"""

from firmware.core.pace import tick_ms

_ONE = 1024  # shares are counted in 1/1024
_DELAY_SHARE = 15  # hundredths of the delay that the lead undoes
_LEAD_MAX = 2047  # 1/256 of a period
_BACK_MAX = 6  # periods that the ring of commands reaches back
_SLOW_OF_DELAY = 8  # the slow band ends where a radian takes eight delays, or
_SLOWER_OF_DELAY = 16  # where the PCS is done long before its command is old: the delay may be longer than is known,
_MID_OF_DELAY = 2  # the middle one where it takes two
_WINDOW_MS = 4000  # over which benefit and harm are weighed, if that is 64 .. 256 periods
_FOUR_SAMPLES = 4
_MOVED_MS = 2  # a way that has moved by more than this, and this part of a period, is worth a new tuning
_MOVED_SHARE = 32
PLAIN = (0, _ONE, 0, 0, 6, _ONE, _ONE)  # no lead, a PCS that follows at once: where nothing is known
_TO_NINE_TENTHS = 225  # hundredths of a lag from a twentieth of a step to nine tenths: ln 9.5


def decayed(time_ms, lag_ms):
    """Return what is left of 1,024 after `time_ms` of a first-order lag: 1024 * exp(-time / lag), 0 .. 1024."""
    if lag_ms <= 0:
        return _ONE if time_ms <= 0 else 0
    left = max((1 << 20) - (time_ms << 20) // (lag_ms << 8), 0)  # of a 256th of the time; raised to 256 below
    for _ in range(8):
        left = left * left + (1 << 19) >> 20
    return left + (1 << 9) >> 10


def coefficients(period_ms, delay_ms, lag_ms):
    """Return (lead, part, early, back, window, slow, mid) for a period of 1 .. 1,000 ms, delay and lag >= 0 ms.

    lead: of the slope per period, in 1/256 of a period. part: of the way to its command that the PCS goes in a period,
    early: of that period the share of the command before, both in 1/1024; back: whole periods of the delay. window:
    2 ** window periods are weighed. slow, mid: shares of the two band filters, in 1/1024.
    """
    back, rest_ms = divmod(delay_ms, period_ms)
    if back > _BACK_MAX:
        back, rest_ms = _BACK_MAX, period_ms
    still = decayed(period_ms, lag_ms)  # left at the end of a period
    late = _ONE - decayed(period_ms - rest_ms, lag_ms)  # done by the new command
    part = _ONE - still
    mean_delay_ms = max(delay_ms + period_ms // 2, 1)  # a command stands for half a period, on average
    known = period_ms <= 2 * lag_ms and mean_delay_ms <= 4 * lag_ms
    lead_ms_100 = 100 * lag_ms + _DELAY_SHARE * mean_delay_ms
    window = 6
    while window < 8 and (period_ms << (window + 1)) <= 3 * _WINDOW_MS // 2:
        window += 1
    return (min(lead_ms_100 * 256 // (100 * period_ms), _LEAD_MAX), part,
            (part - late) * _ONE // part if part else 0, back, window,
            max(_ONE - decayed(period_ms, (_SLOW_OF_DELAY if known else _SLOWER_OF_DELAY) * mean_delay_ms), 1),
            max(_ONE - decayed(period_ms, _MID_OF_DELAY * mean_delay_ms), 1))


def lead_of_lag(period_ms, lag_ms):
    """Return the lead that undoes the lag of the PCS alone, in 1/256 of a period."""
    return min(lag_ms * 256 // period_ms, _LEAD_MAX)


def kick_of_lag(period_ms, lag_ms):
    """Return what of a new sample's step is led at once, and once, in 1/256; 0 for a control of long periods.

    It takes the PCS there by the end of the period; or where a period is longer than the lag, so that it is there half
    way, as a slope's lead would.
    """
    if period_ms > 2 * lag_ms:
        return 0
    still = decayed(period_ms, lag_ms)
    return min(still * 256 // max(_ONE - still, 1), _LEAD_MAX) if period_ms <= lag_ms else lag_ms * 256 // period_ms


def fastest_trim(grid_sample_ms):
    """Return the largest trim rate, permille per s, whose time constant is not below four fresh samples."""
    return 1_000_000 // (_FOUR_SAMPLES * max(grid_sample_ms, 1))


def slope_samples(refresh_ms, period_ms, lag_ms=0):
    """Return over how many samples the slope is taken, 1 or 2: twice that is the shortest period it acts on.

    One sample, where the meter refreshes at least twice in a period: two periods are four fresh values then.
    """
    return 1 if 0 < 2 * refresh_ms <= period_ms or period_ms <= 2 * lag_ms else 2


def lag_of(dead_ms, response_ms):
    """Return the lag in ms of a PCS that commissioning saw begin after dead_ms and reach nine tenths in response_ms."""
    return max(response_ms - dead_ms, 0) * 100 // _TO_NINE_TENTHS


class Facts:
    """What the tuning is made from, in ms: measured where it can be, else as site.json says."""

    def __init__(self, config, load_refresh_ms=0, grid_refresh_ms=0):
        """`config` is the site's; a refresh of 0 is one that the meter's document does not state."""
        found = config["commissioning"]
        dead_ms, response_ms = found["dead_ms"], found["response_ms"]
        self.period_ms = tick_ms(config["control"]["period_ms"])
        self.way_ms = 0  # from a read of the load to the last byte of the command made from it
        self.load_refresh_ms = self._told_ms = load_refresh_ms
        self.grid_sample_ms = max(self.period_ms, grid_refresh_ms)
        self.measured = dead_ms is not None and response_ms is not None
        self.dead_ms = dead_ms if self.measured else config["pcs"]["dead_ms"]
        self.lag_ms = lag_of(dead_ms, response_ms) if self.measured else config["pcs"]["lag_ms"]

    def delay_ms(self):
        """Return the way from a sample to its command's effect on the PCS; what is read is half a refresh old."""
        return self.way_ms + self.load_refresh_ms // 2 + self.dead_ms

    def take_refresh(self, refresh_ms):
        """Take how often the load's meter is seen to have new values; return whether that is news."""
        refresh_ms = max(refresh_ms, self._told_ms)
        if abs(refresh_ms - self.load_refresh_ms) <= self.period_ms:
            return False
        self.load_refresh_ms = refresh_ms
        return True

    def coefficients(self):
        """Return the coefficients of what is known now."""
        return coefficients(self.period_ms, self.delay_ms(), self.lag_ms)

    def slope_samples(self):
        """Return over how many samples of the load a slope is taken."""
        return slope_samples(self.load_refresh_ms, self.period_ms, self.lag_ms)

    def kick(self):
        """Return what of a new sample's step is led at once, and once, in 1/256."""
        return kick_of_lag(self.period_ms, self.lag_ms)

    def take_way(self, way_ms):
        """Take a measured way; return whether it differs enough from the last to matter."""
        moved_ms = abs(way_ms - self.way_ms)
        if moved_ms <= max(_MOVED_MS, self.period_ms // _MOVED_SHARE):
            return False
        self.way_ms = way_ms
        return True

    def sentence(self):
        """Return what is known and what was made of it, for people."""
        lead = self.coefficients()[0]
        text = "period %d ms, %d ms from read to command, dead time %d ms and lag %d ms of the PCS (%s): lead %d ms"
        return text % (self.period_ms, self.way_ms, self.dead_ms, self.lag_ms,
                       "measured" if self.measured else "as site.json says", lead * self.period_ms // 256)
