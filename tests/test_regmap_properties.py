"""drivers.ratio and drivers.regmap against struct and exact fractions, over every exponent and unit."""

import struct
from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.core.errors import BusError
from firmware.core.scale import choose_unit_w
from firmware.drivers import ratio, regmap
from firmware.drivers.put import Put
from firmware.drivers.ratio import INVALID, LIMIT_PU, Ratio
from firmware.drivers.regmap import Scale, sunspec_ratio

_UNITS = st.integers(1, 5000)
_WORD_ORDERS = {ratio.F32: ratio.F32_LOW_FIRST, ratio.S32: ratio.S32_LOW_FIRST,
                ratio.U32: ratio.U32_LOW_FIRST}


def _nearest(value):
    """Round a Fraction to nearest, halves away from zero."""
    magnitude = (2 * abs(value) + 1) // 2
    return int(-magnitude if value < 0 else magnitude)


def _limited(value, limit=LIMIT_PU):
    rounded = _nearest(value)
    return INVALID if abs(rounded) > limit else rounded


def _swapped(data):
    return data[2:] + data[:2]


def _check(kind, data, unit_w, num, den, expected):
    row = (0, kind, num, den, "power_w")
    assert Scale(unit_w).power(row).read(data, 0) == expected
    swapped = (0, _WORD_ORDERS[kind], num, den, "power_w")
    assert Scale(unit_w).power(swapped).read(_swapped(data), 0) == expected


def _float_expected(bits, unit_w, num, den):
    value, = struct.unpack(">f", struct.pack(">I", bits))
    if value != value or value in (float("inf"), float("-inf")):
        return INVALID
    return _limited(Fraction(value) * num / den / unit_w)


@pytest.mark.parametrize("unit_w", [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000])
def test_floats_of_every_exponent(unit_w):
    for exponent in range(256):
        for mantissa in (0, 1, 0x400000, 0x3FFFFF, 0x7FFFFF, 0x123456, 0x000FFF, 0x001000, 0x7FF000):
            for sign in (0, 1):
                bits = sign << 31 | exponent << 23 | mantissa
                _check(ratio.F32, struct.pack(">I", bits), unit_w, 1, 1, _float_expected(bits, unit_w, 1, 1))


@given(st.integers(0, 0xFFFFFFFF), _UNITS, st.sampled_from(((1, 1), (1000, 1), (1, 10), (1, 50))))
def test_any_float(bits, unit_w, scale):
    _check(ratio.F32, struct.pack(">I", bits), unit_w, *scale, _float_expected(bits, unit_w, *scale))


@given(st.floats(-4e9, 4e9, width=32), _UNITS)
def test_floats_of_real_powers(value, unit_w):
    data = struct.pack(">f", value)
    _check(ratio.F32, data, unit_w, 1, 1, _limited(Fraction(value) / unit_w))


@given(st.integers(-0x7FFFFFFF, 0x7FFFFFFE), _UNITS,
       st.sampled_from(((1, 1), (1, 10), (1, 100), (1, 1000), (10, 1))))
def test_signed_long_registers(value, unit_w, scale):
    num, den = scale
    expected = _limited(Fraction(value * num, den * unit_w))
    _check(ratio.S32, struct.pack(">i", value), unit_w, num, den, expected)


@given(st.integers(0, 0xFFFFFFFE), _UNITS, st.sampled_from(((1, 1), (1, 10), (1, 1000))))
def test_unsigned_long_registers(value, unit_w, scale):
    num, den = scale
    expected = _limited(Fraction(value * num, den * unit_w))
    _check(ratio.U32, struct.pack(">I", value), unit_w, num, den, expected)


@given(st.integers(-32767, 32767), st.integers(-10, 10), st.integers(10_000, 1_000_000_000))
def test_sunspec_power_of_every_scale_factor(raw, exponent, rating_w):
    unit_w = choose_unit_w(rating_w)
    power = sunspec_ratio(ratio.S16, exponent, (1, unit_w), LIMIT_PU)
    expected = _limited(Fraction(raw) * Fraction(10) ** exponent / unit_w)
    assert power.read(struct.pack(">h", raw), 0) == expected


@given(st.integers(0, 0xFFFE), st.integers(-10, 10))
def test_sunspec_state_of_charge_of_every_scale_factor(raw, exponent):
    soc = sunspec_ratio(ratio.U16, exponent, (10, 1), 1000)
    expected = _limited(Fraction(raw) * 10 * Fraction(10) ** exponent, 1000)
    assert soc.read(struct.pack(">H", raw), 0) == expected


@given(st.integers(-(1 << 20) + 1, (1 << 20) - 1), st.integers(10_000, 1_000_000_000), st.integers(-10, 10))
def test_power_to_registers_and_back(value, rating_w, exponent):
    unit_w = choose_unit_w(rating_w)
    try:
        put = Scale(unit_w).put_power(exponent)
    except BusError as error:
        assert error.code == "SCALE_RANGE"
        return
    if abs(value) > put.max_value:
        return
    registers = array("H", (7, 0, 0, 7))
    put.s32(registers, 1, value)
    raw, = struct.unpack(">i", struct.pack(">HH", registers[1], registers[2]))
    assert raw == _nearest(Fraction(value * unit_w) / Fraction(10) ** exponent)
    assert (registers[0], registers[3]) == (7, 7)


@given(st.integers(0, (1 << 19)), st.integers(1, 1 << 19), st.sampled_from((1, 10, 100, 1000, 10_000)))
def test_percent_never_exceeds_what_was_asked(value, whole_pu, whole):
    put = Put(whole, whole_pu)
    if value <= put.max_value:
        raw = put.u16_floor(value)
        assert raw == min(value * whole // whole_pu, 0xFFFF)


@given(st.sampled_from((ratio.S16, ratio.U16, ratio.S32, ratio.U32, ratio.F32)),
       st.binary(min_size=4, max_size=4), st.integers(1, 1000), st.integers(1, 1000))
def test_the_two_decoders_agree(kind, data, num, den):
    value = regmap.value((0, kind, num, den, "any"), data, 0)
    limit = (1 << 20) - 1
    expected = INVALID if value is None or abs(value) > limit else value
    assert Ratio(kind, num, den, limit).read(data, 0) == expected
