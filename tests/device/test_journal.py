"""The journal on any runtime: files of 96, recovery of torn ends. Its files are a fake in memory."""

from hashlib import sha256

from firmware.core.errors import LogError
from firmware.core.types import KIND_GAP, Interval
from firmware.log import layout, record
from firmware.log.journal import Journal
from tests.device.memory_files import MemoryFiles

PROTECTED = record.protected_header("site", "dev", b"12345678")


class ShortJournal(Journal):
    """A journal with few records in a file, so that a small board's memory holds some files."""

    segment_records = 4


def drain(generator):
    """Return what a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def make(seq, prev):
    """Return (record, its digest); the signature is zeros, the journal does not look at it."""
    gap = Interval(KIND_GAP)
    gap.start_ms = gap.duration_ms = gap.clock_age_s = gap.clock_error_ms = None
    gap.uptime_ms = gap.clock = 0
    gap.pool_start = gap.pool_end = [0, 0, 0, 0]
    gap.reason = 1
    body = drain(layout.payload(gap, seq, 7, prev, bytes(32), bytes(32), bytes(32)))
    digest = sha256(record.to_be_signed(PROTECTED, body)).digest()
    return bytes(record.envelope(PROTECTED, body, bytes(64))), digest


def filled(count):
    """Return (files, records) of a journal with so many records."""
    files = MemoryFiles()
    journal = ShortJournal(files)
    drain(journal.recover())
    prev, records = bytes(32), []
    for seq in range(count):
        data, prev = make(seq, prev)
        drain(journal.append(seq, data))
        records.append(data)
    return files, records


def recovered(files):
    """Return the Tail after a restart."""
    return drain(ShortJournal(files).recover())


def test_empty_journal():
    tail = recovered(MemoryFiles())
    assert (tail.next_seq, tail.body, tail.damages) == (0, None, 0)


def test_files_change_when_they_are_full():
    assert Journal.segment_records == 96
    files, records = filled(10)
    assert sorted(files.names("journal/00000")) == ["00000000.cbor", "00000004.cbor", "00000008.cbor"]
    assert files.read("journal/00000/00000004.cbor") == b"".join(records[4:8])
    tail = recovered(files)
    assert tail.next_seq == 10 and tail.boot == 7 and tail.damages == 0
    assert tail.body == records[-1][-66 - len(tail.body) : -66]


def test_torn_end_is_cut_and_kept():
    for torn in (1, 70, 200, 300):
        files, records = filled(3)
        part = records[2][:torn]
        files.content["journal/00000/00000000.cbor"] = records[0] + records[1] + part
        tail = recovered(files)
        assert (tail.next_seq, tail.damages, tail.set_aside_bytes) == (2, 1, torn)
        assert files.read("journal/00000/00000000.cbor") == records[0] + records[1]
        assert files.read("journal/00000000.bad") == part
        assert recovered(files).damages == 0


def test_damaged_bytes_are_never_overwritten():
    files, records = filled(1)
    for number in range(3):
        files.content["journal/00000/00000000.cbor"] += b"junk %d" % number
        assert recovered(files).set_aside_bytes == 6
    assert files.read("journal/00000002.bad") == b"junk 2" and files.read("journal/00000000.bad") == b"junk 0"
    assert files.read("journal/00000/00000000.cbor") == records[0]


def test_fault_inside_sets_the_rest_aside():
    files, records = filled(4)
    data = bytearray(b"".join(records))
    at = 2 * len(records[0])
    data[at] ^= 1
    files.content["journal/00000/00000000.cbor"] = bytes(data)
    tail = recovered(files)
    assert tail.next_seq == 2 and tail.set_aside_bytes == len(data) - at
    assert files.read("journal/00000000.bad") == bytes(data[at:])


def test_records_out_of_order_or_twice_end_the_journal():
    files, records = filled(4)
    for wrong in (records[:2] + [records[1]], records[:2] + [records[3]]):
        files.content["journal/00000/00000000.cbor"] = b"".join(wrong)
        assert recovered(files).next_seq == 2


def test_empty_or_rotten_last_file_gives_way_to_the_one_before():
    for content in (b"", b"\xff" * 50):
        files, _ = filled(5)
        files.content["journal/00000/00000004.cbor"] = content
        tail = recovered(files)
        assert tail.next_seq == 4 and tail.set_aside_bytes == len(content)
        assert files.read("journal/00000/00000004.cbor") is None


def test_last_record_with_a_rotten_payload_is_set_aside():
    files, records = filled(3)
    spoilt = bytearray(records[2])
    spoilt[-66 - 38 - 1] = 0xF7  # the reason, before the events: "undefined" is no value of the format
    files.content["journal/00000/00000000.cbor"] = records[0] + records[1] + bytes(spoilt)
    assert recovered(files).next_seq == 2


def test_scan_reads_from_file_to_file():
    files, _ = filled(9)
    journal = ShortJournal(files)
    drain(journal.recover())
    scan = journal.scan(7)
    numbers = []
    entry = scan.next()
    while entry:
        numbers.append(entry.seq)
        entry = scan.next()
    assert numbers == [4, 5, 6, 7, 8]
    assert journal.scan(8).next().seq == 8 and journal.scan(0).next().seq == 0


def test_refused_append_is_mended():
    files, records = filled(2)
    journal = ShortJournal(files)
    tail = drain(journal.recover())
    files.room = 10
    data, _ = make(2, tail.digest)
    try:
        drain(journal.append(2, data))
        raise AssertionError("not refused")
    except LogError as error:
        assert error.code == "JOURNAL_WRITE" and journal.suspect
    files.room = None
    journal.mend()
    drain(journal.append(2, data))
    assert files.read("journal/00000/00000000.cbor") == b"".join(records) + data
    assert files.read("journal/00000000.bad") == data[:10]


def test_left_over_replacements_are_removed():
    files, _ = filled(1)
    files.content["journal/head.cbor.tmp"] = b"part"
    recovered(files)
    assert files.read("journal/head.cbor.tmp") is None


def acknowledged(files, size, free):
    """Return a journal over files whose records below `size` are stored elsewhere, on a flash of `free` bytes."""
    journal = ShortJournal(files)
    drain(journal.recover())
    journal.acknowledged = size
    journal.reserve_bytes = 0
    files.free = free
    return journal


def used(files):
    """Return the bytes of all files."""
    return sum(map(len, files.content.values()))


def test_the_oldest_acknowledged_file_goes_first_and_only_when_room_is_needed():
    files, _ = filled(10)
    journal = acknowledged(files, 10, used(files) + 100)
    prev = bytes(32)
    data, _ = make(10, prev)
    files.free += len(data)
    drain(journal.append(10, data))
    assert journal.first_kept == 0  # there was room
    files.free = used(files) - 1
    drain(journal.append(11, make(11, prev)[0]))
    assert journal.first_kept == 4 and files.read("journal/00000/00000000.cbor") is None
    assert drain(ShortJournal(files).recover()).next_seq == 12


def test_what_is_not_acknowledged_never_goes():
    for size in (0, 3):  # a file of which one record is stored nowhere else stays whole
        files, _ = filled(10)
        before = dict(files.content)
        journal = acknowledged(files, size, used(files) - 1)
        try:
            drain(journal.append(10, make(10, bytes(32))[0]))
            raise AssertionError("not refused")
        except LogError as error:
            assert error.code == "JOURNAL_FULL"
        assert files.content == before and not journal.suspect and journal.first_kept == 0
        journal.acknowledged = 4
        files.free = used(files) - len(before["journal/00000/00000000.cbor"]) + 1
        drain(journal.append(10, make(10, bytes(32))[0]))
        assert journal.first_kept == 4


def test_the_file_that_is_written_to_stays():
    files, _ = filled(6)
    journal = acknowledged(files, 6, 0)
    try:
        drain(journal.append(6, make(6, bytes(32))[0]))
        raise AssertionError("not refused")
    except LogError as error:
        assert error.code == "JOURNAL_FULL"
    assert list(files.content) == ["journal/00000/00000004.cbor"]


def test_empty_folders_of_cut_off_removals_are_removed():
    files, _ = filled(2)
    removed = []
    files.remove_dir = removed.append
    files.content["journal/00003/x"] = b""
    listed = files.names

    def names(path, folders=False):
        return [] if path == "journal/00003" else listed(path, folders)

    files.names = names
    assert recovered(files).next_seq == 2 and removed == ["journal/00003"]
