"""For tests of key changes: files that lose power at a chosen write, and a reader who follows the keys of a journal."""

import base64
import hashlib

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from firmware.core.types import KIND_GAP, KIND_KEYS, Interval
from firmware.log.chain import CHECKPOINT_PATH, Chain
from tests.device.memory_files import MemoryFiles
from tests.record_examples import drain

SITE, DEVICE = "north", "cab-1"
_ECDSA = ec.ECDSA(hashes.SHA256())


class PowerCut(Exception):
    """Power failed."""


class CutFiles(MemoryFiles):
    """Files whose power fails at the write number `at` (from 0): before it, after it, or in the middle of it."""

    def __init__(self, at=None, how="after"):
        super().__init__()
        self.at = at
        self.how = how
        self.writes = 0

    def _at_write(self, work, half):
        self.writes += 1
        if self.at is None or self.writes - 1 != self.at:
            return work()
        if self.how == "middle":
            half()
        if self.how == "after":
            work()
        raise PowerCut

    def append(self, path, data):
        """Append; in the middle, a half of the data is there."""
        self._at_write(lambda: super(CutFiles, self).append(path, data),
                       lambda: super(CutFiles, self).append(path, data[: len(data) // 2]))

    def stage(self, path, data):
        """Write beside the file; in the middle, a file that was not there is, without content: so littlefs does."""
        self._at_write(lambda: super(CutFiles, self).stage(path, data),
                       lambda: self.content.setdefault(path, b""))

    def commit(self, path):
        """Put the staged content in place."""
        self._at_write(lambda: super(CutFiles, self).commit(path), lambda: None)

    def rename(self, old, new):
        """Rename."""
        self._at_write(lambda: super(CutFiles, self).rename(old, new), lambda: None)

    def remove(self, path):
        """Remove; nothing is written where there is nothing."""
        if path in self.content:
            self._at_write(lambda: super(CutFiles, self).remove(path), lambda: None)

    def after_the_cut(self):
        """Return files with the same content and power."""
        files = CutFiles()
        files.content = {path: data for path, data in self.content.items() if not path.endswith(".tmp")}
        return files


def record(kind=KIND_GAP):
    """Return an Interval of a short kind."""
    made = Interval(kind)
    made.start_ms = made.clock_age_s = made.clock_error_ms = None
    made.duration_ms = made.uptime_ms = made.clock = 0
    made.pool_start = made.pool_end = [1, 2, 3, 4]
    made.reason = 1
    return made


def opened(files, keyring):
    """Return a chain on the files, open."""
    chain = Chain(files, SITE, DEVICE, bytes(32), bytes(32), bytes(32), keyring)
    drain(chain.open())
    return chain


def change(chain):
    """Change the keys."""
    made = record(KIND_KEYS)
    drain(chain.stage_keys(made))
    drain(chain.write(made))


def point_key(x, y):
    """Return the OpenSSL public key of a point, each coordinate 32 bytes."""
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
    return numbers.public_key()


class Reader:
    """Follows a journal from its first keys on, (kid, x, y) each; raises where something does not hold."""

    def __init__(self, files, record_key, checkpoint_key, origin=f"{SITE}/{DEVICE}"):
        self.key, anchor = record_key, checkpoint_key
        self._origin = origin
        self.payloads = []
        self.anchors = [(0, anchor)]
        self.changes = 0
        self.leaves = []
        names = sorted(name for name in files.content if name.startswith("journal/0") and name.endswith(".cbor"))
        for name in names:
            self._segment(files.content[name])
        self.size = self._checkpoint(files.content[CHECKPOINT_PATH])

    def _segment(self, data):
        while data:
            message = cbor2.loads(data)
            length = len(cbor2.dumps(message, canonical=True))
            self._record(data[:length], *message.value)
            data = data[length:]

    def _record(self, data, protected, unprotected, payload, signature):
        fields, kid = cbor2.loads(payload), cbor2.loads(protected)[4]
        assert kid == self.key[0] and unprotected == {} and fields[3] == len(self.leaves)
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        point_key(*self.key[1:]).verify(encode_dss_signature(r, s), signed, _ECDSA)
        self.payloads.append(fields)
        self.leaves.append(hashlib.sha256(b"\0" + data).digest())
        if fields[2] == KIND_KEYS:
            self.key = fields[46]
            self.anchors.append((len(self.leaves), fields[47]))
            self.changes += 1

    def _checkpoint(self, content):
        text, line = content.decode().split("\n\n")
        origin, size, root = text.split("\n")
        blob = base64.b64decode(line.split()[2])
        key = [key for covers, key in self.anchors if covers <= int(size)][-1]
        assert origin == self._origin and blob[:4] == key[0][:4]
        point_key(*key[1:]).verify(blob[4:], (text + "\n").encode(), _ECDSA)
        assert base64.b64decode(root) == _root(self.leaves[: int(size)])
        return int(size)


def _root(nodes):
    if len(nodes) < 2:
        return nodes[0] if nodes else hashlib.sha256(b"").digest()
    half = 1 << (len(nodes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(nodes[:half]) + _root(nodes[half:])).digest()
