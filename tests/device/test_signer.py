"""Nonces, signatures and keys on any runtime: the examples of RFC 6979, RFC 4231 and SPEC.md."""

import json
from binascii import unhexlify
from hashlib import sha256

from firmware.core.errors import LogError
from firmware.log import keys, p256, rfc6979
from firmware.log.hmac import hmac_sha256
from firmware.log.signer import Signer


def vectors(name):
    """Return a file of vectors."""
    with open("tests/vectors/" + name) as file:
        return json.load(file)


def drain(generator):
    """Return what a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def test_hmac():
    # RFC 4231, test cases 1 and 2
    assert hmac_sha256(b"\x0b" * 20, b"Hi ", b"There") == unhexlify(
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?") == unhexlify(
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")


def test_nonces_and_signatures_of_the_rfc():
    rows = vectors("rfc6979.json")
    d = int(rows["d"], 16)
    signer = Signer(d)
    drain(signer.prepare())
    assert (signer.x, signer.y) == (int(rows["x"], 16), int(rows["y"], 16))
    for row in rows["signatures"]:
        digest = sha256(row["message"].encode()).digest()
        assert drain(rfc6979.Nonces(d, digest).draw()) == int(row["k"], 16)
        drain(signer.sign(digest))
        s = int(row["s"], 16)
        s = min(s, p256.N - s)
        assert signer.signature == unhexlify(row["r"]) + s.to_bytes(32, "big")


def test_second_nonce_is_another():
    nonces = rfc6979.Nonces(5, bytes(32))
    first, second = drain(nonces.draw()), drain(nonces.draw())
    assert first != second and 0 < second < p256.N


def test_keys_of_the_example():
    example = vectors("record_few.json")
    secret = unhexlify(example["secret"])
    for row, derive in zip(example["keys"], (keys.record_scalar, keys.checkpoint_scalar)):
        signer = Signer(derive(secret))
        drain(signer.prepare())
        assert signer.kid == unhexlify(row["kid"]) and len(signer.spki) == 91
        assert signer.x == int(row["x"], 16) and signer.y == int(row["y"], 16)


def test_wrong_secrets_are_refused():
    for secret in (None, b"", bytes(31), bytes(33)):
        try:
            keys.record_scalar(secret)
            raise AssertionError("accepted")
        except LogError as error:
            assert error.code == "SECRET"
