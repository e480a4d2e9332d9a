"""Fixed-point helpers for the control path: small integers in, small integers out, nothing allocated."""

import micropython
from micropython import const

_TOP_BIT = const(0x80000)


@micropython.native
def clamp(x, low, high):
    """Return x limited to low .. high; low wins where the two cross."""
    if x > high:
        x = high
    if x < low:
        x = low
    return x


@micropython.native
def sign(x):
    """Return -1, 0 or 1."""
    if x > 0:
        return 1
    return -1 if x < 0 else 0


@micropython.viper
def mul_div(a: int, b: int, c: int) -> int:
    """Return a * b / c rounded to nearest, halves away from zero; |a| < 2**20, 0 <= b < 2**30, 0 < c < 2**30.

    The result must itself be a small integer. No step on the way leaves 31 bits, however large the product
    is.
    """
    magnitude = 0 - a if a < 0 else a
    whole = 0
    rest = 0
    if b < 1024:
        # The product fits: the common case of a factor in permille.
        rest = magnitude * b
        whole = rest // c
        rest -= whole * c
    else:
        # Long multiplication by the bits of a, with the remainder modulo c kept below c by subtracting before
        # adding.
        part = b % c
        bit = _TOP_BIT
        while bit:
            whole += whole
            if rest >= c - rest:
                rest -= c - rest
                whole += 1
            else:
                rest += rest
            if magnitude & bit:
                if rest >= c - part:
                    rest -= c - part
                    whole += 1
                else:
                    rest += part
            bit >>= 1
        whole += magnitude * (b // c)
    if rest >= c - rest:
        whole += 1
    return 0 - whole if a < 0 else whole
