"""core.fixed against arithmetic on unlimited integers."""

from firmware.core import fixed

_SMALL = 1 << 30


def _expected(a, b, c):
    magnitude = (2 * abs(a) * b + c) // (2 * c)
    return -magnitude if a < 0 else magnitude


def test_clamp_and_sign():
    assert fixed.clamp(5, -3, 3) == 3
    assert fixed.clamp(-5, -3, 3) == -3
    assert fixed.clamp(2, -3, 3) == 2
    assert fixed.clamp(0, 2, 1) == 2
    assert [fixed.sign(x) for x in (-7, 0, 7)] == [-1, 0, 1]


def test_mul_div_rounds_to_nearest_halves_away_from_zero():
    assert fixed.mul_div(1, 1, 2) == 1
    assert fixed.mul_div(-1, 1, 2) == -1
    assert fixed.mul_div(1, 1, 3) == 0
    assert fixed.mul_div(524288, 1000, 1000) == 524288
    assert fixed.mul_div(-524288, 999, 1000) == -523764


def test_mul_div_at_both_ends_of_its_range():
    edges_b = (0, 1, 1023, 1024, 1025, 65535, _SMALL // 2, _SMALL - 1)
    edges_c = (1, 2, 3, 1000, 65536, _SMALL // 2 - 1, _SMALL // 2, _SMALL // 2 + 1, _SMALL - 2, _SMALL - 1)
    tried = 0
    for a in (0, 1, -1, 7, 524287, 524288, -524288, (1 << 20) - 1):
        for b in edges_b:
            for c in edges_c:
                expected = _expected(a, b, c)
                if abs(expected) < _SMALL:
                    assert fixed.mul_div(a, b, c) == expected, (a, b, c)
                    tried += 1
    assert tried > 400
