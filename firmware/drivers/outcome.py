"""How a transaction ends, and what the bus keeps of it: counts, turn-arounds, and when the unit may be asked again."""

import micropython
from micropython import const

from firmware.drivers.modbus import ptr8, ptr32
from firmware.drivers.queue import submit

# As in drivers.cells.
_STATE = const(0)
_JOB = const(1)
_NOISY = const(7)
_END = const(14)
_LAST = const(16)
_GAP_AT = const(17)
_FIRST = const(29)
_BUSY_US = const(31)
_BEGUN = const(32)
_WHO = const(34)
_REFUSED = const(38)
_N = const(2)
_AT = const(4)
_ANSWER_N = const(12)
_EXCEPTIONS = const(6)
_WAKE = const(18)
_SILENCE = const(20)
_FOREIGN = const(24)
_DIRECT = const(27)
_UNITS = const(28)
_UNIT = const(0)
_NEXT_UNIT = const(1)
_ANSWERS = const(3)
_LATE = const(7)
_STRANGE = const(8)
_TURN_MAX = const(9)
_PAUSE = const(10)
_LATE_US = const(11)
_FAILS = const(12)
_SIGNATURE = const(13)
_HELD = const(14)
_BARRED = const(15)
_SINCE = const(16)
_HOLD = const(17)
_BAR = const(18)
_LEARNT = const(19)
_SEEN = const(20)
_BUCKETS = const(21)
_ASK = const(1)
_DEVICE = const(3)
_SIGNATURES = const(4)
_AGAIN = const(13)
_AWAITED = const(18)

_GAP = const(3)  # as in drivers.bus
_IDLE = const(0)  # as in drivers.queue

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_BAR_US = const(2_000_000)
_HOLD_MAX_US = const(2_000_000)
_SHARE = const(20)  # a unit that stays silent may take one twentieth of the line
_LEFT_ALONE_US = const(10_000_000)
_LEARN = const(16)
_FIRST_BUCKET_US = const(500)
_LAST_BUCKET = const(11)


@micropython.viper
def close(c: ptr32, now: int) -> int:
    """Free the line and the job on it, and wait for silence; returns the job's row."""
    job = c[_JOB]
    c[_JOB] = 0
    c[job + _ASK] = _IDLE
    c[_STATE] = _GAP
    c[_NOISY] = 0
    c[_GAP_AT] = now
    c[_WAKE] = ((c[_LAST] - _HALF + c[_SILENCE]) & _MASK) ^ _HALF
    c[_BUSY_US] = (c[_BUSY_US] + ((c[_WAKE] - c[_BEGUN]) & _MASK)) & _MASK
    c[_DIRECT] -= c[job + _AWAITED]
    c[job + _AWAITED] = 0
    if c[job + _AGAIN]:
        c[job + _AGAIN] = 0
        submit(c, job)
    return job


@micropython.viper
def answered(c: ptr32, rx: ptr8, now: int) -> int:
    """End the transaction with an answer, or an exception; returns the job's number."""
    job = int(close(c, now))
    device = c[job + _DEVICE]
    end = c[_AT] + c[_ANSWER_N]
    count = device + _ANSWERS
    if c[_REFUSED]:
        end = c[_AT] + 5
        count = device + _EXCEPTIONS
    c[count] = (c[count] + 1) & _MASK
    c[device + _FAILS] = 0
    turn = (c[_FIRST] - c[_END]) & _MASK
    if turn & _HALF:
        turn = 0
    if turn > c[device + _TURN_MAX]:
        c[device + _TURN_MAX] = turn
    learnt = c[device + _LEARNT]
    if turn > learnt:
        c[device + _LEARNT] = turn
    else:
        c[device + _LEARNT] = learnt - ((learnt - turn) >> 6)
    if c[device + _SEEN] < _LEARN:
        c[device + _SEEN] += 1
    bucket = device + _BUCKETS
    last = bucket + _LAST_BUCKET
    size = _FIRST_BUCKET_US
    while turn > size and bucket < last:
        size += size
        bucket += 1
    c[bucket] = (c[bucket] + 1) & _MASK
    if c[device + _PAUSE] or c[device + _HELD]:
        _pause(c, device, now)
    if c[_N] > end:
        c[_NOISY] = 1
        blame(c, rx[end])
    return c[_WHO]


@micropython.viper
def _pause(c: ptr32, device: int, now: int):
    """Leave the unit alone for the pause that it needs after a transaction."""
    pause = c[device + _PAUSE]
    if c[device + _BARRED] and c[device + _HELD]:
        # The bar stands for its time; the pause is counted from where the bar is.
        pause += (now - c[device + _SINCE]) & _MASK
        c[device + _HOLD] = pause
        if c[device + _BAR] < pause:
            c[device + _BAR] = pause
    elif pause:
        c[device + _BARRED] = 0
        c[device + _HELD] = 1
        c[device + _SINCE] = now
        c[device + _HOLD] = pause
        c[device + _BAR] = pause


@micropython.viper
def failed(c: ptr32, job: int, waited: int, garbled: int, now: int):
    """Note a request without an answer: leave the unit alone until a late one cannot come, longer each time.

    An answer with a wrong CRC has come, but what came may have been somebody else's. Where the request has another
    form, its signature stays barred well beyond the hold: it costs nothing.
    """
    device = c[job + _DEVICE]
    late = c[device + _LATE_US]
    fails = c[device + _FAILS]
    has_other = c[job + _SIGNATURES] != c[job + _SIGNATURES + 1]
    if has_other and 2 * waited < late:
        late = 2 * waited  # the bar does the rest
    hold = c[device + _PAUSE]
    if garbled == 0:
        if late - waited > hold:
            hold = late - waited
        if fails:
            hold += late << (fails - 1 if fails < 6 else 5)
            most = late if late > _HOLD_MAX_US else _HOLD_MAX_US
            if hold > most:
                hold = most
        if fails > 1 and hold < _SHARE * waited:
            hold = _SHARE * waited if waited < _LEFT_ALONE_US // _SHARE else _LEFT_ALONE_US
    c[device + _FAILS] = (fails + 1) & _MASK
    c[device + _BARRED] = c[device + _SIGNATURE]
    c[device + _HELD] = 1
    c[device + _SINCE] = now
    c[device + _HOLD] = hold
    c[device + _BAR] = hold + (_BAR_US if has_other else late)


@micropython.viper
def blame(c: ptr32, unit: int):
    """Count a burst by the address it begins with: late where that unit owes an answer, else foreign."""
    device = c[_UNITS]
    while device:
        if c[device + _UNIT] == unit:
            if c[device + _FAILS]:
                c[device + _LATE] = (c[device + _LATE] + 1) & _MASK
                c[device + _LEARNT] += c[device + _LEARNT]  # it needs longer than was thought
                if c[device + _LEARNT] > c[device + _LATE_US]:
                    c[device + _LEARNT] = c[device + _LATE_US]
            else:
                c[device + _STRANGE] = (c[device + _STRANGE] + 1) & _MASK
            return
        device = c[device + _NEXT_UNIT]
    c[_FOREIGN] = (c[_FOREIGN] + 1) & _MASK
