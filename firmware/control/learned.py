"""What the dispatcher has learnt, kept on flash: a board that starts again goes on with it.

`learned.bin` beside site.json, replaced whole every four hours and at an orderly end. Little endian: 4 bytes of
format, 8 that stand for the site and its ratings, u32 the quarter hour (since 1970) it was written in, the arrays as
they lie in memory, and 8 bytes of the SHA-256 of all before. What is not exactly that is not taken, and an event says
so.

The days of the reserve belong to an hour: they are taken once UTC is known, and nothing is written before. What was
missed meanwhile keeps the values of a week before. All else is taken at the start.
"""

from hashlib import sha256

from micropython import const

from firmware.core.types import CLOCK_UNKNOWN

PATH = "learned.bin"
_FORMAT = b"EVL1"  # another with every change of what an array holds
_HEAD = const(16)
_SUM = const(8)
_EVERY = const(16)  # quarter hours
_OLD = const(2688)  # quarter hours, four weeks: what the load was before is no word on what it will be


def make(config, files, dispatch, utc, unit_w, note):
    """Return a Learned for a site.json with its defaults, what the file has already taken."""
    site = config["site"]
    made = Learned(files, dispatch, utc, (site["id"], site["device"], unit_w, sorted(config["ratings"].items())))
    made.resume(note)
    return made


class Learned:
    """Keeps the arrays of a Dispatch in a file; `files` is hal's, `utc` the clock, `mark` says whose they are."""

    def __init__(self, files, dispatch, utc, mark):
        """`mark` is what has another repr() for another site, battery or unit of power."""
        self._files = files
        self._utc = utc
        self._days = dispatch.reserve.ring
        self._arrays = tuple(dispatch.learnt()) + (self._days,)  # the days last: they are read by themselves
        self._mark = sha256(repr(mark).encode()).digest()[:8]
        self._size = _HEAD + _SUM + sum([_bytes_of(cells) for cells in self._arrays])
        self._waits = None  # the quarter in which the days were written that wait for UTC
        self._written = None  # sixteenths of quarters: when it was last
        self.busy = False
        self._refused = False

    def resume(self, note):
        """Take what the file has, but for the days; `note(source, code, text)` is told what became of it."""
        try:
            size = self._files.size(PATH)
            wrong = size is not None and self._wrong(size)
            if size is not None and not wrong:
                self._take()
        except OSError as error:
            wrong = str(error)
        if wrong:
            note("dispatch", "LEARNED_REFUSED", "%s: %s; wind and load are learnt anew" % (PATH, wrong))

    def _wrong(self, size):
        """Return what is wrong with a file of this size, None if nothing is."""
        if size != self._size:
            return "of %d bytes, not %d: cut, or of another firmware or plant" % (size, self._size)
        data = self._files.read(PATH)
        if sha256(memoryview(data)[:-_SUM]).digest()[:_SUM] != data[-_SUM:]:
            return "damaged"
        if data[:4] != _FORMAT or data[4:12] != self._mark:
            return "of another site, of other ratings or of another firmware"
        self._waits = int.from_bytes(data[12:_HEAD], "little")
        return None

    def _take(self):
        at = _HEAD
        for cells in self._arrays[:-1]:
            self._files.read_into(PATH, at, cells)
            at += _bytes_of(cells)

    def due(self):
        """Return True if work() has something to do: the days can be taken, or it is time to write."""
        utc = self._utc
        if self.busy or utc.trust == CLOCK_UNKNOWN:
            return False
        if self._written is None:
            self._written = utc.quarter // _EVERY
        return self._waits is not None or self._written != utc.quarter // _EVERY

    def work(self, note):
        """Return a generator that takes the days that wait, or else writes; it must be run to its end."""
        self.busy = True
        return self._work(note)

    def _work(self, note):
        try:
            if self._waits is not None:
                yield
                self._take_days(note)
            else:
                self._written = self._utc.quarter // _EVERY
                yield from self.writing(note)
        finally:
            self.busy = False

    def _take_days(self, note):
        age = self._utc.quarter - self._waits
        self._waits = None
        if 0 <= age <= _OLD:
            self._files.read_into(PATH, self._size - _SUM - _bytes_of(self._days), self._days)
            note("dispatch", "LEARNED", "the load's days are known again, as of %d quarter hours ago" % age)
        else:
            note("dispatch", "LEARNED_REFUSED", "%s: of %s; the load's days are learnt anew"
                 % (PATH, "a time to come" if age < 0 else "over four weeks ago"))

    def writing(self, note):
        """Write the file; a generator. What the flash refuses is said once, and tried again in its time."""
        if self._utc.trust == CLOCK_UNKNOWN or self._waits is not None:
            return  # the days that are on flash are worth more
        try:
            data = bytearray(self._size)
            data[:12] = _FORMAT + self._mark
            data[12:_HEAD] = self._utc.quarter.to_bytes(4, "little")
            at = _HEAD
            for cells in self._arrays:
                yield
                part = bytes(cells)
                data[at:at + len(part)] = part
                at += len(part)
            yield
            data[-_SUM:] = sha256(memoryview(data)[:-_SUM]).digest()[:_SUM]
            yield from self._files.replacing(PATH, data)
            self._refused = False
        except (OSError, MemoryError) as error:
            if not self._refused:
                note("dispatch", "LEARNED_UNWRITTEN", "%s: %s; what is learnt from now on may be lost" % (PATH, error))
            self._refused = True


def _bytes_of(cells):
    return len(bytes(cells))
