"""A scripted hour of the log on a real littlefs whose power goes at any write or erase of its flash, and the judge.

The flash is a fake in memory: from one operation on it loses everything, the first lost one half done or not at all.
The hour has a start, four records with their heads and checkpoints, events, an acknowledgement, changes of file and
of folder, and old files that go. Signatures are zeros: what is judged is what lies on flash.
"""

import os
from hashlib import sha256

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.utc import Utc
from firmware.hal.files import Files
from firmware.log import event_log, journal
from firmware.log.chain import Chain
from firmware.log.event_log import EventLog
from firmware.log.events import Events
from firmware.log.record import Frame
from tests.device.test_chain import HASH_A, StubKeyring, gap, quarter

BLOCKS, SIZE = 48, 4096
PLACE = "/hour"
DATA = bytearray(BLOCKS * SIZE)
OPTIONS = {"readsize": 256, "progsize": 256, "lookahead": 32}


class PowerCut(BaseException):
    """The power went: nothing of the firmware can catch it."""


class Flash:
    """A block device whose power goes at operation number `cut` of those that change it; None: never."""

    def __init__(self, cut=None, half=False):
        self.data = memoryview(DATA)
        self.count = 0
        self._dead = False
        self._cut = cut
        self._half = half

    def readblocks(self, block, buf, off=0):
        """Fill buf from a block."""
        if self._dead:  # asked by a file that nobody closed, from inside a collection: nothing can be had there
            return -5
        at = block * SIZE + off
        memoryview(buf)[:] = self.data[at : at + len(buf)]
        return 0

    def writeblocks(self, block, buf, off=0):
        """Program buf into a block, or half of it, or nothing."""
        return -5 if self._dead else self._change(block * SIZE + off, buf)

    def ioctl(self, op, arg):
        """Answer the count and the size of blocks; erase."""
        if op == 6:
            if self._dead:
                return -5
            self._change(arg * SIZE, b"\xff" * SIZE)
        return BLOCKS if op == 4 else SIZE if op == 5 else 0

    def _change(self, at, new):
        self.count += 1
        left = 1 if self._cut is None else self._cut - self.count + 1
        if left > 0:
            self.data[at : at + len(new)] = new
            return 0
        if left == 0 and self._half:
            self.data[at : at + len(new) // 2] = memoryview(new)[: len(new) // 2]
        self._dead = True
        raise PowerCut


class ShortLog(EventLog):
    """An event log whose files are full soon."""

    file_bytes = 1500
    files = 3


class Board:
    """What the firmware keeps of a log while it runs, on a mounted flash; `told` is what it confirmed."""

    def __init__(self, told):
        self.told = told
        self.files = Files(PLACE)
        self.events = Events(self.files, Utc(), lambda kind, line: None)
        self.events.log = ShortLog(self.files)
        self.chain = Chain(self.files, "site", "dev", HASH_A, HASH_A, HASH_A, StubKeyring())

    def start(self):
        """Start as the wiring does; the first record of every start but the first is a gap."""
        run(self.chain.open())
        last = self.chain.last_payload
        run(self.events.open(self.chain.boot, last and last[40]))
        self.events.note("main", "BOOT", "boot %d" % self.chain.boot)
        if last:
            self.write(gap())

    def write(self, interval):
        """Write events and a record as the keeper does."""
        run(self.events.flush())
        self.told["events"] = self.events.count, self.events.head
        interval.events = self.events.count, self.events.head
        run(self.chain.write(interval))
        self.told["records"] = self.chain.size

    def acknowledge(self, size):
        """Take an acknowledgement."""
        self.told["asked"] = size
        run(self.chain.acknowledge(size))
        self.told["acknowledged"] = size

    def hour(self):
        """Do what is done in an hour."""
        self.start()
        for number in range(4):
            for _ in range(number % 3):
                self.events.note("supervisor", "DEGRADED", "the load's meter is silent: a substitute is in use")
            self.write(quarter())
            if number == 1:
                self.acknowledge(self.chain.size - 1)
        self.events.note("main", "STOP", "stopped in good order")
        run(self.events.flush())
        self.told["events"] = self.events.count, self.events.head


def run(generator):
    """Run a generator to its end."""
    for _ in generator:
        pass


def small():
    """Let files and folders be full after a few records, and the flash after ten; return what undoes that."""
    whole = journal.Journal.segment_records, journal.FOLDER_RECORDS, journal.Journal.reserve_bytes
    journal.Journal.segment_records, journal.FOLDER_RECORDS = 3, 6

    def undo():
        journal.Journal.segment_records, journal.FOLDER_RECORDS, journal.Journal.reserve_bytes = whole

    return undo


def start_image(hours):
    """Return the flash of a board that has run for some hours, what it confirmed, and a reserve that leaves no room."""
    for at in range(0, len(DATA), SIZE):
        DATA[at : at + SIZE] = b"\xff" * SIZE
    os.VfsLfs2.mkfs(Flash(), **OPTIONS)
    told = {}
    mount(Flash())
    for _ in range(hours):
        board = Board(told)
        board.hour()
    free = board.files.free_bytes()
    os.umount(PLACE)
    return bytes(DATA), told, free - 3 * SIZE


def mount(flash):
    """Mount a flash."""
    os.mount(os.VfsLfs2(flash, **OPTIONS), PLACE)


def cut(image, told, at, half):
    """Let the power go in the hour, the flash being `image` before; return (what was confirmed, operations done)."""
    DATA[:] = image
    told = dict(told)
    flash = Flash(at, half)
    try:
        mount(flash)
        Board(told).hour()
    except (PowerCut, OSError, LogError):  # a file that is closed then says EIO in its place
        assert at is not None
    try:
        os.umount(PLACE)
    except (OSError, PowerCut):
        pass
    return told, flash.count


def judge(told):
    """Start the board again and let it go on; return how many records stand. AssertionError says what is wrong."""
    mount(Flash())
    try:
        board = Board({})
        board.start()
        before = board.chain.size - 1  # without the gap
        assert told["records"] <= before <= told["records"] + 1, "records"
        assert board.chain.acknowledged in (told["acknowledged"], told["asked"]), "acknowledged"
        assert board.chain.anchored and board.chain.lost_records == 0
        board.write(quarter())
        files = board.files
        events = event_heads(files)
        assert board.told["events"][0] > told["events"][0] and events[told["events"][0]] == told["events"][1]
        rows, first = records(files)
        assert [fields[3] for fields in rows] == list(range(first, board.chain.size)), "numbers"
        assert first <= told["asked"], "an unacknowledged record has gone"
        assert [fields[2] for fields in rows[before - first :]] == [2, 1], "the gap is not stated"
        assert rows[-1][4] > rows[before - first - 1][4] and rows[before - first][38] == 1
        for fields in rows:
            count, head = fields[40]
            assert count not in events or events[count] == head, "a record names another event"
        assert files.read("journal/checkpoint.txt").startswith(b"site/dev\n%d\n" % board.chain.size)
        return len(rows)
    finally:
        os.umount(PLACE)


def records(files):
    """Return (payloads, number of the first) of all records on flash, after checking their links."""
    names = []
    for folder in files.names("journal", True):
        names += [int(name[:-5]) for name in files.names("journal/" + folder) if name.endswith(".cbor")]
    found, prev = [], None
    for first in sorted(names):
        data = memoryview(files.read(journal.path(first)))
        while data:
            frame = Frame(data, len(data))
            fields = cbor.decode(data, frame.body_at)[0]
            assert prev is None or fields[5] == prev, "links"
            prev = frame.digest(data)
            found.append(fields)
            data = data[frame.length :]
    return found, min(names)


def event_heads(files):
    """Return {count: hash of all lines so far} from the lines on flash, each of which must follow the one before."""
    heads = {}
    for first in event_log.numbers(files):
        data = files.read(event_log.path(first))
        assert data.endswith(b"\n"), "a torn line"
        for line in data[:-1].split(b"\n"):
            seq, head = event_log._link(line)
            assert not heads or heads[seq] == head, "events"
            heads[seq] = head
            heads[seq + 1] = sha256(head + line).digest()
    return heads
