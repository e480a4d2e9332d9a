"""The CRC-16 of Modbus (polynomial 0xA001, start 0xFFFF), and frames of writes brought up to their registers.

`fast` and `seal` are what the bus calls for each frame: crc16() and fill() here, unless hal has put the machine's own
in their place.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import ptr8

_WRITE_MANY = const(16)


def ptr16(buf):
    """Return `buf`: viper takes this name for a pointer to 16-bit words, and never calls this."""
    return buf


def _table():
    rows = array("H")
    for row in range(256):
        for _ in range(8):
            row = (row >> 1) ^ (0xA001 if row & 1 else 0)
        rows.append(row)
    return rows


TABLE = _table()


@micropython.viper
def crc16(buf: ptr8, table: ptr16, at: int, n: int) -> int:
    """Return the CRC-16 of buf[at : at + n]; 0 where the last two bytes are the right CRC of the rest.

    `table` is TABLE, at hand in a register.
    """
    crc = 0xFFFF
    end = at + n
    while at < end:
        crc = (crc >> 8) ^ table[(crc ^ buf[at]) & 0xFF]
        at += 1
    return crc


@micropython.viper
def fill(frame: ptr8, source: ptr16, table: ptr16, n: int):
    """Put registers, high byte first, into the frame of a write that has n bytes, and its CRC behind them."""
    at = 7 if frame[1] == _WRITE_MANY else 4
    end = n - 2
    i = 0
    while at < end:
        value = source[i]
        frame[at] = value >> 8
        frame[at + 1] = value & 0xFF
        at += 2
        i += 1
    crc = int(crc16(frame, table, 0, end))
    frame[end] = crc & 0xFF
    frame[end + 1] = crc >> 8


fast = crc16
seal = fill
