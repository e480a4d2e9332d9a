"""A request is on the line: note when it has left and when bytes came, find its answer where it should be.

The ordinary course of a transaction, as bus.poll() has it; whatever else happens goes to drivers.line.upset. It is all
in one piece, hear(), for which a machine may have its own (core.machine).
A chained assignment is for constants only: the viper emitter stores another value than it should in the second cell.
"""

import micropython
from micropython import const

from firmware.core.crc import crc16
from firmware.core.types import ptr8, ptr16, ptr32
from firmware.drivers.line.outcome import pause, unusual

# As in drivers.line.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_BASE = const(3)
_TRIED = const(6)
_SPILT = const(8)
_ANSWER_N = const(12)
_BUSY = const(13)
_END = const(14)
_DEADLINE = const(15)
_LAST = const(16)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_DIRECT = const(27)
_FIRST = const(29)
_SENT = const(30)
_NOW = const(33)
_HOW = const(35)
_CLOCK_MS = const(39)
_CAME = const(42)
_CLOCK_US = const(43)
_ANSWERS = const(3)
_PAUSE = const(10)
_HELD = const(14)
_BARRED = const(15)
_ORDINARY = const(21)
_ASK = const(1)
_DEVICE = const(3)
_AGAIN = const(13)
_EXPECTED = const(16)
_AWAITED = const(18)
_EXPECTED_MORE = const(20)

# States of the line, as in drivers.line.bus.
_SEND = const(1)
_LISTEN = const(2)
_GAP = const(3)

# As in drivers.line.modbus and drivers.line.upset.
_OK = const(0)
_MORE = const(1)
_LOOK = const(11)
_REFER = const(13)
_UNUSUAL = const(14)  # of hear(): an answer, and something more is to be seen to

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_NEVER = const(0x3FFFFFFF)
_OFTEN = const(15)  # all answers but each sixteenth are ordinary


@micropython.viper
def leave(c: ptr32, own: int, come: ptr8, out: ptr8) -> int:
    """Leave an answer to the owner of its job: what takes answers where Job.hand_to() has named nothing else."""
    return _REFER


@micropython.viper
def note_sent(c: ptr32):
    """Note when the request's last byte left, where that is news."""
    if c[_STATE] != _SEND:
        return
    now = c[_NOW]
    end = c[_END]  # by the baud rate, unless the UART was seen to end earlier or later
    if ((now - end) & _MASK) & _HALF or (end - c[_BUSY]) & _HALF:
        end = now
        c[_END] = now
    c[_SENT] = (c[_CLOCK_MS] + ((end - c[_CLOCK_US]) & _MASK) // 1000) & _MASK
    c[_STATE] = _LISTEN
    c[_LAST] = end
    c[_DEADLINE] = _NEVER


@micropython.viper
def note_bytes(c: ptr32):
    """Note when bytes came."""
    now = c[_NOW]
    if c[_N] - c[_CAME] <= c[_BASE]:  # only the last byte's time is known: the rest came before at the line's speed
        c[_FIRST] = ((now - _HALF - c[_CAME] * c[_CHAR]) & _MASK) ^ _HALF
    c[_LAST] = now
    c[_TRIED] = 0
    c[_WAKE] = ((now - _HALF + c[_SILENCE]) & _MASK) ^ _HALF


@micropython.viper
def hear(c: ptr32, b: ptr8, table: ptr16) -> int:
    """Note when the request left and the last bytes came; where those so far are the answer end the transaction, as
    outcome.close() does it.

    OK, or UNUSUAL where look_closer() is to be called; else MORE or LOOK.
    """
    note_sent(c)
    if c[_CAME] == 0:
        return _MORE
    note_bytes(c)
    job = c[_JOB]
    at = job + c[_HOW]
    if b[0] | b[1] << 8 | b[2] << 16 != c[at + _EXPECTED] or c[_N] < 3 or c[_BASE] + c[_SPILT]:
        return _LOOK
    if c[_N] < c[_ANSWER_N]:
        return _MORE
    more = c[at + _EXPECTED_MORE]
    if more and b[3] | b[4] << 8 | b[5] << 16 != more or int(crc16(b, table, 0, c[_ANSWER_N])):
        return _LOOK
    c[_JOB] = c[job + _ASK] = 0
    c[_STATE] = _GAP
    c[_DIRECT] -= c[job + _AWAITED]
    c[job + _AWAITED] = 0
    device = c[job + _DEVICE]
    count = c[device + _ANSWERS] + 1
    c[device + _ANSWERS] = count & _MASK
    turn = (c[_FIRST] - c[_END]) & _MASK
    if turn & _HALF:  # it came sooner than the baud rate has it
        turn = 0
    if turn >= c[device + _ORDINARY] or count & _OFTEN == 0 or c[_N] > c[_ANSWER_N] or c[job + _AGAIN]:
        return _UNUSUAL
    if c[device + _PAUSE]:
        if c[device + _BARRED] and c[device + _HELD]:
            return _UNUSUAL
        pause(c, device)
    return _OK


@micropython.viper
def look_closer(c: ptr32, rx: ptr8, job: int) -> int:
    """See to an answer that is UNUSUAL; return OK."""
    device = c[job + _DEVICE]
    turn = (c[_FIRST] - c[_END]) & _MASK
    if turn & _HALF:
        turn = 0
    if turn >= c[device + _ORDINARY] or c[device + _ANSWERS] & _OFTEN == 0 or c[_N] > c[_ANSWER_N] or c[job + _AGAIN]:
        unusual(c, rx, job, turn)
    if c[device + _PAUSE]:
        pause(c, device)
    return _OK
