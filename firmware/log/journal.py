"""Keep the records on flash: files of 96, journal/NNNNN/NNNNNNNN.cbor, named by the first sequence number in it.

A file is a plain concatenation of records with consecutive numbers. One append is one open, write, close. A folder
holds sixteen days: what littlefs does at a write grows with the square of the names beside it, and with each folder.
Where room is short the oldest file goes, if all of it has been acknowledged: stored elsewhere. Else the newest record
is refused.
After a power cut recover() walks the last file record by record in a fixed buffer; what follows the last
whole record is moved to journal/NNNNNNNN.bad (numbered from 0, never overwritten) and cut off.
"""

from micropython import const

from firmware.core import cbor
from firmware.core.background import FLASH_US
from firmware.core.errors import LogError
from firmware.log.record import MAX_BYTES, Frame

FOLDER = "journal"
_ACKNOWLEDGED = FOLDER + "/acknowledged"
_SEGMENT_RECORDS = const(96)  # a day of quarter hours
FOLDER_RECORDS = 1536
_APPEND_BYTES = const(8192)  # what one append may take at most of what is free, and what is written beside it


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
        self._buf = buf

    @property
    def digest(self):
        """Return the SHA-256 of its bytes to be signed; only until the next one is read."""
        return self.frame.digest(self._buf)


class Journal:
    """The journal of one board; `files` is a hal.files.Files."""

    segment_records = _SEGMENT_RECORDS
    reserve_bytes = 98_304  # kept free for what the file system copies, for head, checkpoint and events

    def __init__(self, files):
        self._files = files
        self._view = None  # of the buffer that records are read into, while some are
        self._firsts = []  # numbers of all files, ascending
        self._room = 0  # bytes that may be appended before what is free is looked up again
        self.acknowledged = 0  # the records below are stored elsewhere
        self._first = None  # number of the file that is appended to
        self._end = 0  # its length, records only
        self._next_seq = 0
        self.suspect = False  # an append failed: the file may end in a part of a record
        self.tail = Tail()

    @property
    def first_kept(self):
        """Return the number of the oldest record on flash, 0 where there is none."""
        return self._firsts[0] if self._firsts else 0

    def append(self, seq, data):
        """Yield while appending one record; LogError where the flash refuses, and then nothing counts as written."""
        try:
            yield from self._make_room()
            if self._first is None or seq != self._next_seq or seq - self._first >= self.segment_records:
                self._files.make_dir(_folder(seq))
                self._first, self._end = seq, 0
            self.suspect = True
            yield from self._files.appending(path(self._first), data)
        except OSError as error:
            self._room = 0
            raise LogError("JOURNAL_WRITE", "flash refused a record (%s); make room or replace it" % error)
        self.suspect = False
        if not self._end:
            self._firsts.append(self._first)
        self._end += len(data)
        self._next_seq = seq + 1

    def acknowledge(self, size):
        """Yield while noting durably that all records below `size` are stored elsewhere: from then on they may go."""
        yield from self._files.replacing(_ACKNOWLEDGED, b"%d" % size)
        self.acknowledged = size

    def _make_room(self):
        """Let the oldest files go that may, while too little is free; LogError where none may."""
        self._room -= _APPEND_BYTES
        while self._room < 0:
            self._room = self._files.free_bytes() - self.reserve_bytes
            yield FLASH_US
            if self._room < 0:
                if len(self._firsts) < 2 or self._firsts[1] > self.acknowledged:
                    raise LogError("JOURNAL_FULL", "no room for a record, and the oldest are stored nowhere else yet; "
                                   "fetch and acknowledge them, or remove other files")
                yield from self._drop_oldest()

    def _drop_oldest(self):
        first = self._firsts[0]
        self._files.remove(path(first))
        self._firsts.pop(0)
        yield FLASH_US
        if _folder(self._firsts[0]) != _folder(first):
            self._files.remove_dir(_folder(first))
            yield FLASH_US

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
        yield from self._find_files()
        self.tail = Tail()
        said = self._files.read(_ACKNOWLEDGED) or b""
        self.acknowledged = int(said) if said.isdigit() else 0
        first = self._neighbour(None, False)
        while first is not None:
            last = yield from self._last_entry(first)
            if last:
                self._take_over(first, last)
                break
            self._cut(first, 0)
            self._files.remove(path(first))
            self._firsts.remove(first)
            first = self._neighbour(None, False)
        return self.tail

    def _find_files(self):
        """List the files; remove what a power cut left: replacements that do not count, folders without files."""
        files = self._files
        self._firsts = []
        for folder in [""] + list(files.names(FOLDER, True)):  # noqa: RUF005 - MicroPython
            place = FOLDER + "/" + folder if folder else FOLDER
            names = list(files.names(place))
            yield
            for name in names:
                number = _number(name, ".cbor")
                if name.endswith(".tmp"):
                    files.remove(place + "/" + name)
                elif number is not None and _folder(number) == place:
                    self._firsts.append(number)
            if folder.isdigit() and not names:
                files.remove_dir(place)
        self._firsts.sort()

    def scan(self, seq):
        """Return a Scan over the records from file to file; it begins at or before `seq`."""
        return Scan(self, self._neighbour(seq + 1, False))

    def entry(self, first, pos):
        """Return the Entry at byte `pos` of a file, None where no whole record is."""
        if self._view is None:
            self._view = memoryview(bytearray(MAX_BYTES))
        count = self._files.read_into(path(first), pos, self._view)
        if not count:
            return None
        try:
            return Entry(Frame(self._view, count), self._view, pos)
        except LogError:
            return None

    def lend(self, buffer):
        """Read records into this buffer, until release()."""
        self._view = memoryview(buffer)

    def release(self):
        """Give the buffer back: what was read is not needed any more, and writing needs none."""
        self._view = None
        self.tail.body = None

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
        size = self._files.size(path(first)) or 0
        if size <= end:
            return
        self._files.copy(path(first), end, size, "%s/%08d.bad" % (FOLDER, self._next_bad()))
        self._files.copy(path(first), 0, end, path(first))
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
        if after:
            return min([number for number in self._firsts if number > first], default=None)
        return max([number for number in self._firsts if first is None or number < first], default=None)


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


def _folder(first):
    return "%s/%05d" % (FOLDER, first // FOLDER_RECORDS)


def path(first):
    """Return the path of the file whose first record has this number."""
    return "%s/%08d.cbor" % (_folder(first), first)


def _number(name, suffix):
    """Return the number in a name of eight digits or more, None for any other name."""
    digits = name[: -len(suffix)]
    if not name.endswith(suffix) or len(digits) < 8 or not digits.isdigit():
        return None
    return int(digits)
