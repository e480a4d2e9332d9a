"""The keyring on any runtime: a change, a cut at its record, a board that makes its own keys, refusals."""

from firmware.core.errors import LogError
from firmware.core.types import KIND_KEYS, Interval
from firmware.log import keys
from firmware.log.chain import PUBLIC_PATH, Chain
from firmware.log.keyring import Keyring
from firmware.log.record import Frame
from tests.device.memory_files import MemoryFiles

SECRET = bytes(range(32))
HASH = b"h" * 32


class Cut(Exception):
    """Power failed."""


class CutFiles(MemoryFiles):
    """Files whose power fails at a rename."""

    def rename(self, old, new):
        """Fail."""
        raise Cut


def run(generator):
    """Run a generator to its end."""
    for _ in generator:
        pass


def opened(files, ring):
    """Return a chain, open."""
    chain = Chain(files, "site", "dev", HASH, HASH, HASH, ring)
    run(chain.open())
    return chain


def change(chain):
    """Change the keys."""
    made = Interval(KIND_KEYS)
    made.start_ms = made.clock_age_s = made.clock_error_ms = None
    made.duration_ms = made.uptime_ms = made.clock = 0
    made.pool_start = made.pool_end = [1, 2, 3, 4]
    run(chain.stage_keys(made))
    run(chain.write(made))
    return made


def kids(files):
    """Return which keys the records name as their own, in order."""
    data, found = files.read("journal/00000/00000000.cbor"), []
    while data:
        frame = Frame(data, len(data))
        at = data.find(b"\x04\x48")
        found.append(data[at + 2 : at + 10])
        data = data[frame.length :]
    return found


def seed(count):
    """Return what is no entropy."""
    return b"s" * count


def test_change():
    files = MemoryFiles()
    files.content["secret.bin"] = SECRET
    chain = opened(files, Keyring(files, seed))
    first = chain.keyring.signers[0].kid
    made = change(chain)
    second = chain.keyring.signers[0].kid
    assert made.next_record_key[0] == second != first and chain.anchor_error is None
    change(chain)
    assert kids(files) == [first, second]
    assert files.read(PUBLIC_PATH).count(b"kid") == 6 and "secret.new" not in files.content
    chain = opened(files, Keyring(files))
    change_refused = False
    try:
        change(chain)
    except LogError as error:
        change_refused = error.code == "KEY_ENTROPY"
    assert change_refused and chain.keyring.news == []


def test_cut_behind_the_record():
    files = CutFiles()
    files.content["secret.bin"] = SECRET
    chain = opened(files, Keyring(files, seed))
    cut = False
    try:
        change(chain)
    except Cut:
        cut = True
    assert cut and files.content["secret.bin"] == SECRET
    content, files = files.content, MemoryFiles()
    files.content = content
    ring = Keyring(files)
    opened(files, ring)
    assert files.content["secret.bin"] == keys.next_secret(SECRET, b"s" * 32) and ring.news == []
    assert "secret.new" not in files.content


def test_board_makes_its_own_keys_once():
    files = MemoryFiles()
    ring = Keyring(files, seed)
    opened(files, ring)
    made = files.content["secret.bin"]
    assert len(made) == 32 and made != b"s" * 32 and ring.news[0][0] == "KEYS_MADE"
    opened(files, Keyring(files, seed))
    assert files.content["secret.bin"] == made


def test_board_without_entropy_must_be_provisioned():
    for entropy in (None, lambda count: None):
        refused = ""
        try:
            opened(MemoryFiles(), Keyring(MemoryFiles(), entropy))
        except LogError as error:
            refused = error.code
        assert refused == "SECRET"
