"""Run generators slice by slice in the slack between the periodic tasks.

A job yields nothing (or 0) to be resumed as soon as there is slack, or a positive number of us to rest
that long. Jobs take turns. A slice starts only when its declared budget fits before the next task.
A job passed over for `patience_us` gets one slice all the same, right behind a task, where the slack is
longest, and the slice is counted as forced: work that can never fit goes on, at a stated cost.
"""

from micropython import const

from firmware.core.errors import ConfigError

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_MAX_US = const(60000000)  # longest rest and longest declared slice

NOTHING = const(0)
RAN = const(1)


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

    def account(self, run_us):
        """Count one slice that took run_us."""
        self.slices = self.slices + 1 & _MASK
        if run_us > self.slice_max_us:
            self.slice_max_us = run_us
        if run_us > self.budget_us:
            self.over_budget = self.over_budget + 1 & _MASK

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

    def rest_us(self, now_us):
        """Return how many us this job still rests, 0 when it is ready."""
        if self.resting:
            left_us = (self.wake_us - now_us & _MASK ^ _HALF) - _HALF
            if 0 < left_us <= _MAX_US:
                return left_us
            self.resting = False
        return 0


class Pool:
    """Hold the background jobs and give one of them one slice at a time."""

    def __init__(self, us, failed, patience_us=1000000):
        self._us = us
        self._failed = failed
        self._patience_us = patience_us
        self._turn = 0
        self.jobs = []
        self.wait_us = _MAX_US  # after a pass without a slice: how long until a resting job is ready

    def add(self, job):
        """Append a job; it takes its first turn after those already here."""
        self.jobs.append(job)

    def step(self, now_us, slack_us, behind):
        """Run one slice if a job is ready and may; return RAN or NOTHING."""
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
                return RAN
        return NOTHING

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
