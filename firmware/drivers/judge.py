"""Which of the bytes that came after a request are its answer.

The answer is looked for where it should begin: behind what came before the request's last byte had left, and behind
the request's own echo. Elsewhere (behind noise or another's frame) only a whole right frame with silence after it
counts.
"""

import micropython
from micropython import const

from firmware.drivers.modbus import CRC_TABLE, check, crc_fast, ptr8, ptr32, same
from firmware.drivers.queue import deadline

# As in drivers.cells.
_STATE = const(0)
_TRIED = const(6)
_BUSY = const(13)
_END = const(14)
_DEADLINE = const(15)
_LAST = const(16)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_FIRST = const(29)
_SENT = const(30)
_REFUSED = const(38)
_CLOCK_MS = const(39)
_CLOCK_US = const(43)
_EXPECT = const(40)
_EXPECT_MORE = const(44)
_INTRUDED = const(41)
_N = const(2)
_BASE = const(3)
_AT = const(4)
_VERDICT = const(5)
_SPILT = const(8)
_ECHO = const(9)
_ONE = const(10)
_FRAME_N = const(11)
_ANSWER_N = const(12)

# As in drivers.modbus.
_OK = const(0)
_MORE = const(1)
_EXCEPTION = const(2)
_TIMEOUT = const(3)
_CUT = const(4)
_WRONG_LENGTH = const(8)
_LOOK = const(11)

_SEND = const(1)
_LISTEN = const(2)
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_NEVER = const(0x3FFFFFFF)


@micropython.viper
def hear(c: ptr32, rx: ptr8, n: int, now: int) -> int:
    """Note that the request has left, and look for its answer where it should begin, `n` bytes of it being new.

    Returns OK for an answer, MORE for the beginning of one, LOOK for all else: judge() knows then.
    """
    if c[_STATE] == _SEND:
        # Its end by the baud rate, unless the UART was seen to end earlier or later.
        end = c[_END]
        if ((now - end) & _MASK) & _HALF or (end - c[_BUSY]) & _HALF:
            c[_END] = end = now
        c[_SENT] = (c[_CLOCK_MS] + ((end - c[_CLOCK_US]) & _MASK) // 1000) & _MASK
        c[_STATE] = _LISTEN
        c[_LAST] = end
        c[_DEADLINE] = _NEVER
    if n == 0:
        return _MORE
    if c[_N] - n <= c[_BASE]:
        # Of what came at once only its last byte's time is known: the rest came before at the line's speed.
        c[_FIRST] = ((now - _HALF - n * c[_CHAR]) & _MASK) ^ _HALF
    c[_LAST] = now
    c[_TRIED] = 0
    c[_WAKE] = ((now - _HALF + c[_SILENCE]) & _MASK) ^ _HALF
    if rx[0] | rx[1] << 8 | rx[2] << 16 != c[_EXPECT] or c[_N] < 3 or c[_BASE] + c[_SPILT]:
        return _LOOK
    left = c[_ANSWER_N]
    c[_VERDICT] = _MORE
    if c[_N] < left:
        return _MORE
    if c[_EXPECT_MORE] and rx[3] | rx[4] << 8 | rx[5] << 16 != c[_EXPECT_MORE] or int(crc_fast(rx, CRC_TABLE, left)):
        return _LOOK
    c[_AT] = 0
    c[_REFUSED] = 0
    return _OK


@micropython.viper
def set_deadline(c: ptr32):
    """Work out when the answer must have ended, and whether something came before the request had left."""
    c[_DEADLINE] = int(deadline(c, c[_END]))
    if c[_TRIED]:
        c[_WAKE] = c[_DEADLINE]
    c[_INTRUDED] = 1 if c[_BASE] else 0


@micropython.viper
def judge(c: ptr32, rx: ptr8, frame: ptr8) -> int:
    """Judge the bytes where the answer should begin; returns a status."""
    if c[_SPILT]:
        c[_VERDICT] = _WRONG_LENGTH
        return _WRONG_LENGTH
    n = c[_FRAME_N]
    # A write of one register is answered by its own copy: an echo only where others have shown one.
    if rx[2] == frame[2] and c[_BASE] < n and c[_N] >= n and (c[_ECHO] or not c[_ONE]):
        if int(same(rx, frame, n)):
            c[_ECHO] = 1
            c[_BASE] = n
    base = c[_BASE]
    c[_AT] = base
    verdict = int(check(frame, rx, base, c[_N] - base))
    c[_VERDICT] = verdict
    c[_REFUSED] = verdict  # of those that end a transaction
    if verdict == _OK and base == 0 and c[_ECHO]:
        c[_ECHO] = c[_ONE]
    return verdict


@micropython.viper
def judge_tail(c: ptr32, rx: ptr8, frame: ptr8) -> int:
    """Judge the last bytes before a silence as a whole answer, or a whole exception; returns a status."""
    if c[_VERDICT] == _MORE:
        return _MORE
    n = c[_ANSWER_N]
    at = c[_N] - n
    if at >= c[_BASE] and int(check(frame, rx, at, n)) == _OK:
        c[_AT] = at
        c[_REFUSED] = 0
        return _OK
    at = c[_N] - 5
    if at >= c[_BASE] and int(check(frame, rx, at, 5)) == _EXCEPTION:
        c[_AT] = at
        c[_REFUSED] = 1
        return _EXCEPTION
    return c[_VERDICT]


@micropython.viper
def outcome(c: ptr32) -> int:
    """Return the status of a request whose time is over."""
    if c[_N] <= c[_BASE]:
        return _TIMEOUT
    return _CUT if c[_VERDICT] == _MORE else c[_VERDICT]
