"""Whoever writes the log goes to the file system only in a slice that was announced with FLASH_US. Files: a fake."""

from firmware.core.background import FLASH_US
from firmware.core.utc import Utc
from firmware.log.events import Events
from tests.device.memory_files import MemoryFiles
from tests.device.test_chain import opened, quarter, run
from tests.device.test_events import ShortLog
from tests.device.test_journal import ShortJournal, filled, make


class Touched:
    """A fake: files in memory that count how often they are used."""

    def __init__(self, files):
        self.files = files
        self.uses = 0

    def __getattr__(self, name):
        self.uses += 1
        return getattr(self.files, name)

    def appending(self, path, data):
        """Append as the real ones do: announced."""
        yield FLASH_US
        self.append(path, data)

    def replacing(self, path, data):
        """Replace as the real ones do: announced."""
        yield FLASH_US
        self.replace(path, data)


def unannounced(generator, files, announced=False):
    """Run a generator to its end; return the numbers of the slices that used the files without having said so."""
    found, number, ended = [], 0, False
    while not ended:
        uses, said = files.uses, 0
        try:
            said = next(generator)
        except StopIteration:
            ended = True
        if files.uses > uses and not announced:
            found.append(number)
        announced = said == FLASH_US
        number += 1
    return found


def test_the_journal_says_so_when_it_makes_room():
    memory, _ = filled(10)
    files = Touched(memory)
    journal = ShortJournal(files)
    run(journal.recover())
    journal.acknowledged, journal.reserve_bytes = 10, 0
    memory.free = sum(len(data) for data in memory.content.values()) - 1
    assert unannounced(journal.append(10, make(10, bytes(32))[0]), files, True) == []
    assert journal.first_kept == 4


def test_the_chain_says_so():
    files = Touched(MemoryFiles())
    chain = opened(files)
    for _ in range(2):
        before = files.uses
        assert unannounced(chain.write(quarter()), files) == []
        assert files.uses > before
    files.files.room = 0
    try:
        run(chain.write(quarter()))
        raise AssertionError("not refused")
    except Exception as error:
        assert getattr(error, "code", "") == "JOURNAL_WRITE"
    files.files.room = None
    assert unannounced(chain.write(quarter()), files) == []  # with the repair of what was refused
    assert chain.size == 3


def test_the_event_log_says_so_and_makes_one_line_a_slice():
    files = Touched(MemoryFiles())
    made = Events(files, Utc(), lambda kind, line: None)
    run(made.open(1, None))
    made.log = ShortLog(files)
    run(made.log.open(None))
    for number in range(30):
        made.note("main", "N", "%d" % number)
        assert unannounced(made.flush(), files) == []
    for number in range(4):
        made.note("main", "N", "%d" % number)
    assert sum(1 for _ in made.flush()) >= 4
