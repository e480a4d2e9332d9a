"""Decode the strict, deterministic CBOR of a record (RFC 8949, 4.2.1): one byte string per content.

Accepted: integers of at most 64 bit, bytes, text (only headers do), arrays, maps with ascending unsigned
integer keys, null. Everything else - long forms, indefinite lengths, floats, tags, booleans, a key twice or
out of order, bytes left over - is refused with its kind and position, so what is accepted has exactly one
encoding and re-encodes to the bytes it was read from.
"""

import struct

TRUNCATED = "TRUNCATED"
LONG_FORM = "LONG_FORM"
INDEFINITE = "INDEFINITE"
TYPE = "TYPE"
KEY_ORDER = "KEY_ORDER"
KEY_DUPLICATE = "KEY_DUPLICATE"
TRAILING = "TRAILING"
DEPTH = "DEPTH"

WORDS = {
    TRUNCATED: "ends in the middle of an item",
    LONG_FORM: "a number or length is not in its shortest form",
    INDEFINITE: "an item of indefinite length",
    TYPE: "a type that a record may not contain (float, tag, boolean, text or a key that is no number)",
    KEY_ORDER: "the keys of a map are not in ascending order",
    KEY_DUPLICATE: "a key stands twice in one map",
    TRAILING: "bytes are left over behind the content",
    DEPTH: "nested deeper than any record is",
}
_DEPTH_MAX = 4
_unpack_u16 = struct.Struct(">H").unpack_from
_unpack_u32 = struct.Struct(">I").unpack_from
_unpack_u64 = struct.Struct(">Q").unpack_from


class CborError(Exception):
    """Refuse an encoding: `kind` is one of the constants above, `position` the byte it was met at."""

    def __init__(self, kind, position):
        super().__init__(f"{WORDS[kind]} (byte {position})")
        self.kind = kind
        self.position = position


def decode(data):
    """Decode one item that fills `data` to the last byte; CborError for anything but the one encoding."""
    try:
        value, position = _READ[data[0]](data, 0, 0)
    except (IndexError, struct.error):
        raise CborError(TRUNCATED, len(data)) from None
    if position != len(data):
        raise CborError(TRAILING, position)
    return value


def _small(data, position, depth):
    return data[position] & 31, position + 1


def _u8(data, position, depth):
    value = data[position + 1]
    if value < 24:
        raise CborError(LONG_FORM, position)
    return value, position + 2


def _u16(data, position, depth):
    value = _unpack_u16(data, position + 1)[0]
    if value < 0x100:
        raise CborError(LONG_FORM, position)
    return value, position + 3


def _u32(data, position, depth):
    value = _unpack_u32(data, position + 1)[0]
    if value < 0x10000:
        raise CborError(LONG_FORM, position)
    return value, position + 5


def _u64(data, position, depth):
    value = _unpack_u64(data, position + 1)[0]
    if value < 0x100000000:
        raise CborError(LONG_FORM, position)
    return value, position + 9


_HEADS = (_small,) * 24 + (_u8, _u16, _u32, _u64)


def _negative(data, position, depth):
    value, position = _HEADS[data[position] & 31](data, position, depth)
    return -1 - value, position


def _bytes(data, position, depth):
    size, start = _HEADS[data[position] & 31](data, position, depth)
    end = start + size
    if end > len(data):
        raise CborError(TRUNCATED, len(data))
    return data[start:end], end


def _text(data, position, depth):
    raw, end = _bytes(data, position, depth)
    try:
        return str(raw, "utf-8"), end
    except UnicodeDecodeError:
        raise CborError(TYPE, position) from None


def _array(data, position, depth):
    size = data[position] & 31
    if size < 24:
        position += 1
    else:
        size, position = _HEADS[size](data, position, depth)
    _check_room(data, position, size, depth)
    out = []
    for _ in range(size):
        # The integers of a record are read here, without a call: they are most of its items.
        head = data[position]
        if head < 24:
            value = head
            position += 1
        elif head == 0x1A:
            value = _unpack_u32(data, position + 1)[0]
            if value < 0x10000:
                raise CborError(LONG_FORM, position)
            position += 5
        elif head == 0x19:
            value = data[position + 1] << 8 | data[position + 2]
            if value < 0x100:
                raise CborError(LONG_FORM, position)
            position += 3
        else:
            value, position = _READ[head](data, position, depth + 1)
        out.append(value)
    return out, position


def _map(data, position, depth):
    size, position = _HEADS[data[position] & 31](data, position, depth)
    _check_room(data, position, size, depth)
    out = {}
    last = -1
    for _ in range(size):
        key = data[position]
        if key < 24:
            start = position + 1
        elif key < 28:
            key, start = _HEADS[key](data, position, depth)
        else:
            raise CborError(TYPE, position)
        if key <= last:
            raise CborError(KEY_DUPLICATE if key in out else KEY_ORDER, position)
        last = key
        head = data[start]
        if head < 24:
            out[key] = head
            position = start + 1
        else:
            out[key], position = _READ[head](data, start, depth + 1)
    return out, position


def _check_room(data, position, size, depth):
    """Refuse a length that the data cannot hold, before anything is made of it."""
    if size > len(data) - position:
        raise CborError(TRUNCATED, len(data))
    if depth >= _DEPTH_MAX:
        raise CborError(DEPTH, position)


def _null(data, position, depth):
    return None, position + 1


def _refuse_type(data, position, depth):
    raise CborError(TYPE, position)


def _refuse_indefinite(data, position, depth):
    raise CborError(INDEFINITE, position)


def _reader_of(head):
    """Choose the reader of one initial byte: major type and additional information."""
    major, info = head >> 5, head & 31
    if head == 0xF6:
        return _null
    if info == 31 and major in (2, 3, 4, 5):
        return _refuse_indefinite
    if major > 5 or info > 27:
        return _refuse_type
    return (_HEADS[info], _negative, _bytes, _text, _array, _map)[major]


_READ = tuple(_reader_of(head) for head in range(256))
