"""Run generators slice by slice in the slack between the periodic tasks.

A job yields nothing (or 0) to be resumed as soon as there is slack, or a positive number of us to rest
that long, or a negative one, such as FLASH_US, where its next slice cannot be cut and takes up to that long: so
long a slice, and a collection, may hold up lesser tasks but starts only when it fits before the next critical one.
COLLECTED has it resumed behind the next collection: what is to last is then made where the heap is full already, and
leaves what is free in one piece.
Jobs take turns. Any other slice starts only when its declared budget fits before the next task, or what the longest of
its job has taken, if that was more.
A job passed over for `patience_us` gets one slice all the same, right behind a task, where the slack is
longest, and the slice is counted as forced: work that can never fit goes on, at a stated cost. Half of what was learned
about the longest is forgotten then: a machine that stood still once would have one slice a second for ever.
"""

import micropython
from micropython import const

from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_MAX_US = const(60000000)  # longest rest and longest declared slice
_MARGIN_US = const(1000)
_WANTED = const(4)  # eighths of the free heap that are taken when a collection is wanted
_OVERDUE = const(6)  # and when it is overdue
_LESSER_US = const(3500)  # of the lesser tasks that a slice which cannot be cut holds up
FLASH_US = -12000  # what a job yields before it writes to flash
COLLECTED = -1  # and before it makes what is to last, or needs more than a little memory in one piece


class Background:
    """Hold one background job: a generator, its declared longest slice in us, and what it counted."""

    def __init__(self, name, generator, budget_us):
        if not 1 <= budget_us <= _MAX_US:
            text = "background %s: budget_us is %s, allowed 1..%d" % (name, budget_us, _MAX_US)
            raise ConfigError("BACKGROUND_RANGE", text)
        self.name = name
        self.generator = generator
        self.budget_us = budget_us
        self.need_us = budget_us  # of the next slice
        self.uncut = False  # which cannot be cut
        self.longest_us = budget_us  # of the others, budget and more
        self.slices = 0
        self.over_budget = 0
        self.slice_max_us = 0
        self.forced = 0
        self.hurried = False  # the slice that runs is a forced one
        self.wake_us = 0  # not before this time, while resting
        self.resting = False
        self.awaits = -1  # the count of collections at which it waits for the next one
        self.since_us = 0  # passed over since, while waiting
        self.waiting = False

    @micropython.native
    def account(self, run_us):
        """Count one slice that took run_us."""
        self.slices = self.slices + 1 & _MASK
        if run_us > self.slice_max_us:
            self.slice_max_us = run_us
        if run_us > (self.need_us if self.uncut else self.budget_us):
            self.over_budget = self.over_budget + 1 & _MASK

    @micropython.native
    def may_run(self, now_us, slack_us, behind, patience_us, spare_us):
        """Return whether a slice may start now: it fits, or it has waited enough and stands behind a task."""
        if self.uncut:
            if self.need_us <= spare_us:
                return True
        elif self.need_us <= slack_us and spare_us > 0:
            return True
        if not self.waiting:
            self.waiting = True
            self.since_us = now_us
        elif behind and spare_us > 0 and (now_us - self.since_us & _MASK ^ _HALF) - _HALF >= patience_us:
            self.forced = self.forced + 1 & _MASK
            self.hurried = True
            return True
        return False

    @micropython.native
    def rest_us(self, now_us):
        """Return how many us this job still rests, 0 when it is ready."""
        if self.resting:
            left_us = (self.wake_us - now_us & _MASK ^ _HALF) - _HALF
            if 0 < left_us <= _MAX_US:
                return left_us
            self.resting = False
        return 0


class Pool:
    """Hold the background jobs, give one of them one slice at a time, and collect the garbage they leave.

    collect_every: slices between two collections, 0 for none. A collection that does not fit waits for
    its place right behind a task, and holds further slices up once it is twice overdue. It is taken to last as long
    as the longest so far, collect_budget_us at least; as with slices, half of that is forgotten where it was forced.
    Where the machine can tell, taken() returns the eighths of the free heap that have been taken since the last one,
    and that counts instead of slices.
    """

    def __init__(self, us, collect, failed, collect_every, collect_budget_us, patience_us=1000000, taken=None):
        self._us = us
        self._collect = collect
        self._failed = failed
        self._collect_every = collect_every or _HALF - 1
        self._collect_budget_us = self._collect_least_us = collect_budget_us
        self._patience_us = patience_us
        self._taken = taken
        self._uncollected = 0
        self._turn = 0
        self.jobs = []
        self.busy = False  # there are jobs, or garbage to collect
        self.wait_us = _MAX_US  # after work() did nothing: how long until a resting job is ready
        self.collects = 0
        self.collects_forced = 0
        self.collect_max_us = 0
        self._asked = False  # somebody wants one, however little is taken
        self._overdue = False  # a collection waits for its place
        self._overdue_us = 0  # since then
        self._uncut_us = 0  # longest slice so far of those that cannot be cut
        self._most_us = 0  # longest time seen before a critical task

    def ask(self, wanted=True):
        """Ask for a collection soon, whatever the slices, if it is wanted; asked twice, it is overdue."""
        if wanted:
            self._asked = True
            every = self._collect_every
            self._uncollected = every if self._uncollected < every else 2 * every
            self.busy = True

    def add(self, job):
        """Append a job; it takes its first turn after those already here."""
        self.jobs.append(job)
        self.busy = True

    @micropython.native
    def work(self, now_us, slack_us, behind, spare_us):
        """Collect, or run one slice, if it is due and fits into the slack; return whether it was done.

        spare_us: the time until a critical task is due, 0 while one waits for its gate: then nothing may hold it up.
        """
        if spare_us > self._most_us:
            self._most_us = spare_us
        elif 0 < spare_us < self._most_us - _MARGIN_US:  # but at the longest place, leave room for who waits meanwhile
            spare_us = spare_us - _LESSER_US if spare_us > _LESSER_US else 1
        if self._taken is not None:
            self._weigh(self._taken())
        if self._uncollected >= self._collect_every:
            overdue = self._uncollected >= 2 * self._collect_every
            need_us = self._collect_budget_us
            fits = need_us <= spare_us
            if fits or overdue and behind and spare_us > 0 and self._may_force(now_us):
                if not fits:
                    self.collects_forced += 1
                    self._collect_budget_us = _half_way(need_us, self._collect_least_us)
                self._collect_now()
                return True
            if overdue:
                self.wait_us = _MAX_US
                return False
        if self._step(now_us, slack_us, behind, spare_us):
            self._uncollected = self._uncollected + 1 & _MASK
            return True
        self.busy = bool(self.jobs) or self._uncollected >= self._collect_every
        return False

    @micropython.native
    def _weigh(self, eighths):
        """Want a collection once half of what was free is taken, and have slices wait for it at three quarters."""
        every = self._collect_every
        if eighths < _WANTED:
            self._uncollected = every if self._asked else 0
        elif eighths >= _OVERDUE:
            self._uncollected = 2 * every
        elif self._uncollected < every:
            self._uncollected = every

    @micropython.native
    def _may_force(self, now_us):
        """Return whether an overdue collection has waited enough for a place where it fits, or can never fit."""
        if self._collect_budget_us > self._most_us:
            return True
        if not self._overdue:
            self._overdue = True
            self._overdue_us = now_us
        return (now_us - self._overdue_us & _MASK ^ _HALF) - _HALF >= self._patience_us

    def _collect_now(self):
        self.collects += 1
        self._uncollected = 0
        self._asked = self._overdue = False
        begin_us = self._us()
        self._collect()
        took_us = (self._us() - begin_us & _MASK ^ _HALF) - _HALF
        self.collect_max_us = max(self.collect_max_us, took_us)
        self._collect_budget_us = max(self._collect_budget_us, took_us)

    @micropython.native
    def _step(self, now_us, slack_us, behind, spare_us):
        """Run one slice if a job is ready and may; return whether it did."""
        jobs = self.jobs
        self.wait_us = _MAX_US
        for _ in range(len(jobs)):
            if self._turn >= len(jobs):
                self._turn = 0
            job = jobs[self._turn]
            self._turn += 1
            rest_us = _MAX_US if job.awaits == self.collects else job.rest_us(now_us)
            if rest_us:
                if rest_us < self.wait_us:
                    self.wait_us = rest_us
            elif job.may_run(now_us, slack_us, behind, self._patience_us, spare_us):
                self._slice(job)
                return True
        return False

    def _uncut(self, budget_us, need_us):
        """Return what a slice that cannot be cut is taken to need: as long as the longest so far, if that ever fits."""
        learned_us = self._uncut_us if self._uncut_us < self._most_us - _MARGIN_US else self._most_us - _MARGIN_US
        return max(budget_us + 1, need_us, learned_us)

    @micropython.native
    def _learn(self, job, run_us):
        """Keep how long a slice is taken to last, by one that took run_us."""
        if job.uncut:
            if job.hurried:
                self._uncut_us >>= 1
            self._uncut_us = max(self._uncut_us, run_us)
            return
        if job.hurried:
            job.longest_us = _half_way(job.longest_us, job.budget_us)
        if run_us > job.longest_us:
            job.longest_us = max(job.budget_us, min(run_us, self._most_us - _MARGIN_US))

    @micropython.native
    def _slice(self, job):
        """Resume one job once; remove it when it is exhausted or has raised."""
        begin_us = self._us()
        rest_us = None
        ended = False
        try:
            rest_us = next(job.generator)
        except StopIteration:
            ended = True
        except Exception as error:  # noqa: BLE001 - a job's defect must not stop the others
            ended = True
            self._failed(job.name, error)
        end_us = self._us()
        run_us = (end_us - begin_us & _MASK ^ _HALF) - _HALF
        job.account(run_us)
        self._learn(job, run_us)
        job.waiting = job.uncut = job.hurried = False
        job.need_us = job.longest_us
        if ended:
            self._turn -= 1
            self.jobs.remove(job)
        elif rest_us == COLLECTED:
            job.awaits = self.collects
            self.ask()
        elif rest_us and rest_us < 0:
            job.uncut = True
            job.need_us = self._uncut(job.budget_us, min(-rest_us, _MAX_US))
        elif rest_us:
            job.resting = True
            job.wake_us = (end_us - _HALF + min(rest_us, _MAX_US)) & _MASK ^ _HALF


def _half_way(longest_us, least_us):
    return least_us + (longest_us - least_us >> 1)
