"""P-256 on any runtime, with big integers and with words: ends of the scalar range, points that meet, verifying."""

import json

from firmware.core import words
from firmware.log import p256, p256_ints, p256_words
from firmware.log.ecdsa_verify import Verifier

try:
    from firmware.hal.thumb import run as machine  # the board's own instructions
except (ImportError, AttributeError, SyntaxError):
    machine = words.run  # elsewhere their plain version
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


def each(function):
    """Call a function with each class of sums, the one given in use."""
    before = words.fast
    try:
        for fast, module in ((None, p256_ints), (machine, p256_words)):
            words.fast = fast
            assert p256.chosen() is module.Sum
            function(module.Sum)
    finally:
        words.fast = before


def entry(x, y):
    """Return a point as a Sum takes it."""
    return x.to_bytes(32, "little") + y.to_bytes(32, "little")


def added(new, *terms):
    """Return the affine sum of points (entry, minus); doubles where a term is None."""
    total = new()
    for term in terms:
        if term is None:
            total.double()
        else:
            total.add(*term)
        total.finish()
    return drain(total.affine())


def test_public_points():
    with open("tests/vectors/p256.json") as file:
        rows = json.load(file)["public_points"]

    def points(_):
        for row in rows:
            point = drain(p256.public_point(int(row["d"], 16)))
            assert point == (int(row["x"], 16), int(row["y"], 16)), row["name"]

    each(points)


def test_additions_that_have_no_slope():
    one = entry(*G)

    def additions(new):
        assert added(new) is None and added(new, None) is None
        assert added(new, (one, False)) == G
        assert added(new, (one, True)) == (G[0], p256.P - G[1])
        two = added(new, (one, False), None)
        assert added(new, (one, False), (one, False)) == two  # a point and itself
        assert added(new, (one, False), (one, True)) is None  # and its opposite: infinity
        assert added(new, (one, False), (one, True), None, (one, False)) == G  # and on from there
        # the same with a sum whose ZZ is not 1
        four = added(new, (one, False), None, None)
        assert added(new, (one, False), None, (entry(*two), False)) == four
        assert added(new, (one, False), None, (entry(*two), True)) is None
        assert added(new, (one, False), None, (one, True)) == G

    each(additions)


def test_coordinates_compare():
    def compare(new):
        total = new()
        assert not total.has_x(0) and not total.has_x(1)
        total.add(entry(*G), False)
        total.finish()
        assert total.has_x(G[0]) and not total.has_x(G[0] ^ 1)
        total.double()
        total.finish()
        assert total.has_x(drain(total.affine())[0]) and not total.has_x(G[0])

    each(compare)


def test_inverse():
    def inverses(new):
        for a in (1, 2, 3, p256.N - 1, p256.N - 2, p256.N // 2, 1 << 255, 0xFFFFFFFF << 200):
            assert drain(new().inverse(a)) * a % p256.N == 1

    each(inverses)


def test_on_curve():
    assert p256.on_curve(*G)
    assert not p256.on_curve(G[0], G[1] ^ 1) and not p256.on_curve(G[0] + p256.P, G[1])


def test_work_is_cut_in_slices():
    words.fast, before = None, words.fast
    assert slices(p256.public_point(p256.N - 1)) >= 100
    assert slices(p256.sign(3, 5, 7)) >= 120
    words.fast = before


def test_no_signature_with_a_zero():
    def zero(_):
        x = drain(p256.public_point(5))[0]
        assert drain(p256.sign(3, 5, p256.N - x * 3 % p256.N)) is None

    each(zero)


def test_programs_agree_with_their_plain_version():
    # every operation, every pair of what is special, results on top of operands
    for prime in (p256.P, p256.N):
        special = (0, 1, 2, prime - 1, prime >> 1, 1 << 255, (1 << 256) - prime, (1 << 224) - 1, (1 << 32) - 1)
        modulus = words.modulus(prime)
        for a in special:
            for b in special:
                slots = bytearray(6 * words.SLOT)
                slots[: words.SLOT] = a.to_bytes(32, "little")
                slots[words.SLOT : 2 * words.SLOT] = b.to_bytes(32, "little")
                plain = bytearray(slots)
                program = bytes((0, 2, 0, 1, 1, 3, 0, 1, 2, 4, 0, 1, 2, 1, 1, 0, 0, 0, 0, 0, 1, 5, 5, 4))
                machine(program, slots, modulus, 6)
                words.run(program, plain, modulus, 6)
                assert slots == plain, (prime, a, b)


def test_verifier():
    with open("tests/vectors/rfc6979.json") as file:
        row = json.load(file)
    # SHA-256 of "sample"
    z = 0xAF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF
    r, s = int(row["signatures"][0]["r"], 16), int(row["signatures"][0]["s"], 16)

    def verify(_):
        verifier = Verifier(int(row["x"], 16), int(row["y"], 16))
        assert drain(verifier.prepare())
        assert drain(verifier.verify(z, r, s)) and drain(verifier.verify(z, r, p256.N - s))
        for wrong in ((z ^ 1, r, s), (z, r ^ 1, s), (z, r, s ^ 1), (z, 0, s), (z, r, 0), (z, r, s + p256.N)):
            assert not drain(verifier.verify(*wrong))
        assert not drain(Verifier(5, 5).prepare())

    each(verify)
