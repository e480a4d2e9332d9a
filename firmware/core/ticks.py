"""Time that wraps: 30-bit ticks of milliseconds or microseconds, 0 .. 2**30 - 1.

A tick is never compared with `<`: only the signed difference of two ticks has a meaning, and only while they
lie less than half the circle apart (6.2 days in milliseconds, 8.9 minutes in microseconds). A tick that is
kept for longer needs a flag beside it that says when it has ceased to count. No step of the arithmetic leaves
31 bits.
"""

import micropython
from micropython import const

MASK = 0x3FFFFFFF
HALF = 0x20000000
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)


@micropython.viper
def diff(a: int, b: int) -> int:
    """Return how much later tick a is than tick b, -2**29 .. 2**29 - 1."""
    return (((a - b) & _MASK) ^ _HALF) - _HALF


@micropython.viper
def add(tick: int, delta: int) -> int:
    """Return the tick `delta` (-2**29 .. 2**29 - 1) after `tick`."""
    # Half the circle is taken off first and put back by the exclusive or: tick + delta alone could reach 1.5
    # * 2**30.
    return ((tick - _HALF + delta) & _MASK) ^ _HALF
