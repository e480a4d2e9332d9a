"""What goes next on a bus: the queue of its jobs, by rank and then in the order of asking, and what each unit bears.

Ranks: set points first, then what the feed-forward needs, then the rest, then slow registers. Where a line carries one
of the first two, the rest goes behind the set point, or later if it ends before the next one's time. Slow registers and
units that have failed three times go only into a gap that is long enough before the next control period; what has
waited for two seconds goes behind the set point all the same, and after twice its time nothing is held back; where the
line is kept free for set points, after four times.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

# As in drivers.line.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_BASE = const(3)
_TRIED = const(6)
_LEAD = const(10)
_ANSWER_N = const(12)
_END = const(14)
_DEADLINE = const(15)
_NOW = const(33)
_HOW = const(35)
_COMMANDED = const(37)
_COMMANDS = const(45)
_COMMAND_DUE = const(46)
_KEPT = const(47)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_HEAD = const(21)
_FEEDS = const(22)
_CYCLE = const(25)
_PERIOD = const(26)
_DIRECT = const(27)
_TURN_MAX = const(9)
_PAUSE = const(10)
_FAILS = const(12)
_SIGNATURE = const(13)
_HELD = const(14)
_BARRED = const(15)
_SINCE = const(16)
_HOLD = const(17)
_BAR = const(18)
_LEARNT = const(19)
_SEEN = const(20)
_LOSSY = const(34)
_GUARD = const(36)
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
_AWAITED = const(18)


IDLE = const(0)
QUEUED = const(1)
ACTIVE = const(2)

URGENT = const(0)
FEED = const(1)
COMMON = const(2)
SLOW = const(3)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_NEVER = const(0x3FFFFFFF)
_LISTEN = const(2)  # as in drivers.line.bus
_PATIENCE_US = const(2_000_000)
_LOOK_US = const(50_000)
_LEARN = const(16)
_OFTEN = const(2)  # failures in a row from which on a unit is asked only where it is in nobody's way
_MARGIN_US = const(20_000)
_LITTLE_US = const(2_000)


@micropython.viper
def set_period(c: ptr32, now: int, period: int):
    """Note that a control period begins: when it ends, and whether and how soon its set point is expected."""
    asked = c[_COMMANDED]
    c[_COMMANDED] = 0
    c[_COMMAND_DUE] = 1 if asked else 0  # where none went, none is expected
    if asked == 0:
        c[_KEPT] = 0  # nor kept free for
    if asked and c[_FEEDS] == 0:
        lead = (asked - c[_CYCLE] + c[_PERIOD]) & _MASK
        if lead & _HALF:  # it was left over from the period before
            lead = 0
        elif lead > c[_LEAD]:  # the soonest of late counts
            lead = c[_LEAD] + ((lead - c[_LEAD]) >> 3)
        c[_LEAD] = lead
    c[_PERIOD] = period
    c[_CYCLE] = ((now - _HALF + period) & _MASK) ^ _HALF


@micropython.viper
def submit(c: ptr32, job: int) -> int:
    """Queue a job behind all of its rank; return 0 where it was asked already."""
    state = c[job + _ASK]
    if state:
        # A write on the line carries the old content: once more. A read will bring what is asked for.
        if state == ACTIVE and c[job + _WRITES]:
            c[job + _AGAIN] = 1
            if c[_STATE] == _LISTEN:
                press(c)
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
    c[job + _ASK] = QUEUED
    c[job + _ASKED] = c[_NOW]
    if c[_STATE] == 0:
        c[_WAKE] = c[_NOW]  # the line is free
    if rank == URGENT:
        if c[_STATE] == _LISTEN:
            press(c)
    # A unit that has failed again and again is not waited for.
    elif rank == FEED and c[c[job + _DEVICE] + _FAILS] < _OFTEN + c[c[job + _DEVICE] + _LOSSY]:
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
    """Remove the first job that may go now and put its form into HOW; 0 for none, and then when to look again."""
    before = _HEAD
    job = c[before]
    soonest = _LOOK_US
    patient = COMMON if c[_FEEDS] + c[_COMMANDS] else SLOW  # ranks from here on wait for a place
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
            elif wait > 0:
                wait = int(_jump(c, job, wait, now))
        if wait <= 0 and (c[job + _RANK] >= patient or c[device + _FAILS] > _OFTEN + c[device + _LOSSY]):
            wait = int(_gap_wait(c, job, form, now))
        if wait <= 0:
            c[before] = c[job + _NEXT]
            c[_HOW] = form
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
def _jump(c: ptr32, job: int, wait: int, now: int) -> int:
    """Return how long a job that has to wait for its held unit is really to wait: what the tick is about goes at once.

    Its answer is another than that of the one request which may still be answered. Where there are two, it waits; not a
    set point that the line is kept free for, where answers get lost now and then: then these have been lost.
    """
    device = c[job + _DEVICE]
    if c[device + _FAILS] >= _OFTEN + c[device + _LOSSY]:
        return wait
    rank = c[job + _RANK]
    if c[device + _GUARD] and (rank != URGENT or c[_KEPT] == 0 or c[device + _LOSSY] == 0):
        return wait
    if rank > (FEED if c[device + _LOSSY] else URGENT):
        return wait
    return c[device + _PAUSE] - ((now - c[device + _SINCE]) & _MASK)


@micropython.viper
def deadline(c: ptr32, end: int) -> int:
    """Return when the answer to the request that ended at `end` must have ended."""
    wait = int(patience_us(c, c[_JOB])) + c[_ANSWER_N] * c[_CHAR] + 2 * c[_SILENCE]
    return ((end - _HALF + wait) & _MASK) ^ _HALF


@micropython.viper
def hasten(c: ptr32, turn: int, more: int):
    """Await the answer's first byte no longer than a turn-around of this size, and `more` us: by then it is lost."""
    device = c[c[_JOB] + _DEVICE]
    if c[device + _SEEN] < _LEARN or c[device + _FAILS] >= _OFTEN + c[device + _LOSSY]:
        return
    wait = turn + (turn >> 3) + _LITTLE_US + more
    due = ((c[_END] - _HALF + wait) & _MASK) ^ _HALF
    if (due - c[_DEADLINE]) & _HALF:
        c[_DEADLINE] = due


@micropython.viper
def press(c: ptr32):
    """Await the request on the line no longer than any answer of its unit has ever taken where a set point for that
    waits, or where answers of the unit get lost and the tick waits for this one.
    """
    line = c[_JOB]
    device = c[line + _DEVICE]
    if c[_N] > c[_BASE] or c[_DEADLINE] == _NEVER:
        return
    if c[line + _RANK] > FEED or c[device + _LOSSY] == 0:
        head = c[_HEAD]
        waits = c[line + _AGAIN] if c[line + _WRITES] else 0
        if waits == 0 and (head == 0 or c[head + _RANK] != URGENT or c[head + _DEVICE] != device):
            return
    hasten(c, c[device + _TURN_MAX], (c[_ANSWER_N] + 2) * c[_CHAR])
    if c[_TRIED]:
        c[_WAKE] = c[_DEADLINE]


@micropython.viper
def _gap_wait(c: ptr32, job: int, form: int, now: int) -> int:
    """Return 0 where a job that can wait is in nobody's way, else how long until to look again."""
    period = c[_PERIOD]
    left = (((c[_CYCLE] - now) & _MASK) ^ _HALF) - _HALF
    if period == 0 or 0 - left >= period:
        return 0
    common = 1 if c[job + _RANK] == COMMON and c[c[job + _DEVICE] + _FAILS] <= _OFTEN else 0
    waited = (now - c[job + _ASKED]) & _MASK
    patience = period << 1 if common else _PATIENCE_US
    if waited >= patience << (2 if c[_KEPT] else 1):
        return 0
    early = 1 if left << 1 > period else 0  # the set point may be to come yet
    direct = c[_DIRECT]
    if left <= 0 or c[_KEPT] or early and c[_COMMAND_DUE] and direct == 0 or direct and common == 0:
        return _LOOK_US
    if early and (common or waited >= patience):
        return 0  # behind the set point is the best place there is
    cost = int(_cost(c, job, form, common))
    if common:
        left += c[_LEAD]
    return 0 if cost <= left else left


@micropython.viper
def _cost(c: ptr32, job: int, form: int, common: int) -> int:
    """Return how long a job is taken to need the line; what is common is only taken to need what it mostly does."""
    device = c[job + _DEVICE]
    cost = (c[job + _FRAME_LENGTH + form] + c[job + _ANSWER_LENGTH + form]) * c[_CHAR] + c[_SILENCE]
    if common:
        return cost + c[device + _LEARNT]
    cost += c[_SILENCE]
    if c[device + _FAILS] or c[device + _SEEN] < _LEARN:
        return cost + int(patience_us(c, job))
    return cost + c[device + _LEARNT]
