"""Modbus RTU frames: build a request, judge an answer. Pure: no clock and no line, and nothing is allocated.

Addresses are those on the wire (0-based). Built here: FC03 and FC04 (read), FC06 and FC16 (write).
"""

from array import array

import micropython
from micropython import const

# What becomes of a request: the status that bus.Bus hands to a job's owner.
OK = const(0)  # the whole answer to this very request
MORE = const(1)  # so far it could be the answer; bytes are missing
EXCEPTION = const(2)  # the device refuses; the exception code is the frame's third byte
TIMEOUT = const(3)  # not one byte came in time
CUT = const(4)  # the answer began and never ended
BAD_CRC = const(5)
WRONG_UNIT = const(6)
WRONG_FUNCTION = const(7)
WRONG_LENGTH = const(8)
WRONG_ECHO = const(9)  # a write answered for another address, value or quantity
STUCK = const(10)  # our own request never left the UART
STATUS_NAMES = ("ok", "more", "exception", "timeout", "cut", "bad_crc", "wrong_unit",
                "wrong_function", "wrong_length", "wrong_echo", "stuck")

READ_HOLDING = const(3)
READ_INPUT = const(4)
WRITE_ONE = const(6)
WRITE_MANY = const(16)
MAX_READ = const(125)
MAX_WRITE = const(123)


def ptr8(buf):
    """Return `buf`: the viper emitter takes this name for a byte pointer, and never calls this."""
    return buf


def ptr16(buf):
    """Return `buf`: the viper emitter takes this name for a pointer to 16-bit words, and never calls this."""
    return buf


def ptr32(cells):
    """Return `cells`: the viper emitter takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


def _table():
    rows = array("H")
    for row in range(256):
        for _ in range(8):
            row = (row >> 1) ^ (0xA001 if row & 1 else 0)
        rows.append(row)
    return rows


CRC_TABLE = _table()


@micropython.viper
def crc_fast(buf: ptr8, table: ptr16, n: int) -> int:
    """Return the CRC-16 of the first n bytes of buf; `table` is CRC_TABLE, at hand in a register."""
    crc = 0xFFFF
    at = 0
    while at < n:
        crc = (crc >> 8) ^ table[(crc ^ buf[at]) & 0xFF]
        at += 1
    return crc


@micropython.viper
def crc16(buf: ptr8, at: int, n: int) -> int:
    """Return the CRC-16 of buf[at : at + n]; 0 where the last two bytes are the right CRC of the rest."""
    table = ptr16(CRC_TABLE)
    crc = 0xFFFF
    end = at + n
    while at < end:
        crc = (crc >> 8) ^ table[(crc ^ buf[at]) & 0xFF]
        at += 1
    return crc


@micropython.viper
def _head(buf: ptr8, unit: int, function: int, address: int, value: int):
    buf[0] = unit
    buf[1] = function
    buf[2] = address >> 8
    buf[3] = address & 0xFF
    buf[4] = value >> 8
    buf[5] = value & 0xFF


@micropython.viper
def _body(buf: ptr8, registers: ptr16, first: int, count: int):
    buf[6] = 2 * count
    at = 7
    end = first + count
    while first < end:
        buf[at] = registers[first] >> 8
        buf[at + 1] = registers[first] & 0xFF
        at += 2
        first += 1


@micropython.native
def _seal(buf, n):
    crc = crc16(buf, 0, n)
    buf[n] = crc & 0xFF
    buf[n + 1] = crc >> 8
    return n + 2


def read_request(buf, unit, function, address, count):
    """Put a read of `count` registers (1 .. 125) into buf; returns the frame's length, 8 bytes."""
    _head(buf, unit, function, address, count)
    return _seal(buf, 6)


def write_one_request(buf, unit, address, value):
    """Put a write of one register (0 .. 0xFFFF) into buf; returns the frame's length, 8 bytes."""
    _head(buf, unit, WRITE_ONE, address, value)
    return _seal(buf, 6)


@micropython.native
def write_many_request(buf, unit, address, registers, first, count):
    """Put a write of registers[first : first + count], an array('H'), into buf; returns the length."""
    _head(buf, unit, 16, address, count)
    _body(buf, registers, first, count)
    return _seal(buf, 7 + 2 * count)


@micropython.viper
def refill(frame: ptr8, registers: ptr16, first: int, count: int):
    """Bring a frame made by write_many_request() up to registers[first : first + count] and seal it again."""
    at = 7
    while count:
        value = registers[first]
        frame[at] = value >> 8
        frame[at + 1] = value & 0xFF
        at += 2
        first += 1
        count -= 1
    crc = int(crc_fast(frame, CRC_TABLE, at))
    frame[at] = crc & 0xFF
    frame[at + 1] = crc >> 8


def answer_length(function, count):
    """Return the bytes of the answer to a request, exceptions (5 bytes) apart."""
    return 5 + 2 * count if function <= READ_INPUT else 8


@micropython.viper
def check(request: ptr8, buf: ptr8, at: int, have: int) -> int:
    """Judge the `have` bytes from buf[at] on as the answer to `request`; returns a status.

    Address, function, length (or a write's echo) and CRC must all match. Bytes behind it are not looked at.
    """
    function = request[1]
    if have > 0 and buf[at] != request[0]:
        return WRONG_UNIT
    if have < 2:
        return MORE
    n = 5
    status = OK
    if buf[at + 1] != function:
        if buf[at + 1] != function | 0x80:
            return WRONG_FUNCTION
        status = EXCEPTION
    elif function <= READ_INPUT:
        n = 2 * request[5] + 5
        if have > 2 and buf[at + 2] != n - 5:
            return WRONG_LENGTH
    else:
        n = 8
        i = 2
        while i < 6 and i < have:
            if buf[at + i] != request[i]:
                return WRONG_ECHO
            i += 1
    if have < n:
        return MORE
    # crc16() written out: a call costs as much as ten bytes.
    table = ptr16(CRC_TABLE)
    crc = 0xFFFF
    end = at + n
    while at < end:
        crc = (crc >> 8) ^ table[(crc ^ buf[at]) & 0xFF]
        at += 1
    return BAD_CRC if crc else status


@micropython.viper
def same(a: ptr8, b: ptr8, n: int) -> int:
    """Return 1 where the first n bytes of both are equal, else 0: is this the echo of our own request?"""
    i = 0
    while i < n:
        if a[i] != b[i]:
            return 0
        i += 1
    return 1
