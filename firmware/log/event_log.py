"""Keep the event lines on flash: files events/NNNNNNNN.jsonl, named by the first number in them, the oldest go first.

Each line carries the whole hash of all before it, so that the last line alone says where the chain stands.
"""

import json
from binascii import hexlify, unhexlify
from hashlib import sha256

FOLDER = "events"
LINE_BYTES = 1024  # the longest line, its end included


class EventLog:
    """The chain of lines: `count` so far, and `head`, the hash after the last one (zeros before the first)."""

    file_bytes = 131_072
    files = 5  # four hold seven days of a day's share and the day that may come at once; one is begun

    def __init__(self, files):
        self._files = files
        self._first = None  # number of the file that is appended to
        self._end = 0  # its length, whole lines only
        self._suspect = False  # an append failed: the file may end in a part of a line
        self.count = 0
        self.head = bytes(32)
        self.lost = None  # lines counted by the last record but not on flash; 0: the last one is another
        self.torn_bytes = 0

    def open(self, said):
        """Yield while finding the end of the log; `said` is [count, head] of the last record, or None."""
        self._files.make_dir(FOLDER)
        yield
        for first in reversed(numbers(self._files)):
            if self._find_end(first):
                break
            yield
            if self._files.size(path(first)):
                self._files.rename(path(first), "%s/%08d.bad" % (FOLDER, first))
            else:
                self._files.remove(path(first))  # made, and the power went before its first line
        if said and (said[0] > self.count or said[0] == self.count and said[1] != self.head):
            self.lost = said[0] - self.count
            self.count, self.head = said
            self._first = None

    def _find_end(self, first):
        """Take the last whole line of a file for the end; cut off what is behind it. False where there is none."""
        size = self._files.size(path(first))
        for count in (LINE_BYTES // 2, 2 * LINE_BYTES):  # the heap is scarce, and lines are short as a rule
            start = max(size - count, 0)
            tail = self._files.read_at(path(first), start, count)
            found = _last_line(tail, start == 0)
            if found:
                break
        else:
            return False
        begin, end, link = found
        self.count, self.head = link[0] + 1, sha256(link[1] + tail[begin:end]).digest()
        self._first, self._end = first, start + end + 1
        self.torn_bytes += size - self._end
        self._suspect = size > self._end
        return True

    def mend(self):
        """Cut off what a failed append or a power cut left behind the last whole line, if it did."""
        if self._suspect and self._first is not None:
            name = path(self._first)
            if (self._files.size(name) or 0) > self._end:
                self._files.copy(name, 0, self._end, name)
        self._suspect = False

    def append(self, boot, lines):
        """Yield while appending lines, a KB of them at most; return how many. OSError: none of them is there."""
        if self._first is None or self._end >= self.file_bytes:
            self._first, self._end = self.count, 0
        data = bytearray()
        count, head = self.count, self.head
        for line in lines:
            chained = _chained(count, boot, head, line)
            if data and len(data) + len(chained) >= LINE_BYTES:  # more in one piece a heap may not have
                break
            data += chained + b"\n"
            count, head = count + 1, sha256(head + chained).digest()
            yield  # a line takes a millisecond
        self._suspect = True
        yield from self._files.appending(path(self._first), data)
        self._suspect = False
        taken = count - self.count
        self.count, self.head, self._end = count, head, self._end + len(data)
        return taken

    def drop_oldest(self):
        """Remove the oldest file where the next line would make one too many; return how many lines left, ever."""
        if self._first is not None and self._end < self.file_bytes:
            return 0
        found = numbers(self._files)
        if len(found) < self.files:
            return 0
        self._files.remove(path(found[0]))
        return found[1]


def path(first):
    """Return the path of the file whose first line has this number."""
    return "%s/%08d.jsonl" % (FOLDER, first)


def numbers(files):
    """Return the numbers of the log's files, ascending."""
    return sorted(int(name[:-6]) for name in files.names(FOLDER) if name.endswith(".jsonl") and name[:-6].isdigit())


def _chained(seq, boot, head, line):
    """Return a line with its place in the chain: its number, the boot, the hash of all before it."""
    return ('{"seq": %d, "boot": %d, "prev": "%s", %s' % (seq, boot, hexlify(head).decode(), line[1:])).encode()


def _last_line(tail, whole):
    """Return (begin, end, link) of the last line of ours in a file's tail, None; `whole`: it is all of the file."""
    end = len(tail)
    while True:
        end = tail.rfind(b"\n", 0, end)
        begin = tail.rfind(b"\n", 0, end) + 1
        if end < 0 or not (begin or whole):
            return None
        link = _link(tail[begin:end])
        if link:
            return begin, end, link


def _link(line):
    """Return (number, hash before it) of a line, None where it is none of ours."""
    try:
        found = json.loads(line)
        link = found["seq"], unhexlify(found["prev"])
        return link if len(link[1]) == 32 and link[0] >= 0 else None
    except (ValueError, KeyError, TypeError):
        return None
