"""What goes next on a bus: the queue of its jobs, by rank and then in the order of asking, and what each unit bears.

Ranks: set points first, then what the feed-forward needs, then the rest, then slow registers. Slow registers and units
that have failed three times go only into a gap that is long enough before the next control period; one that has
waited for two seconds goes all the same.
"""

import micropython
from micropython import const

# As in drivers.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_BASE = const(3)
_VERDICT = const(5)
_TRIED = const(6)
_SPILT = const(8)
_ONE = const(10)
_FRAME_N = const(11)
_ANSWER_N = const(12)
_BUSY = const(13)
_END = const(14)
_BEGUN = const(32)
_NOW = const(33)
_WHO = const(34)
_HOW = const(35)
_FILL = const(36)
_FRAME = const(37)
_EXPECT = const(40)
_EXPECT_MORE = const(44)
_COMMAND_DUE = const(46)
_INTRUDED = const(41)
_REQUESTS = const(2)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_HEAD = const(21)
_COUNT = const(22)
_CYCLE = const(25)
_PERIOD = const(26)
_DIRECT = const(27)
_FAILS = const(12)
_SIGNATURE = const(13)
_HELD = const(14)
_BARRED = const(15)
_SINCE = const(16)
_HOLD = const(17)
_BAR = const(18)
_LEARNT = const(19)
_SEEN = const(20)
_NEXT = const(0)
_ASK = const(1)
_RANK = const(2)
_DEVICE = const(3)
_SIGNATURES = const(4)
_ANSWER_LENGTH = const(6)
_FRAME_LENGTH = const(8)
_FORM = const(10)
_TIMEOUT = const(11)
_WRITES = const(12)
_AGAIN = const(13)
_ASKED = const(14)
_NUMBER = const(15)
_EXPECTED = const(16)
_AWAITED = const(18)
_EXPECTED_MORE = const(20)

_SEND = const(1)
_MORE = const(1)

IDLE = const(0)
QUEUED = const(1)
ACTIVE = const(2)

URGENT = const(0)
FEED = const(1)
COMMON = const(2)
SLOW = const(3)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_PATIENCE_US = const(2_000_000)
_LOOK_US = const(50_000)
_LEARN = const(16)
_MARGIN_US = const(20_000)


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


@micropython.viper
def submit(c: ptr32, job: int) -> int:
    """Queue a job behind all of its rank; return 0 where it was asked already."""
    state = c[job + _ASK]
    if state:
        # A write on the line carries the old content: once more. A read will bring what is asked for.
        if state == ACTIVE and c[job + _WRITES]:
            c[job + _AGAIN] = 1
            return 1
        return 0
    rank = c[job + _RANK]
    before = _HEAD
    behind = c[before]
    while behind and c[behind + _RANK] <= rank:
        before = behind + _NEXT
        behind = c[before]
    c[job + _NEXT] = behind
    c[before] = job
    c[_COUNT] += 1
    c[job + _ASK] = QUEUED
    c[job + _ASKED] = c[_NOW]
    if c[_STATE] == 0:
        c[_WAKE] = c[_NOW]  # the line is free
    # A unit that has failed again and again is not waited for.
    if rank == FEED and c[c[job + _DEVICE] + _FAILS] < 2:
        c[job + _AWAITED] = 1
        c[_DIRECT] += 1
    return 1


@micropython.viper
def patience_us(c: ptr32, job: int) -> int:
    """Return how long the job's unit may take to begin its answer: what it has lately needed, with a margin.

    Doubled with each failure, up to the configured time-out: a unit that became slow is found again.
    """
    timeout = c[job + _TIMEOUT]
    device = c[job + _DEVICE]
    if c[device + _SEEN] < _LEARN:
        return timeout
    limit = (4 * c[device + _LEARNT] + _MARGIN_US) << (c[device + _FAILS] & 3)
    return limit if limit < timeout else timeout


@micropython.viper
def take(c: ptr32, now: int) -> int:
    """Remove the first job that may go now and begin its transaction; 0 for none, and then when to look again."""
    before = _HEAD
    job = c[before]
    soonest = _LOOK_US
    while job:
        device = c[job + _DEVICE]
        # The form: never a barred one, nor the unit's or the job's last one where there is another.
        form = 0
        if not c[job + _WRITES]:
            form = 1 - c[job + _FORM]
            if c[job + _SIGNATURES + form] == c[device + _SIGNATURE]:
                form = 1 - form
        wait = 0
        if c[device + _HELD]:
            wait = int(_hold_wait(c, device, now))
            if c[device + _BARRED] == c[job + _SIGNATURES + form]:
                form = 1 - form
                if c[device + _BARRED] == c[job + _SIGNATURES + form]:
                    wait = c[device + _BAR] - ((now - c[device + _SINCE]) & _MASK)
        if wait <= 0 and (c[job + _RANK] == SLOW or c[device + _FAILS] > 2):
            wait = int(_gap_wait(c, job, form, now))
        if wait <= 0:
            c[before] = c[job + _NEXT]
            c[_COUNT] -= 1
            _open(c, job, form, now)
            return job
        if wait < soonest:
            soonest = wait
        before = job + _NEXT
        job = c[before]
    if soonest < c[_SILENCE]:
        soonest = c[_SILENCE]
    c[_WAKE] = ((now - _HALF + soonest) & _MASK) ^ _HALF
    return 0


@micropython.viper
def _hold_wait(c: ptr32, device: int, now: int) -> int:
    """Return how long a held unit is still to be left alone; its bar is lifted here when its time is over."""
    # Modulo the wrap: a hold lasts seconds, so its flag is gone long before the tick comes round.
    age = (now - c[device + _SINCE]) & _MASK
    if age < c[device + _BAR]:
        return c[device + _HOLD] - age
    c[device + _HELD] = 0
    c[device + _BARRED] = 0
    return 0


@micropython.viper
def _open(c: ptr32, job: int, form: int, now: int):
    """Begin the transaction of a job."""
    device = c[job + _DEVICE]
    n = c[job + _FRAME_LENGTH + form]
    c[job + _ASK] = ACTIVE
    c[job + _FORM] = form
    c[device + _SIGNATURE] = c[job + _SIGNATURES + form]
    c[device + _REQUESTS] = (c[device + _REQUESTS] + 1) & _MASK
    c[_JOB] = job
    c[_TRIED] = 1
    c[_N] = 0
    c[_BASE] = 0
    c[_SPILT] = 0
    c[_INTRUDED] = 0
    c[_VERDICT] = _MORE
    c[_FRAME_N] = n
    c[_ANSWER_N] = c[job + _ANSWER_LENGTH + form]
    c[_ONE] = 1 if c[job + _SIGNATURES] >> 23 == 6 else 0
    c[_BUSY] = now
    c[_BEGUN] = now
    c[_WHO] = c[job + _NUMBER]
    c[_HOW] = form
    c[_FRAME] = 2 * c[job + _NUMBER] + form
    c[_FILL] = c[job + _WRITES]
    if c[job + _RANK] == URGENT:
        c[_COMMAND_DUE] = 0
    c[_EXPECT] = c[job + _EXPECTED + form]
    c[_EXPECT_MORE] = c[job + _EXPECTED_MORE + form]
    c[_WAKE] = ((now - _HALF + n * c[_CHAR]) & _MASK) ^ _HALF
    c[_END] = c[_WAKE]
    c[_STATE] = _SEND


@micropython.viper
def deadline(c: ptr32, end: int) -> int:
    """Return when the answer to the request that ended at `end` must have ended."""
    wait = int(patience_us(c, c[_JOB])) + c[_ANSWER_N] * c[_CHAR] + 2 * c[_SILENCE]
    return ((end - _HALF + wait) & _MASK) ^ _HALF


@micropython.viper
def _gap_wait(c: ptr32, job: int, form: int, now: int) -> int:
    """Return 0 where a job that can wait fits before the next control period, else how long until that begins."""
    if c[_PERIOD] == 0:
        return 0
    left = (((c[_CYCLE] - now) & _MASK) ^ _HALF) - _HALF
    if left <= 0 or ((now - c[job + _ASKED]) & _MASK) >= _PATIENCE_US:
        return 0
    if c[_DIRECT] + c[_COMMAND_DUE]:
        return _LOOK_US  # the control tick waits for others, or its set point is about to come
    device = c[job + _DEVICE]
    cost = (c[job + _FRAME_LENGTH + form] + c[job + _ANSWER_LENGTH + form]) * c[_CHAR] + 2 * c[_SILENCE]
    if c[device + _FAILS] or c[device + _SEEN] < _LEARN:
        cost += int(patience_us(c, job))
    else:
        cost += c[device + _LEARNT]
    if cost <= left:
        return 0
    return left
