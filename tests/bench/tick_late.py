"""How late control ticks of 20 ms begin with everything running: the whole firmware, its log, 35 days on flash.

The devices are FAKE and ideal on lines at the pace of 115200 baud, inside the image; scheduler, clock, file system,
keys and collection are the board's own. Virtual time: one instruction is 8 ns, waits take none of the host's.
"""

import gc
import json
import os
from binascii import unhexlify

from firmware import main as firmware_main
from firmware.hal.files import Files
from firmware.log import head
from firmware.log.journal import FOLDER, Journal
from firmware.log.record import Frame
from firmware.log.tree import Tree
from tests.bench.paced_board import PacedPlatform, furnish
from tests.bench.tick_watch import Watch

DAYS = 35
RECORDS_A_DAY = 96
EVENT_BYTES = 557_056  # what the event log keeps
_PIECE = 4096
UTC_S = 1_767_268_800  # a quarter hour begins


def fill(record):
    """Put 35 days of records and a full event log on the flash, as the firmware would; say so now and then."""
    files = Files("/bench")
    files.make_dir(FOLDER)
    journal = Journal(files)
    at = record.find(b"\x03\x19\x01\x00\x04")  # seq, in two bytes
    for seq in range(256, 256 + DAYS * RECORDS_A_DAY):
        record[at + 2], record[at + 3] = seq >> 8, seq & 255
        for _ in journal.append(seq, record):
            pass
        if not seq % 480:
            print("filled", seq)
    _write_head(files, seq + 1, record)
    files.make_dir("more")
    for number in range(EVENT_BYTES // (8 * _PIECE)):
        for _ in range(8):
            files.append("more/" + str(number), bytes(_PIECE))
    facts = os.statvfs("/")
    return 1000 * (facts[2] - facts[3]) // facts[2]


def _write_head(files, size, record):
    """Write the head as it is behind that record; the tree's hashes are FAKE, its work is that of a real one."""
    state = head.Head()
    frame = Frame(record, len(record))
    state.boot, state.size, state.prev = 1, size, frame.digest(memoryview(record))
    state.tree = Tree(size, [bytes(32)] * bin(size).count("1"))
    state.body = bytes(record[frame.body_at : frame.body_end])
    files.append(head.PATH, state.dump())


def main(seconds=3600):
    """Print the figures of so many virtual seconds."""
    furnish("/bench", 20, 2)
    with open("tests/vectors/record_few.json") as file:
        record = _grown(bytearray(unhexlify(json.load(file)["records"][0]["record"])))
    full = fill(record)
    record = None
    print(_measured(seconds, full))


def _grown(record):
    """Return the record with a seq of two bytes: its payload is two bytes longer."""
    at, body = record.find(b"\x03\x00\x04"), record.find(b"\xa0\x59") + 2
    length = (record[body] << 8 | record[body + 1]) + 2
    record[body], record[body + 1] = length >> 8, length & 255
    return record[:at] + b"\x03\x19\x01\x00" + record[at + 2 :]


def _measured(seconds, full):
    gc.collect()
    platform = PacedPlatform("/bench")
    station = firmware_main.build(platform)
    watch = Watch(station)
    station.stop = lambda: None
    platform.set_utc(UTC_S - 300, 1)
    first = station.chain.size
    for second in range(0, seconds, 300):
        station.run(300_000)
        watch.take()
        print("ran", second + 300, "s:", watch.late_us, watch.reads_late_us, station.chain.size - first)
    pool = station.sched.pool
    answers = [row[1] for row in station.field.statistics()]
    gc.collect()
    return {"late_us": watch.late_us, "reads_late_us": watch.reads_late_us, "late_count": watch.late_count,
            "missed": watch.missed, "seconds": seconds, "records": station.chain.size - first, "full_permille": full,
            "collects": pool.collects, "collect_max_us": pool.collect_max_us, "collects_forced": pool.collects_forced,
            "jobs": watch.jobs, "free_bytes": gc.mem_free(), "answers": answers,
            "anchored": station.chain.anchored and station.chain.anchor_error is None}
