"""Take what comes in batches: judge, store in one transaction, then acknowledge to broker and board, in this order."""

import queue
import time

from host_tools.listen.arrival import Arrivals
from host_tools.listen.store import StoreError
from host_tools.operators.message import ack

_BATCH = 500  # messages of a transaction at most
_GATHER_S = 0.02  # how long a batch waits for more: a commit costs a flush of the disk, however many share it
_RETRY_S = (1, 2, 5, 10, 30)


class Counts:
    """What this listener has done since it started."""

    def __init__(self):
        self.messages = self.stored = self.repeated = self.refused = self.batches = self.failed = 0

    def line(self):
        """Return the counts in words."""
        return (f"{self.stored} records stored, {self.repeated} again, {self.refused} set aside, "
                f"{self.messages} messages in {self.batches} commits")


class Listener:
    """The way of each message; run() until stopped. `link` and `store` are of link.py and store.py."""

    def __init__(self, link, store, registry, key=None, say=print):
        """`key` signs what boards are told; without one they are told nothing and keep everything."""
        self._link, self._store, self._registry, self._key, self._say = link, store, registry, key, say
        self._judges = {}
        self.counts = Counts()
        self.stopping = False

    def run(self, report_s=10):
        """Work until `stopping`; what was taken is stored and acknowledged before the end."""
        next_s = time.monotonic() + report_s
        told = None
        while not self.stopping:
            self.step()
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + report_s
                line = self.counts.line()
                if line != told:
                    self._say(line)
                    told = line

    def step(self):
        """Take one batch, if there is one within a fifth of a second; return how many messages it had."""
        messages = self._gather()
        if messages and self._store_all(messages):
            return len(messages)
        return 0

    def _gather(self):
        came, messages = self._link.came, []
        try:
            messages.append(came.get(timeout=0.2))
            end_s = time.monotonic() + _GATHER_S
            while len(messages) < _BATCH:
                messages.append(came.get(timeout=max(end_s - time.monotonic(), 0)))
        except queue.Empty:
            pass
        return messages

    def _store_all(self, messages):
        """Store a batch, trying again while the store refuses; False if stopped before it took it."""
        for attempt in range(1 << 30):
            arrivals = Arrivals(self._registry)
            for message in messages:
                arrivals.take(message.topic, message.payload, self._judges)
            try:
                boards = self._store.commit(arrivals, self._key.kid if self._key else b"")
                break
            except StoreError as error:
                self.counts.failed += 1
                wait_s = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
                self._say(f"the store refuses: {error}; nothing is acknowledged, trying again in {wait_s} s")
                if not self._rest(wait_s):
                    return False
        self._count(messages, arrivals)
        for message in messages:
            self._link.done(message)
        self._tell(boards)
        return True

    def _rest(self, wait_s):
        end_s = time.monotonic() + wait_s
        while not self.stopping and time.monotonic() < end_s:
            time.sleep(0.1)
        return not self.stopping

    def _count(self, messages, arrivals):
        counts = self.counts
        counts.messages += len(messages)
        counts.batches += 1
        counts.stored += arrivals.stored
        counts.repeated += arrivals.repeated
        counts.refused += len(arrivals.refused)
        for one in arrivals.refused:
            self._say(f"set aside, from {one.topic}: {one.code}: {one.what}")

    def _tell(self, boards):
        """Tell each board how far its records are stored; it may let go of these."""
        if self._key is None:
            return
        for (site, device), board in boards.items():
            if board.size:
                told = ack(self._key, site, device, board.number, board.size, board.last_hash)
                self._link.publish(f"evenkeel/{site}/{device}/ack", told)
