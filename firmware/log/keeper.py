"""The way from a closed interval to the journal, in the background: gap, interval, signature, flash; retried for ever.

`cutter` and `book` are the ledger's, handed in by main.
"""

from firmware.core.errors import LogError

_RETRY_US = 10_000_000


class Keeper:
    """Writes what the cutter has closed, oldest first, each exactly once."""

    def __init__(self, cutter, book, chain, events, finish):
        self._cutter = cutter
        self._book = book
        self._chain = chain
        self._events = events
        self._finish = finish  # fills in what only the whole firmware knows: meters, ticks
        self.running = False

    def wanted(self):
        """Return True when there is something to write and nobody writing it."""
        return not self.running and (self._cutter.waiting or self._events.waiting() or self._gap_due())

    def _gap_due(self):
        return self._book.restarted and self._cutter.opening().trust

    def work(self):
        """Return a generator of short slices that writes everything that waits; it must be run to its end."""
        self.running = True  # from now on, not from its first slice: that may be a while, and two would write all twice
        return self._work()

    def _work(self):
        try:
            if self._gap_due():
                yield from self._gap(self._cutter.oldest() or self._cutter.opening())
            while self._cutter.waiting:
                yield from self._one(self._cutter.oldest())
                self._cutter.drop_oldest()
            yield from self._events.flush()
        finally:
            self.running = False

    def _one(self, closed):
        yield from self._gap(closed)
        interval = self._book.close(closed)
        yield
        self._finish(interval)
        yield from self._write(interval)

    def _gap(self, closed):
        gap = self._book.gap_before(closed)
        if gap is not None:
            yield from self._write(gap)
            self._book.gap_written()

    def _write(self, interval):
        """Write one record; a refusing flash is tried again until it takes it, and said once."""
        told = False
        seq = self._chain.size
        while self._chain.size == seq:  # else it is in the journal, whatever failed behind it
            try:
                yield from self._chain.write(interval)
                return
            except MemoryError:
                pass  # garbage is collected while this rests; a note would want memory too
            except (LogError, OSError) as error:
                if not told:
                    self._events.note("journal", "WRITE_REFUSED", str(error))
                told = True
            yield _RETRY_US
