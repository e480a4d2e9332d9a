"""Read intervals of a known shape by one pattern: strict decoding and all ranges in a single pass.

A record has one permitted encoding and a fixed order of fields, so a regular expression over its bytes can say
all that `cbor.decode` and `fields.check` say, many times as fast. It is made from the table of fields and from a
record that those two have accepted: its numbers of rows, its texts and its empty arrays stand in the pattern word
for word. What fits no pattern goes the long way, which also names the fault: a pattern only ever says yes. Behind
a yes any decoder of CBOR gives the same values, so the quickest one does: libipld's, which has no maps with numbers
as keys, so that it is given the map as an array of twice as many items.
"""

import re

from libipld import decode_dag_cbor

from host_tools.evidence import cbor
from host_tools.evidence.fields import FIELDS, INTERVAL, U64, check

_SHAPES_MAX = 16
_PATIENCE = 256  # records read the long way before a new shape takes the place of one: to make a pattern takes long
_HEAD_KEYS = 14
_LONG = rb"\x19[\x01-\xff].|\x1a(?!\0\0).{4}|\x18[\x18-\xff]|\x1b(?!\0{4})"
_BELOW_S64 = rb"[\x00-\x7f].{7}"
_UNSIGNED = rb"[\x00-\x17]|" + _LONG + rb".{8}"
_SIGNED = (rb"[\x00-\x17]|" + _LONG + _BELOW_S64
           + rb"|[\x20-\x37]|\x39[\x01-\xff].|\x3a(?!\0\0).{4}|\x38[\x18-\xff]|\x3b(?!\0{4})" + _BELOW_S64)
_NULL = rb"|\xf6"
_SIMPLE = ("int", "int?", "in", "bits", "bytes")
_WIDE = ((0, U64), (-1 << 63, (1 << 63) - 1))
# A number is taken with its head as one big-endian integer: its bit length tells the form, the mask the value.
_MASK = [0] * 257
for _bits, _size in ((6, 5), (13, 8), (14, 8), (21, 16), (22, 16), (37, 32), (38, 32), (69, 64), (70, 64)):
    _MASK[_bits] = (1 << _size) - 1


class Layout:
    """The pattern of one shape of interval.

    With `whole`, `read` gives the record; else only its first 14 fields, taken out of the pattern's groups.
    """

    def __init__(self, record, whole):
        self.read = self._read if whole else self._read_head
        self._keys = tuple(record)[:_HEAD_KEYS]
        self._capture = not whole
        self._array_head = bytes((0x98, 2 * len(record)))
        self._limits = []  # (key, place in the array or None, lowest, highest, forbidden bits): narrower than the form
        self._narrow = []  # the same: (group, lowest, highest, forbidden bits)
        self._groups = 0
        parts = [_head(0xA0, len(record))]
        for key, _, spec in FIELDS[INTERVAL]:
            spec = ("in", (INTERVAL,)) if key == 2 else spec  # the same fields under another kind are no record
            parts += [_head(0, key), self._field(key, spec, record[key])]
        self._match = re.compile(b"".join(parts), re.DOTALL).fullmatch

    def _field(self, key, spec, value):
        """Make the pattern of one field."""
        kind = spec[0]
        if kind in _SIMPLE:
            return self._number(spec, key)
        if kind in ("array", "array?") and value is not None:
            return self._array(spec[1], key)
        if kind == "rows" and all(part[0] in _SIMPLE and not _limit_of(part) for part in spec[1]):
            return _head(0x80, len(value)) + b"".join(self._array(spec[1]) for _ in value)
        return re.escape(_encode(value))

    def _array(self, parts, key=None):
        made = (self._number(part, key, place) for place, part in enumerate(parts))
        return _head(0x80, len(parts)) + b"".join(made)

    def _number(self, spec, key, place=None):
        """Make the pattern of one number or hash; a group where its value is asked for."""
        kind = spec[0]
        head = key is not None and key <= _HEAD_KEYS
        if kind == "bytes":
            return rb"\x58\x20" + self._group(rb".{32}", head)
        if kind == "in":
            return self._group(b"[" + b"".join(re.escape(bytes((value,))) for value in spec[1]) + b"]", head)
        limit = _limit_of(spec)
        if limit:
            self._limits.append((key, place, *limit))
            self._narrow.append((self._groups, *limit))
        form = _SIGNED if kind != "bits" and spec[1] < 0 else _UNSIGNED
        return self._group(form + (_NULL if kind == "int?" else b""), head or limit)

    def _group(self, pattern, wanted):
        if wanted and self._capture:
            self._groups += 1
            return b"(" + pattern + b")"
        return b"(?:" + pattern + b")"

    def _read(self, payload):
        """Decode a payload of this shape, all ranges checked; None if it is not."""
        if self._match(payload) is None:
            return None
        values = decode_dag_cbor(self._array_head + payload[2:])
        record = dict(zip(values[::2], values[1::2]))
        for key, place, low, high, forbidden in self._limits:
            value = record[key] if place is None else record[key][place]
            if value is not None and (not low <= value <= high or value & forbidden):
                return None
        return record

    def _read_head(self, payload):
        """Check a payload of this shape as `_read` does, but give its first 14 fields only."""
        match = self._match(payload)
        if match is None:
            return None
        groups = match.groups()
        values = _values(groups)
        for group, low, high, forbidden in self._narrow:
            value = values[group]
            if value is not None and (not low <= value <= high or value & forbidden):
                return None
        record = dict(zip(self._keys, values))
        record[5], record[6], record[7], record[8] = groups[4:8]
        return record


def _limit_of(spec):
    """Return (lowest, highest, forbidden bits) of a number that is narrower than its form, else None."""
    if spec[0] == "bits":
        return 0, U64, ~spec[1]
    return (*spec[1:3], 0) if spec[0] in ("int", "int?") and spec[1:3] not in _WIDE else None


def _values(groups):
    """Make integers and None of the groups; of a hash just some number."""
    mask = _MASK
    return [
        number if number < 24
        else number & mask[bits] if (bits := number.bit_length()) & 1
        else None if number == 0xF6 else ~(number & mask[bits])
        for number in map(int.from_bytes, groups)
    ]


def _head(major, value):
    return re.escape(_encode(value, major))


def _encode(value, major=0):
    """Encode what stands word for word in a pattern: numbers below 2**16, text, null, arrays."""
    if value is None:
        return b"\xf6"
    if type(value) is str:
        data = value.encode()
        return _encode(len(data), 0x60) + data
    if type(value) is list:
        return _encode(len(value), 0x80) + b"".join(map(_encode, value))
    if value < 24:
        return bytes((major | value,))
    return bytes((major | 24, value)) if value < 256 else bytes((major | 25, value >> 8, value & 255))


class Reader:
    """Read payloads: by the patterns of the shapes seen so far, else the long way.

    With `whole` false, an interval that a pattern fits is checked in full but given with its first 14 fields.
    """

    def __init__(self, whole=True):
        self._layouts = []  # the one that fitted last is the first
        self._whole = whole
        self._unlearnt = 0

    def read(self, payload):
        """Decode a payload: (record or None, CborError or None, what `check` found)."""
        layouts = self._layouts
        for layout in layouts:
            record = layout.read(payload)
            if record is not None:
                if layout is not layouts[0]:
                    layouts.remove(layout)
                    layouts.insert(0, layout)
                return record, None, None
        return self._long_way(payload)

    def _long_way(self, payload):
        try:
            record = cbor.decode(payload)
        except cbor.CborError as error:
            return None, error, None
        fault = check(record)
        if fault is None and record[2] == INTERVAL:
            self._learn(record)
        return record, None, fault

    def _learn(self, record):
        """Make the pattern of a new shape; where there are many, it takes the place of the one not met for longest."""
        if len(self._layouts) == _SHAPES_MAX:
            self._unlearnt += 1
            if self._unlearnt < _PATIENCE:
                return
            self._unlearnt = 0
            self._layouts.pop()
        self._layouts.insert(0, Layout(record, self._whole))
