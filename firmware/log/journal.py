"""Keep the records on flash: files of 96, journal/NNNNNNNN.cbor, named by the first sequence number in it.

A file is a plain concatenation of records with consecutive numbers. One append is one open, write, close.
After a power cut recover() walks the last file record by record in a fixed buffer; what follows the last
whole record is moved to journal/NNNNNNNN.bad (numbered from 0, never overwritten) and cut off.
"""

from micropython import const

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.log.record import MAX_BYTES, Frame

FOLDER = "journal"
_SEGMENT_RECORDS = const(96)  # a day of quarter hours


class Tail:
    """What recover() found: the last whole record, and what was cut off behind it."""

    def __init__(self):
        self.next_seq = 0
        self.boot = 0  # of the last record
        self.digest = bytes(32)  # of its bytes to be signed
        self.body = None  # its payload, encoded
        self.damages = 0  # places where something was set aside
        self.set_aside_bytes = 0


class Entry:
    """One whole record as it lies in the journal's buffer until the next one is read."""

    def __init__(self, frame, buf, pos):
        self.frame = frame
        self.start = pos
        self.end = pos + frame.length
        self.kind, self.seq, self.boot, self.prev, self.firmware, self.config = frame.links(buf)
        self.digest = frame.digest(buf)


class Journal:
    """The journal of one board; `files` is a hal.files.Files."""

    segment_records = _SEGMENT_RECORDS

    def __init__(self, files):
        self._files = files
        self._buf = bytearray(MAX_BYTES)
        self._view = memoryview(self._buf)
        self._first = None  # number of the file that is appended to
        self._end = 0  # its length, records only
        self._next_seq = 0
        self.suspect = False  # an append failed: the file may end in a part of a record
        self.tail = Tail()

    def append(self, seq, data):
        """Append one record; LogError where the flash refuses, and then nothing counts as written."""
        if self._first is None or seq != self._next_seq or seq - self._first >= self.segment_records:
            self._first, self._end = seq, 0
        self.suspect = True
        try:
            self._files.append(_path(self._first), data)
        except OSError as error:
            raise LogError("JOURNAL_WRITE", "flash refused a record (%s); make room or replace it" % error)
        self.suspect = False
        self._end += len(data)
        self._next_seq = seq + 1

    def mend(self):
        """Cut off what a failed append may have left; LogError where the flash refuses that too."""
        try:
            self._cut(self._first, self._end)
        except OSError as error:
            raise LogError("JOURNAL_WRITE", "flash refused a repair (%s); make room or replace it" % error)
        self.suspect = False

    def recover(self):
        """Yield between records while finding the end of the journal; repair it and return the Tail."""
        self._files.make_dir(FOLDER)
        for name in [name for name in self._files.names(FOLDER) if name.endswith(".tmp")]:
            self._files.remove(FOLDER + "/" + name)  # of a replacement that was cut off before it counted
        self.tail = Tail()
        first = self._neighbour(None, False)
        while first is not None:
            last = yield from self._last_entry(first)
            if last:
                self._take_over(first, last)
                break
            self._cut(first, 0)
            self._files.remove(_path(first))
            first = self._neighbour(first, False)
        return self.tail

    def scan(self, seq):
        """Return a Scan over the records from file to file; it begins at or before `seq`."""
        return Scan(self, self._neighbour(seq + 1, False))

    def entry(self, first, pos):
        """Return the Entry at byte `pos` of a file, None where no whole record is."""
        count = self._files.read_into(_path(first), pos, self._buf)
        if not count:
            return None
        try:
            return Entry(Frame(self._view, count), self._view, pos)
        except LogError:
            return None

    def whole(self, entry):
        """Return the bytes of the entry just read."""
        return self._view[: entry.frame.length]

    def body(self, entry):
        """Return the payload of the entry just read, encoded."""
        return bytes(self._view[entry.frame.body_at : entry.frame.body_end])

    def _last_entry(self, first):
        """Return the last of the whole records in order, its payload readable; None where there is none."""
        limit = None
        while True:
            last = yield from self._walk(first, limit)
            if last is None:
                return None
            last = self.entry(first, last.start)  # into the buffer again
            try:
                body = self.body(last)
                if cbor.decode(body)[1] == len(body):
                    return last
            except LogError:
                pass
            limit = last.start

    def _walk(self, first, limit):
        last, pos, seq = None, 0, first
        while limit is None or pos < limit:
            entry = self.entry(first, pos)
            if entry is None or entry.seq != seq:  # a rotten link is for the verifier to name
                break
            last, pos, seq = entry, entry.end, seq + 1
            yield
        return last

    def _take_over(self, first, last):
        self._first, self._end, self._next_seq = first, last.end, last.seq + 1
        tail = self.tail
        tail.next_seq, tail.boot, tail.digest = last.seq + 1, last.boot, last.digest
        tail.body = self.body(last)
        try:
            self._cut(first, last.end)
        except OSError:  # no room for the repair now: nothing is appended before it is made
            self.suspect = True

    def _cut(self, first, end):
        """Make a file end at byte `end`; keep what was behind it in a .bad file."""
        size = self._files.size(_path(first)) or 0
        if size <= end:
            return
        self._files.copy(_path(first), end, size, "%s/%08d.bad" % (FOLDER, self._next_bad()))
        self._files.copy(_path(first), 0, end, _path(first))
        self.tail.damages += 1
        self.tail.set_aside_bytes += size - end

    def _next_bad(self):
        following = 0
        for name in self._files.names(FOLDER):
            number = _number(name, ".bad")
            if number is not None and number >= following:
                following = number + 1
        return following

    def _neighbour(self, first, after):
        """Return the number of the file next after `first`, or before it (before None: the last), or None."""
        best = None
        for name in self._files.names(FOLDER):
            number = _number(name, ".cbor")
            if number is None or first is not None and (number <= first if after else number >= first):
                continue
            if best is None or (number < best if after else number > best):
                best = number
        return best


class Scan:
    """Read record after record, one for each call: bounded work, bounded memory."""

    def __init__(self, journal, first):
        self._journal = journal
        self._first = journal._neighbour(-1, True) if first is None else first
        self._pos = 0

    def next(self):
        """Return the next Entry, None at the end. A file with a fault inside is left at the fault."""
        while self._first is not None:
            entry = self._journal.entry(self._first, self._pos)
            if entry:
                self._pos = entry.end
                return entry
            self._first, self._pos = self._journal._neighbour(self._first, True), 0
        return None


def _path(first):
    return "%s/%08d.cbor" % (FOLDER, first)


def _number(name, suffix):
    """Return the number in a name of eight digits or more, None for any other name."""
    digits = name[: -len(suffix)]
    if not name.endswith(suffix) or len(digits) < 8 or not digits.isdigit():
        return None
    return int(digits)
