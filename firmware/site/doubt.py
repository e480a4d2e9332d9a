"""The rules of truth, on cells: `table` holds the drivers' rows, a header and a row a role; `out` the believed rows.

Rows of readings are those of core.types.Reading, in role order. What is ordinary takes the short way through judge();
the rest is looked at in weigh(). A 64-bit VM reads a 32-bit cell without its sign: so the short way reckons modulo
2**30, and the long one restores the sign. site.truth says which rules these are and why.
"""

import micropython
from micropython import const

# Causes, in the order of their counts; the last two are suspicions that refuse nothing.
_NONE = const(0)
_RANGE = const(1)
_NEGATIVE = const(2)
_MINUS_ONE = const(3)
_ZEROS = const(4)
_STEP = const(5)
_FROZEN = const(6)
_SAME = const(7)
_AWAY = const(8)

# What is known of a meter's voltage or frequency, as a reason to believe a zero.
_LIFE_NONE = const(0)  # it has no such registers
_LIFE_EXEMPT = const(1)  # its driver reads a state with the power and refuses zeros itself
_LIFE_ASKED = const(2)  # not read since the zero came
_LIFE_ALIVE = const(3)
_LIFE_DEAD = const(4)

# The drivers' rows come first, then a header, then a row a role.
_CELLS = const(4)  # of one Reading
_ALL = const(24)  # of the readings of all roles
_NOW = const(24)
_STALE_MS = const(25)
_FROZEN_MS = const(26)
_END = const(27)  # where the last role's reading ends
_HEADER = const(28)

# Cells of a role's row.
_SEEN = const(0)  # count of the driver's row when it was last judged
_STATE = const(1)  # what is suspected
_BELOW = const(2)  # how far below zero a value may be: 0 for a load
_SPAN = const(3)  # from there to how far above
_STEP_PU = const(4)
_TWO_STEPS = const(5)
_RATED = const(6)  # 0 where the site has no such plant
_LIFE = const(7)
_TIMES = const(8)  # samples that have shown what is suspected
_MARK = const(9)  # STEP: the value to be confirmed; SAME, AWAY: what the other meters said when it began
_SINCE = const(10)  # tick of the first 0 or -1, of the first repeated sample, or of the first one contradicted (AWAY)
_NEXT_MS = const(11)  # tick from which a value that stays the same is looked at again
_MOVED_MS = const(12)  # tick at which its own energy register was seen to move, 0 for never
_REFUSED = const(13)  # the value last refused
_COUNTS = const(13)  # + cause: how many were refused for it
_WIDTH = const(20)

_GRID_AT = const(4)
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_UNKNOWN = const(0x1FFFFFFF)  # what the others say, where one of them says nothing


def ptr32(cells):
    """Return `cells`: viper takes this name for a pointer to 32-bit words, and never calls this."""
    return cells


@micropython.viper
def _rest(out: ptr32, table: ptr32, at: int) -> int:
    """Return what the other believed rows make of the one at out[at]; _UNKNOWN while one of them is old or frozen."""
    total = 0
    i = 0
    row = _HEADER
    while i < _ALL:
        if i != at and table[row + _RATED] != 0:
            age = (((table[_NOW] - out[i + 1]) & _MASK) ^ _HALF) - _HALF
            if out[i + 2] == 0 or age > table[_STALE_MS] or table[row + _STATE] == _FROZEN:
                return _UNKNOWN
            value = ((out[i] & _MASK) ^ _HALF) - _HALF
            total += value if i == 0 else 0 - value
        i += _CELLS
        row += _WIDTH
    return total if at else 0 - total  # load = the sum of all others; each other = load less the rest


@micropython.viper
def _alive(table: ptr32, row: int) -> int:
    """Return 1 when the meter's own energy register has moved within the time after which a value is frozen."""
    age = (((table[_NOW] - table[row + _MOVED_MS]) & _MASK) ^ _HALF) - _HALF
    if table[row + _MOVED_MS] == 0 or age < 0 or age >= table[_FROZEN_MS]:
        return 0
    return 1


@micropython.viper
def _accused(out: ptr32, table: ptr32, at: int) -> int:
    """Return 1 when of all roles that stand still this one is accused: the grid, else the load, else the only one."""
    i = 0
    row = _HEADER
    while i < _ALL:
        if i == at:
            if int(_alive(table, row)):
                return 0
        elif table[row + _STATE] >= _SAME and (i == _GRID_AT or at != 0) and at != _GRID_AT:
            age = (((out[i + 1] - table[row + _SINCE]) & _MASK) ^ _HALF) - _HALF
            if table[row + _STATE] == _AWAY or age >= table[_FROZEN_MS]:
                if int(_alive(table, row)) == 0:
                    return 0
        i += _CELLS
        row += _WIDTH
    return 1


@micropython.viper
def _moved(out: ptr32, table: ptr32, at: int, row: int) -> int:
    """Return 1 when what the others say has moved by more than 5 % of the rating since it was marked."""
    rest = int(_rest(out, table, at))
    mark = ((table[row + _MARK] & _MASK) ^ _HALF) - _HALF
    if rest == _UNKNOWN or mark == _UNKNOWN:
        table[row + _MARK] = rest
        table[row + _TIMES] = 0
        return 0
    moved = rest - mark if rest > mark else mark - rest
    if table[row + _TIMES] == 0:
        # Marked only when two in turn agree: the meters are not sampled at one instant.
        table[row + _MARK] = rest
        if moved * 20 <= table[row + _RATED]:
            table[row + _TIMES] = 1
        return 0
    return 1 if moved * 20 > table[row + _RATED] else 0


@micropython.viper
def _repeated(out: ptr32, table: ptr32, at: int, row: int, t_ms: int) -> int:
    """Return the cause against a value that has not changed, or NONE."""
    state = table[row + _STATE]
    if state == _FROZEN:
        return _FROZEN
    table[row + _NEXT_MS] = t_ms  # look at the next one as well
    if state < _SAME:
        table[row + _STATE] = _SAME
        table[row + _SINCE] = t_ms
        table[row + _MARK] = int(_rest(out, table, at))
        table[row + _TIMES] = 0
        return _NONE
    age = (((t_ms - table[row + _SINCE]) & _MASK) ^ _HALF) - _HALF
    if state == _SAME and age >= 0 and age < table[_FROZEN_MS]:
        _moved(out, table, at, row)
        if table[row + _TIMES]:
            table[row + _NEXT_MS] = (table[row + _SINCE] + table[_FROZEN_MS]) & _MASK
        return _NONE
    if int(_moved(out, table, at, row)) == 0 or int(_accused(out, table, at)) == 0:
        table[row + _STATE] = _SAME
        # Held at the limit, so that the tick may run on for as long as the power stays the same.
        table[row + _SINCE] = (t_ms - table[_FROZEN_MS]) & _MASK
        table[row + _NEXT_MS] = (t_ms + (table[_FROZEN_MS] >> 4)) & _MASK
        return _NONE
    if state == _SAME:
        table[row + _STATE] = _AWAY
        table[row + _SINCE] = t_ms
        return _NONE
    if age * 5 < table[_FROZEN_MS]:
        return _NONE  # only what stays is a contradiction
    table[row + _STATE] = _FROZEN
    return _FROZEN


@micropython.viper
def _again(table: ptr32, row: int, t_ms: int) -> int:
    """Return 1 when it is the sample of zeros that was refused before."""
    return 1 if table[row + _STATE] == _ZEROS and table[row + _NEXT_MS] == t_ms else 0


@micropython.viper
def _nothing(out: ptr32, table: ptr32, at: int, row: int, value: int, t_ms: int) -> int:
    """Return the cause against a value of 0 or -1 that comes after more than 1 % of the rating, or NONE."""
    cause = _ZEROS if value == 0 else _MINUS_ONE
    life = table[row + _LIFE]
    if table[row + _STATE] != cause:
        table[row + _STATE] = cause
        table[row + _TIMES] = 0
        table[row + _SINCE] = t_ms
        table[row + _NEXT_MS] = ~t_ms & _MASK
        if life > _LIFE_ASKED:
            life = _LIFE_ASKED
            table[row + _LIFE] = life
    if int(_again(table, row, t_ms)) == 0:
        table[row + _TIMES] += 1
        table[row + _NEXT_MS] = t_ms
    if cause == _MINUS_ONE:
        if at and table[row + _TIMES] >= 5:
            return _NONE
        return _MINUS_ONE
    if life == _LIFE_ALIVE or life == _LIFE_EXEMPT or (life == _LIFE_NONE and table[row + _TIMES] >= 3):
        return _NONE
    rest = int(_rest(out, table, at))
    if rest < 0:
        rest = 0 - rest
    if rest * 50 <= table[row + _RATED]:
        return _NONE
    return _ZEROS


@micropython.viper
def _find_cause(out: ptr32, table: ptr32, at: int, row: int, value: int, t_ms: int) -> int:
    """Return the cause against a value, or NONE; what is suspected goes on from sample to sample in STATE."""
    last = ((out[at] & _MASK) ^ _HALF) - _HALF
    far = last if last > 0 else 0 - last
    high = table[row + _SPAN] - table[row + _BELOW]
    if value > high or value < 0 - high:
        return _RANGE
    if far * 100 > table[row + _RATED] and (value + 1) >> 1 == 0:
        return int(_nothing(out, table, at, row, value, t_ms))
    if value + table[row + _BELOW] < 0:
        return _NEGATIVE
    step = value - last if value > last else last - value
    if step > table[row + _STEP_PU]:
        mark = ((table[row + _MARK] & _MASK) ^ _HALF) - _HALF
        off = mark - value if mark > value else value - mark
        if table[row + _STATE] == _STEP and off <= table[row + _STEP_PU]:
            return _NONE
        table[row + _STATE] = _STEP
        table[row + _MARK] = value
        return _STEP
    if step == 0 and value != 0:
        return int(_repeated(out, table, at, row, t_ms))
    return _NONE


@micropython.viper
def weigh(table: ptr32, out: ptr32, at: int, row: int):
    """Judge a sample that is not ordinary: believe it, or count why not."""
    value = ((table[at] & _MASK) ^ _HALF) - _HALF
    last = ((out[at] & _MASK) ^ _HALF) - _HALF
    if at == 0 and value < 0 and (0 - value) * 200 <= table[row + _RATED]:
        if value != -1 or last * 100 <= table[row + _RATED]:
            value = 0  # an offset
    again = int(_again(table, row, table[at + 1]))
    cause = int(_find_cause(out, table, at, row, value, table[at + 1]))
    if cause == _ZEROS:  # judged anew at the next tick: what the others have shown by then may confirm it
        table[row] = (table[at + 2] - 1) & _MASK
    if cause != _NONE and again:
        return
    if cause != _NONE:
        table[row + _REFUSED] = table[at]
        table[row + _COUNTS + cause] = (table[row + _COUNTS + cause] + 1) & _MASK
        return
    if value != last or value == 0:
        table[row + _STATE] = _NONE
    out[at] = value
    out[at + 1] = table[at + 1]
    out[at + 2] = table[at + 2]


@micropython.viper
def judge(table: ptr32, out: ptr32, now_ms: int) -> int:
    """Judge what is new in each of the drivers' rows, at the tick `now_ms`; `out` has a believed row for each.

    Returns 0: nothing is left to be judged (core.machine).
    """
    table[_NOW] = now_ms
    end = table[_END]
    at = 0
    row = _HEADER
    while at < end:
        count = table[at + 2]
        if count != table[row]:  # SEEN is the first cell
            table[row] = count
            value = table[at]
            step = (value - out[at]) & _MASK
            ordinary = 0
            if step == 0:
                if value == 0:
                    ordinary = 1
                elif table[row + _STATE] == _SAME:  # and not yet to be looked at again
                    if (((table[at + 1] - table[row + _NEXT_MS]) & _MASK) ^ _HALF) < _HALF:
                        ordinary = 2
            elif (step + table[row + _STEP_PU]) & _MASK <= table[row + _TWO_STEPS] and (value + 1) & _MASK > 1:
                if (value + table[row + _BELOW]) & _MASK <= table[row + _SPAN]:
                    ordinary = 1
            if ordinary:
                out[at] = value
                out[at + 1] = table[at + 1]
                out[at + 2] = count
                if ordinary == 1:
                    table[row + _STATE] = _NONE
            else:
                weigh(table, out, at, row)
        at += _CELLS
        row += _WIDTH
    return 0
