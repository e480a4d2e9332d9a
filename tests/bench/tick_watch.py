"""Keeps what a station's tasks and jobs have counted: a task forgets it with every record."""

from firmware.core.task import Task


class Watch:
    """Counts on over all records of one station."""

    def __init__(self, station):
        self.late_us = self.late_count = self.missed = self.reads_late_us = 0
        self.jobs = {}
        self._tick = station.tick
        self._forget = station.tick.reset_worst
        self._reads = station.sched.tasks[0]  # what begins the reads at each grid time
        self._pool = station.sched.pool
        station.tick.reset_worst = self.take
        station.sched.add(Task("watch", self.look, 20, 10, 9, 1000))

    def take(self):
        """Take over what the tick has counted, and let it begin anew."""
        self.late_us = max(self.late_us, self._tick.late_max_us)
        self.late_count += self._tick.late
        self.missed += self._tick.missed
        self.reads_late_us = max(self.reads_late_us, self._reads.late_max_us)
        self._forget()

    def look(self):
        """Take over what the jobs have counted."""
        for job in self._pool.jobs:
            row = self.jobs.get(job.name)
            if row is None:
                row = self.jobs[job.name] = [0, 0]
            if job.slice_max_us > row[0]:
                row[0] = job.slice_max_us
            if job.forced > row[1]:
                row[1] = job.forced
