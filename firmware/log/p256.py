"""Sign on NIST P-256, in slices: what takes long is a generator, resumed in slack.

The scalar is written with digits +1 and -1 only (a signed comb), so each multiplication makes the same additions
and doublings in the same order whatever the key is. The arithmetic below it is that of a running sum of points,
a Sum: p256_ints with the VM's big integers anywhere, p256_words where hal has given core.words the machine's own
instructions. Both give the same signatures; p256_words is taken only after it has shown so (chosen()).

A Sum has
  add(entry, minus), double()  begin to add a point of 64 bytes (x, y, each little-endian) or its opposite, or to double
  finish()                     end what was begun; each returns whether a slice is over
  affine()                     generator: return (x, y), None at infinity
  clear()                      begin anew at infinity
  has_x(x)                     return whether the x coordinate is x, 0 <= x < P
  inverse(a)                   generator: return 1/a mod N, 0 < a < N
Limits against side channels stand in SPEC.md, section 11.
"""

import micropython

from firmware.core import words
from firmware.log.p256_table import POINT, POINTS

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

_POINTS = memoryview(POINTS)  # a part of it is no copy
_chosen = [None, None]  # the Sum in use, and for which core.words.fast


def chosen():
    """Return the class of sums to compute with: the machine's own, if it is there and agrees with the other."""
    if _chosen[0] is None or _chosen[1] is not words.fast:
        _chosen[1] = words.fast
        _chosen[0] = _choose()
    return _chosen[0]


def _choose():
    if words.fast is not None:
        from firmware.log import p256_words

        if p256_words.agrees():
            return p256_words.Sum
    from firmware.log import p256_ints

    return p256_ints.Sum


class Comb:
    """Multiply one fixed point: `teeth` digits of the scalar make a column, a table holds a column's sum.

    The scalar's digits of one column stand `spacing` apart; the columns are cut into blocks of `span`, each
    block with a table of its own (2**(teeth-1) points), so a multiplication takes `spacing` additions and
    span - 1 doublings. teeth * spacing is at least 256. entry(block, index) returns the point
    2**(span*block) * (top tooth +- the others): bit j of index set means tooth j is added, else subtracted.
    """

    def __init__(self, teeth, spacing, span, entry):
        self.teeth = teeth
        self.spacing = spacing
        self.span = span
        self.entry = entry

    def digits(self, k):
        """Return the digits of k, 0 < k < N, and whether the opposite is to be taken: only odd numbers have such."""
        opposite = not k & 1
        if opposite:
            k = N - k
        bits = self.teeth * self.spacing
        return ((k >> 1) + (1 << bits - 1)).to_bytes((bits + 7) // 8, "little"), opposite

    def column(self, digits, at):
        """Return the point of column `at` of the digits, and whether it is to be subtracted."""
        column = _column(digits, at, self.teeth, self.spacing)
        top = 1 << self.teeth - 1
        if column & top:
            return self.entry(at // self.span, column ^ top), False
        return self.entry(at // self.span, column ^ top - 1), True


@micropython.native
def _column(digits, at, teeth, spacing):
    """Return the digits of one column as bits, the top tooth's first."""
    column = 0
    position = at + teeth * spacing
    while position != at:
        position -= spacing
        column = column + column + (digits[position >> 3] >> (position & 7) & 1)
    return column


def combine(total, parts):
    """Yield while adding up k times the point of comb, for each (comb, k) of `parts`, in the Sum `total`."""
    parts = [(comb, comb.digits(k)) for comb, k in parts]
    yield
    for level in range(max([comb.span for comb, _ in parts]) - 1, -1, -1):
        yield from double(total, 1)
        for comb, (digits, opposite) in parts:
            for at in range(level, comb.spacing if level < comb.span else 0, comb.span):
                entry, minus = comb.column(digits, at)
                if total.add(entry, minus != opposite):
                    yield
                if total.finish():
                    yield


def double(total, times):
    """Yield while doubling a Sum so many times."""
    for _ in range(times):
        if total.double():
            yield
        if total.finish():
            yield


def _base_entry(block, index):
    at = (32 * block + index) * POINT
    return _POINTS[at : at + POINT]


BASE = Comb(6, 43, 11, _base_entry)  # the curve's base point: 42 additions and 10 doublings


def on_curve(x, y):
    """Return whether (x, y) is a point of the curve, both 0..P-1."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def public_point(d):
    """Yield while computing the public point (x, y) of the private scalar d, 0 < d < N."""
    total = chosen()()
    yield from combine(total, [(BASE, d)])
    point = yield from total.affine()
    return point


def sign(d, k, z):
    """Yield while signing the digest z with scalar d and nonce k; return (r, low s), or None to redraw k."""
    total = chosen()()
    yield from combine(total, [(BASE, k)])
    x, _ = yield from total.affine()
    yield
    r = x % N
    i = yield from total.inverse(k)
    yield
    s = (z + r * d) % N * i % N
    if not r or not s:
        return None
    return r, N - s if s > N >> 1 else s
