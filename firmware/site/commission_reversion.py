"""The PCS's own fall-back, as it really is: when it comes after the last command, and to what."""

from firmware.core import ticks
from firmware.core.types import BESS
from firmware.site.commission_bench import Abort

_BASE_MS = 2000
_AFTER_MS = 3000
_CONFIRM_MS = 3000  # of a fall-back that only the other meters show
_TOLERANCE_MS = 2000
_TOLERANCE_PERMILLE = 100
_FOLLOWS_PERMILLE = 500


def run(bench, tell, wired):
    """Carry the step out; a generator. `wired`: the other meters are right, and may stand in for the PCS."""
    step_pu = _standing(bench)
    yield from bench.go(step_pu)
    yield from bench.follow(step_pu, abs(step_pu) // 10)
    yield from bench.wait(_BASE_MS)
    silent = bench.reads_feed
    if abs(bench.reading(BESS).value) * 1000 < abs(step_pu) * _FOLLOWS_PERMILLE:
        raise Abort("PCS_NOT_FOLLOWING", "of a set point of %d W it made %d W"
                    % (step_pu * bench.unit_w, bench.reading(BESS).value * bench.unit_w))
    if silent and not wired:
        tell.result("reversion", "fall-back of the PCS", None, "s", "", "REVERSION_UNSEEN", None)
        return
    watch = _Balance(bench) if silent else _Own(bench)
    yield from watch.base()
    bench.let_go(silent)
    fell_ms, to_pu = yield from _watch(bench, tell, watch, step_pu)
    bench.take_back()
    yield from bench.go(0)
    _report(bench, tell, fell_ms, to_pu)


def _standing(bench):
    """Return the set point to leave standing: discharge where there is room, else charge."""
    low_pu, high_pu = bench.window()
    step_pu = bench.pu(bench.plan.step_w)
    if high_pu >= step_pu:
        return step_pu
    if -low_pu >= step_pu:
        return -step_pu
    raise Abort("NO_ROOM", "a set point of %d W does not fit now" % (step_pu * bench.unit_w))


class _Own:
    """Sees the fall-back by the PCS's own power."""

    confirm_ms = 0
    share = 5  # it has fallen back when it is a fifth off

    def __init__(self, bench):
        self._reading = bench.reading(BESS)

    def base(self):
        """Nothing to do beforehand; a generator."""
        return
        yield

    def sample(self):
        """Return (tick, power)."""
        return self._reading.t_ms, self._reading.value


class _Balance:
    """Sees it by all other meters, where reading the PCS would feed its watchdog; smoothed, for the load moves."""

    confirm_ms = _CONFIRM_MS
    share = 2

    def __init__(self, bench):
        self._bench = bench
        self._offset = 0
        self._mean = 0  # sixteenths

    def base(self):
        """Find what the balance is short of; a generator."""
        bench = self._bench
        begin_ms = bench.ms()
        total = n = 0
        while ticks.diff(bench.ms(), begin_ms) < _BASE_MS:
            total += bench.balance_pu()
            n += 1
            yield
        self._offset = total // n - bench.reading(BESS).value
        self._mean = bench.reading(BESS).value * 16

    def sample(self):
        """Return (tick, power)."""
        bench = self._bench
        self._mean += bench.balance_pu() - self._offset - self._mean // 16
        return bench.ms(), self._mean // 16


def _watch(bench, tell, watch, step_pu):
    """Wait for the fall-back; returns (ms after the last command, power it went to), or (None, None) for never."""
    fed_ms = bench.fed_ms
    limit_ms = bench.plan.reversion_limit_s * 1000
    since_ms = None
    told_s = 0
    while True:
        yield
        passed_ms = ticks.diff(bench.ms(), fed_ms)
        t_ms, power_pu = watch.sample()
        if abs(power_pu - step_pu) * watch.share <= abs(step_pu):
            since_ms = None
        elif since_ms is None:
            since_ms = t_ms
        if since_ms is not None and ticks.diff(bench.ms(), since_ms) >= watch.confirm_ms:
            break
        if passed_ms >= limit_ms:
            return None, None
        if passed_ms // 1000 >= told_s + 5:
            told_s = passed_ms // 1000
            tell.progress("%d s without a command, at most %d s" % (told_s, limit_ms // 1000),
                          passed_ms * 1000 // limit_ms)
    if abs(power_pu) <= 2 * abs(step_pu):  # else it runs away, and is taken back at once
        yield from bench.wait(_AFTER_MS)
        power_pu = watch.sample()[1]
    return ticks.diff(since_ms, fed_ms), power_pu


def _report(bench, tell, fell_ms, to_pu):
    configured_ms = bench.plan.configured_s * 1000
    expected = "%d" % bench.plan.configured_s
    if fell_ms is None:
        tell.result("reversion", "fall-back of the PCS (0: never)", 0, "s", expected, "REVERSION_NEVER", "reversion_s")
        return
    off_ms = fell_ms - configured_ms
    code = "OK"
    if abs(off_ms) > max(_TOLERANCE_MS, configured_ms * _TOLERANCE_PERMILLE // 1000):
        code = "REVERSION_LATE" if off_ms > 0 else "REVERSION_EARLY"
    # 0 means never: a fall-back within half a second counts as one second.
    seconds = max((fell_ms + 500) // 1000, 1)
    tell.result("reversion", "fall-back of the PCS", seconds, "s", expected, code, "reversion_s")
    small_pu = max(bench.pu(bench.plan.step_w) // 10, 2)
    code = "OK" if abs(to_pu) <= small_pu else "REVERSION_NOT_ZERO"
    tell.result("reversion", "power it falls back to", to_pu * bench.unit_w, "W", "0", code, "reversion_w")
