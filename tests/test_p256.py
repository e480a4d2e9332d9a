"""The firmware's P-256 against OpenSSL (cryptography), its table against plain arithmetic, its slices."""

import hashlib
from base64 import b64decode

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
    assert len(p256_table.POINTS) == 128 * p256_table.LINE
    for block in range(4):
        teeth = [doubled(G, 11 * block + 43 * j) for j in range(6)]
        for index in range(32):
            want = teeth[5]
            for j in range(5):
                x, y = teeth[j]
                want = plus(want, (x, y if index >> j & 1 else P - y))
            at = (32 * block + index) * p256_table.LINE
            raw = b64decode(p256_table.POINTS[at : at + p256_table.LINE])
            assert (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")) == want


@given(scalars)
def test_public_point(d):
    numbers = private(d).public_key().public_numbers()
    assert drain(p256.public_point(d)) == (numbers.x, numbers.y)


@given(scalars, digests)
def test_signature_is_accepted_low_and_repeatable(d, digest):
    signer = Signer(d)
    drain(signer.sign(digest))
    r, s = int.from_bytes(signer.signature[:32], "big"), int.from_bytes(signer.signature[32:], "big")
    assert 0 < r < N and 0 < s <= N // 2
    public = private(d).public_key()
    public.verify(encode_dss_signature(r, s), digest, ECDSA)
    with pytest.raises(InvalidSignature):
        public.verify(encode_dss_signature(r, s), hashlib.sha256(digest).digest(), ECDSA)
    first = signer.signature
    drain(signer.sign(digest))
    assert signer.signature == first


@given(scalars, digests)
def test_nonce_and_signature_are_those_of_rfc_6979(d, digest):
    theirs = private(d).sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
    r, s = decode_dss_signature(theirs)
    k = drain(rfc6979.Nonces(d, digest).draw())
    assert drain(p256.sign(d, k, int.from_bytes(digest, "big"))) == (r, min(s, N - s))


@settings(max_examples=30)
@given(scalars, digests, st.data())
def test_verifier_agrees_with_openssl(d, digest, data):
    numbers = private(d).public_key().public_numbers()
    verifier = Verifier(numbers.x, numbers.y)
    assert drain(verifier.prepare())
    r, s = decode_dss_signature(private(d).sign(digest, ECDSA))
    z = int.from_bytes(digest, "big")
    assert drain(verifier.verify(z, r, s)) and drain(verifier.verify(z, r, N - s))
    bit = 1 << data.draw(st.integers(0, 255))
    assert not drain(verifier.verify(z, r ^ bit, s)) and not drain(verifier.verify(z, r, s ^ bit))


def test_verifier_takes_no_forgery_with_extreme_numbers():
    numbers = private(7).public_key().public_numbers()
    verifier = Verifier(numbers.x, numbers.y)
    drain(verifier.prepare())
    for r in (1, 2, N - 1, P - N, N // 2):
        for s in (1, N - 1):
            for z in (0, 1, N, N - 1):
                assert not drain(verifier.verify(z, r, s))


@given(scalars)
def test_spki_and_kid(d):
    x, y = drain(p256.public_point(d))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = private(d).public_key().public_bytes(serialization.Encoding.DER, form)
    assert keys.spki(x, y) == der and keys.kid(der) == hashlib.sha256(der).digest()[:8]


@given(st.integers(0, N), st.booleans())
def test_same_work_for_every_scalar(k, signing):
    k = min(max(k, 1), N - 1)
    steps = sum(1 for _ in p256.BASE.multiply(k))
    assert steps == 53
