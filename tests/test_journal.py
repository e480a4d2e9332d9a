"""Power cuts at every byte that the chain writes, rotten journals, and the same on real files."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.errors import LogError
from firmware.hal.files import Files
from firmware.log import journal
from firmware.log.checkpoint import note
from firmware.log.record import Frame
from firmware.log.tree import Tree
from tests.device.memory_files import MemoryFiles, joined
from tests.device.test_chain import CHECKPOINT_PATH, HEAD, gap, opened, payloads, quarter, run


class PowerCut(BaseException):
    """The power went: nothing of the firmware can catch it."""


class CutFiles(MemoryFiles):
    """A fake of Files whose power goes after so many steps; a step is one byte written or one rename.

    An append is torn where the power goes; a replacement leaves the old content and a part of its temporary.
    """

    def __init__(self, steps, content=None):
        super().__init__()
        self.steps = steps
        self.content = dict(content or {})

    def append(self, path, data):
        """Append byte by byte."""
        self.content[path] = self.content.get(path, b"") + bytes(data[: max(self.steps, 0)])
        self._take(len(data))

    def stage(self, path, data):
        """Write a temporary byte by byte."""
        data = joined(data)
        self.content[path + ".tmp"] = bytes(data[: max(self.steps, 0)])
        self._take(len(data))

    def commit(self, path):
        """Rename the temporary."""
        self._take(1)
        super().commit(path)

    def _take(self, count):
        self.steps -= count
        if self.steps < 0:
            raise PowerCut


def work(files, told, boots=2):
    """Write records over some starts; every record that write() returned from is counted in `told`."""
    for boot in range(boots):
        chain = opened(files)
        for made in (gap(), quarter()) if boot else (quarter(), gap()):
            run(chain.write(made))
            told.append(chain.size)


def judge(files, told):
    """Fail unless the journal is one chain that holds all that was told and that goes on."""
    before = len(told)
    chain = opened(files)
    assert before <= chain.size <= before + 1 and chain.lost_records == 0
    run(chain.write(gap()))
    found = payloads(files)
    assert [fields[3] for fields in found] == list(range(chain.size))
    boots = [fields[4] for fields in found]
    assert boots == sorted(boots) and (len(boots) < 2 or boots[-1] > boots[-2])
    tree, prev, data = Tree(), bytes(32), whole(files)
    for fields in found:
        frame = Frame(memoryview(data), len(data))
        assert fields[5] == prev
        prev = frame.digest(memoryview(data))
        tree.append(data[: frame.length])
        data = data[frame.length :]
    assert files.read(CHECKPOINT_PATH).startswith(note("site/dev", tree.size, tree.root()) + b"\n")


def whole(files):
    """Return records.cbor."""
    names = sorted(name for name in files.names("journal/00000") if name.endswith(".cbor"))
    return b"".join(files.read("journal/00000/" + name) for name in names)


@pytest.fixture
def short_files(monkeypatch):
    """Let a file of the journal hold two records, so that a cut falls on its change too."""
    monkeypatch.setattr(journal.Journal, "segment_records", 2)


def steps_of(content=None):
    """Return how many steps the whole work takes."""
    files = CutFiles(1 << 30, content)
    work(files, [])
    return (1 << 30) - files.steps


def cut_at(steps, content=None):
    """Return (files, told) after the power went at a step; the power is back."""
    files, told = CutFiles(steps, content), []
    with pytest.raises(PowerCut):
        work(files, told)
    files.steps = 1 << 30
    return files, told


def test_cut_at_every_step(short_files):
    total = steps_of()
    for steps in range(total):
        judge(*cut_at(steps))


@settings(max_examples=150)
@given(st.integers(0, 1 << 20), st.lists(st.integers(0, 3000), max_size=3))
def test_cuts_while_recovering_from_cuts(first, more):
    files, told = cut_at(first % steps_of())
    for steps in more:
        files.steps = steps
        try:
            work(files, told, boots=1)
        except PowerCut:
            # what was appended and not told may stand: the next start counts it
            pass
        files.steps = 1 << 30
        told[:] = range(opened(files).size)
    judge(files, told)


def numbers_of(files):
    """Return the numbers of the records in the journal, None for one that cannot be read."""
    data, numbers = whole(files), []
    while data:
        frame = Frame(data, len(data))
        try:
            numbers.append(frame.links(data)[1])
        except LogError:
            numbers.append(None)
        data = data[frame.length :]
    return numbers


def rotten(draw, files):
    """Spoil some bytes of some files of the journal."""
    names = sorted(name for name in files.content if name.startswith("journal/"))
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(names))
        data = bytearray(files.content[name])
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["flip", "cut", "fill", "insert"]))
        if how == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif how == "cut":
            del data[at:]
        elif how == "fill":
            data[at:] = bytes(len(data) - at)
        else:
            data[at:at] = draw(st.binary(max_size=20))
        files.content[name] = bytes(data)


@settings(max_examples=200)
@given(st.data())
def test_rotten_journal_never_stops_the_board_nor_gives_a_number_twice(data):
    files = MemoryFiles()
    chain = opened(files)
    for _ in range(5):
        run(chain.write(gap()))
    head, checkpoint = files.read(HEAD), files.read(CHECKPOINT_PATH)
    rotten(data.draw, files)
    intact = files.read(HEAD) == head
    chain = opened(files)
    if intact:
        assert chain.size == 5 and chain.anchored and files.read(CHECKPOINT_PATH) == checkpoint
    run(chain.write(gap()))
    numbers = [number for number in numbers_of(files) if number is not None]
    assert numbers == sorted(set(numbers)) and numbers[-1] == chain.size - 1
    assert opened(files).size == chain.size


@given(st.binary(max_size=2000))
def test_random_bytes_are_no_record_or_a_typed_error(data):
    try:
        frame = Frame(data, len(data))
        frame.links(data)
    except LogError as error:
        assert error.code and error.detail


def test_real_files_torn_at_every_tenth_byte(tmp_path):
    files = Files(str(tmp_path))
    chain = opened(files)
    run(chain.write(quarter()))
    run(chain.write(gap()))
    before = {path: path.read_bytes() for path in (tmp_path / "journal").rglob("*") if path.is_file()}
    run(chain.write(gap()))
    segment = tmp_path / "journal" / "00000" / "00000000.cbor"
    after = segment.read_bytes()
    for end in range(len(before[segment]), len(after), 10):
        for path, content in before.items():
            path.write_bytes(content)
        segment.write_bytes(after[:end])
        chain = opened(files)
        assert chain.size == 2 and chain.torn_bytes == end - len(before[segment])
        run(chain.write(gap()))
        assert [fields[3] for fields in payloads(files)] == [0, 1, 2]


_WRITER = """
import sys
sys.path[:0] = sys.argv[2:]
from firmware.hal.files import Files
from tests.device.test_chain import gap, opened, run
files = Files(sys.argv[1])
chain = opened(files)
while True:
    run(chain.write(gap()))
    print(chain.size, flush=True)
"""


def test_killed_process_loses_nothing(tmp_path):
    told = 0
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), ".", "host_tools/compat"],
                                   stdout=subprocess.PIPE, text=True)
        for _ in range(7):
            told = int(process.stdout.readline())
        process.kill()
        process.stdout.close()
        process.wait()
        chain = opened(Files(str(tmp_path)))
        assert chain.size >= told and chain.lost_records == 0
        assert [fields[3] for fields in payloads(Files(str(tmp_path)))] == list(range(chain.size))
