"""Remember where the chain stands, in journal/head.cbor: so that a start need not read the whole journal.

The file is a CBOR map and behind it the SHA-256 of the map; a file that does not check counts as missing.
"""

from hashlib import sha256

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.types import KIND_INTERVAL, KIND_KEYS
from firmware.log.tree import Tree

PATH = "journal/head.cbor"
_VERSION = 1
_NEXT_RECORD_KEY = 46
_KID = 4
_PROTECTED_AT = 2  # behind tag and array


class Head:
    """The state after the last record: what the next one needs to know."""

    def __init__(self):
        self.boot = 0
        self.size = 0  # records so far = the next sequence number
        self.prev = bytes(32)  # SHA-256 of the last record's bytes to be signed
        self.tree = Tree()  # None once it is lost: a record was missing while it was built anew
        self.interval = None  # [boot, firmware, config] of the last record of kind 1
        self.body = None  # the last record's payload, encoded
        self.kid = None  # of the key that signs the next record, where that is known

    def after(self, kind, link, prev, body, leaf):
        """Return the Head after one more record; link is its [boot, firmware, config], leaf its bytes."""
        new = Head()
        new.boot, new.size = self.boot, self.size + 1
        new.prev, new.body = prev, body
        new.interval = link if kind == KIND_INTERVAL else self.interval
        new.kid = next_kid(body, self.kid) if kind == KIND_KEYS else self.kid or signed_by(leaf)
        new.tree = self.tree and Tree(self.tree.size, self.tree.hashes)
        if new.tree:
            new.tree.append(leaf)
        return new

    def dump(self):
        """Return the content of the file, in pieces: late in a run the heap may have no room for it in one."""
        hashes = self.tree.hashes if self.tree else None
        before = bytearray(cbor.encode({1: _VERSION, 2: self.boot, 3: self.size, 4: self.prev, 5: hashes,
                                        6: self.interval}))
        before[0] += 2  # the payload and the kid are entries of the same map
        before.append(7)
        if self.body is None:
            before.extend(cbor.encode(None))
        else:
            cbor.put_head(before, 0x40, len(self.body))
        body = self.body or b""
        after = b"\x08" + cbor.encode(self.kid)
        check = sha256(before)
        check.update(body)
        check.update(after)
        return before, body, after + cbor.encode(check.digest())


def next_kid(body, kid):
    """Return the kid of the record key that a change of keys names; `kid` where its payload is spoilt."""
    try:
        return cbor.decode(body)[0][_NEXT_RECORD_KEY][0]
    except (LogError, KeyError, TypeError, IndexError):
        return kid


def signed_by(leaf):
    """Return the kid in a whole record's protected header, None where that is spoilt."""
    try:
        return cbor.decode(cbor.decode(leaf, _PROTECTED_AT)[0])[0][_KID]
    except (LogError, KeyError, TypeError, IndexError):
        return None


def load(data):
    """Return the Head in a file's content, None where there is none or it does not check."""
    if not data:
        return None
    try:
        fields, end = cbor.decode(data)
        check, _ = cbor.decode(data, end)
    except LogError:
        return None
    if check != sha256(data[:end]).digest() or fields[1] != _VERSION:
        return None
    head = Head()
    head.boot, head.size, head.prev = fields[2], fields[3], fields[4]
    head.tree = None if fields[5] is None else Tree(head.size, fields[5])
    head.interval, head.body = fields[6], fields[7]
    head.kid = fields.get(8)
    return head
