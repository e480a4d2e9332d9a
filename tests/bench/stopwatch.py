"""Count the instructions of the emulated Cortex-M3: a free timer at 25 MHz, five instructions a count.

Only under virtual time (-icount shift=3). A reading costs some instructions itself: `cost` is what two in a row
show, and is to be taken off.
"""

import gc

import micropython
from machine import mem32

INSTRUCTIONS = 5
_BASE = 0x40002000
_CONTROL = 8
_FREE_RUNNING_32_BIT = 0x82


@micropython.viper
def now() -> int:
    """Return the timer's count, 30 bits, counting up."""
    p = ptr32(0x40002004)  # noqa: F821 - a word of viper
    return (0 - p[0]) & 0x3FFFFFFF


@micropython.native
def since(begin):
    """Return the counts since `begin`, 0 .. 2**30 - 1."""
    return (now() - begin) & 0x3FFFFFFF


def _calibrate():
    best = 1 << 20
    for _ in range(20):
        best = min(best, _empty())
    return best


@micropython.native
def _empty():
    begin = now()
    return since(begin)


@micropython.native
def counts(function):
    """Return the counts that one call of a function without arguments takes, the call included."""
    begin = now()
    function()
    return since(begin) - cost


def allocated(function):
    """Return by how many bytes the heap in use grows over one call of a function, collection being off."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    function()
    moved = gc.mem_alloc() - before
    gc.enable()
    return moved


def median(values):
    """Return the middle one of a list of numbers."""
    return sorted(values)[len(values) // 2]


mem32[_BASE + _CONTROL] = 0
mem32[_BASE] = 0xFFFFFFFF
mem32[_BASE + _CONTROL] = _FREE_RUNNING_32_BIT
cost = 0
cost = _calibrate()
