"""The gate of the repetitive term: open as far as what was foreseen has been nearer than the feed-forward.

Judged is what would have been the right command some ticks ago, now that the load of that time is known. An error
counts as the PCS makes it felt, smoothed by its lag, and by its square, over the last one or two periods of the load.
Cells and levels are those of control.periodic.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# As in control.periodic.
_AGE = const(6)
_RIPE = const(7)
_COST_BITS = const(8)
_LATE = const(16)
_TAKEN = const(17)
_GATE = const(18)
_SLOT = const(20)
_OFF = const(21)
_COST = const(23)
_COMMANDS = const(43)
_WAITING = const(16)
_SLOTS = const(15)

_OFF_MAX = const(0x1FFF)
_LEAST_COST = const(16)


@micropython.viper
def weigh(per: ptr32, ideal: int):
    """Open or close the gate: is what was foreseen nearer than the feed-forward to what should have been commanded?

    `ideal` is what should have been commanded _LATE ticks ago.
    """
    late = (per[_SLOT] - per[_LATE]) & _SLOTS
    age = per[_AGE]
    j = 0
    while j < 2 and age > per[_LATE]:
        off = ((per[_OFF + j] & _MASK) ^ _HALF) - _HALF
        error = ((per[_COMMANDS + _WAITING * j + late] & _MASK) ^ _HALF) - _HALF - ideal
        off += (error - off) * per[_TAKEN] >> 8
        per[_OFF + j] = off
        if off > _OFF_MAX:
            off = _OFF_MAX
        if off < 0 - _OFF_MAX:
            off = 0 - _OFF_MAX
        per[_COST + j] += (off * off >> 8) - (per[_COST + j] >> per[_COST_BITS])
        j += 1
    gate = 0
    if age < per[_RIPE]:
        per[_AGE] = age + 1
    else:  # open where the squares are less than half of the feed-forward's, shut from 13/16 on
        bits = per[_COST_BITS] - 2
        cost = per[_COST] >> bits
        if cost > _LEAST_COST:
            gate = (((cost * 13 >> 4) - (per[_COST + 1] >> bits)) << 8) // (cost * 5 >> 4)
        if gate > 256:
            gate = 256
        if gate < 0:
            gate = 0
    per[_GATE] = gate
