"""Compute on NIST P-256 with big integers, in slices: what takes long is a generator, resumed in slack.

A slice is at most one point addition or doubling, or a share of a modular inverse. The scalar is written
with digits +1 and -1 only (a signed comb), so each multiplication makes the same additions and doublings in
the same order whatever the key is.

Limits against side channels: big integers of a VM do not take constant time (lengths, divisions, the
extended Euclid), table entries are fetched by secret indexes, and secrets stay in freed heap until it is
overwritten. Nothing answers to a signature's timing, so a remote observer learns nothing useful; who can
measure the board's current or radiation, or read its memory, may learn the key. A secure element behind
the same interface (signer.py) closes that.
"""

from binascii import a2b_base64

from micropython import const

from firmware.log.p256_table import LINE, POINTS

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

_EUCLID_STEPS = const(24)  # divisions of the extended Euclid in one slice


def double(x, y, zz, zzz):
    """Return twice a point in XYZZ coordinates (x = X/ZZ, y = Y/ZZZ); 9 multiplications, 8 reductions."""
    p = P
    u = y + y
    v = u * u % p
    w = u * v % p
    s = x * v % p
    m = 3 * (x - zz) * (x + zz) % p  # the curve's a is -3
    x3 = (m * m - s - s) % p
    return x3, (m * (s - x3) - w * y) % p, v * zz % p, w * zzz % p


def add(x1, y1, zz, zzz, x2, y2):
    """Return an XYZZ point plus an affine one; 10 multiplications, 9 reductions; infinity is zz == 0."""
    if not zz:
        return x2, y2, 1, 1
    p = P
    u = (x2 * zz - x1) % p
    r = (y2 * zzz - y1) % p
    if not u:
        return (1, 1, 0, 0) if r else double(x1, y1, zz, zzz)
    uu = u * u % p
    u = u * uu % p
    q = x1 * uu % p
    x3 = (r * r - u - q - q) % p
    return x3, (r * (q - x3) - y1 * u) % p, zz * uu % p, zzz * u % p


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


def affine(point):
    """Yield while turning an XYZZ point into (x, y), each 0..P-1; the point is not infinity."""
    x, y, zz, zzz = point
    i = yield from inverse(zzz, P)
    yield
    zi = i * zz % P  # 1/Z, as ZZZ/ZZ is Z
    return x * (zi * zi % P) % P, y * i % P


class Comb:
    """Multiply one fixed point: `teeth` digits of the scalar make a column, a table holds a column's sum.

    The scalar's digits of one column stand `spacing` apart; the columns are cut into blocks of `span`, each
    block with a table of its own (2**(teeth-1) points), so a multiplication takes `spacing` additions and
    span - 1 doublings. teeth * spacing is at least 256. entry(block, index) returns the affine point
    2**(span*block) * (top tooth +- the others): bit j of index set means tooth j is added, else subtracted.
    """

    def __init__(self, teeth, spacing, span, entry):
        self.teeth = teeth
        self.spacing = spacing
        self.span = span
        self.entry = entry

    def column(self, digits, at):
        """Return the affine point that column `at` of the digits adds."""
        index = 0
        position = at + (self.teeth - 1) * self.spacing
        plus = digits[position >> 3] >> (position & 7) & 1
        while position != at:
            position -= self.spacing
            index = index + index + (digits[position >> 3] >> (position & 7) & 1)
        if plus:
            return self.entry(at // self.span, index)
        x, y = self.entry(at // self.span, index ^ (1 << self.teeth - 1) - 1)
        return x, P - y

    def multiply(self, k):
        """Yield while computing k times the point, 0 < k < N; return an XYZZ point."""
        odd = k & 1
        if not odd:
            k = N - k  # only odd numbers are sums of +-2**i; the sign is put right at the end
        bits = self.teeth * self.spacing
        digits = ((k >> 1) + (1 << bits - 1)).to_bytes((bits + 7) // 8, "little")
        x, y, zz, zzz = 1, 1, 0, 0
        for level in range(self.span - 1, -1, -1):
            if zz:
                x, y, zz, zzz = double(x, y, zz, zzz)
                yield
            for at in range(level, self.spacing, self.span):
                x2, y2 = self.column(digits, at)
                x, y, zz, zzz = add(x, y, zz, zzz, x2, y2)
                yield
        return x, y if odd else P - y, zz, zzz


def _base_entry(block, index):
    at = (32 * block + index) * LINE
    point = a2b_base64(POINTS[at : at + LINE])
    return int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")


BASE = Comb(6, 43, 11, _base_entry)  # the curve's base point: 42 additions and 10 doublings


def on_curve(x, y):
    """Return whether (x, y) is a point of the curve, both 0..P-1."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def public_point(d):
    """Yield while computing the public point (x, y) of the private scalar d, 0 < d < N."""
    point = yield from BASE.multiply(d)
    point = yield from affine(point)
    return point


def sign(d, k, z):
    """Yield while signing the digest z with scalar d and nonce k; return (r, low s), or None to redraw k."""
    x, _, zz, _ = yield from BASE.multiply(k)
    zz = yield from inverse(zz, P)
    r = x * zz % P % N
    i = yield from inverse(k, N)
    s = (z + r * d) % N * i % N
    if not r or not s:
        return None
    return r, N - s if s > N >> 1 else s
