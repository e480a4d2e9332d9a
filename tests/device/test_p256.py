"""P-256 on any runtime: points at the ends of the scalar range, special additions, inverses, verifying."""

import json

from firmware.log import p256
from firmware.log.ecdsa_verify import Verifier

G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def drain(generator):
    """Return what a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def slices(generator):
    """Return the number of slices that a generator takes."""
    count = 1
    for _ in generator:
        count += 1
    return count


def test_public_points():
    with open("tests/vectors/p256.json") as file:
        rows = json.load(file)["public_points"]
    for row in rows:
        point = drain(p256.public_point(int(row["d"], 16)))
        assert point == (int(row["x"], 16), int(row["y"], 16)), row["name"]


def test_additions_that_have_no_slope():
    x, y = G
    twice = p256.double(x, y, 1, 1)
    assert p256.add(x, y, 1, 1, x, y) == twice
    assert p256.add(x, y, 1, 1, x, p256.P - y)[2] == 0  # a point and its opposite: infinity
    assert p256.add(1, 1, 0, 0, x, y) == (x, y, 1, 1)  # infinity and a point
    # the same with a point whose ZZ is not 1
    x2, y2 = drain(p256.affine(twice))
    assert drain(p256.affine(p256.add(*twice, x2, y2))) == drain(p256.affine(p256.double(*twice)))
    assert p256.add(*twice, x2, p256.P - y2)[2] == 0


def test_inverse():
    for modulus in (p256.P, p256.N):
        for a in (1, 2, 3, modulus - 1, modulus - 2, modulus // 2, 1 << 255, 0xFFFFFFFF << 200):
            assert drain(p256.inverse(a, modulus)) * a % modulus == 1


def test_on_curve():
    assert p256.on_curve(*G)
    assert not p256.on_curve(G[0], G[1] ^ 1) and not p256.on_curve(G[0] + p256.P, G[1])


def test_work_is_cut_in_slices():
    assert slices(p256.public_point(p256.N - 1)) >= 50
    assert slices(p256.sign(3, 5, 7)) >= 60


def test_no_signature_with_a_zero():
    x = drain(p256.public_point(5))[0]
    assert drain(p256.sign(3, 5, p256.N - x * 3 % p256.N)) is None


def test_verifier():
    with open("tests/vectors/rfc6979.json") as file:
        row = json.load(file)
    verifier = Verifier(int(row["x"], 16), int(row["y"], 16))
    assert drain(verifier.prepare())
    # SHA-256 of "sample"
    z = 0xAF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF
    r, s = int(row["signatures"][0]["r"], 16), int(row["signatures"][0]["s"], 16)
    assert drain(verifier.verify(z, r, s)) and drain(verifier.verify(z, r, p256.N - s))
    for wrong in ((z ^ 1, r, s), (z, r ^ 1, s), (z, r, s ^ 1), (z, 0, s), (z, r, 0), (z, r, s + p256.N)):
        assert not drain(verifier.verify(*wrong))
    assert not drain(Verifier(5, 5).prepare())
