"""Years of one board, written to disk record by record: memory does not hold them. From the format alone, as
tests/evidence_writer.py: real signatures, a restart and the gap it leaves once a month, a true-up now and then.
"""

import base64
import hashlib
import json

import cbor2

from tests.evidence_writer import SHA256, Board, Device, keys_document, kid, seal, to_be_signed

A_YEAR = 35_064
_RESTART_EVERY = 2_880
_TRUEUP_EVERY = 700


class _Last:
    """The records of a Board, of which the last one is enough."""

    def __init__(self):
        self.count, self.fields = 0, None

    def append(self, fields):
        """Take one more."""
        self.count, self.fields = self.count + 1, fields

    def __len__(self):
        return self.count


class Peaks:
    """The RFC 6962 tree as the roots of its whole parts, the largest first."""

    def __init__(self):
        self.parts = []

    def append(self, leaf):
        """Take one more leaf."""
        size, node = 1, hashlib.sha256(b"\0" + leaf).digest()
        while self.parts and self.parts[-1][0] == size:
            node = hashlib.sha256(b"\1" + self.parts.pop()[1] + node).digest()
            size *= 2
        self.parts.append((size, node))

    def root(self):
        """Return the root of all leaves so far."""
        node = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node


def _quarters(board, count):
    """Let the board write so many records; yield after each."""
    for number in range(count):
        if number % _RESTART_EVERY == _RESTART_EVERY - 1:
            board.gap(900_000)
        elif number % _TRUEUP_EVERY == _TRUEUP_EVERY - 1:
            board.interval(trueup=300_000 if number % 3 else 0)
        else:
            board.interval()
        yield board.records.fields


def write(folder, count, seed=1):
    """Write `count` records, their end anchor and keys.json into a folder."""
    device = Device(seed)
    board = Board(device, seed)
    board.records = _Last()
    tree, prev = Peaks(), bytes(32)
    with open(folder / "records.cbor", "wb") as file:
        for fields in _quarters(board, count):
            payload = cbor2.dumps(fields | {5: prev})
            record = seal(device, payload)
            file.write(record)
            tree.append(record)
            prev = hashlib.sha256(to_be_signed(device.protected, payload)).digest()
    (folder / "checkpoint.txt").write_bytes(_checkpoint(device, count, tree.root()))
    (folder / "keys.json").write_text(json.dumps(keys_document(device)))


def _checkpoint(device, size, root):
    origin = f"{device.site}/{device.device}"
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    blob = kid(device.checkpoint_key)[:4] + device.checkpoint_key.sign(text.encode(), SHA256)
    return f"{text}\n\u2014 {origin} {base64.b64encode(blob).decode()}\n".encode()
