"""Which of the bytes that came after a request are its answer.

The answer is looked for where it should begin: behind what came before the request's last byte had left, and behind
the request's own echo. Elsewhere (behind noise or another's frame) only a whole right frame with silence after it
counts.
"""

import micropython
from micropython import const

from firmware.core.types import ptr8, ptr32
from firmware.drivers.line.modbus import check, same
from firmware.drivers.line.queue import deadline, press

# As in drivers.line.cells.
_TRIED = const(6)
_END = const(14)
_DEADLINE = const(15)
_WAKE = const(18)
_REFUSED = const(38)
_INTRUDED = const(41)
_N = const(2)
_BASE = const(3)
_AT = const(4)
_VERDICT = const(5)
_SPILT = const(8)
_ECHO = const(9)
_FRAME_N = const(11)
_ANSWER_N = const(12)

# As in drivers.line.modbus.
_OK = const(0)
_MORE = const(1)
_EXCEPTION = const(2)
_TIMEOUT = const(3)
_CUT = const(4)
_WRONG_LENGTH = const(8)
_WRITE_ONE = const(6)



@micropython.viper
def set_deadline(c: ptr32):
    """Work out when the answer must have ended, and whether something came before the request had left."""
    c[_DEADLINE] = int(deadline(c, c[_END]))
    press(c)
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
    if rx[2] == frame[2] and c[_BASE] < n and c[_N] >= n and (c[_ECHO] or frame[1] != _WRITE_ONE):
        if int(same(rx, frame, n)):
            c[_ECHO] = 1
            c[_BASE] = n
    base = c[_BASE]
    c[_AT] = base
    verdict = int(check(frame, rx, base, c[_N] - base))
    c[_VERDICT] = verdict
    c[_REFUSED] = 1 if verdict == _EXCEPTION else 0
    if verdict == _OK and base == 0 and c[_ECHO]:
        c[_ECHO] = 1 if frame[1] == _WRITE_ONE else 0
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
