"""The chain on any runtime: numbers, links, flags, restarts, a missing head, a full flash."""

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.types import FLAG_REBOOT, KIND_GAP, Interval
from firmware.log.chain import CHECKPOINT_PATH, Chain
from firmware.log.journal import Journal
from firmware.log.record import Frame
from tests.device.memory_files import MemoryFiles

SEGMENT = "journal/00000/00000000.cbor"
HEAD = "journal/head.cbor"
HASH_A = b"a" * 32
HASH_B = b"b" * 32


class StubSigner:
    """A signer of the documented interface that signs with zeros: signatures are not the matter here."""

    def __init__(self, kid):
        self.kid = kid
        self.spki = bytes(91)
        self.signature = b""

    def sign(self, digest):
        """Give the digest twice as signature."""
        yield
        self.signature = digest + digest


class StubKeyring:
    """A keyring of the documented interface with stub signers."""

    def __init__(self):
        self.signers = StubSigner(b"recordky"), StubSigner(b"checkpky")
        self.next = None
        self.news = []

    def open(self, kid):
        """Nothing to open."""
        yield


def run(generator):
    """Run a generator to its end."""
    for _ in generator:
        pass


def opened(files, config=HASH_A, firmware=HASH_A):
    """Return a chain, open."""
    chain = Chain(files, "site", "dev", firmware, config, HASH_A, StubKeyring())
    run(chain.open())
    return chain


def gap():
    """Return an Interval of the short kind."""
    made = Interval(KIND_GAP)
    made.start_ms = made.duration_ms = made.clock_age_s = made.clock_error_ms = None
    made.uptime_ms = made.clock = 0
    made.pool_start = made.pool_end = [1, 2, 3, 4]
    made.reason = 1
    return made


def quarter():
    """Return an Interval of the long kind."""
    made = Interval(1)
    made.start_ms = made.clock_age_s = made.clock_error_ms = made.soc_permille = None
    made.duration_ms = 900000
    made.uptime_ms = made.clock = made.ticks_expected = made.ticks_ok = made.gap_max_ms = made.quality = 0
    made.substituted_wh = made.substitute_method = made.residual_wh = made.loss_wh = made.trueup_wh = 0
    made.meters = [[0, 1, 2, 3, 4, 0]]
    made.fuel_ml = made.fuel_mg_per_l = made.work = None
    made.serials = [[0, None]]
    made.registers = [[0, 0] + [None] * 6]
    made.uses_wh = made.pool_start = made.pool_end = [1, 2, 3, 4]
    made.sources_wh = made.load_mix_wh = made.direct_mg_per_kwh = made.lifecycle_mg_per_kwh = [1, 2, 3, 4, 5]
    made.ticks = [1, 2, 3, 4, 5]
    made.grid_factor = [None, None, 2]
    made.carbon_direct_ug = made.carbon_lifecycle_ug = [1, 2, 3, 4, 5, 6]
    return made


def payloads(files):
    """Return the payloads in the journal's files, in order."""
    found = []
    for name in sorted(files.names("journal/00000")):
        if name.endswith(".cbor"):
            data = files.read("journal/00000/" + name)
            while data:
                frame = Frame(data, len(data))
                found.append(cbor.decode(data, frame.body_at)[0])
                data = data[frame.length :]
    return found


def test_numbers_and_links():
    files = MemoryFiles()
    chain = opened(files)
    assert chain.size == 0 and chain.boot == 1 and chain.last_payload is None
    for _ in range(3):
        run(chain.write(gap()))
    data = files.read(SEGMENT)
    first = Frame(data, len(data))
    one, two, three = payloads(files)
    assert [p[3] for p in (one, two, three)] == [0, 1, 2]
    assert one[5] == bytes(32) and two[5] == first.digest(memoryview(data))
    assert two[4] == 1 and two[6] == HASH_A and two[38] == 1 and 19 not in two
    assert chain.last_payload == three
    assert files.read(CHECKPOINT_PATH).startswith(b"site/dev\n3\n")


def test_restart_goes_on():
    files = MemoryFiles()
    run(opened(files).write(gap()))
    chain = opened(files)
    assert chain.size == 1 and chain.boot == 2 and chain.torn_bytes == 0
    assert chain.last_payload[28] == [1, 2, 3, 4]
    run(chain.write(gap()))
    assert [(p[3], p[4]) for p in payloads(files)] == [(0, 1), (1, 2)]


def test_flags_compare_with_interval_before_gaps():
    files = MemoryFiles()
    chain = opened(files)
    run(chain.write(quarter()))
    run(chain.write(quarter()))
    chain = opened(files, config=HASH_B)
    run(chain.write(gap()))
    chain = opened(files, config=HASH_B, firmware=HASH_B)
    run(chain.write(gap()))
    run(chain.write(quarter()))
    run(chain.write(quarter()))
    flags = [p.get(19) for p in payloads(files)]
    assert flags == [0, 0, None, None, FLAG_REBOOT | 1 << 12 | 1 << 13, 0]


def test_head_missing_torn_or_behind_is_rebuilt():
    files = MemoryFiles()
    chain = opened(files)
    heads = []
    for _ in range(5):
        heads.append(files.read(HEAD))
        run(chain.write(gap()))
    want = files.read(CHECKPOINT_PATH)
    whole = files.read(HEAD)
    for spoilt in (None, b"", whole[:-1], b"\x00" + whole[1:], heads[0], heads[2], heads[4]):
        files.content[HEAD] = spoilt
        if spoilt is None:
            files.remove(HEAD)
        chain = opened(files)
        assert chain.size == 5 and chain.boot == 2, spoilt
        assert files.read(CHECKPOINT_PATH) == want


def test_records_lost_from_journal_keep_their_numbers():
    files = MemoryFiles()
    chain = opened(files)
    for _ in range(4):
        run(chain.write(gap()))
    data = files.read(SEGMENT)
    third = 2 * Frame(data, len(data)).length
    files.content[SEGMENT] = data[: third + 40] + b"\xff" * 40 + data[third + 80 :]
    chain = opened(files)
    assert chain.size == 4 and chain.lost_records == 2 and chain.torn_bytes == len(data) - third
    assert files.read("journal/00000000.bad")[:40] == data[third : third + 40]
    run(chain.write(gap()))
    assert [p[3] for p in payloads(files)] == [0, 1, 4]
    assert len(files.read("journal/00000/00000004.cbor")) > 0
    assert chain.anchored
    files.remove(HEAD)  # with a hole in the journal the tree cannot be built anew, and says so
    chain = opened(files)
    assert chain.size == 5 and not chain.anchored
    run(chain.write(gap()))
    assert opened(files).size == 6 and files.read(CHECKPOINT_PATH).startswith(b"site/dev\n5\n")


def test_emptied_last_file():
    files = MemoryFiles()
    whole, Journal.segment_records = Journal.segment_records, 2
    try:
        chain = opened(files)
        for _ in range(3):
            run(chain.write(gap()))
        assert sorted(files.names("journal/00000")) == ["00000000.cbor", "00000002.cbor"]
        files.content["journal/00000/00000002.cbor"] = b""
        chain = opened(files)
        assert chain.size == 3 and chain.lost_records == 1
        files.remove(HEAD)
        files.content["journal/00000/00000002.cbor"] = b""
        assert opened(files).size == 2
    finally:
        Journal.segment_records = whole


def test_full_flash_changes_nothing_and_can_be_retried():
    files = MemoryFiles()
    chain = opened(files)
    run(chain.write(gap()))
    good = files.read(SEGMENT)
    for room in (0, 1, 100, len(good) - 1):
        files.room = room
        for _ in range(2):
            try:
                run(chain.write(gap()))
                raise AssertionError("a full flash went unnoticed")
            except LogError as error:
                assert error.code == "JOURNAL_WRITE"
        assert chain.size == 1
    files.room = None
    run(chain.write(gap()))
    assert [p[3] for p in payloads(files)] == [0, 1]
    assert files.read(SEGMENT).startswith(good)


def test_record_is_written_though_the_anchor_is_refused():
    files = MemoryFiles()
    chain = opened(files)
    run(chain.write(gap()))
    files.room = len(files.read(SEGMENT)) + 10
    run(chain.write(gap()))
    assert chain.size == 2 and chain.anchor_error.code == "ANCHOR_WRITE"
    assert files.read(CHECKPOINT_PATH).startswith(b"site/dev\n1\n")
    files.room = None
    run(chain.close())
    assert chain.anchor_error is None and files.read(CHECKPOINT_PATH).startswith(b"site/dev\n2\n")


class _Short(MemoryFiles):
    """FAKE shortage: so many times a file finds no memory to be replaced."""

    short = 0

    def replacing(self, path, data):
        if self.short:
            self.short -= 1
            raise MemoryError
        yield from MemoryFiles.replacing(self, path, data)


def test_anchor_that_found_no_memory_is_tried_again_at_once():
    files = _Short()
    chain = opened(files)
    for short in (1, 2, 3, 5):
        files.short = short
        run(chain.write(gap()))
        assert chain.anchor_error is None and files.read(CHECKPOINT_PATH).startswith(b"site/dev\n%d\n" % chain.size)
    files.short = 9
    run(chain.write(gap()))
    assert chain.size == 5 and chain.anchor_error.code == "ANCHOR_WRITE" and files.short == 3


def test_names_that_a_note_cannot_carry_are_refused():
    for site in ("", "a b", "a+b", "a/b", "\u00e4", "a\n"):
        try:
            Chain(MemoryFiles(), site, "dev", HASH_A, HASH_A, HASH_A, StubKeyring())
            raise AssertionError(site)
        except LogError as error:
            assert error.code == "CHECKPOINT_NAME"


def test_starts_without_a_record_are_counted():
    files = MemoryFiles()
    run(opened(files).write(gap()))
    for boot in (2, 3, 4):
        assert opened(files).boot == boot


def test_head_of_another_journal_is_not_followed():
    files = MemoryFiles()
    other = MemoryFiles()
    chain = opened(files)
    run(chain.write(gap()))
    run(chain.write(gap()))
    want = files.read(CHECKPOINT_PATH)
    run(opened(other, config=HASH_B).write(gap()))
    files.content[HEAD] = other.read(HEAD)
    assert opened(files).size == 2 and files.read(CHECKPOINT_PATH) == want


def test_acknowledged_records_are_remembered_over_restarts():
    files = MemoryFiles()
    chain = opened(files)
    for _ in range(4):
        run(chain.write(gap()))
    for size, want in ((0, 0), (3, 3), (2, 3), (5, 3), (4, 4)):  # never back, never beyond what there is
        run(chain.acknowledge(size))
        assert chain.acknowledged == want
    run(chain.write(gap()))
    assert opened(files).acknowledged == 4
    for spoilt in (b"", b"x", b"-3"):
        files.content["journal/acknowledged"] = spoilt
        assert opened(files).acknowledged == 0  # then nothing goes that may be the only copy
