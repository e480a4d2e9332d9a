"""Encode and decode deterministic CBOR (RFC 8949 section 4.2.1): integers, bytes, text, arrays, maps, tags.

Encoder and decoder hold one truth: what decode() accepts is exactly what encode() writes, byte for byte.
No floats, no indefinite lengths, no bignums; map keys are integers or text, ascending by their bytes.
Every fault is a LogError with a code that starts with CBOR_.
"""

import micropython
from micropython import const

from firmware.core.errors import LogError

_UNSIGNED = const(0x00)
_NEGATIVE = const(0x20)
_BYTES = const(0x40)
_TEXT = const(0x60)
_ARRAY = const(0x80)
_MAP = const(0xA0)
_TAG = const(0xC0)
_FALSE = const(0xF4)
_TRUE = const(0xF5)
_NULL = const(0xF6)
_DEPTH = const(8)  # deepest nesting that decode() follows


class Tagged:
    """A value under a CBOR tag (0..2**64-1)."""

    def __init__(self, tag, value):
        self.tag = tag
        self.value = value


def encode(value):
    """Return the deterministic encoding of a value as bytes."""
    out = bytearray()
    put(out, value)
    return bytes(out)


def put(out, value):
    """Append the encoding of a value to the bytearray `out`."""
    kind = type(value)
    if kind is int:
        put_int(out, value)
    elif value is None:
        out.append(_NULL)
    elif kind is bytes or kind is bytearray or kind is memoryview:
        put_head(out, _BYTES, len(value))
        out.extend(value)
    elif kind is list or kind is tuple:
        put_head(out, _ARRAY, len(value))
        for item in value:
            put(out, item)
    elif kind is dict:
        _put_map(out, value)
    elif kind is str:
        data = value.encode()
        put_head(out, _TEXT, len(data))
        out.extend(data)
    elif kind is bool:
        out.append(_TRUE if value else _FALSE)
    elif kind is Tagged:
        put_head(out, _TAG, value.tag)
        put(out, value.value)
    else:
        raise LogError("CBOR_TYPE", "%s has no encoding; use int, bytes, str, list, dict" % kind.__name__)


def put_int(out, value):
    """Append an integer, -2**64..2**64-1."""
    if value < 0:
        put_head(out, _NEGATIVE, -1 - value)
    else:
        put_head(out, _UNSIGNED, value)


@micropython.native
def put_head(out, major, n):
    """Append the shortest head of a major type (0x00, 0x20 .. 0xC0) with the argument n, 0..2**64-1."""
    if n < 24:
        out.append(major | n)
    elif n < 0x100:
        out.append(major | 24)
        out.append(n)
    elif n < 0x10000:
        out.append(major | 25)
        out.append(n >> 8)
        out.append(n & 0xFF)
    elif n < 0x100000000:
        out.append(major | 26)
        out.extend(n.to_bytes(4, "big"))
    elif n < 0x10000000000000000:
        out.append(major | 27)
        out.extend(n.to_bytes(8, "big"))
    else:
        raise LogError("CBOR_RANGE", "an integer needs more than 64 bits; allowed -2**64..2**64-1")


@micropython.native
def put_unsigned(out, values):
    """Append the numbers 0..2**64-1 of a list or tuple; return how many came before one that is none."""
    for i in range(len(values)):
        value = values[i]
        if type(value) is not int or value < 0:
            return i
        if value < 24:
            out.append(value)
        else:
            put_head(out, 0, value)
    return len(values)


def _put_map(out, value):
    """Append a map, its entries in the bytewise order of their encoded keys."""
    put_head(out, _MAP, len(value))
    entries = []
    for key in value:
        if type(key) is not int and type(key) is not str:
            raise LogError("CBOR_KEY", "a map key is a %s; use int or str" % type(key).__name__)
        entries.append((encode(key), key))
    for data, key in sorted(entries):
        out.extend(data)
        put(out, value[key])


def decode(buf, pos=0):
    """Return (value, next position) of the item at buf[pos]; refuse what encode() would not have written."""
    return _item(buf, pos, _DEPTH)


def head(buf, pos):
    """Return (major, argument, next position) of the head at buf[pos]; major as 0x00, 0x20 .. 0xE0."""
    if pos >= len(buf):
        raise LogError("CBOR_TRUNCATED", "the data ends at byte %d, inside an item" % len(buf))
    first = buf[pos]
    major, n = first & 0xE0, first & 0x1F
    pos += 1
    if n < 24:
        return major, n, pos
    if n > 27:
        raise LogError("CBOR_INDEFINITE", "byte %d: a length must be definite" % (pos - 1))
    size = 1 << n - 24
    n = int.from_bytes(_slice(buf, pos, size), "big")
    # 24 fits the head itself; below, half the width would have held it
    if n < 24 or size > 1 and n >> 4 * size == 0:
        raise LogError("CBOR_NOT_SHORTEST", "byte %d: a number is not in its shortest form" % (pos - 1))
    return major, n, pos + size


def _slice(buf, pos, size):
    if size > len(buf) - pos:
        raise LogError("CBOR_TRUNCATED", "the data ends at byte %d, inside an item" % len(buf))
    return bytes(buf[pos : pos + size])


def _item(buf, pos, depth):
    start = pos
    if pos < len(buf) and buf[pos] >= 0xE0:
        return _simple(buf, pos)
    major, n, pos = head(buf, pos)
    if major == _UNSIGNED:
        return n, pos
    if major == _NEGATIVE:
        return -1 - n, pos
    if major == _BYTES:
        return _slice(buf, pos, n), pos + n
    if major == _TEXT:
        return _text(_slice(buf, pos, n), start), pos + n
    if not depth:
        raise LogError("CBOR_DEPTH", "byte %d: nested deeper than %d" % (start, _DEPTH))
    if major == _TAG:
        value, pos = _item(buf, pos, depth - 1)
        return Tagged(n, value), pos
    if n > len(buf) - pos:  # every entry takes a byte at least: do not believe a huge count
        raise LogError("CBOR_TRUNCATED", "byte %d: %d entries announced, the data ends before" % (start, n))
    if major == _ARRAY:
        return _array(buf, pos, n, depth)
    return _map(buf, pos, n, depth)


def _simple(buf, pos):
    first = buf[pos]
    if first == _NULL:
        return None, pos + 1
    if first == _FALSE or first == _TRUE:
        return first == _TRUE, pos + 1
    raise LogError("CBOR_SIMPLE", "byte %d: 0x%02x is none of false, true, null" % (pos, first))


def _text(data, start):
    try:
        return str(data, "utf-8")
    except ValueError:
        raise LogError("CBOR_UTF8", "byte %d: text that is not UTF-8" % start)


def _array(buf, pos, n, depth):
    items = []
    for _ in range(n):
        value, pos = _item(buf, pos, depth - 1)
        items.append(value)
    return items, pos


def _map(buf, pos, n, depth):
    items = {}
    last = b""
    for _ in range(n):
        start = pos
        key, pos = _item(buf, pos, 0)
        if type(key) is not int and type(key) is not str:
            raise LogError("CBOR_KEY", "byte %d: a map key is neither an integer nor text" % start)
        data = bytes(buf[start:pos])
        if data <= last:
            raise LogError("CBOR_ORDER", "byte %d: a map key is out of order or stands twice" % start)
        last = data
        items[key], pos = _item(buf, pos, depth - 1)
    return items, pos
