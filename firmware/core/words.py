"""Compute modulo 256-bit numbers in short programs over slots of 32 bytes: what a field of a curve is made of.

`fast` is run() in instructions of the machine, where hal has put it in place at start; None where it has none.
A step of a program is four bytes: operation, slot of the result, slots of the two operands. Every slot holds a
number below the modulus, little-endian; slots of one step may be the same.

  0 multiply  a * b / 2**256 mod m (Montgomery's product: what is kept times 2**256 stays so)
  1 add       a + b mod m
  2 subtract  a - b mod m
"""

from micropython import const

MULTIPLY = const(0)
ADD = const(1)
SUBTRACT = const(2)
SLOT = 32
_R = 1 << 256
_BYTES = const(140)  # of the machine's own: the number, 2**256 less it, its inverse, two addresses, 16 words of work

fast = None
_shrinks = {}  # 1 / 2**256 of each modulus met


def modulus(m):
    """Return what run() takes for a prime m, 2**255 < m < 2**256; it is written to while a program runs."""
    inverse = m & 0xFF  # Newton: each turn doubles the bits that are right
    for _ in range(5):
        inverse = inverse * (2 - m * inverse) & 0xFFFFFFFF
    made = bytearray(_BYTES)
    made[:SLOT] = m.to_bytes(SLOT, "little")
    made[SLOT:64] = (_R - m).to_bytes(SLOT, "little")
    made[64:68] = (-inverse & 0xFFFFFFFF).to_bytes(4, "little")
    return made


def run(program, slots, modulus, steps):
    """Carry out the first `steps` steps of a program; the plain version of `fast`."""
    m = int.from_bytes(modulus[:32], "little")
    if m not in _shrinks:
        _shrinks[m] = pow(_R, m - 2, m)  # m is a prime
    shrink = _shrinks[m]
    for at in range(0, 4 * steps, 4):
        operation, out, a, b = program[at : at + 4]
        x = int.from_bytes(slots[SLOT * a : SLOT * a + SLOT], "little")
        y = int.from_bytes(slots[SLOT * b : SLOT * b + SLOT], "little")
        z = x * y * shrink if operation == MULTIPLY else x + y if operation == ADD else x - y
        slots[SLOT * out : SLOT * out + SLOT] = (z % m).to_bytes(SLOT, "little")
