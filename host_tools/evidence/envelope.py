"""Judge one record by itself: header, encoding, key, signature, fields; the first fault counts."""

import hashlib

from host_tools.evidence import cbor
from host_tools.evidence.cose import Damage
from host_tools.evidence.fields import KEY_CHANGE
from host_tools.evidence.keys import HALF_ORDER
from host_tools.evidence.layout import Reader

CONTENT_TYPE = "application/vnd.evenkeel.record+cbor"
_OTHER_ENCODING = (cbor.LONG_FORM, cbor.INDEFINITE, cbor.KEY_ORDER)
_CACHED_HEADERS = 64
RECORD_MAX = 2048
_HALF_ORDER = HALF_ORDER.to_bytes(32, "big")


class Unit:
    """One stretch of the file after judgement; `trusted` means: validly signed by the expected device."""

    __slots__ = ("file", "offset", "raw", "record", "seq", "signed_hash", "kid", "trusted", "foreign", "problem")

    def __init__(self, item):
        self.file = item.file
        self.offset = item.offset
        self.raw = None
        self.record = None
        self.seq = None
        self.signed_hash = None
        self.kid = None
        self.trusted = False
        self.foreign = False
        self.problem = None


class Header:
    """What a protected header says, and the key it leads to."""

    __slots__ = ("owner", "kid", "key", "foreign", "problem")

    def __init__(self):
        self.owner = None
        self.kid = None
        self.key = None
        self.foreign = False
        self.problem = None


def read_header(protected):
    """Decode a protected header; what is wrong with it stands in `problem`."""
    header = Header()
    try:
        value = cbor.decode(protected)
    except cbor.CborError as error:
        header.problem = _encoding_problem(error, "HEADER_WRONG", "protected header")
        return header
    fault = _header_fault(value)
    if fault:
        header.problem = ("HEADER_WRONG", fault)
        return header
    header.kid = value[4]
    header.owner = (value[15][1], value[15][2])
    return header


def _header_fault(value):
    """Say in what a protected header differs from the one a record has; None if in nothing."""
    if type(value) is not dict or tuple(value) != (1, 3, 4, 15):
        return "the protected header must have exactly the keys 1, 3, 4 and 15"
    if value[1] != -7 or type(value[1]) is not int:
        return f"the algorithm is {value[1]!r}, not -7 (ES256)"
    if value[3] != CONTENT_TYPE:
        return "the content type is not that of a record"
    if type(value[4]) is not bytes or len(value[4]) != 8:
        return "the key id is not 8 bytes"
    claims = value[15]
    if type(claims) is not dict or tuple(claims) != (1, 2) or set(map(type, claims.values())) != {str}:
        return "site and device are not named by one text each"
    if not all(1 <= len(text.encode()) <= 64 for text in claims.values()):
        return "the names of site and device must have 1 to 64 bytes"
    return None


def _encoding_problem(error, code, where):
    code = "NOT_DETERMINISTIC" if error.kind in _OTHER_ENCODING else code
    return code, f"{where}: {error}"


def read_payload(payload):
    """Decode a payload: (record or None, problem or None)."""
    try:
        return cbor.decode(payload), None
    except cbor.CborError as error:
        return None, _payload_problem(error)


def _payload_problem(error):
    return _encoding_problem(error, "PAYLOAD_BROKEN", "payload")


class Judge:
    """Judge units against a key registry and the device the journal is of.

    With `lean`, a signature is checked only where the chain does not carry on from the record before, at the
    numbers in `always`, and at the last record of each unbroken stretch: `prev` is under the signature, so the last
    one vouches for all before it. `lean.refuse(unit)` hears of a last one whose signature does not hold.
    """

    def __init__(self, registry, device, whole=True, lean=None, always=()):
        self.registry = registry
        self.device = device
        self.signatures = 0
        self.lean = lean is not None
        self._lean = lean
        self._always = frozenset(always)
        self._headers = {}
        self._read = Reader(whole).read
        self._next = None  # the number and the `prev` that carry the chain on
        self._open = None  # (key, signature, unit) of the last record taken on trust

    def judge(self, item):
        """Make a Unit of a Frame or a Damage."""
        unit = Unit(item)
        frame = item
        if type(item) is Damage:
            unit.problem = (item.code, item.what)
            frame = item.frame
            if frame is None:
                return unit
        unit.raw = frame.raw
        header = self._headers.get(frame.protected) or self._new_header(frame.protected)
        unit.record, error, fault = self._read(frame.payload)
        if len(frame.raw) > RECORD_MAX:
            self._note(unit, ("PAYLOAD_BROKEN", f"{len(frame.raw)} bytes, a record has at most {RECORD_MAX}"))
        self._note(unit, header.problem)
        if error is not None:
            self._note(unit, _payload_problem(error))
        elif fault is None or type(unit.record) is dict and type(unit.record.get(3)) is int and unit.record[3] >= 0:
            unit.seq = unit.record[3]
        unit.foreign = header.foreign
        unit.kid = header.kid
        if header.key is not None and not header.foreign:
            unit.signed_hash = hashlib.sha256(frame.signed).digest()
            if self._lean is None or not self._taken_on_trust(unit, frame, header, fault):
                self._check_signature(unit, frame, header, fault)
        return unit

    def finish(self):
        """Check the signature that vouches for the last stretch."""
        if self._open is not None:
            key, signature, unit = self._open
            self._open = None
            self.signatures += 1
            if not key.signed(unit.signed_hash, signature):
                self._lean.refuse(unit)

    def _taken_on_trust(self, unit, frame, header, fault):
        """Take a record that carries the chain on without checking its signature, if nothing is wrong with it."""
        after, self._next = self._next, (None if unit.seq is None else unit.seq + 1, unit.signed_hash)
        carries_on = (unit.problem is None and fault is None and (unit.seq, unit.record[5]) == after
                      and unit.seq not in self._always and unit.record[2] != KEY_CHANGE
                      and frame.signature[32:] <= _HALF_ORDER
                      and (header.key.always or not _validity_fault(header.key, unit.record[9])))
        if not carries_on:
            self.finish()
            return False
        unit.trusted = True
        self._open = (header.key, frame.signature, unit)
        return True

    def _note(self, unit, problem):
        if problem and not unit.problem:
            unit.problem = problem

    def _check_signature(self, unit, frame, header, fault):
        self.signatures += 1
        if not header.key.signed(unit.signed_hash, frame.signature):
            self._note(unit, ("BAD_SIGNATURE", "the signature does not fit the record"))
            return
        if frame.signature[32:] > _HALF_ORDER:
            self._note(unit, ("HIGH_S", "the signature is in its second form (high s)"))
        unit.trusted = unit.seq is not None
        if unit.record is None:
            return
        self._note(unit, fault)
        if fault:
            unit.record = None
            return
        if not header.key.always:
            self._note(unit, _validity_fault(header.key, unit.record[9]))
        if unit.record[2] == KEY_CHANGE and unit.problem is None:
            fault = self.registry.introduce(unit.record, header.key)
            self._note(unit, fault and ("KEY_CHANGE_WRONG", fault))
            self._headers.clear()

    def _new_header(self, protected):
        header = read_header(protected)
        if header.problem is None:
            header.key = self.registry.find(header.kid)
            self._check_owner(header)
        if len(self._headers) >= _CACHED_HEADERS:
            self._headers.clear()
        self._headers[protected] = header
        return header

    def _check_owner(self, header):
        """Compare the named device with the key's owner and with the device of the journal."""
        key = header.key
        named = "/".join(header.owner)
        if key and (key.site, key.device) != header.owner:
            what = f"it names {named}, but its key belongs to {key.site}/{key.device}"
            header.problem = ("HEADER_WRONG", what)
        elif header.owner != self.device:
            # Neither the names nor the key are this device's: not one of its records that was damaged.
            header.foreign = True
            what = f"a record of {named} in the journal of {'/'.join(self.device)}"
            header.problem = ("WRONG_DEVICE", what)
        elif key is None:
            header.problem = ("KEY_UNKNOWN", f"its key {header.kid.hex()} is not in the key file")
        elif key.use != "record":
            header.problem = ("KEY_USE", f"its key {header.kid.hex()} is meant for {key.use}s")


def _validity_fault(key, start_ms):
    """Compare the record's time with the validity of its key."""
    if key.revoked_s is not None and (start_ms is None or start_ms >= key.revoked_s * 1000):
        return "KEY_REVOKED", f"its key was revoked at {key.revoked_s} s of UTC"
    if start_ms is None:
        return None
    if key.not_before_s is not None and start_ms < key.not_before_s * 1000:
        return "KEY_NOT_VALID", f"its key is valid from {key.not_before_s} s of UTC on"
    if key.not_after_s is not None and start_ms > key.not_after_s * 1000:
        return "KEY_NOT_VALID", f"its key was valid until {key.not_after_s} s of UTC"
    return None
