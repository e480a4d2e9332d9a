"""The PCS's own figures: dead time, response time, ramp, accuracy, dead band and real limits, by steps.

Times run from the last byte of the command to the instant at which a read of the PCS saw its effect: what a control
loop on this bus lives with.
"""

from firmware.core import ticks
from firmware.core.types import BESS
from firmware.site import commission_plan as p

_BEFORE_MS = 500
_TRACE_MS = 12_000
_QUIET_MS = 1000  # without a move of more than a hundredth of the step: it has arrived
_TRACE_MAX = 800
_SAMPLE_MS = 20
_BISECT = 3
_MOVED = 20  # a step has begun when a twentieth of it is done
_ACCURACY_PERMILLE = 50
_DEAD_BAND_PERMILLE = 20
_LIMIT_PERMILLE = 900


def crossing(trace, level, rising):
    """Return the ms at which a trace [(ms, power)] crosses a level, between its samples; None if it does not."""
    before = None
    for t, value in trace:
        if value >= level if rising else value <= level:
            if before is None or value == before[1]:
                return t
            return before[0] + (t - before[0]) * (level - before[1]) // (value - before[1])
        before = (t, value)
    return None


def analyse(trace, begin, final):
    """Return (dead ms, response ms to nine tenths, ramp in power units a second) of one step, or None.

    `trace` is [(ms since the command, power)], `begin` and `final` the power before and after. The ramp is that of
    the middle three fifths, or 0 where two samples of the trace hold all of it.
    """
    step = final - begin
    if not step or not trace:
        return None
    rising = step > 0
    trace = [(0, begin)] + trace
    times = [crossing(trace, begin + step * part // 100, rising) for part in (100 // _MOVED, 20, 80, 90)]
    if None in times:
        return None
    middle_ms = times[2] - times[1]
    ramp = abs(step) * 600 // middle_ms if middle_ms > _SAMPLE_MS else 0
    return times[0], times[3], ramp


def run(bench, tell):
    """Carry the step out; a generator."""
    step_pu = min(bench.pu(bench.plan.step_w), bench.max_pu)
    low_pu, high_pu = bench.window()
    targets = [pu for pu in (min(step_pu, high_pu), max(-step_pu, low_pu)) if pu]
    figures, errors, resolution_pu = [], [], 1
    yield from _settle_at(bench, 0)
    for i, target_pu in enumerate(targets):
        for to_pu in (target_pu, 0):
            tell.progress("step to %d W" % (to_pu * bench.unit_w), (200 * i) + (100 if to_pu else 200))
            trace, begin, final = yield from _step(bench, to_pu)
            resolution_pu = _resolution(trace, resolution_pu)
            figures.append(analyse(trace, begin, final))
            errors.append(abs(final - to_pu))
    _report(bench, tell, targets, figures, max(errors) if errors else 0, step_pu)
    if targets and None not in figures:
        yield from _dead_band(bench, tell, targets[0], resolution_pu, max(row[1] for row in figures))
        yield from _limits(bench, tell)
    yield from bench.go(0)


def _report(bench, tell, targets, figures, error_pu, step_pu):
    good = [row for row in figures if row is not None]
    if not targets or len(good) < len(figures):
        tell.result("response", "PCS response", None, "", "", "PCS_NO_STEP", None)
        return
    n = len(good)
    tell.result("response", "dead time", sum(row[0] for row in good) // n, "ms", "", "OK", "dead_ms")
    tell.result("response", "response time (to 90 %)", sum(row[1] for row in good) // n, "ms", "", "OK", "response_ms")
    ramps = [row[2] for row in good if row[2]]
    if ramps:
        tell.result("response", "ramp", min(ramps) * bench.unit_w, "W/s", "", "OK", "ramp_w_per_s")
    code = "OK" if error_pu * 1000 <= _ACCURACY_PERMILLE * step_pu else "PCS_INACCURATE"
    tell.result("response", "error once settled", error_pu * bench.unit_w, "W", "", code, "error_w")


def _settle_at(bench, power_pu):
    yield from bench.go(power_pu)
    yield from bench.follow(power_pu, max(abs(power_pu) // 20, 1))
    yield from bench.wait(_QUIET_MS)


def _step(bench, to_pu):
    """Make one step; returns (trace, power before, power after)."""
    reading = bench.reading(BESS)
    before = yield from bench.means(_BEFORE_MS, (BESS,))
    begin = (before[BESS] or 0) // 1000
    asked_ms = bench.ms()
    sent_ms = None
    trace = []
    going = bench.go(to_pu)
    count = reading.count
    quiet_ms, quiet = 0, begin
    hair = max(abs(to_pu - begin) // 100, 1)
    while len(trace) < _TRACE_MAX and ticks.diff(bench.ms(), asked_ms) < _TRACE_MS:
        if sent_ms is None:
            try:
                next(going)
            except StopIteration:
                sent_ms = bench.field.pcs.applied.t_ms
        yield
        if reading.count != count:
            count = reading.count
            trace.append((reading.t_ms, reading.value))
            t_ms = ticks.diff(reading.t_ms, asked_ms)
            if abs(reading.value - quiet) > hair:
                quiet, quiet_ms = reading.value, t_ms
            elif t_ms - quiet_ms > _QUIET_MS and abs(reading.value - begin) > hair:
                break
    if sent_ms is None:
        sent_ms = asked_ms
    trace = [(ticks.diff(t_ms, sent_ms), value) for t_ms, value in trace]
    trace = [row for row in trace if row[0] >= 0]
    tail = [value for _, value in trace[-10:]]
    return trace, begin, (2 * sum(tail) + len(tail)) // (2 * len(tail)) if tail else begin


def _resolution(trace, least):
    """Return the smallest difference that the PCS's own reading ever showed: its register's last digit."""
    steps = [abs(b[1] - a[1]) for a, b in zip(trace, trace[1:]) if a[1] != b[1]]
    return max(least, min(steps)) if steps else least


def _dead_band(bench, tell, from_pu, resolution_pu, response_ms):
    """Search downwards for the smallest set point that moves the PCS, then between the last two."""
    wait_ms = min(max(3 * response_ms, 500), p.FOLLOW_MS)
    moved, still = abs(from_pu), 0
    way = 1 if from_pu > 0 else -1
    floor = 2 * resolution_pu
    tries = 0
    while moved - still > resolution_pu and tries < 16:
        probe = moved // 2 if not still else (moved + still) // 2
        if probe < floor or (still and moved - still <= max(moved >> _BISECT, floor)):
            break
        tries += 1
        tell.progress("dead band: %d W" % (probe * bench.unit_w), 400 + 20 * tries)
        if (yield from _moves(bench, way * probe, wait_ms)):
            moved = probe
        else:
            still = probe
    code = "OK" if still * 1000 <= _DEAD_BAND_PERMILLE * bench.pu(bench.config["ratings"]["bess_w"]) else "DEAD_BAND"
    tell.result("response", "dead band (0: below the resolution of its power, %d W)" % (floor * bench.unit_w),
                moved * bench.unit_w if still else 0, "W", "", code, "dead_band_w")


def _moves(bench, probe_pu, wait_ms):
    yield from bench.go(0)
    yield from bench.wait(wait_ms)
    before = yield from bench.means(_BEFORE_MS, (BESS,))
    yield from bench.go(probe_pu)
    yield from bench.wait(wait_ms)
    after = yield from bench.means(_BEFORE_MS, (BESS,))
    if before[BESS] is None or after[BESS] is None:
        return False
    return abs(after[BESS] - before[BESS]) >= abs(probe_pu) * 500


def _limits(bench, tell):
    """Ask for half and all of the permitted maximum both ways, and note what is delivered."""
    for name, key, way in (("discharge", "discharge_limit_w", 1), ("charge", "charge_limit_w", -1)):
        most = 0
        code = "OK"
        for part in (2, 1):
            low_pu, high_pu = bench.window()
            target = min(bench.max_pu // part, high_pu if way > 0 else -low_pu)
            if target <= 0:
                continue
            tell.progress("%s %d W" % (name, target * bench.unit_w), 750 + (100 if way < 0 else 0))
            yield from _settle_at(bench, way * target)
            mean = yield from bench.means(_BEFORE_MS, (BESS,))
            got = way * (mean[BESS] or 0) // 1000
            most = max(most, got)
            if got * 1000 < target * _LIMIT_PERMILLE:
                code = "PCS_LIMITED"
                break
        if most:
            tell.result("response", "largest %s delivered" % name, most * bench.unit_w, "W",
                        "%d asked" % (target * bench.unit_w), code, key)
        else:
            tell.result("response", "largest %s delivered" % name, None, "W", "", "NO_ROOM", None)
