"""Keep tasks in the order of their due times, and pick the most important one that may start."""

import micropython
from micropython import const

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_SLACK_MAX_US = const(60000000)


class DueQueue:
    """A list linked through the tasks themselves: putting one in its place allocates nothing."""

    def __init__(self, failed):
        self._failed = failed
        self.head = None
        self.slack_us = 0  # after pick() found nothing: time until something may start

    @micropython.native
    def pick(self, now_us):
        """Return the most important task that may start at now_us, or None and the slack until one may."""
        best = None
        slack_us = _SLACK_MAX_US
        task = self.head
        while task is not None:
            ahead_us = (task.due_us - now_us & _MASK ^ _HALF) - _HALF
            if ahead_us > 0:
                if ahead_us < slack_us:
                    slack_us = ahead_us
                break
            if task.gate is None or self._gate_open(task, now_us, -ahead_us):
                if best is None or task.priority < best.priority:
                    best = task
            elif task.hold_us + ahead_us < slack_us:
                slack_us = task.hold_us + ahead_us
            task = task.next
        self.slack_us = slack_us
        return best

    @micropython.native
    def _gate_open(self, task, now_us, overdue_us):
        """Ask a task's gate; one that raises counts as open, so that the task still runs."""
        try:
            return task.gate_open(now_us, overdue_us)
        except Exception as error:  # a gate's defect must not stop the others
            task.release_us = now_us
            task.released = True
            task.errors = task.errors + 1 & _MASK
            self._failed(task.name, error)
        return True

    @micropython.native
    def take(self, task):
        """Take a task out of the order."""
        node = self.head
        if node is task:
            self.head = task.next
            return
        while node.next is not task:
            node = node.next
        node.next = task.next

    @micropython.native
    def put(self, task, ahead_us, now_us):
        """Put a task, due ahead_us after now_us, into the order."""
        node = self.head
        last = None
        while node is not None and (node.due_us - now_us & _MASK ^ _HALF) - _HALF <= ahead_us:
            last = node
            node = node.next
        task.next = node
        if last is None:
            self.head = task
        else:
            last.next = task

    def align(self, task, origin_us, now_us):
        """Put a task on its first grid time: its offset after the origin, within one period from now."""
        ahead_us = (origin_us - now_us & _MASK ^ _HALF) - _HALF + task.offset_us
        if not 0 <= ahead_us <= task.period_us:
            ahead_us %= task.period_us
        task.due_us = now_us - _HALF + ahead_us & _MASK ^ _HALF
        task.released = False
        self.put(task, ahead_us, now_us)
