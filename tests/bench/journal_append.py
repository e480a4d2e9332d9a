"""What the log writes on a flash that holds 35 days: records, head, checkpoint and events, on the board's littlefs."""

import gc
import os

from firmware.core.utc import Utc
from firmware.hal.files import Files
from firmware.log.chain import CHECKPOINT_PATH, Chain
from firmware.log.events import Events
from firmware.log.head import PATH as HEAD_PATH
from firmware.log.journal import path
from firmware.log.record import Frame
from tests.bench import stopwatch
from tests.device.test_chain import HASH_A, StubKeyring, quarter

DAYS = 35
RECORDS_A_DAY = 96
APPENDS = 1000
COUNTS_A_US = 25
CHECKPOINT = bytes(210)
EVENT = "The load's meter is silent: a substitute is in use, for ten seconds at most."


class Log:
    """The log's writers; its records are those of the chain, but for signatures, until they are measured."""

    def __init__(self):
        self._files = Files("/")
        self._utc = Utc()
        self._events = Events(self._files, self._utc, lambda kind, line: None)
        self._quarter = quarter()
        self._quarter.serials = [[role, "SERIAL-NUMBER-" + str(role)] for role in range(6)]
        self._quarter.meters = [[role, 45000, 12, 3, 1, 0] for role in range(6)]
        self.spent = {}
        self.chain = self.started()
        _run(self._events.open(1, None))

    def started(self):
        """Return the chain as a start of the board finds it."""
        chain = Chain(self._files, "north", "cab-1", HASH_A, HASH_A, HASH_A, StubKeyring())
        _run(chain.open())
        return chain

    def fill(self, seq):
        """Write one record and some events."""
        self._note(seq)
        _run(self._events.flush())
        self._quarter.events = [self._events.count, self._events.head]
        _run(self.chain.write(self._quarter))

    def measure(self, seq, data):
        """Write as many bytes as a record, what stands beside it, and events, and keep how long each took."""
        files = self._files
        journal = self.chain._journal
        journal.acknowledged = max(seq - DAYS * RECORDS_A_DAY, 0)
        self._run("append", journal.append(seq, data))
        self._run("head", files.replacing(HEAD_PATH, data + bytes(250)))
        self._run("checkpoint", files.replacing(CHECKPOINT_PATH, CHECKPOINT))
        self._note(seq)
        self._run("events", self._events.flush())

    def _note(self, seq):
        self._utc.advance(900_000)
        for _ in range(seq % 4):
            self._events.note("supervisor", "DEGRADED", EVENT)

    def _run(self, name, slices):
        whole = longest = 0
        while True:
            gc.collect()
            gc.disable()
            begin = stopwatch.now()
            more = next(slices, self)
            counts = stopwatch.since(begin) - stopwatch.cost
            gc.enable()
            whole += counts
            longest = max(longest, counts)
            if more is self:
                break
        self.spent.setdefault(name, []).append((whole // COUNTS_A_US, longest // COUNTS_A_US))


def _run(slices):
    for _ in slices:
        pass


def main():
    """Print the figures."""
    log = Log()
    held = DAYS * RECORDS_A_DAY
    for seq in range(held):
        log.fill(seq)
        if not seq % 480:
            gc.collect()
            print("filled", seq, "of", held)
    full = _full_permille()
    gc.collect()
    begin = stopwatch.now()
    log.chain = log.started()
    recovery_us = stopwatch.since(begin) // COUNTS_A_US
    assert log.chain.size == held
    data = Files("/").read_at(path(held - RECORDS_A_DAY), 0, 2048)
    data = bytes(data[: Frame(data, len(data)).length])
    for seq in range(held, held + APPENDS):
        log.measure(seq, data)
    print(figures(log.spent, full, len(data), held + APPENDS - log.chain.first_kept, recovery_us))


def figures(spent, full_permille, record_bytes, kept, recovery_us):
    """Return the figures of all writes: the whole of an append, and the longest piece of any that cannot be cut."""
    wholes = sorted(whole for whole, _ in spent["append"])
    made = {"max_us": wholes[-1], "median_us": wholes[APPENDS // 2], "p99_us": wholes[APPENDS * 99 // 100],
            "record_bytes": record_bytes, "days": DAYS, "appends": APPENDS, "full_permille": full_permille}
    made["kept_records"], made["recovery_us"] = kept, recovery_us
    for name, rows in spent.items():
        made[name + "_slice_us"] = max(longest for _, longest in rows)
        made[name + "_whole_us"] = max(whole for whole, _ in rows)
    made["slice_us"] = max(made[name + "_slice_us"] for name in spent)
    return made


def _full_permille():
    facts = os.statvfs("/")
    return 1000 * (facts[2] - facts[3]) // facts[2]
