"""The way from a closed interval to the journal, in the background: gap, interval, signature, flash; retried for ever.

`cutter` and `book` are the ledger's, handed in by main.
"""

from firmware.core.background import FLASH_US
from firmware.core.errors import LogError

_RETRY_US = 10_000_000
_REST_US = 20_000


class Keeper:
    """Writes what the cutter has closed, oldest first, each exactly once."""

    def __init__(self, cutter, book, chain, events, finish):
        self._cutter = cutter
        self._book = book
        self._chain = chain
        self._events = events
        self._finish = finish  # fills in what only the whole firmware knows: meters, ticks
        self.running = False
        self._keys_wanted = False
        self._first_kept = chain.first_kept
        self._lost = 0

    def change_keys(self):
        """Ask for a change of keys: it is made behind the next record, once there is one."""
        self._keys_wanted = True

    def wanted(self):
        """Return True when there is something to write and nobody writing it."""
        return not self.running and (self._cutter.waiting or self._events.waiting() or self._gap_due()
                                     or self._keys_due())

    def _keys_due(self):
        return self._keys_wanted and self._book.pool is not None and not self._book.restarted

    def _gap_due(self):
        return self._book.restarted and self._cutter.opening().trust

    def work(self, other=None):
        """Return a generator of short slices that writes everything that waits; it must be run to its end.

        `other` begins nothing while this runs, and is let end what it is at: heap is scarce, and time between ticks.
        """
        self.running = True  # from now on, not from its first slice: that may be a while, and two would write all twice
        return self._work(other)

    def _work(self, other):
        try:
            while other is not None and other.busy:
                yield _REST_US
            yield from self._events.flush()  # a record names the last event on flash
            if self._gap_due():
                yield from self._gap(self._cutter.oldest() or self._cutter.opening())
            while self._cutter.waiting:
                yield from self._one(self._cutter.oldest())
                self._cutter.drop_oldest()
            if self._keys_due():
                yield from self._change_keys()
            yield from self._events.flush()
        finally:
            self.running = False

    def _one(self, closed):
        yield from self._gap(closed)
        yield FLASH_US  # it may look its factor up on flash
        interval = self._book.close(closed)
        yield
        self._finish(interval)
        yield from self._write(interval)

    def _change_keys(self):
        """State the next pair of keys in a record of its own, the last one that the pair in use signs."""
        self._keys_wanted = False
        stamp = self._cutter.opening()
        try:
            yield from self._gap(stamp)
            change = self._book.keys_change(stamp)
            yield from self._chain.stage_keys(change)
            yield from self._write(change)
            self._events.note("keys", "KEYS_CHANGED", "record %d names them; signed with the new ones from record %d "
                              "on" % (self._chain.size - 1, self._chain.size))
        except (LogError, OSError) as error:
            self._events.note("keys", "KEYS_REFUSED", "the keys stay as they are: %s" % error)
        self.tell(self._chain.keyring.news)

    def tell(self, news):
        """Note what the keyring has to say."""
        while news:
            code, text = news.pop(0)
            self._events.note("keys", code, text)

    def _gap(self, closed):
        gap = self._book.gap_before(closed)
        if gap is not None:
            yield from self._write(gap)
            self._book.gap_written()

    def _say_gone(self):
        """Note which of the acknowledged records have left the flash to make room, and which intervals never came."""
        first = self._chain.first_kept
        if first != self._first_kept:
            self._events.note("journal", "RECORDS_GONE", "records %d to %d, stored elsewhere, have left the flash"
                              % (self._first_kept, first - 1))
            self._first_kept = first
        lost = self._cutter.lost
        if lost != self._lost:
            self._events.note("journal", "INTERVAL_LOST", "%d closed intervals found no room while the flash refused; "
                              "a gap stands in their place" % (lost - self._lost))
            self._lost = lost

    def _write(self, interval):
        """Write one record; a refusing flash is tried again until it takes it, and said once."""
        told = False
        seq = self._chain.size
        while self._chain.size == seq:  # else it is in the journal, whatever failed behind it
            interval.events = [self._events.count, self._events.head]
            try:
                yield from self._chain.write(interval)
                self._say_gone()
                return
            except MemoryError:
                pass  # garbage is collected while this rests; a note would want memory too
            except (LogError, OSError) as error:
                if not told:
                    self._events.note("journal", "WRITE_REFUSED", str(error))
                told = True
            yield from self._events.flush()
            yield _RETRY_US
