"""How a transaction ends, and what the bus keeps of it: counts, turn-arounds, and when the unit may be asked again."""

import micropython
from micropython import const

from firmware.core.types import ptr8, ptr32
from firmware.drivers.line.queue import submit

# As in drivers.line.cells.
_STATE = const(0)
_JOB = const(1)
_NOISY = const(7)
_LAST = const(16)
_NOISE_AT = const(17)
_NOW = const(33)
_AWAY = const(36)
_REFUSED = const(38)
_NOISED = const(40)
_N = const(2)
_AT = const(4)
_ANSWER_N = const(12)
_END = const(14)
_WAKE = const(18)
_SILENCE = const(20)
_FOREIGN = const(24)
_DIRECT = const(27)
_UNITS = const(28)
_FIRST = const(29)
_UNIT = const(0)
_NEXT_UNIT = const(1)
_ANSWERS = const(3)
_EXCEPTIONS = const(6)
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
_ORDINARY = const(21)
_BUCKETS = const(22)
_LOSSY = const(34)
_STREAK = const(35)
_GUARD = const(36)
_OWES = const(37)
_ASK = const(1)
_DEVICE = const(3)
_SIGNATURES = const(4)
_AGAIN = const(13)
_AWAITED = const(18)

_GAP = const(3)  # as in drivers.line.bus
_IDLE = const(0)  # as in drivers.line.queue

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_BAR_US = const(2_000_000)
_HOLD_MAX_US = const(2_000_000)
_SHARE = const(20)  # a unit that stays silent may take one twentieth of the line
_LEFT_ALONE_US = const(10_000_000)
_NOISE_LASTS_US = const(2_000_000)
_FEW = const(4)
_SELDOM = const(64)  # answers between two that were lost: from there on it may be silent
_LEARN = const(16)
_SINCE_US = const(500)
_OFTEN = const(15)  # as in drivers.line.listener
_FIRST_BUCKET_US = const(500)
_LAST_BUCKET = const(33)  # the twelfth


@micropython.viper
def close(c: ptr32):
    """Free the line and the job on it, and wait for silence."""
    job = c[_JOB]
    c[_JOB] = 0
    c[job + _ASK] = _IDLE
    c[_STATE] = _GAP
    c[_WAKE] = ((c[_LAST] - _HALF + c[_SILENCE]) & _MASK) ^ _HALF
    c[_DIRECT] -= c[job + _AWAITED]
    c[job + _AWAITED] = 0
    if c[job + _AGAIN]:
        c[job + _AGAIN] = 0
        submit(c, job)


@micropython.viper
def count_answer(c: ptr32, rx: ptr8, job: int):
    """Count an answer, or an exception, that was not found in the ordinary way."""
    device = c[job + _DEVICE]
    row = device + (_EXCEPTIONS if c[_REFUSED] else _ANSWERS)
    c[row] = (c[row] + 1) & _MASK
    turn = (c[_FIRST] - c[_END]) & _MASK
    unusual(c, rx, job, 0 if turn & _HALF else turn)
    if c[device + _PAUSE] + c[device + _HELD]:
        pause(c, device)


@micropython.viper
def unusual(c: ptr32, rx: ptr8, job: int, turn: int):
    """See to what few answers bring: a turn-around of another size, bytes behind them, a write to be made once more."""
    device = c[job + _DEVICE]
    if (c[_NOW] - c[_AWAY]) & _MASK >= _SINCE_US:  # else the answer had come before, nobody knows when
        learn(c, device, turn)
        if turn > c[device + _TURN_MAX]:
            c[device + _TURN_MAX] = turn
    c[device + _FAILS] = 0
    end = c[_AT] + (5 if c[_REFUSED] else c[_ANSWER_N])
    if c[_N] > end:
        c[_NOISY] = 1
        c[_NOISE_AT] = c[_NOW]
        blame(c, rx[end])
    if c[job + _AGAIN]:
        c[job + _AGAIN] = 0
        submit(c, job)


@micropython.viper
def learn(c: ptr32, device: int, turn: int):
    """Learn from a turn-around what the unit needs; of its first answers and each sixteenth, count it by its size."""
    learnt = c[device + _LEARNT]
    seen = c[device + _SEEN]
    if seen < _LEARN or c[device + _ANSWERS] & _OFTEN == 0:
        learnt -= (learnt - turn if learnt > turn else 0) >> (6 if seen < _LEARN else 2)
        size = _FIRST_BUCKET_US
        row = _BUCKETS
        while turn > size and row < _LAST_BUCKET:
            size += size
            row += 1
        c[device + row] = (c[device + row] + 1) & _MASK
    if turn > learnt:
        learnt = turn
    c[device + _LEARNT] = learnt
    c[device + _ORDINARY] = learnt + 1
    if seen < _LEARN:
        c[device + _SEEN] = seen + 1
        c[device + _ORDINARY] = 0


@micropython.viper
def pause(c: ptr32, device: int):
    """Leave the unit alone for the pause that it needs after a transaction."""
    rest = c[device + _PAUSE]
    if c[device + _BARRED] and c[device + _HELD]:
        # The bar stands for its time; the pause is counted from where the bar is.
        rest += (c[_NOW] - c[device + _SINCE]) & _MASK
        if c[device + _HOLD] > rest:  # a set point has jumped it
            return
        c[device + _HOLD] = rest
        if c[device + _BAR] < rest:
            c[device + _BAR] = rest
    elif rest:
        c[device + _BARRED] = c[device + _OWES] = 0
        c[device + _HELD] = 1
        c[device + _SINCE] = c[_NOW]
        c[device + _HOLD] = rest
        c[device + _BAR] = rest


@micropython.viper
def loses(c: ptr32, device: int) -> int:
    """Return whether answers of this unit, which has just failed, get lost now and then: not 0 if so."""
    if c[device + _FAILS] == 0:
        answers = c[device + _ANSWERS]
        c[device + _LOSSY] = _FEW if c[device + _STREAK] and (answers - c[device + _STREAK]) & _MASK < _SELDOM else 0
        c[device + _STREAK] = answers
    return c[device + _LOSSY]


@micropython.viper
def guard(c: ptr32, device: int, owes: int, now: int) -> int:
    """Note for how long this request may be answered yet; return for how long the one that failed before it may be."""
    left = c[device + _OWES] - ((now - c[device + _SINCE]) & _MASK) if c[device + _HELD] else 0
    c[device + _GUARD] = 1 if left > 0 else 0
    c[device + _OWES] = owes if owes > 0 else 0
    return left


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
    more = fails
    # Where noise was heard, or answers get lost now and then, a few failures in a row do not say that it is silent.
    if int(loses(c, device)) or ((now - c[_NOISED]) & _MASK) < _NOISE_LASTS_US:
        more = fails - _FEW if fails > _FEW else 0
    if garbled == 0:
        if late - waited > hold:
            hold = late - waited
        if more:
            hold += late << (more - 1 if more < 6 else 5)
            most = late if late > _HOLD_MAX_US else _HOLD_MAX_US
            if hold > most:
                hold = most
        if more > 1 and hold < _SHARE * waited:
            hold = _SHARE * waited if waited < _LEFT_ALONE_US // _SHARE else _LEFT_ALONE_US
    left = int(guard(c, device, 0 if garbled else c[device + _LATE_US] - waited, now))
    hold = left if left > hold else hold
    c[device + _FAILS] = (fails + 1) & _MASK
    c[device + _BARRED] = c[device + _SIGNATURE]
    c[device + _ORDINARY] = 0
    c[device + _HELD] = 1
    c[device + _SINCE] = now
    c[device + _HOLD] = hold
    c[device + _BAR] = hold + (_BAR_US if has_other else late)


@micropython.viper
def row_of(c: ptr32, unit: int) -> int:
    """Return the row of the unit with this address, 0 where it is none of the site's."""
    device = c[_UNITS]
    while device and c[device + _UNIT] != unit:
        device = c[device + _NEXT_UNIT]
    return device


@micropython.viper
def owes(c: ptr32, unit: int, but: int) -> int:
    """Return 1 where another unit than that of row `but` has this address and owes an answer, else 0."""
    device = int(row_of(c, unit))
    return 1 if device and device != but and c[device + _FAILS] else 0


@micropython.viper
def blame(c: ptr32, unit: int):
    """Count a burst by the address it begins with: late where that unit owes an answer, else foreign."""
    c[_NOISED] = c[_NOW]
    device = int(row_of(c, unit))
    if device == 0:
        c[_FOREIGN] = (c[_FOREIGN] + 1) & _MASK
    elif c[device + _FAILS] == 0:
        c[device + _STRANGE] = (c[device + _STRANGE] + 1) & _MASK
    else:
        c[device + _LATE] = (c[device + _LATE] + 1) & _MASK
        if c[device + _HOLD] > c[device + _PAUSE]:  # nothing else was heard: it needs longer than was thought
            c[device + _LEARNT] += c[device + _LEARNT]
            c[device + _LOSSY] = 0
            if c[device + _LEARNT] > c[device + _LATE_US]:
                c[device + _LEARNT] = c[device + _LATE_US]
