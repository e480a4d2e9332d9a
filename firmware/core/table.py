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

# Cells of the header.
COUNT = const(0)  # rows
GATED = const(1)  # rows with a gate
AWAITED = const(2)  # critical rows that have not checked in since the last feed
SLACK = const(3)  # after a pick that found nothing: us until something may start
BEST = const(4)  # most important row that may start, NONE so far
START = const(5)  # when the picked row starts
LATENESS = const(6)  # and how long after its release
EXTRA = const(7)  # and the part of that which lies in missed periods
BEHIND = const(8)  # 2 from a run on, 1 in the first pass behind it that finds nothing, then 0
HEADER = const(9)

# Cells of a row: its grid, its gate, its limits, its check-in, its counts.
DUE = const(0)
PERIOD = const(1)
OFFSET = const(2)
HOLD = const(3)
GATE = const(4)
RELEASE = const(5)
LATE_LIMIT = const(6)
BUDGET = const(7)
CRITICAL = const(8)
SEEN = const(9)
SEEN_AT = const(10)
FRESH = const(11)
RUNS = const(12)
LATE = const(13)
LATE_MAX = const(14)
MISSED = const(15)
OVER_BUDGET = const(16)
RUN_MAX = const(17)
ERRORS = const(18)
LATE_SUM = const(19)
RUN_SUM = const(20)
MEAN_FROM = const(21)  # run count from which the two sums hold
WIDTH = const(22)

# States of a gate.
NO_GATE = const(0)
CLOSED = const(1)
OPEN = const(2)

# What pick() returns besides a row.
NONE = const(255)  # nothing may start
ASK = const(256)  # added to a row whose gate is to be asked before picking goes on
MISSED_SOME = const(512)  # added to a row that has let whole periods go by: skip() them first


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


@micropython.viper
def pick(table: ptr32, first: int, now: int) -> int:
    """Return the most important row that may start at `now`, moved to its next grid time.

    Or NONE; or ASK + a row: see to its gate, and pick again from that row if it is open, else from the
    one behind it; or MISSED_SOME + a row: skip() the missed ones and pick again from that row.
    """
    if first == 0:
        table[SLACK] = _SLACK_MAX_US
        table[BEST] = NONE
    at = HEADER + first * WIDTH
    count = table[COUNT]
    while first < count:
        ahead = (((table[at] - now) & _MASK) ^ _HALF) - _HALF  # DUE is the first cell
        if ahead <= 0:
            if table[BEST] == NONE:
                # A gate is asked when nothing more important is due: that may be what closes it.
                if table[at + GATE] == CLOSED:
                    return ASK + first
                table[BEST] = first
                if table[GATED] == 0:
                    break
        elif ahead < table[SLACK]:
            table[SLACK] = ahead
        first += 1
        at += WIDTH
    if table[BEST] == NONE:
        if table[BEHIND]:
            table[BEHIND] -= 1
        return NONE
    at = HEADER + table[BEST] * WIDTH
    late = (((now - table[at + DUE]) & _MASK) ^ _HALF) - _HALF
    if late >= table[at + PERIOD]:
        return MISSED_SOME + table[BEST]
    table[at + DUE] = ((table[at + DUE] - _HALF + table[at + PERIOD]) & _MASK) ^ _HALF
    if table[at + GATE] != NO_GATE:
        table[at + GATE] = CLOSED
        late = (((now - table[at + RELEASE]) & _MASK) ^ _HALF) - _HALF
    table[START] = now
    table[LATENESS] = late
    return table[BEST]


@micropython.viper
def hold_over(table: ptr32, row: int, now: int) -> int:
    """Return 1, and open the row's gate, when its hold has ended; else 0, and the slack ends with it."""
    at = HEADER + row * WIDTH
    ahead = (((table[at + DUE] - now) & _MASK) ^ _HALF) - _HALF + table[at + HOLD]
    if ahead > 0:
        if ahead < table[SLACK]:
            table[SLACK] = ahead
        return 0
    table[at + GATE] = OPEN
    table[at + RELEASE] = ((table[at + DUE] - _HALF + table[at + HOLD]) & _MASK) ^ _HALF
    return 1


@micropython.viper
def skip(table: ptr32, row: int, now: int):
    """Count the grid times that a row missed, up to the last that has gone by; then pick from it again."""
    at = HEADER + row * WIDTH
    missed = (((now - table[at + DUE]) & _MASK) ^ _HALF) - _HALF
    missed //= table[at + PERIOD]
    table[EXTRA] = missed * table[at + PERIOD]
    table[at + MISSED] = (table[at + MISSED] + missed) & _MASK
    table[at + DUE] = ((table[at + DUE] - _HALF + table[EXTRA]) & _MASK) ^ _HALF
    if table[at + GATE] != NO_GATE:
        table[EXTRA] = 0  # its lateness counts from the release


@micropython.viper
def finish(table: ptr32, row: int, now: int, ran: int) -> int:
    """Count the run that ends at `now`, `ran` without an error; return 1 when all critical rows are in."""
    at = HEADER + row * WIDTH
    late = table[LATENESS] + table[EXTRA]
    table[EXTRA] = 0
    run = (now - table[START]) & _MASK
    table[at + RUNS] = (table[at + RUNS] + 1) & _MASK
    if late > table[at + LATE_LIMIT]:
        table[at + LATE] = (table[at + LATE] + 1) & _MASK
    if late > table[at + LATE_MAX]:
        table[at + LATE_MAX] = late
    if run > table[at + BUDGET]:
        table[at + OVER_BUDGET] = (table[at + OVER_BUDGET] + 1) & _MASK
    if run > table[at + RUN_MAX]:
        table[at + RUN_MAX] = run
    late += table[at + LATE_SUM]
    run += table[at + RUN_SUM]
    if late >= _SUM_LIMIT or run >= _SUM_LIMIT:
        # Halving both sums and their count keeps the means and stays inside 31 bits.
        late >>= 1
        run >>= 1
        count = (table[at + RUNS] - table[at + MEAN_FROM]) & _MASK
        table[at + MEAN_FROM] = (table[at + RUNS] - ((count + 1) >> 1)) & _MASK
    table[at + LATE_SUM] = late
    table[at + RUN_SUM] = run
    table[BEHIND] = 2
    if ran == 0 or table[at + CRITICAL] == 0:
        return 0
    table[at + SEEN_AT] = table[START]
    if table[at + SEEN] == 0:
        table[at + SEEN] = 1
        table[AWAITED] -= 1
    if table[AWAITED]:
        return 0
    return 1


@micropython.viper
def conclude(table: ptr32, now: int) -> int:
    """Await the stale check-ins again, or all when none is stale; return how many were stale."""
    stale = 0
    critical = 0
    at = HEADER
    end = HEADER + table[COUNT] * WIDTH
    while at < end:
        if table[at + CRITICAL]:
            critical += 1
            age = (now - table[at + SEEN_AT]) & _MASK
            if age > table[at + FRESH]:
                table[at + SEEN] = 0
                stale += 1
        at += WIDTH
    table[AWAITED] = stale
    if stale == 0:
        table[AWAITED] = critical
        while at > HEADER:
            at -= WIDTH
            table[at + SEEN] = 0
    return stale
