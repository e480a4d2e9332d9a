"""Write CBOR integers into a buffer that has room for them: each in its shortest form, most of them without a call.

A call takes more than all the rest, so the same few lines stand in each loop. Whatever is not as it should be - another
type or count, below zero, 64 bits - ends in an exception. `at` is where to write; what is returned is the end.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ptr8

OR_NULL = const(1)
SIGNED = const(2)
_ROWS_MAX = const(0x86)  # head of an array of as many rows as there are roles
# Objects, for viper compares and shifts objects by objects only.
_BITS = 30  # of a small integer, its sign left out
_LIMIT = 1 << 63
_NONE = None
_ZERO = 0
_MINUS_ONE = -1
_cell = array("q", (0,))


@micropython.viper
def put(out, at: int, key: int, value, may: int) -> int:
    """Write a number, with its key where that is not 0; it may be null, or below zero."""
    to = ptr8(out)
    if key:
        if key > 23:
            to[at] = 0x18
            at += 1
        to[at] = key
        at += 1
    if may & OR_NULL:
        if value is _NONE:
            to[at] = 0xF6
            return at + 1
    if value >> _BITS:
        return int(put_long(out, at, value, may & SIGNED))
    x = int(value)
    if x < 24:
        to[at] = x
        return at + 1
    if x < 0x100:
        to[at] = 24
        to[at + 1] = x
        return at + 2
    if x < 0x10000:
        to[at] = 25
        to[at + 1] = x >> 8
        to[at + 2] = x & 0xFF
        return at + 3
    to[at] = 26
    to[at + 1] = x >> 24
    to[at + 2] = (x >> 16) & 0xFF
    to[at + 3] = (x >> 8) & 0xFF
    to[at + 4] = x & 0xFF
    return at + 5


@micropython.viper
def put_array(out, at: int, key: int, values, count: int) -> int:
    """Write a key and an array of so many numbers."""
    to = ptr8(out)
    bits = _BITS
    if key > 23:
        to[at] = 0x18
        at += 1
    to[at] = key
    to[at + 1] = 0x80 | count
    at += 2
    for value in values:
        count -= 1
        if count < 0:
            break
        if value >> bits:
            at = int(put_long(out, at, value, 0))
            continue
        x = int(value)
        if x < 24:
            to[at] = x
            at += 1
        elif x < 0x10000:
            to[at] = 25
            to[at + 1] = x >> 8
            to[at + 2] = x & 0xFF
            at += 3
            if x < 0x100:
                to[at - 3] = 24
                to[at - 2] = x
                at -= 1
        else:
            to[at] = 26
            to[at + 1] = x >> 24
            to[at + 2] = (x >> 16) & 0xFF
            to[at + 3] = (x >> 8) & 0xFF
            to[at + 4] = x & 0xFF
            at += 5
    if count:
        raise ValueError
    return at


@micropython.viper
def put_longs(out, at: int, key: int, values, count: int) -> int:
    """Write a key above 23 and an array of so many numbers, most of them of more than 32 bits."""
    to = ptr8(out)
    bits = _BITS
    limit = _LIMIT
    cell = _cell
    words = ptr8(cell)
    at = int(start(out, at, key, count))
    for value in values:
        count -= 1
        if count < 0:
            break
        cell[0] = value
        if words[7] | words[6] | words[5] | words[4]:
            if value >= limit or words[7] > 0x7F:
                raise ValueError
            to[at] = 27
            to[at + 1] = words[7]
            to[at + 2] = words[6]
            to[at + 3] = words[5]
            to[at + 4] = words[4]
            to[at + 5] = words[3]
            to[at + 6] = words[2]
            to[at + 7] = words[1]
            to[at + 8] = words[0]
            at += 9
        elif value >> bits:
            at = int(put_long(out, at, value, 0))
        elif words[3] | words[2] | words[1] or words[0] > 23:
            at = int(put(out, at, 0, value, 0))
        else:
            to[at] = words[0]
            at += 1
    if count:
        raise ValueError
    return at


@micropython.viper
def put_rows(out, at: int, rows) -> int:
    """Write key 22 and rows of six numbers."""
    to = ptr8(out)
    bits = _BITS
    to[at] = 22
    begin = at + 1
    to[begin] = 0x80
    at += 2
    for row in rows:
        left = 6
        to[begin] += 1
        to[at] = 0x86
        at += 1
        for value in row:
            left -= 1
            if value >> bits or left < 0:
                raise ValueError
            x = int(value)
            if x < 24:
                to[at] = x
                at += 1
            elif x < 0x100:
                to[at] = 24
                to[at + 1] = x
                at += 2
            elif x < 0x10000:
                to[at] = 25
                to[at + 1] = x >> 8
                to[at + 2] = x & 0xFF
                at += 3
            else:
                at = int(put(out, at, 0, value, 0))
        if left or to[begin] > _ROWS_MAX:
            raise ValueError
    return at


@micropython.viper
def put_readings(out, at: int, rows) -> int:
    """Write key 39 and rows of registers: two numbers, four numbers or nulls, two signed numbers or nulls."""
    to = ptr8(out)
    bits = _BITS
    none = _NONE
    at = int(start(out, at, 39, 0))
    begin = at - 1
    for row in rows:
        to[begin] += 1
        to[at] = 0x88
        at += 1
        left = 8
        for value in row:
            left -= 1
            if value is none and left < 6:
                to[at] = 0xF6
                at += 1
                continue
            if value >> bits or left < 0:
                at = int(_reading(out, at, value, left))
                continue
            x = int(value)
            if x < 24:
                to[at] = x
                at += 1
            elif x > 0xFFFF:
                to[at] = 26
                to[at + 1] = x >> 24
                to[at + 2] = (x >> 16) & 0xFF
                to[at + 3] = (x >> 8) & 0xFF
                to[at + 4] = x & 0xFF
                at += 5
            else:
                at = int(put(out, at, 0, value, 0))
        if left or to[begin] > _ROWS_MAX:
            raise ValueError
    return at


@micropython.viper
def _reading(out, at: int, value, left: int) -> int:
    """Write a reading that is long, or a difference below zero."""
    if left < 0:
        raise ValueError
    if left < 2 and value >> _BITS == _MINUS_ONE:
        x = -1 - int(value)
        if x < 24:
            ptr8(out)[at] = 0x20 | x
            return at + 1
    return int(put_long(out, at, value, 1 if left < 2 else 0))


@micropython.viper
def put_long(out, at: int, value, signed: int) -> int:
    """Write a number of any size, below zero where that may be."""
    major = 0
    if value < _ZERO:
        if not signed:
            raise ValueError
        major = 0x20
        value = _MINUS_ONE - value
    if value >= _LIMIT:
        raise ValueError
    _cell[0] = value
    to = ptr8(out)
    words = ptr8(_cell)
    if words[7] | words[6] | words[5] | words[4]:
        to[at] = major | 27
        to[at + 1] = words[7]
        to[at + 2] = words[6]
        to[at + 3] = words[5]
        to[at + 4] = words[4]
        at += 4
    elif words[3] | words[2]:
        to[at] = major | 26
    else:
        end = int(put(out, at, 0, value, 0))
        to[at] |= major
        return end
    to[at + 1] = words[3]
    to[at + 2] = words[2]
    to[at + 3] = words[1]
    to[at + 4] = words[0]
    return at + 5


@micropython.viper
def start(out, at: int, key: int, count: int) -> int:
    """Write a key above 23 and the head of an array."""
    to = ptr8(out)
    to[at] = 0x18
    to[at + 1] = key
    to[at + 2] = 0x80 | count
    return at + 3


@micropython.viper
def copy(out, at: int, data, count: int) -> int:
    """Write so many bytes as they are."""
    to = ptr8(out)
    source = ptr8(data)
    i = 0
    while i < count - 3:
        to[at] = source[i]
        to[at + 1] = source[i + 1]
        to[at + 2] = source[i + 2]
        to[at + 3] = source[i + 3]
        at += 4
        i += 4
    while i < count:
        to[at] = source[i]
        at += 1
        i += 1
    return at
