"""The -1 of an analyser that has no reading, told by the raw registers where -1 W is nothing in site power units."""

from array import array

from firmware.core.types import Reading
from firmware.drivers.minus_one import NO_PU, MinusOne, registers
from firmware.drivers.ratio import F32, F32_LOW_FIRST, S16, S32, S32_LOW_FIRST, U16, U32
from firmware.drivers.regmap import Scale, value

_ROWS = ((0, S32, 1, 1, "power_w"), (0, S32_LOW_FIRST, 1, 10, "power_w"), (0, S32, 1, 100, "power_w"),
         (0, F32, 1, 1, "power_w"), (0, F32, 1, 10, "power_w"), (0, F32, 1000, 1, "power_w"),
         (0, F32_LOW_FIRST, 1, 1, "power_w"), (0, S16, 100, 1, "power_w"))


def _known(row, unit_w=10, times=0):
    ratio = Scale(unit_w).power(row)
    known = MinusOne(row, ratio.cells)
    known.guard(100, times)
    last = Reading()
    last.take(5000, 0)
    return known, ratio, last


def test_registers_are_those_of_the_number():
    for kind, num, den, magnitude in ((S16, 1, 1, 1), (S32, 1, 10, 10), (F32, 1, 1, 1), (F32, 1, 100, 100),
                                      (S32_LOW_FIRST, 1, 10, 10), (F32_LOW_FIRST, 1, 10, 10)):
        data = registers(kind, magnitude)
        assert value((0, kind, num, den, "power_w"), data, 0) == -magnitude * num // den, kind
    assert registers(U16, 1) is None and registers(U32, 1) is None


def test_raw_minus_one_and_minus_one_watt_are_refused_after_a_power():
    for row in _ROWS:
        known, ratio, last = _known(row)
        magnitudes = [1, row[3]] if row[3] > 1 else [1]
        for magnitude in magnitudes:
            data = b"\0\0\0" + registers(row[1], magnitude)
            assert ratio.read(data, 3) & 0x3FFFFFFF in known.values_pu
            assert known.refuses(data, 3, last), row
        assert known.refused == len(magnitudes)


def test_other_values_and_a_minus_one_near_zero_pass():
    for row in _ROWS:
        known, _, last = _known(row)
        assert not known.refuses(b"\0\0\0\0", 0, last)
        for near in (0, 100, -100):
            last.take(near, 0)
            assert not known.refuses(registers(row[1], 1), 0, last)
        assert known.refused == 0


def test_what_reads_as_minus_one_unit_is_left_to_whoever_judges_values():
    known, _, last = _known(_ROWS[0], unit_w=1)
    assert known.values_pu == [NO_PU, NO_PU] and not known.refuses(registers(S32, 1), 0, last)


def test_the_fifth_in_a_row_is_believed_where_it_may_be():
    known, _, last = _known(_ROWS[3], times=5)
    data = registers(F32, 1)
    assert [known.refuses(data, 0, last) for _ in range(5)] == [True] * 4 + [False]
    last.take(0, 0)
    last.take(5000, 0)  # a value in between begins a new row
    assert [known.refuses(data, 0, last) for _ in range(3)] == [True] * 3
    last.take(5001, 0)
    assert [known.refuses(data, 0, last) for _ in range(5)] == [True] * 4 + [False]
    assert known.refused == 11


def test_unsigned_rows_have_none():
    known = MinusOne((0, U32, 1, 1, "power_w"), array("i", (U32, 1, 1, 100, 0)))
    assert known.values_pu == [NO_PU, NO_PU]
