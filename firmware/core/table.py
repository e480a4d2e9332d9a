"""The scheduler's table: one array of 32-bit cells, a header and a row a task, and the steps that work on it.

Rows stand in the order of importance. Times are 30-bit microsecond ticks; their difference is taken as
((a - b) & MASK ^ HALF) - HALF, their sum with half the circle taken off first, so that no step leaves 31
bits. Every cell is at least 0: a 64-bit VM reads a 32-bit cell without its sign. These run at every pass,
and viper does them in a tenth of the instructions of bytecode.
"""

import micropython
from micropython import const

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_SUM_LIMIT = const(0x20000000)
_SLACK_MAX_US = const(60000000)
_SHORT_US = const(500)  # a task of at most this budget may stand in front of anything

# Cells of the header.
_COUNT = const(0)  # rows
_GATED = const(1)  # rows with a gate
_AWAITED = const(2)  # critical rows that have not checked in since the last feed
_SLACK = const(3)  # after a pick that found nothing: us until something may start
_BEST = const(4)  # most important row that may start, NONE so far
_START = const(5)  # when the picked row starts
_LATENESS = const(6)  # and how long after its release
_EXTRA = const(7)  # and the part of that which lies in missed periods
_BEHIND = const(8)  # 2 from a run on, 1 in the first pass behind it that finds nothing, then 0
_HEADER = const(9)

# Cells of a row: its grid, its gate, its limits, its check-in, its counts.
_DUE = const(0)
_PERIOD = const(1)
_OFFSET = const(2)
_HOLD = const(3)
_GATE = const(4)
_RELEASE = const(5)
_LATE_LIMIT = const(6)
_BUDGET = const(7)
_CRITICAL = const(8)
_SEEN = const(9)
_SEEN_AT = const(10)
_FRESH = const(11)
_RUNS = const(12)
_LATE = const(13)
_LATE_MAX = const(14)
_MISSED = const(15)
_OVER_BUDGET = const(16)
_RUN_MAX = const(17)
_ERRORS = const(18)
_LATE_SUM = const(19)
_RUN_SUM = const(20)
_MEAN_FROM = const(21)  # run count from which the two sums hold
_PACE = const(22)  # us after its grid time at which a paced row starts
_WIDTH = const(23)

# States of a gate.
_NO_GATE = const(0)
_CLOSED = const(1)
_OPEN = const(2)
_PACED = const(3)  # shut until PACE

# What pick() returns besides a row.
_NONE = const(255)  # nothing may start
_ASK = const(256)  # added to a row whose gate is to be asked before picking goes on
_MISSED_SOME = const(512)  # added to a row that has let whole periods go by: skip() them first


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


@micropython.viper
def pick(table: ptr32, first: int, now: int) -> int:
    """Return the most important row that may start at `now`, moved to its next grid time, or NONE.

    Or ASK + a row: see to its gate, and pick again from that row if it is open, else from the one behind it; or
    MISSED_SOME + a row: skip() the missed ones and pick again from that row.
    """
    if first == 0:
        table[_SLACK] = _SLACK_MAX_US
        table[_BEST] = _NONE
    at = _HEADER + first * _WIDTH
    count = table[_COUNT]
    while first < count:
        ahead = (((table[at] - now) & _MASK) ^ _HALF) - _HALF  # DUE is the first cell
        if ahead <= 0:
            if table[_BEST] == _NONE:
                if table[at + _GATE] & _CLOSED:  # nothing more important is due, which may be what closes it
                    return _ASK + first
                if table[at + _CRITICAL] or table[at + _BUDGET] <= _SHORT_US or int(_held(table, at, now)) == 0:
                    table[_BEST] = first
                    if table[_GATED] == 0:
                        break
        elif ahead < table[_SLACK]:
            table[_SLACK] = ahead
        first += 1
        at += _WIDTH
    if table[_BEST] == _NONE:
        if table[_BEHIND]:
            table[_BEHIND] -= 1
        return _NONE
    at = _HEADER + table[_BEST] * _WIDTH
    late = (((now - table[at + _DUE]) & _MASK) ^ _HALF) - _HALF
    if late >= table[at + _PERIOD]:
        return _MISSED_SOME + table[_BEST]
    table[at + _DUE] = ((table[at + _DUE] - _HALF + table[at + _PERIOD]) & _MASK) ^ _HALF
    if table[at + _GATE] != _NO_GATE:
        table[at + _GATE] = _CLOSED
        late = (((now - table[at + _RELEASE]) & _MASK) ^ _HALF) - _HALF
    table[_START] = now
    table[_LATENESS] = late
    return table[_BEST]


@micropython.viper
def _held(table: ptr32, at: int, now: int) -> int:
    """Return 1 where a lesser row has to wait: a critical one waits, or would while this one's budget lasts; else 0.

    Nothing is held back for longer than half its period: whatever can never fit goes on, late.
    """
    need = table[at + _BUDGET]
    late = (((now - table[at]) & _MASK) ^ _HALF) - _HALF
    if late << 1 >= table[at + _PERIOD]:
        return 0
    at = _HEADER
    row = 0
    while row < table[_COUNT]:
        if table[at + _CRITICAL] and (((table[at] - now) & _MASK) ^ _HALF) - _HALF < need:
            return 1
        at += _WIDTH
        row += 1
    return 0


@micropython.viper
def spare(table: ptr32, now: int) -> int:
    """Return how many us may go by before a critical row is due, 0 while one waits; without any, the slack."""
    least = _SLACK_MAX_US
    found = 0
    at = _HEADER
    row = 0
    while row < table[_COUNT]:
        if table[at + _CRITICAL]:
            found = 1
            ahead = (((table[at] - now) & _MASK) ^ _HALF) - _HALF
            if ahead < least:
                least = ahead
        at += _WIDTH
        row += 1
    if not found:
        return table[_SLACK]
    return least if least > 0 else 0


@micropython.viper
def hold_over(table: ptr32, row: int, now: int) -> int:
    """Return 1, and open the row's gate, when its hold, or its pace, has ended; else 0, and the slack ends with it."""
    at = _HEADER + row * _WIDTH
    hold = table[at + (_PACE if table[at + _GATE] == _PACED else _HOLD)]
    ahead = (((table[at + _DUE] - now) & _MASK) ^ _HALF) - _HALF + hold
    if ahead > 0:
        if ahead < table[_SLACK]:
            table[_SLACK] = ahead
        return 0
    table[at + _GATE] = _OPEN
    table[at + _RELEASE] = ((table[at + _DUE] - _HALF + hold) & _MASK) ^ _HALF
    return 1


@micropython.viper
def skip(table: ptr32, row: int, now: int):
    """Count the grid times that a row missed, up to the last that has gone by; then pick from it again."""
    at = _HEADER + row * _WIDTH
    missed = (((now - table[at + _DUE]) & _MASK) ^ _HALF) - _HALF
    missed //= table[at + _PERIOD]
    table[_EXTRA] = missed * table[at + _PERIOD]
    table[at + _MISSED] = (table[at + _MISSED] + missed) & _MASK
    table[at + _DUE] = ((table[at + _DUE] - _HALF + table[_EXTRA]) & _MASK) ^ _HALF
    if table[at + _GATE] != _NO_GATE:
        table[_EXTRA] = 0  # its lateness counts from the release


@micropython.viper
def finish(table: ptr32, row: int, now: int, ran: int) -> int:
    """Count the run that ends at `now`, `ran` without an error; return 1 when all critical rows are in."""
    at = _HEADER + row * _WIDTH
    late = table[_LATENESS] + table[_EXTRA]
    table[_EXTRA] = 0
    run = (now - table[_START]) & _MASK
    table[at + _RUNS] = (table[at + _RUNS] + 1) & _MASK
    if late > table[at + _LATE_LIMIT]:
        table[at + _LATE] = (table[at + _LATE] + 1) & _MASK
    if late > table[at + _LATE_MAX]:
        table[at + _LATE_MAX] = late
    if run > table[at + _BUDGET]:
        table[at + _OVER_BUDGET] = (table[at + _OVER_BUDGET] + 1) & _MASK
    if run > table[at + _RUN_MAX]:
        table[at + _RUN_MAX] = run
    late += table[at + _LATE_SUM]
    run += table[at + _RUN_SUM]
    if late >= _SUM_LIMIT or run >= _SUM_LIMIT:
        # Halving both sums and their count keeps the means and stays inside 31 bits.
        late >>= 1
        run >>= 1
        count = (table[at + _RUNS] - table[at + _MEAN_FROM]) & _MASK
        table[at + _MEAN_FROM] = (table[at + _RUNS] - ((count + 1) >> 1)) & _MASK
    table[at + _LATE_SUM] = late
    table[at + _RUN_SUM] = run
    table[_BEHIND] = 2
    if ran == 0 or table[at + _CRITICAL] == 0:
        return 0
    table[at + _SEEN_AT] = table[_START]
    if table[at + _SEEN] == 0:
        table[at + _SEEN] = 1
        table[_AWAITED] -= 1
    if table[_AWAITED]:
        return 0
    return 1


@micropython.viper
def conclude(table: ptr32, now: int) -> int:
    """Await the stale check-ins again, or all when none is stale; return how many were stale."""
    stale = 0
    critical = 0
    at = _HEADER
    end = _HEADER + table[_COUNT] * _WIDTH
    while at < end:
        if table[at + _CRITICAL]:
            critical += 1
            age = (now - table[at + _SEEN_AT]) & _MASK
            if age > table[at + _FRESH]:
                table[at + _SEEN] = 0
                stale += 1
        at += _WIDTH
    table[_AWAITED] = stale
    if stale == 0:
        table[_AWAITED] = critical
        while at > _HEADER:
            at -= _WIDTH
            table[at + _SEEN] = 0
    return stale
