"""Add points of P-256 by programs of core.words: where the machine multiplies words of 32 bits into 64.

No branch and no address in these programs depends on a number; which entry of a table is fetched does. A slice is
a few additions, or a share of an inverse.
"""

from micropython import const

from firmware.core import words
from firmware.log.p256 import N, P

_SLOT = const(32)  # as in core.words
_OPS_A_SLICE = const(3)  # additions and doublings
_WINDOWS_A_SLICE = const(13)  # of four bits of an exponent
_ZERO = (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
_R = 1 << 256
_SQUARES = {  # 2**512 mod the prime: times it, a number becomes what is kept
    P: 0x4fffffffdfffffffffffffffefffffffbffffffff0000000000000003,
    N: 0x66e12d94f3d956202845b2392b6bec594699799c49bd6fa683244c95be79eea2,
}
_MODULI = {P: words.modulus(P), N: words.modulus(N)}  # a program runs in one piece, so all may share them

# Programs are constants of bytes, which stay in flash; four steps of four bytes a line.
# Slots: 0..3 X, Y, ZZ, ZZZ; 4..6 x, y, -y of the point to be added; 7..12 work; 13 the square, which stays
_AT_ENTRY = const(4 * _SLOT)
_AT_U = const(7 * _SLOT)
_AT_R = const(8 * _SLOT)
_AT_V = const(9 * _SLOT)
_SQUARE_SLOT = const(13)
_SLOTS = const(14)
# Of an inverse: the powers 1 to 15 of the number, then the result
_POWERS = const(17)
_RESULT = const(16)
SLOTS_BYTES = _SLOT * _SLOTS
WORK_BYTES = _SLOT * _POWERS

# the entry as it is kept, and the opposite y; U = x * ZZ - X, R = y * ZZZ - Y with y in slot 5 or, subtracting, 6
_LOAD = (
    b"\x00\x04\x04\x0d\x00\x05\x05\x0d\x02\x06\x06\x06\x02\x06\x06\x05"
    b"\x00\x07\x04\x02\x02\x07\x07\x00\x00\x08\x05\x03\x02\x08\x08\x01"
)
_LOAD_OPPOSITE = (
    b"\x00\x04\x04\x0d\x00\x05\x05\x0d\x02\x06\x06\x06\x02\x06\x06\x05"
    b"\x00\x07\x04\x02\x02\x07\x07\x00\x00\x08\x06\x03\x02\x08\x08\x01"
)
# UU, UUU, Q = X * UU; X = R * R - UUU - 2 Q; Y = R * (Q - X) - Y * UUU; ZZ *= UU; ZZZ *= UUU
_ADD = (
    b"\x00\x09\x07\x07\x00\x0a\x07\x09\x00\x0b\x00\x09\x00\x00\x08\x08"
    b"\x02\x00\x00\x0a\x02\x00\x00\x0b\x02\x00\x00\x0b\x02\x0b\x0b\x00"
    b"\x00\x0b\x08\x0b\x00\x0c\x01\x0a\x02\x01\x0b\x0c\x00\x02\x02\x09"
    b"\x00\x03\x03\x0a"
)
# U = 2 Y, V = U * U, W = U * V, S = X * V, M = 3 (X - ZZ)(X + ZZ); X = M * M - 2 S; Y = M * (S - X) - W * Y; ZZ *= V;
# ZZZ *= W
_DOUBLE = (
    b"\x01\x07\x01\x01\x00\x08\x07\x07\x00\x09\x07\x08\x00\x0a\x00\x08"
    b"\x02\x0b\x00\x02\x01\x0c\x00\x02\x00\x0b\x0b\x0c\x01\x0c\x0b\x0b"
    b"\x01\x0b\x0b\x0c\x00\x00\x0b\x0b\x02\x00\x00\x0a\x02\x00\x00\x0a"
    b"\x00\x0c\x09\x01\x02\x0a\x0a\x00\x00\x0a\x0b\x0a\x02\x01\x0a\x0c"
    b"\x00\x02\x02\x08\x00\x03\x03\x09"
)

_TRIAL = (
    b"\x00\x02\x00\x01\x01\x03\x00\x01\x02\x04\x00\x01\x01\x00\x00\x00"
)


def _number(slots, at):
    return int.from_bytes(slots[_SLOT * at : _SLOT * at + _SLOT], "little")


def _put(slots, at, value):
    slots[_SLOT * at : _SLOT * at + _SLOT] = value.to_bytes(_SLOT, "little")


def inverse(a, prime, slots):
    """Yield while computing 1/a mod a prime, 0 < a < prime, as a**(prime - 2), in WORK_BYTES; return it."""
    modulus, run = _MODULI[prime], words.fast
    _put(slots, 0, a)
    _put(slots, 1, _SQUARES[prime])
    step = bytearray(20)  # four squarings and a multiplication
    step[:4] = bytes((0, 0, 0, 1))
    run(step, slots, modulus, 1)
    for power in range(1, 15):  # slot n holds the power n + 1
        step[:4] = bytes((0, power, power - 1, 0))
        run(step, slots, modulus, 1)
    yield
    digits = (prime - 2).to_bytes(32, "big")
    step[:] = bytes((0, 16, 16, 16) * 5)
    _put(slots, _RESULT, _R - prime)
    for at in range(64):
        digit = digits[at >> 1] >> 4 * (1 - (at & 1)) & 15
        step[19] = digit - 1 & 15
        run(step, slots, modulus, 5 if digit else 4)
        if at % _WINDOWS_A_SLICE == 0:
            yield
    _put(slots, 0, 1)
    step[:4] = bytes((0, 16, 16, 0))
    run(step, slots, modulus, 1)
    return _number(slots, _RESULT)


class Sum:
    """A running sum of points in XYZZ coordinates, each times 2**256 mod P; infinity, with ZZ = 0, at first."""

    def __init__(self, slots=None, work=None):
        """Work in two buffers of SLOTS_BYTES and WORK_BYTES, or in some of its own."""
        self._modulus = _MODULI[P]
        self._run = words.fast
        self._slots = slots = slots or bytearray(SLOTS_BYTES)
        view = memoryview(slots)
        self._u, self._r = view[_AT_U:_AT_R], view[_AT_R:_AT_V]
        _put(slots, _SQUARE_SLOT, _SQUARES[P])
        self._work = work  # of inverses; made when it is needed first, and kept
        self._infinite = True
        self._ops = 0

    def clear(self):
        """Begin anew at infinity: no new memory, where heap is scarce."""
        self._infinite = True

    def double(self):
        """Double; return whether a slice is over."""
        if self._infinite:
            return False
        self._run(_DOUBLE, self._slots, self._modulus, len(_DOUBLE) >> 2)
        return self._counted()

    def add(self, entry, minus):
        """Add a point, or its opposite; return whether a slice is over."""
        slots = self._slots
        slots[_AT_ENTRY : _AT_ENTRY + 64] = entry
        self._run(_LOAD_OPPOSITE if minus else _LOAD, slots, self._modulus, len(_LOAD) >> 2)
        if self._infinite:
            self._begin(6 if minus else 5)
            return False
        if self._u == _ZERO:
            return self._same_x()
        self._run(_ADD, slots, self._modulus, len(_ADD) >> 2)
        return self._counted()

    def finish(self):
        """Return False: nothing is left to do."""
        return False

    def _counted(self):
        self._ops += 1
        return self._ops % _OPS_A_SLICE == 0

    def _begin(self, y):
        slots = self._slots
        slots[:_SLOT] = slots[_AT_ENTRY : _AT_ENTRY + _SLOT]
        slots[_SLOT : 2 * _SLOT] = slots[_SLOT * y : _SLOT * y + _SLOT]
        _put(slots, 2, _R - P)
        _put(slots, 3, _R - P)
        self._infinite = False

    def _same_x(self):
        """Add a point of the same x: the sum itself where R, the difference in y, is 0, else its opposite."""
        if self._r == _ZERO:
            return self.double()
        self._infinite = True
        return False

    def affine(self):
        """Yield while computing the sum as (x, y), each 0..P-1; None at infinity."""
        if self._infinite:
            return None
        slots = self._slots
        _put(slots, 7, 1)
        self._run(bytes((0, 8, 3, 7)), slots, self._modulus, 1)
        i = yield from self._inverse(_number(slots, 8), P)
        yield
        _put(slots, 8, i)  # i, times 2**512: twice 2**256, as 1/ZZZ with its factor; then 1/Z, its square, x, y
        self._run(bytes((0, 8, 8, 13, 0, 9, 8, 2, 0, 9, 9, 9, 0, 9, 9, 0, 0, 8, 8, 1, 0, 9, 9, 7, 0, 8, 8, 7)),
                  slots, self._modulus, 7)
        return _number(slots, 9), _number(slots, 8)

    def has_x(self, x):
        """Return whether the sum has the coordinate x, 0 <= x < P."""
        if self._infinite:
            return False
        slots = self._slots
        _put(slots, 7, x)
        self._run(bytes((0, 7, 7, 13, 0, 7, 7, 2, 2, 7, 7, 0)), slots, self._modulus, 3)
        return self._u == _ZERO

    def inverse(self, a):
        """Yield while computing 1/a mod N, 0 < a < N; return it."""
        return self._inverse(a, N)

    def _inverse(self, a, prime):
        if self._work is None:
            self._work = bytearray(WORK_BYTES)
        return inverse(a, prime, self._work)


def agrees():
    """Return whether the machine's own programs compute what they should, at the ends of the range."""
    for prime in (P, N):
        for a, b in ((1, prime - 1), (prime - 1, prime - 1), (prime - 2, 1 << 255), ((1 << 224) - 1, prime >> 1)):
            slots = bytearray(5 * _SLOT)
            _put(slots, 0, a)
            _put(slots, 1, b)
            words.fast(_TRIAL, slots, _MODULI[prime], 4)
            product, total, difference, twice = [_number(slots, at) for at in (2, 3, 4, 0)]
            if product >= prime or (product * _R - a * b) % prime:
                return False
            if (total, difference) != ((a + b) % prime, (a - b) % prime) or twice != (a + a) % prime:
                return False
    return True
