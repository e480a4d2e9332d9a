"""The commissioning procedure, on the board: find, direction, response, reversion; whatever happens, it ends at zero.

run() has the scheduler call tick() every TICK_MS until `done`. Each step is a generator; a stop request, a lost device,
a limit or an error ends it, and the last thing done is to command zero until it is acknowledged.
"""

import json

from firmware.core import ticks
from firmware.core.task import Task
from firmware.core.types import BESS, ROLE_NAMES
from firmware.site import (
    commission_direction,
    commission_estimate,
    commission_find,
    commission_rescue,
    commission_response,
    commission_reversion,
)
from firmware.site import commission_plan as p
from firmware.site.commission_bench import Abort, Bench

DONE = "done"
STOPPED = "stopped"
INTERRUPTED = "interrupted"
ABORTED = "aborted"

_ZERO_MS = 15_000
_TICK_BUDGET_US = 10_000
_TIDY_MS = 200
_UNTOUCHED_MS = 4000


class Tell:
    """Says what happens, as JSON to the host and as events into the board's log."""

    def __init__(self, report, note):
        self._report = report
        self._note = note
        self.step = ""
        self.findings = 0

    def say(self, **what):
        """Hand one line to the host."""
        self._report("C", json.dumps(what))

    def note(self, code, text):
        """Put one event into the board's log."""
        self._note("commission", code, text)

    def begin(self, line):
        """Begin a step, a line of the plan."""
        self.step = line[0]
        self.say(k="begin", step=line[0], what=line[1], power_w=line[2], typical_s=line[3], limit_s=line[4])

    def progress(self, text, permille):
        """Say how far the step is."""
        self.say(k="progress", step=self.step, text=text, permille=permille)

    def result(self, step, item, value, unit, expected, code, key, role="", error=None, note="", index=None):
        """Give one line of the results; `key` is its name in site.json's commissioning section, or None."""
        self.say(k="result", step=step, item=item, value=value, unit=unit, expected=expected, code=code, key=key,
                 role=role, error=error, note=note, index=index)
        shown = "" if value is None else " %d %s" % (value, unit)
        self.note(code if code != commission_estimate.OK else step.upper(), ("%s%s %s" % (item, shown, note)).strip())
        if code != commission_estimate.OK:
            self.findings += 1

    def device(self, index, item, code, note):
        """Give the result of looking for one device."""
        self.result(p.FIND, item, None, "", "", code, None, note=note, index=index)

    def direction(self, role, row, code, note):
        """Give the result of one meter's direction."""
        value, error = row.found() or (None, None)
        self.result(p.DIRECTION, "%s meter's response" % ROLE_NAMES[role], value, "permille", str(row.expected()), code,
                    None, ROLE_NAMES[role], error, note)


class Procedure:
    """One commissioning run over a Bench; `stop` is asked every tick whether somebody wants it to end."""

    def __init__(self, bench, tell, clock, stop):
        self.done = False
        self.zero = False  # the zero at the end has been acknowledged
        self.outcome = DONE
        self._bench = bench
        self._tell = tell
        self._clock = clock
        self._stop = stop
        self._ending = False
        self._limit_ms = None
        self._begin_ms = 0
        self._run = self._all()

    def tick(self):
        """Advance by one tick. An error ends the procedure at zero."""
        try:
            self._clock.tick()
            self._bench.tick()
            if not self._ending:
                self._look()
            next(self._run)
        except StopIteration:
            self.done = True
        except Abort as error:
            self._fail(ABORTED, error.code, error.detail)
        except Exception as error:
            self._clock.collect()
            self._fail(ABORTED, "ERROR", "%s %s" % (type(error).__name__, error))

    def _look(self):
        """Find a reason to end."""
        if self._stop():
            self._fail(STOPPED, "STOPPED", "a stop was asked for")
            return
        trouble = self._bench.trouble()
        if trouble is None and self._limit_ms is not None:
            if ticks.diff(self._bench.ms(), self._begin_ms) > self._limit_ms:
                trouble = "STEP_LIMIT", "%s took longer than %d s" % (self._tell.step, self._limit_ms // 1000)
        if trouble is not None:
            self._fail(ABORTED, trouble[0], trouble[1])

    def _fail(self, outcome, code, note):
        # Closed by hand: MicroPython leaves what is dropped as it is, and a device's start() half done bars the next.
        self._run.close()
        self._run = self._to_zero()
        if self._ending:  # the way to zero itself has failed: once more, within its time
            return
        self._ending = True
        self._begin_ms = self._bench.ms()
        self.break_off(outcome, code, note)

    def break_off(self, outcome, code, note):
        """Say that it ends early."""
        self.outcome = outcome
        self._tell.say(k="abort", step=self._tell.step, code=code, note=note)
        self._tell.note(code, "%s: %s" % (self._tell.step, note))

    def _all(self):
        plan, tell, bench = self._bench.plan, self._tell, self._bench
        wired = False
        for line in plan.lines:
            step = line[0]
            if step not in p.STEPS:
                continue
            tell.begin(line)
            self._begin_ms = bench.ms()
            self._limit_ms = line[4] * 1000
            if step == p.FIND:
                yield from commission_find.run(bench, tell)
                bench.armed = True
            elif step == p.DIRECTION:
                yield from commission_direction.run(bench, tell)
                wired = not tell.findings
            elif step == p.RESPONSE:
                yield from commission_response.run(bench, tell)
            else:
                yield from commission_reversion.run(bench, tell, wired)
        self._ending = True
        self._begin_ms = bench.ms()
        yield from self._to_zero()

    def _to_zero(self):
        """Command zero until it is acknowledged, _ZERO_MS at most; then see whether the power follows."""
        bench = self._bench
        pcs = bench.field.pcs
        bench.want_pu = 0
        bench.take_back()
        count = pcs.applied.count
        most_ms = _ZERO_MS if bench.commanded else _UNTOUCHED_MS
        starting = None
        try:
            while not self.zero and ticks.diff(bench.ms(), self._begin_ms) < most_ms:
                if pcs.ready:
                    bench.send()
                elif starting is None or _ended(starting):
                    starting = pcs.start()  # finding it again sets it to zero as well
                yield
                self.zero = pcs.ready and pcs.applied.count != count and pcs.applied.value == 0
        finally:
            if starting is not None:
                starting.close()
        if self.zero:
            yield from bench.follow(0, max(bench.max_pu // 400, 1))
        self.done = True

    def say_end(self, utc_s):
        """Tell the host how it ended; UTC in seconds or None."""
        bench = self._bench
        power = bench.reading(BESS)
        self._tell.note("END", "%s, %d findings, PCS %s" % (
            self.outcome, self._tell.findings, "at zero" if self.zero else "not known to be at zero"))
        self._tell.say(k="end", outcome=self.outcome, zero=self.zero, commanded=bench.commanded, at_s=utc_s,
                       findings=self._tell.findings,
                       power_w=power.value * bench.unit_w if power.count else None)


def _ended(generator):
    try:
        next(generator)
        return False
    except StopIteration:
        return True


class Clock:
    """Keeps UTC going while no control tick does."""

    def __init__(self, platform, utc):
        self._platform = platform
        self._utc = utc
        self._last_ms = self._tidied_ms = platform.ms()
        self.collect = platform.collect

    def tick(self):
        """Let the time since the last call pass, take a setting of UTC that waits, and collect garbage."""
        platform = self._platform
        now_ms = platform.ms()
        self._utc.advance(max(ticks.diff(now_ms, self._last_ms), 0))
        self._last_ms = now_ms
        if ticks.diff(now_ms, self._tidied_ms) >= _TIDY_MS:
            self._tidied_ms = now_ms
            platform.tidy()
        if platform.utc_news:
            platform.utc_news = False
            ms = platform.utc_ms + ticks.diff(now_ms, platform.utc_posted_ms)
            self._utc.set(platform.utc_quarter + ms // 900_000, ms % 900_000, platform.utc_trust, platform.utc_error_ms)

    def now_s(self):
        """Return UTC in seconds since 1970, or None."""
        utc = self._utc
        return utc.quarter * 900 + utc.ms // 1000 if utc.trust else None


def run(station, options, scan):
    """Commission the site that a Station is wired for; what breaks in, Ctrl-C above all, ends at zero too.

    `scan` is drivers.line.scan's run(). What was interrupted may be half done: then zero goes by way of new buses.
    """
    platform, sched = station.platform, station.sched
    plan = p.Plan(station.config, options)
    tell = Tell(platform.report, station.events.note)
    clock = Clock(platform, station.utc)
    platform.listen_to_host()
    platform.collect_if_short()
    stop = platform.host_wants_stop
    procedure = Procedure(Bench(station.field, platform, station.config, plan, station.unit_w), tell, clock, stop)
    sched.add(Task("commission", procedure.tick, p.TICK_MS, 0, 1, _TICK_BUDGET_US, True))
    try:
        scan(platform, station.config, plan, tell, stop)
        sched.run(lambda: procedure.done)
    except SystemExit:
        raise  # the simulated plant is gone, and time with it
    except BaseException as error:
        how = (INTERRUPTED, "INTERRUPTED") if isinstance(error, KeyboardInterrupt) else (ABORTED, "ERROR")
        procedure.break_off(how[0], how[1], type(error).__name__)
        procedure.zero = commission_rescue.to_zero(station)
    procedure.say_end(clock.now_s())
    for _ in station.events.flush():
        platform.tidy()
    platform.close()
