"""The firmware's P-256 against OpenSSL (cryptography), its table against plain arithmetic, its slices."""

import hashlib
from contextlib import contextmanager

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core import words
from firmware.log import keys, p256, p256_table, rfc6979
from firmware.log.ecdsa_verify import Verifier
from firmware.log.signer import Signer
from tests.record_examples import drain

N, P = p256.N, p256.P
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
ECDSA = ec.ECDSA(Prehashed(hashes.SHA256()))
EXTREME = [1, 2, 3, 4, 5, N - 1, N - 2, N - 3, N // 2, N // 2 + 1, 1 << 255, (1 << 255) - 1, (1 << 128) - 1]
EXTREME += [1 << shift for shift in (43, 86, 129, 172, 215, 11, 22, 33, 54)]
scalars = st.integers(1, N - 1) | st.sampled_from(EXTREME)
digests = st.binary(min_size=32, max_size=32)
digests |= st.sampled_from([bytes(32), b"\xff" * 32, N.to_bytes(32, "big")])


both = pytest.mark.parametrize("fast", [None, words.run], ids=["ints", "words"])


@contextmanager
def computing(fast):
    """Compute with big integers (None) or by programs on words, as a board with such instructions does."""
    words.fast, before = fast, words.fast
    try:
        assert p256.chosen().__module__ == ("firmware.log.p256_words" if fast else "firmware.log.p256_ints")
        yield
    finally:
        words.fast = before


def private(d):
    """Return OpenSSL's private key of a scalar."""
    return ec.derive_private_key(d, ec.SECP256R1())


def plus(a, b):
    """Add two different or equal points by the school formula."""
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def doubled(point, times):
    """Double a point so many times."""
    for _ in range(times):
        point = plus(point, point)
    return point


def test_table_is_what_its_text_says():
    assert len(p256_table.POINTS) == 128 * p256_table.POINT
    for block in range(4):
        teeth = [doubled(G, 11 * block + 43 * j) for j in range(6)]
        for index in range(32):
            want = teeth[5]
            for j in range(5):
                x, y = teeth[j]
                want = plus(want, (x, y if index >> j & 1 else P - y))
            at = (32 * block + index) * p256_table.POINT
            raw = p256_table.POINTS[at : at + p256_table.POINT]
            assert (int.from_bytes(raw[:32], "little"), int.from_bytes(raw[32:], "little")) == want


@both
@settings(deadline=None)
@given(d=scalars)
def test_public_point(fast, d):
    numbers = private(d).public_key().public_numbers()
    with computing(fast):
        assert drain(p256.public_point(d)) == (numbers.x, numbers.y)


@both
@settings(max_examples=60, deadline=None)
@given(d=scalars, digest=digests)
def test_signature_is_accepted_low_and_repeatable(fast, d, digest):
    signer = Signer(d)
    with computing(fast):
        drain(signer.sign(digest))
        first = signer.signature
        drain(signer.sign(digest))
    assert signer.signature == first
    r, s = int.from_bytes(first[:32], "big"), int.from_bytes(first[32:], "big")
    assert 0 < r < N and 0 < s <= N // 2
    public = private(d).public_key()
    public.verify(encode_dss_signature(r, s), digest, ECDSA)
    with pytest.raises(InvalidSignature):
        public.verify(encode_dss_signature(r, s), hashlib.sha256(digest).digest(), ECDSA)


@both
@settings(max_examples=60, deadline=None)
@given(d=scalars, digest=digests)
def test_nonce_and_signature_are_those_of_rfc_6979(fast, d, digest):
    theirs = private(d).sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
    r, s = decode_dss_signature(theirs)
    k = drain(rfc6979.Nonces(d, digest).draw())
    with computing(fast):
        assert drain(p256.sign(d, k, int.from_bytes(digest, "big"))) == (r, min(s, N - s))


def verifying(public):
    """Return a Verifier of an OpenSSL public key, its table made."""
    numbers = public.public_numbers()
    verifier = Verifier(numbers.x, numbers.y)
    assert drain(verifier.prepare())
    return verifier


def openssl_takes(public, digest, r, s):
    """Return what OpenSSL says of a signature."""
    try:
        public.verify(encode_dss_signature(r, s), digest, ECDSA)
    except InvalidSignature:
        return False
    return True


@both
@settings(max_examples=25, deadline=None)
@given(d=scalars, digest=digests, data=st.data())
def test_verifier_agrees_with_openssl(fast, d, digest, data):
    public = private(d).public_key()
    r, s = decode_dss_signature(private(d).sign(digest, ECDSA))
    z = int.from_bytes(digest, "big")
    bit = 1 << data.draw(st.integers(0, 255))
    with computing(fast):
        verifier = verifying(public)
        assert drain(verifier.verify(z, r, s)) and drain(verifier.verify(z, r, N - s))
        assert not drain(verifier.verify(z, r ^ bit, s)) and not drain(verifier.verify(z, r, s ^ bit))
        assert not drain(verifier.verify(z ^ bit, r, s))


# What implementations have got wrong, after the classes of Project Wycheproof; the numbers are our own.

@both
@pytest.mark.parametrize("d", [1, 2, 3, N - 1, N - 2, N // 2, 1 << 32, 1 << 64, 1 << 224])
def test_verifier_adds_points_that_meet(fast, d):
    # keys so near to the base point that both halves of the sum come to the same or to opposite points
    public = private(d).public_key()
    with computing(fast):
        verifier = verifying(public)
        for u1, u2 in [(1, 1), (d, 1), (N - d, 1), (1, N - 1), (2 * d % N, 1), (5, 5), (d, N - 1)]:
            total = (u1 + u2 * d) % N
            if not total:  # the sum is at infinity: no signature
                r = s = 7
                z = u1 * s % N
                verdict = drain(verifier.verify(z, r, r * pow(u2, -1, N) % N))
                assert not verdict
                continue
            r = drain(p256.public_point(total))[0] % N
            s = r * pow(u2, -1, N) % N
            z = u1 * s % N
            assert openssl_takes(public, z.to_bytes(32, "big"), r, s)
            assert drain(verifier.verify(z, r, s)), (u1, u2)
            assert not drain(verifier.verify(z, r % (N - 1) + 1, s))


@both
def test_verifier_takes_an_x_beyond_the_order(fast):
    # r is x mod n: points with n <= x < p are one in 2**128, so one is made from x, and the key from the point
    x = next(x for x in range(N, P) if pow(x * x * x - 3 * x + p256.B, (P - 1) // 2, P) == 1)
    y = pow(x * x * x - 3 * x + p256.B, (P + 1) // 4, P)
    r, s = x - N, 5
    # u1 = 0: then u2 Q is the point, Q = (s / r) R
    k = s * pow(r, -1, N) % N
    point, left = None, (x, y)
    while k:
        if k & 1:
            point = left if point is None else plus(point, left)
        left, k = plus(left, left), k >> 1
    public = ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()
    with computing(fast):
        verifier = verifying(public)
        assert openssl_takes(public, bytes(32), r, s) and drain(verifier.verify(0, r, s))
        assert drain(verifier.verify(N, r, s))  # a digest of n counts as 0
        assert not drain(verifier.verify(0, x, s)) and not drain(verifier.verify(1, r, s))


@both
def test_verifier_takes_no_number_out_of_range(fast):
    public = private(7).public_key()
    digest = hashlib.sha256(b"edge").digest()
    r, s = decode_dss_signature(private(7).sign(digest, ECDSA))
    z = int.from_bytes(digest, "big")
    with computing(fast):
        verifier = verifying(public)
        assert drain(verifier.verify(z, r, s))
        for bad in (0, N, N + 1, P, 1 << 256, -1, -r, (1 << 256) - 1):
            assert not drain(verifier.verify(z, bad, s)) and not drain(verifier.verify(z, r, bad))
        for r_bad, s_bad in ((r + N, s), (r, s + N), (r - N, s), (r, s - N), (r, -s), (s, r)):
            assert not drain(verifier.verify(z, r_bad, s_bad))


@both
def test_verifier_takes_no_forgery_with_extreme_numbers(fast):
    with computing(fast):
        verifier = verifying(private(7).public_key())
        for r in (1, 2, N - 1, P - N, N // 2):
            for s in (1, N - 1):
                for z in (0, 1, N, N - 1):
                    assert not drain(verifier.verify(z, r, s))


@both
@pytest.mark.parametrize("x, y", [
    (0, 0), (0, 1), (G[0], 0), (G[0], G[1] ^ 1), (G[0] + P, G[1]), (G[0], G[1] + P), (-G[0], G[1]), (P, P), (1, 1)])
def test_points_that_are_none_are_no_keys(fast, x, y):
    with computing(fast):
        assert drain(Verifier(x, y).prepare()) is False


@given(scalars)
def test_spki_and_kid(d):
    x, y = drain(p256.public_point(d))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = private(d).public_key().public_bytes(serialization.Encoding.DER, form)
    assert keys.spki(x, y) == der and keys.kid(der) == hashlib.sha256(der).digest()[:8]


def kept_count(fast):
    """Return a counter of the steps of programs on words: [steps, how often it was called]."""
    seen = [0, 0]

    def run(program, slots, modulus, steps):
        seen[0] += steps
        seen[1] += 1
        words.run(program, slots, modulus, steps)

    return run, seen


@both
@settings(deadline=None)
@given(k=st.integers(1, N - 1) | st.sampled_from([1, 2, N - 1, N - 2]))
def test_same_work_for_every_scalar(fast, k):
    counted, seen = kept_count(fast)
    with computing(fast and counted):
        new = p256.chosen()
        seen[:] = [0, 0]
        slices = sum(1 for _ in p256.combine(new(), [(p256.BASE, k)]))
    assert slices == (18 if fast else 105)
    if fast:
        assert seen == [43 * 8 + 42 * 13 + 10 * 18, 43 + 42 + 10]


class Wrong:
    """A multiplier that errs on one operand in a while: it must not be chosen."""

    def __init__(self, operation):
        self.operation = operation

    def __call__(self, program, slots, modulus, steps):
        """Run, and set a bit wrong after the given operation."""
        words.run(program, slots, modulus, steps)
        for at in range(0, 4 * steps, 4):
            if program[at] == self.operation:
                slots[words.SLOT * program[at + 1]] ^= 1


@pytest.mark.parametrize("operation", [words.MULTIPLY, words.ADD, words.SUBTRACT])
def test_a_machine_that_computes_otherwise_is_not_chosen(operation):
    words.fast, before = Wrong(operation), words.fast
    try:
        assert p256.chosen().__module__ == "firmware.log.p256_ints"
        assert drain(p256.public_point(1)) == G
    finally:
        words.fast = before
