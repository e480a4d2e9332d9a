"""Run generators slice by slice in the slack between the periodic tasks.

A job yields nothing (or 0) to be resumed as soon as there is slack, or a positive number of us to rest
that long. Jobs take turns. A slice starts only when its declared budget fits before the next task.
A job passed over for `patience_us` gets one slice all the same, right behind a task, where the slack is
longest, and the slice is counted as forced: work that can never fit goes on, at a stated cost.
"""

import micropython
from micropython import const

from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_MAX_US = const(60000000)  # longest rest and longest declared slice


class Background:
    """Hold one background job: a generator, its declared longest slice in us, and what it counted."""

    def __init__(self, name, generator, budget_us):
        if not 1 <= budget_us <= _MAX_US:
            text = "background %s: budget_us is %s, allowed 1..%d" % (name, budget_us, _MAX_US)
            raise ConfigError("BACKGROUND_RANGE", text)
        self.name = name
        self.generator = generator
        self.budget_us = budget_us
        self.slices = 0
        self.over_budget = 0
        self.slice_max_us = 0
        self.forced = 0
        self.wake_us = 0  # not before this time, while resting
        self.resting = False
        self.since_us = 0  # passed over since, while waiting
        self.waiting = False

    @micropython.native
    def account(self, run_us):
        """Count one slice that took run_us."""
        self.slices = self.slices + 1 & _MASK
        if run_us > self.slice_max_us:
            self.slice_max_us = run_us
        if run_us > self.budget_us:
            self.over_budget = self.over_budget + 1 & _MASK

    @micropython.native
    def may_run(self, now_us, slack_us, behind, patience_us):
        """Return whether a slice may start now: it fits, or it has waited enough and stands behind a task."""
        if self.budget_us <= slack_us:
            return True
        if not self.waiting:
            self.waiting = True
            self.since_us = now_us
        elif behind and (now_us - self.since_us & _MASK ^ _HALF) - _HALF >= patience_us:
            self.forced = self.forced + 1 & _MASK
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
    its place right behind a task, and holds further slices up once it is twice overdue.
    """

    def __init__(self, us, collect, failed, collect_every, collect_budget_us, patience_us=1000000):
        self._us = us
        self._collect = collect
        self._failed = failed
        self._collect_every = collect_every or _HALF - 1
        self._collect_budget_us = collect_budget_us
        self._patience_us = patience_us
        self._uncollected = 0
        self._turn = 0
        self.jobs = []
        self.busy = False  # there are jobs, or garbage to collect
        self.wait_us = _MAX_US  # after work() did nothing: how long until a resting job is ready
        self.collects = 0
        self.collects_forced = 0

    def add(self, job):
        """Append a job; it takes its first turn after those already here."""
        self.jobs.append(job)
        self.busy = True

    @micropython.native
    def work(self, now_us, slack_us, behind):
        """Collect, or run one slice, if it is due and fits into the slack; return whether it was done."""
        if self._uncollected >= self._collect_every:
            overdue = self._uncollected >= 2 * self._collect_every
            fits = self._collect_budget_us <= slack_us
            if fits or overdue and behind:
                self.collects += 1
                self.collects_forced += 0 if fits else 1
                self._uncollected = 0
                self._collect()
                return True
            if overdue:
                self.wait_us = _MAX_US
                return False
        if self._step(now_us, slack_us, behind):
            self._uncollected = self._uncollected + 1 & _MASK
            return True
        self.busy = bool(self.jobs) or self._uncollected >= self._collect_every
        return False

    @micropython.native
    def _step(self, now_us, slack_us, behind):
        """Run one slice if a job is ready and may; return whether it did."""
        jobs = self.jobs
        self.wait_us = _MAX_US
        for _ in range(len(jobs)):
            if self._turn >= len(jobs):
                self._turn = 0
            job = jobs[self._turn]
            self._turn += 1
            rest_us = job.rest_us(now_us)
            if rest_us:
                if rest_us < self.wait_us:
                    self.wait_us = rest_us
            elif job.may_run(now_us, slack_us, behind, self._patience_us):
                self._slice(job)
                return True
        return False

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
        job.account((end_us - begin_us & _MASK ^ _HALF) - _HALF)
        job.waiting = False
        if ended:
            self._turn -= 1
            self.jobs.remove(job)
        elif rest_us:
            job.resting = True
            job.wake_us = (end_us - _HALF + min(rest_us, _MAX_US)) & _MASK ^ _HALF
