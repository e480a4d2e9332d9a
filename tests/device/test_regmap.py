"""drivers.regmap and drivers.ratio: registers to site power units and back, at both ends of every range."""

import struct

from firmware.core.errors import BusError
from firmware.drivers import ratio, regmap
from firmware.drivers.put import Put
from firmware.drivers.ratio import INVALID, LIMIT_PU, Ratio
from firmware.drivers.regmap import Scale, sunspec_ratio
from tests.fakes_bus import registers16

_UNITS_W = (1, 5, 200, 5000)


def _power(kind, unit_w, num=1, den=1):
    return Scale(unit_w).power((0, kind, num, den, "power_w"))


def _expected(value, unit_w):
    """Round value / unit_w to nearest, halves away from zero; both are integers."""
    pu = (2 * abs(value) + unit_w) // (2 * unit_w)
    if pu > LIMIT_PU:
        return INVALID
    return -pu if value < 0 else pu


def test_signed_long_registers_in_either_word_order():
    for unit_w in _UNITS_W:
        high_first = _power(ratio.S32, unit_w)
        low_first = _power(ratio.S32_LOW_FIRST, unit_w)
        for value in (0, 1, -1, 2, 3, 65535, 65536, -65536, 99999, -100000, 589823, 589824, -589824,
                      589825, 100 * unit_w, 2000000000, -2000000000, 2147483646, -2147483647):
            data = struct.pack(">i", value)
            assert high_first.read(data, 0) == _expected(value, unit_w), (value, unit_w)
            assert low_first.read(data[2:] + data[:2], 0) == _expected(value, unit_w), (value, unit_w)


def test_floats_in_either_word_order():
    for unit_w in _UNITS_W:
        high_first = _power(ratio.F32, unit_w)
        low_first = _power(ratio.F32_LOW_FIRST, unit_w)
        for value in (0, 1, -1, 2, 3, 12345, -70000, 500000, -589824, 16777215, 100000000, -2000000000,
                      4000000000):
            data = struct.pack(">f", value)
            assert high_first.read(data, 0) == _expected(value, unit_w), (value, unit_w)
            assert low_first.read(data[2:] + data[:2], 0) == _expected(value, unit_w), (value, unit_w)


def test_fractions_of_a_unit_round_half_away_from_zero():
    half = _power(ratio.F32, 1)
    for value, pu in ((0.5, 1), (-0.5, -1), (0.499, 0), (1.5, 2), (2.5, 3), (-2.5, -3), (1e-30, 0),
                      (-1e-40, 0)):
        assert half.read(struct.pack(">f", value), 0) == pu
    tenths = _power(ratio.S32, 1, 1, 10)
    assert tenths.read(struct.pack(">i", 15), 0) == 2
    kilowatts = _power(ratio.F32, 5, 1000, 1)
    assert kilowatts.read(struct.pack(">f", -12.5), 0) == -2500


def test_what_is_no_number_is_invalid():
    power = _power(ratio.F32, 1)
    for bits in (0x7FC00000, 0xFFC00000, 0x7F800000, 0xFF800000, 0x7F800001, 0x7F7FFFFF, 0xFF7FFFFF,
                 0x4F800000):
        assert power.read(struct.pack(">I", bits), 0) == INVALID
    assert _power(ratio.S16, 1).read(b"\x80\x00", 0) == INVALID
    assert _power(ratio.U16, 1).read(b"\xff\xff", 0) == INVALID
    for data in (b"\x80\x00\x00\x00", b"\x7f\xff\xff\xff"):
        assert _power(ratio.S32, 5000).read(data, 0) == INVALID
    assert _power(ratio.U32, 5000, 1, 100).read(b"\xff\xff\xff\xff", 0) == INVALID
    assert _power(ratio.U32, 5000, 1, 100).read(b"\xff\xff\xff\xfe", 0) == 8590


def test_sunspec_scale_factors_from_minus_ten_to_ten():
    for exponent in range(-10, 11):
        for unit_w in _UNITS_W:
            power = sunspec_ratio(ratio.S16, exponent, (1, unit_w), LIMIT_PU)
            for raw in (0, 1, -1, 5, 123, -4567, 32767, -32767):
                num = 10 ** max(exponent, 0)
                den = unit_w * 10 ** max(-exponent, 0)
                expected = _expected(raw * num, den)
                assert power.read(struct.pack(">h", raw), 0) == expected, (exponent, unit_w, raw)


def test_permille_from_percent():
    for exponent, raw, permille in ((0, 51, 510), (-1, 515, 515), (-2, 5125, 513), (1, 5, 500),
                                    (-2, 10000, 1000)):
        soc = sunspec_ratio(ratio.U16, exponent, (10, 1), 1000)
        assert soc.read(struct.pack(">H", raw), 0) == permille
    assert sunspec_ratio(ratio.U16, 0, (10, 1), 1000).read(b"\x00\x65", 0) == INVALID  # 101 %


def test_power_back_to_registers():
    for unit_w in _UNITS_W:
        for exponent in (-1, 0, 1, 3):
            put = Scale(unit_w).put_power(exponent)
            for value in (0, 1, -1, 255, -256, 65535, -65536, 524288, -524288, put.max_value, -put.max_value):
                if abs(value) > put.max_value:
                    continue
                registers = registers16(2)
                put.s32(registers, 0, value)
                raw = struct.unpack(">i", struct.pack(">HH", registers[0], registers[1]))[0]
                expected = (2 * abs(value) * put.num + put.den) // (2 * put.den)
                assert raw == (-expected if value < 0 else expected), (unit_w, exponent, value)


def test_percent_is_rounded_down():
    put = Put(10000, 349525)
    for value in (0, 1, 34, 35, 349524, 349525):
        assert put.u16_floor(value) == value * 10000 // 349525


def test_scales_that_cannot_work_are_refused():
    for make in (lambda: Ratio(ratio.S32, 20000, 1, LIMIT_PU), lambda: Ratio(ratio.F32, 1, 1 << 19, LIMIT_PU),
                 lambda: Put(1 << 22, 1), lambda: regmap.find((), "power_w")):
        try:
            make()
        except BusError as error:
            assert error.code in ("SCALE_RANGE", "NO_REGISTER") and error.detail
        else:
            raise AssertionError("accepted")
