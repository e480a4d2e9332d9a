"""Add points of P-256 with the VM's big integers: on every machine that runs MicroPython, and on CPython.

A slice is half of a point addition or doubling, or a share of a modular inverse.
"""

from micropython import const

from firmware.log.p256 import N, P

_EUCLID_STEPS = const(12)  # divisions of the extended Euclid in one slice


def inverse(a, modulus):
    """Yield while computing 1/a mod a prime modulus, 0 < a < modulus; return it."""
    r0, r1, t0, t1 = modulus, a, 0, 1
    left = _EUCLID_STEPS
    while r1 > 1:
        q, r2 = divmod(r0, r1)
        r0, r1, t0, t1 = r1, r2, t1, t0 - q * t1
        left -= 1
        if not left:
            left = _EUCLID_STEPS
            yield
    return t1 % modulus


class Sum:
    """A running sum of points in XYZZ coordinates (x = X/ZZ, y = Y/ZZZ); infinity, with ZZ = 0, at first."""

    def __init__(self, slots=None, work=None):
        self._half = None  # what finish() goes on with
        self.clear()

    def clear(self):
        """Begin anew at infinity."""
        self.x, self.y, self.zz, self.zzz = 1, 1, 0, 0
        self._half = None

    def double(self):
        """Begin to double; the whole is 9 multiplications and 8 reductions. Return True: a slice is over."""
        if not self.zz:
            return False
        p, x = P, self.x
        u = self.y + self.y
        v = u * u % p
        w = u * v % p
        m = 3 * (x - self.zz) * (x + self.zz) % p  # the curve's a is -3
        self._half = m, x * v % p, v, w, 0
        return True

    def add(self, entry, minus):
        """Begin to add a point or its opposite; 10 multiplications and 9 reductions. Return True: a slice is over."""
        p = P
        x2, y2 = int.from_bytes(entry[:32], "little"), int.from_bytes(entry[32:], "little")
        if minus:
            y2 = p - y2
        if not self.zz:
            self.x, self.y, self.zz, self.zzz = x2, y2, 1, 1
            return False
        u = (x2 * self.zz - self.x) % p
        r = (y2 * self.zzz - self.y) % p
        if not u:
            return self._same_x(r)
        uu = u * u % p
        u = u * uu % p
        self._half = r, self.x * uu % p, uu, u, u
        return True

    def _same_x(self, r):
        """Add a point of the same x: the sum itself where r, the difference in y, is 0, else its opposite."""
        if r:
            self.zz = self.zzz = 0
            return True
        return self.double()

    def finish(self):
        """Do the second half of an addition or doubling. Return True: a slice is over."""
        if not self._half:
            return False
        p = P
        r, q, uu, u, less = self._half
        self._half = None
        x = (r * r - less - q - q) % p
        self.x, self.y = x, (r * (q - x) - self.y * u) % p
        self.zz = self.zz * uu % p
        self.zzz = self.zzz * u % p
        return True

    def affine(self):
        """Yield while computing the sum as (x, y), each 0..P-1; None at infinity."""
        if not self.zz:
            return None
        i = yield from inverse(self.zzz, P)
        yield
        zi = i * self.zz % P  # 1/Z, as ZZZ/ZZ is Z
        return self.x * (zi * zi % P) % P, self.y * i % P

    def has_x(self, x):
        """Return whether the sum has the coordinate x, 0 <= x < P."""
        return self.zz != 0 and (self.x - x * self.zz) % P == 0

    def inverse(self, a):
        """Yield while computing 1/a mod N, 0 < a < N; return it."""
        return inverse(a, N)
