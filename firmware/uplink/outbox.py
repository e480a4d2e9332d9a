"""What waits to be sent, straight from the flash: whole items in order, out of files named by their first number.

Records lie so in journal/MMMMM/NNNNNNNN.cbor, events in events/NNNNNNNN.jsonl. Nothing is kept twice: a place in a
file and one buffer is all.
"""

from micropython import const

from firmware.core.background import FLASH_US
from firmware.core.patience import at_once, patiently

_PIECE = const(128)
_SLICE = const(512)  # bytes read from flash at once


class Outbox:
    """The items of one folder from number `next` on. `measure(view)` gives the length of the first item, 0 for none.

    `share`: the numbers that share a folder of their own in it, named by number // share; None where there are none.
    """

    def __init__(self, files, folder, suffix, measure, view, share=None):
        self.next = 0  # number of the first item that has not been taken
        self.after = 0  # number behind those in the buffer
        self.view = view  # the buffer, which whoever else reads in between may use as well
        self.holes = 0  # items that were not there
        self._files = files
        self._folder = folder
        self._suffix = suffix
        self._measure = measure
        self._share = share
        self._first = None  # of the file at hand
        self._pos = 0  # of item `next` in it
        self._size = 0  # bytes of the items in the buffer

    def rewind(self, number):
        """Go on, or back, to an item."""
        self.next = number
        self._first = None

    def fill(self):
        """Yield while reading the next items; return how many bytes of the buffer they fill, 0 where none are."""
        while True:
            if self._first is None and not (yield from self._seek()):
                return 0
            size, count = yield from self._read(self._first, self._pos, None)
            if size:
                self._size, self.after = size, self.next + count
                return size
            if not (yield from self._turn_over()):
                return 0

    def take(self):
        """Count what the last fill() has read as taken."""
        self._pos += self._size
        self.next = self.after

    def find(self, number):
        """Yield while reading one item into the buffer; return its length, 0 where it is not there."""
        names = yield from self._numbers()
        first = max([name for name in names if name <= number], default=None)
        if first is None:
            return 0
        pos = yield from self._walk(first, number)
        if pos is None:
            return 0
        return (yield from self._read(first, pos, 1))[0]

    def _read(self, first, pos, most):
        """Yield while reading from a place of a file; return (bytes, number) of the whole items, `most` at most."""
        got = yield from read_slowly(self._files, self._path(first), pos, self.view)
        size = count = 0
        while size < got and count != most:
            length = self._measure(self.view[size:got])
            if not length:
                break
            size += length
            count += 1
            yield
        yield
        return size, count

    def _seek(self):
        """Find item `next`, or the first one behind it; return whether there is a file that may hold it."""
        names = yield from self._numbers()
        before = max([name for name in names if name <= self.next], default=None)
        if before is not None:
            pos = yield from self._walk(before, self.next)
            if pos is not None:
                self._first, self._pos = before, pos
                return True
        return self._begin(min([name for name in names if name > self.next], default=None))

    def _begin(self, first):
        """Begin a file that does not follow on: what lies between is not there."""
        if first is None:
            return False
        self.holes += first - self.next
        self._first, self._pos, self.next = first, 0, first
        return True

    def _walk(self, first, number):
        """Return the place of an item in a file, its end included; None where the file ends before."""
        pos, at = 0, first
        while at < number:
            size, count = yield from self._read(first, pos, number - at)
            if not count:
                return None
            pos, at = pos + size, at + count
            yield
        return pos

    def _turn_over(self):
        """Go on to the file behind the one at hand; return whether there is one."""
        yield FLASH_US  # to see whether it is there may take three milliseconds
        if self._first != self.next and self._files.size(self._path(self.next)) is not None:
            self._first, self._pos = self.next, 0
            return True
        names = yield from self._numbers()
        return self._begin(min([name for name in names if name > self._first], default=None))

    def _numbers(self):
        found = []
        places = [self._folder]
        yield FLASH_US
        if self._share:
            places = [self._folder + "/" + name for name in self._files.names(self._folder, True)]
        for place in places:
            yield FLASH_US
            for name in self._files.names(place):
                digits = name[: -len(self._suffix)]
                if name.endswith(self._suffix) and digits.isdigit():
                    found.append(int(digits))
                yield FLASH_US  # each name is a look into the flash, which may have a whole block to read for it
        yield
        return found

    def _path(self, first):
        if self._share:
            return "%s/%05d/%08d%s" % (self._folder, first // self._share, first, self._suffix)
        return "%s/%08d%s" % (self._folder, first, self._suffix)


def read_slowly(files, path, pos, view):
    """Yield while filling a buffer from a file, opened and read in slices of their own; return the bytes."""
    yield FLASH_US  # on a full flash opening takes two milliseconds, reading a twentieth of one
    file = yield from patiently(at_once, files.reader, path)
    if file is None:
        return 0
    yield
    got = 0
    with file:
        file.seek(pos)
        while got < len(view):
            count = file.readinto(view[got : got + _SLICE])
            if not count:
                break
            got += count
            yield
    yield
    return got


def measure_line(view):
    """Return the length of the first line in a buffer, its end included; 0 where there is no whole one."""
    for begin in range(0, len(view), _PIECE):  # piece by piece: all of it at once would take as much heap
        at = bytes(view[begin : begin + _PIECE]).find(b"\n")
        if at >= 0:
            return begin + at + 1
    return 0
