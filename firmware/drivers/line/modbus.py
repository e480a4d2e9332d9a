"""Modbus RTU frames: build a request, judge an answer. Pure: no clock and no line, and nothing is allocated.

Addresses are those on the wire (0-based). Built here: FC03 and FC04 (read), FC06 and FC16 (write).
"""

import micropython
from micropython import const

from firmware.core import crc
from firmware.core.crc import TABLE
from firmware.core.types import ptr8

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


def crc16(buf, at, n):
    """Return the CRC-16 of buf[at : at + n]; 0 where the last two bytes are the right CRC of the rest."""
    return crc.fast(buf, TABLE, at, n)


@micropython.viper
def _head(buf: ptr8, unit: int, function: int, address: int, value: int):
    buf[0] = unit
    buf[1] = function
    buf[2] = address >> 8
    buf[3] = address & 0xFF
    buf[4] = value >> 8
    buf[5] = value & 0xFF


def read_request(buf, unit, function, address, count):
    """Put a read of `count` registers (1 .. 125) into buf; returns the frame's length, 8 bytes."""
    _head(buf, unit, function, address, count)
    sum = crc.fast(buf, TABLE, 0, 6)
    buf[6] = sum & 0xFF
    buf[7] = sum >> 8
    return 8


def write_one_request(buf, unit, address, registers):
    """Put a write of registers[0], an array('H'), into buf; returns the frame's length, 8 bytes."""
    _head(buf, unit, WRITE_ONE, address, 0)
    crc.seal(buf, registers, TABLE, 8)
    return 8


def write_many_request(buf, unit, address, registers, count):
    """Put a write of the first `count` of registers, an array('H'), into buf; returns the length."""
    _head(buf, unit, WRITE_MANY, address, count)
    buf[6] = 2 * count
    crc.seal(buf, registers, TABLE, 9 + 2 * count)
    return 9 + 2 * count


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
    return BAD_CRC if int(crc.fast(buf, TABLE, at, n)) else status


@micropython.viper
def same(a: ptr8, b: ptr8, n: int) -> int:
    """Return 1 where the first n bytes of both are equal, else 0: is this the echo of our own request?"""
    i = 0
    while i < n:
        if a[i] != b[i]:
            return 0
        i += 1
    return 1
