"""Nonces, signatures and keys on any runtime: the examples of RFC 6979, RFC 4231 and SPEC.md."""

import json
from binascii import unhexlify
from hashlib import sha256

from firmware.core import words
from firmware.core.errors import LogError
from firmware.log import keys, p256, rfc6979
from firmware.log.hmac import hmac_sha256
from firmware.log.signer import Signer

try:
    from firmware.hal.thumb import run as machine  # the board's own instructions
except (ImportError, AttributeError, SyntaxError):
    machine = words.run  # elsewhere their plain version


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


def check_the_rfc():
    """Hold nonces and signatures against RFC 6979, A.2.5."""
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


def test_nonces_and_signatures_of_the_rfc():
    before = words.fast
    for words.fast in (None, machine):
        check_the_rfc()
        assert p256.chosen().__module__ == "firmware.log." + ("p256_words" if words.fast else "p256_ints")
    words.fast = before


def test_both_ways_of_computing_sign_alike():
    before = words.fast
    for d in (1, 2, p256.N - 1, 0x1234567 << 200):
        signatures = []
        for words.fast in (None, machine):
            signer = Signer(d)
            drain(signer.sign(sha256(b"%d" % d).digest()))
            signatures.append(signer.signature)
        assert signatures[0] == signatures[1] and len(signatures[0]) == 64
    words.fast = before


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
