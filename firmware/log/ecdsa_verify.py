"""Verify ES256 signatures on the board, in slices, with a prepared table for each public key.

The table (16 points, 1 KB) costs one long preparation a key; after it a check costs about two signatures.
Nothing here is secret.
"""

from firmware.log import p256
from firmware.log.p256 import N, P

_TEETH = 4
_SPAN = 32
_SPACING = 64
_INDEXES = 1 << _TEETH - 1
BUFFERS = (448, 544)  # bytes, as in p256_words


class Verifier:
    """Check signatures of one public key (x, y); prepare() first, once. `buffers` of BUFFERS: to work in, if given."""

    def __init__(self, x, y, buffers=()):
        self.x = x
        self.y = y
        self._table = []
        self._total = p256.chosen()(*buffers)  # of all additions, one after the other: heap is scarce
        self._comb = p256.Comb(_TEETH, _SPACING, _SPAN, self._entry)

    def _entry(self, block, index):
        return self._table[_INDEXES * block + index]

    def prepare(self):
        """Yield while computing the table; return False if (x, y) is not a point of the curve."""
        if not p256.on_curve(self.x, self.y):
            return False
        yield
        point = _entry(self.x, self.y)
        powers = [point]  # times 2**(32 i)
        while len(powers) < 2 * _TEETH:
            self._begin(point)
            yield
            yield from p256.double(self._total, _SPAN)
            point = yield from self._end()
            powers.append(point)
        for block in range(2):
            teeth = powers[block::2]
            for index in range(_INDEXES):
                point = yield from self._row(teeth, index)
                self._table.append(point)
        return True

    def verify(self, z, r, s):
        """Yield while checking (r, s) against the digest as integer z; return whether it holds, any s."""
        if not (0 < r < N and 0 < s < N):
            return False
        total = self._total
        i = yield from total.inverse(s)
        yield
        parts = [(self._comb, r * i % N)]
        if z % N:
            parts.append((p256.BASE, z * i % N))
        total.clear()
        yield
        yield from p256.combine(total, parts)
        return total.has_x(r) or r + N < P and total.has_x(r + N)

    def _row(self, teeth, index):
        """Yield while adding up the last tooth and the others, each subtracted where its bit in index is clear."""
        total = self._total
        self._begin(teeth[-1])
        yield
        for j in range(_TEETH - 1):
            if total.add(teeth[j], not index >> j & 1):
                yield
            if total.finish():
                yield
        return (yield from self._end())

    def _begin(self, point):
        self._total.clear()
        self._total.add(point, False)

    def _end(self):
        yield
        x, y = yield from self._total.affine()
        yield
        return _entry(x, y)


def _entry(x, y):
    return x.to_bytes(32, "little") + y.to_bytes(32, "little")
