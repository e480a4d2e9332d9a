"""The event log on any runtime: its chain, restarts, files that take turns, a day's share, a flash that refuses."""

import json
from hashlib import sha256

from firmware.core.utc import Utc
from firmware.log import event_log
from firmware.log.events import Events
from tests.device.memory_files import MemoryFiles

FIRST = "events/00000000.jsonl"


def run(generator):
    """Run a generator to its end."""
    for _ in generator:
        pass


def opened(files, boot=1, said=None):
    """Return (Events, its clock) over files, its end found."""
    utc = Utc()
    made = Events(files, utc, lambda kind, line: None)
    run(made.open(boot, said))
    return made, utc


def lines(files):
    """Return the lines of the log in order, as bytes."""
    return b"".join(files.read(event_log.path(first)) for first in event_log.numbers(files)).splitlines()


def followed(found, head=bytes(32), seq=0):
    """Check the chain of the lines from what stands before them; return (count, head)."""
    for line in found:
        row = json.loads(line)
        assert row["seq"] == seq and bytes(int(row["prev"][i : i + 2], 16) for i in range(0, 64, 2)) == head
        head, seq = sha256(head + line).digest(), seq + 1
    return seq, head


def test_each_line_follows_the_one_before():
    files = MemoryFiles()
    made, utc = opened(files)
    assert made.count == 0 and made.head == bytes(32)
    utc.advance(1234)
    made.note("main", "BOOT", "boot 1")
    utc.set(1_893_408, 250, 1, 0)
    made.note("supervisor", "FAULT", "it said \"no\"\n")
    assert made.count == 0 and made.waiting() == 2  # a record names only what is on flash
    run(made.flush())
    assert made.waiting() == 0 and followed(lines(files)) == (made.count, made.head)
    first, second = [json.loads(line) for line in lines(files)]
    assert first == {"seq": 0, "boot": 1, "prev": "0" * 64, "utc_ms": None, "uptime_ms": 1234, "source": "main",
                     "code": "BOOT", "text": "boot 1"}
    assert second["utc_ms"] == 1_893_408 * 900_000 + 250 and second["text"] == "it said \"no\"\n"


def test_a_restart_goes_on_from_the_last_line():
    files = MemoryFiles()
    for boot in (1, 2, 3):
        made, _ = opened(files, boot)
        for number in range(boot):
            made.note("main", "N%d" % number, "")
        run(made.flush())
    found = lines(files)
    assert followed(found) == (6, made.head)
    assert [json.loads(line)["boot"] for line in found] == [1, 2, 2, 3, 3, 3]


def test_a_torn_line_is_cut_off_and_said():
    files = MemoryFiles()
    made, _ = opened(files)
    made.note("main", "ONE", "")
    run(made.flush())
    whole = files.read(FIRST)
    for torn in (b"{", whole[:-1], b"\xff" * 300, whole[:-1] + b"x\n"):
        files.content[FIRST] = whole + torn
        made, _ = opened(files, 2)
        run(made.flush())
        assert files.read(FIRST).startswith(whole) and followed(lines(files)) == (2, made.head)
        assert json.loads(lines(files)[1])["code"] == "EVENTS_LOST"


def test_an_empty_or_rotten_file_gives_way_to_the_one_before():
    for content in (b"", b"\x00" * 700):
        files = MemoryFiles()
        made, _ = opened(files)
        made.note("main", "ONE", "")
        run(made.flush())
        files.content["events/00000001.jsonl"] = content
        made, _ = opened(files)
        assert made.count == 1 and files.read("events/00000001.jsonl") is None
        assert files.read("events/00000001.bad") == (content or None)


def test_where_lines_are_lost_the_record_says_how_the_chain_goes_on():
    files = MemoryFiles()
    made, _ = opened(files)
    for _ in range(3):
        made.note("main", "N", "")
    run(made.flush())
    said = [made.count, made.head]
    found = lines(files)
    for left in (found[:2], [], found[:2] + [found[2].replace(b'"N"', b'"M"')]):
        files.content = {FIRST: b"".join(line + b"\n" for line in left)}
        made, _ = opened(files, 2, said)
        run(made.flush())
        rows = lines(files)[len(left):]
        assert followed(rows, said[1], 3) == (4, made.head) and json.loads(rows[0])["code"] == "EVENTS_LOST"


def test_more_lines_than_the_record_says_are_believed():
    files = MemoryFiles()
    made, _ = opened(files)
    made.note("main", "ONE", "")
    run(made.flush())
    said = [made.count, made.head]
    made.note("main", "TWO", "")
    run(made.flush())
    again, _ = opened(files, 2, said)
    assert (again.count, again.head) == (2, made.head) and again.waiting() == 0


def test_what_the_flash_refuses_is_written_later():
    files = MemoryFiles()
    made, utc = opened(files)
    made.note("main", "ONE", "")
    run(made.flush())
    for room in (0, 1, 150):
        files.room = room
        made.note("main", "MORE", "")
        run(made.flush())
        assert made.count == 1 and made.waiting() == 0  # it rests
    files.room = None
    utc.advance(10_000)
    assert made.waiting() == 3
    run(made.flush())
    assert followed(lines(files)) == (4, made.head)


def test_what_finds_no_room_in_memory_is_counted_and_said():
    files = MemoryFiles()
    made, utc = opened(files)
    for number in range(70):
        made.note("main", "N", "%d" % number)
    assert made.waiting() == 64 and made.dropped == 6
    run(made.flush())
    for _ in range(4):
        utc.advance(1_000_000)
    run(made.flush())
    rows = [json.loads(line) for line in lines(files)]
    assert len(rows) == 65 and rows[-1]["code"] == "EVENTS_DROPPED" and rows[-1]["text"].startswith("6 events")
    assert made.dropped == 0


def test_who_matters_always_has_a_part_of_the_share_of_his_own():
    made, _ = opened(MemoryFiles())
    made._share = 18_000  # of a day's share so much is left: on flash the rest would fill a small heap here
    while not made.dropped:
        made.note("supervisor", "DEGRADED", "and back again")
        run(made.flush())
    before = made.count
    made.note("operator", "OVERRIDE", "stop")
    run(made.flush())
    assert made.count == before + 1


class ShortLog(event_log.EventLog):
    """A log of few and small files, so that a small board's memory holds some."""

    file_bytes = 600
    files = 3


def test_the_oldest_file_goes_and_that_is_said():
    files = MemoryFiles()
    made, _ = opened(files)
    made.log = ShortLog(files)
    run(made.log.open(None))
    for number in range(30):
        made.note("main", "N", "%d" % number)
        run(made.flush())
        assert len(files.content) <= 3
    rows = [json.loads(line) for line in lines(files)]
    first = rows[0]["seq"]
    assert first > 0 and followed(lines(files), bytes(int(rows[0]["prev"][i : i + 2], 16) for i in range(0, 64, 2)),
                                  first) == (made.count, made.head)
    said = [row["text"] for row in rows if row["code"] == "EVENTS_GONE"]
    assert said[-1] == "the first %d events have left the flash, oldest first" % first
