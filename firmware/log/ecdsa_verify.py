"""Verify ES256 signatures on the board, in slices, with a prepared table for each public key.

The table (8 points) costs one long preparation a key; after it a check costs about three signatures.
Nothing here is secret.
"""

from firmware.log import p256


class Verifier:
    """Check signatures of one public key (x, y); prepare() first, once."""

    def __init__(self, x, y):
        self.x = x
        self.y = y
        self._table = []
        self._comb = p256.Comb(4, 64, 64, self._entry)

    def _entry(self, block, index):
        return self._table[index]

    def prepare(self):
        """Yield while computing the table; return False if (x, y) is not a point of the curve."""
        if not p256.on_curve(self.x, self.y):
            return False
        teeth = [(self.x, self.y)]
        for _ in range(3):
            point = teeth[-1][0], teeth[-1][1], 1, 1
            for _ in range(64):
                point = p256.double(*point)
                yield
            point = yield from p256.affine(point)
            yield
            teeth.append(point)
        for index in range(8):
            point = teeth[3][0], teeth[3][1], 1, 1
            for j in range(3):
                x, y = teeth[j]
                point = p256.add(*point, x, y if index >> j & 1 else p256.P - y)
                yield
            point = yield from p256.affine(point)
            yield
            self._table.append(point)
        return True

    def verify(self, z, r, s):
        """Yield while checking (r, s) against the digest as integer z; return whether it holds, any s."""
        n = p256.N
        if not (0 < r < n and 0 < s < n):
            return False
        i = yield from p256.inverse(s, n)
        point = yield from self._comb.multiply(r * i % n)
        u = z * i % n
        if u:
            base = yield from p256.BASE.multiply(u)
            x, y = yield from p256.affine(base)
            yield
            point = p256.add(*point, x, y)
            yield
        x, _, zz, _ = point
        if not zz:
            return False
        return not (x - r * zz) % p256.P or r + n < p256.P and not (x - (r + n) * zz) % p256.P
