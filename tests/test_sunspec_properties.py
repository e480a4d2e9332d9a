"""drivers.sunspec against pysunspec2: any registers decode alike, any chain of models is found alike."""

from math import isnan

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sunspec2 import mb
from sunspec2.device import Model

from firmware.drivers import ratio, sunspec
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.reader import Reader
from firmware.drivers.ratio import INVALID, LIMIT_PU
from firmware.drivers.regmap import sunspec_ratio
from firmware.drivers.sunspec import Discovery
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, drive
from tests.test_sunspec_vectors import TABLES

_REPEATED = 714  # its length depends on its own registers
_TABLES = {m: table for m, table in TABLES.items() if m != _REPEATED}
_MISSING = (b"\x80\x00", b"\xff\xff", b"\x00\x00")


def _points(model):
    for point in model.points.values():
        yield point.pdef["name"], point
    for group in model.groups.values():
        for point in group.points.values():
            yield f"{group.gname}.{point.pdef['name']}", point


def _words(length):
    """Registers of which many hold one of the standard's "not implemented" values."""
    word = st.one_of(st.sampled_from(_MISSING), st.binary(min_size=2, max_size=2), st.just(b"AB"))
    return st.lists(word, min_size=length, max_size=length).map(b"".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large])
@given(st.data(), st.sampled_from(sorted(_TABLES)))
def test_any_registers_decode_as_pysunspec2_decodes_them(data, model_id):
    table = _TABLES[model_id]
    last = table[-1]
    image = bytearray(Model(model_id, data={}).get_mb())
    length = last[0] + last[2]
    assert length == len(image) // 2
    image[4:] = data.draw(_words(length - 2))
    for row in table:
        if row[1] == sunspec.TEXT:  # pysunspec2 raises on what is not UTF-8
            image[2 * row[0]:2 * (row[0] + row[2])] = (b"Name" + bytes(2 * row[2]))[:2 * row[2]]
    model = Model(model_id, data=bytes(image))
    theirs = dict(_points(model))
    for row in table:
        point = theirs[row[4]]
        assert point.offset == row[0]
        expected = point.value if point.info.is_impl(point.value) else None
        if row[1] == sunspec.F32 and expected is not None:  # here its bits
            expected = None if isnan(expected) else int.from_bytes(image[2 * row[0]:2 * row[0] + 4], "big")
        assert sunspec.point(row, image, 2 * row[0]) == expected, row[4]


@given(st.integers(-32768, 32767), st.integers(-10, 10), st.sampled_from((1, 10, 500, 5000)))
def test_power_agrees_with_pysunspec2s_scaled_value(raw, exponent, unit_w):
    model = Model(701, data={"W": raw, "W_SF": exponent})
    power = sunspec_ratio(ratio.S16, exponent, (1, unit_w), LIMIT_PU).read(model.get_mb(), 2 * 10)
    theirs = model.points["W"].cvalue
    if raw == mb.SUNS_UNIMPL_INT16 or theirs is None:
        assert power == INVALID
    elif power == INVALID:
        assert abs(theirs) >= LIMIT_PU * unit_w
    else:
        assert abs(power * unit_w - theirs) <= unit_w / 2 + abs(theirs) * 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 0xFFFE), st.integers(0, 60)), max_size=20),
       st.sampled_from(sunspec.BASES), st.booleans(), st.booleans())
def test_any_chain_of_models_is_walked(chain, base, ended, length_behind_the_end):
    image = bytearray(b"SunS")
    expected = {}
    for model, length in chain:
        expected.setdefault(model, base + len(image) // 2)
        image += model.to_bytes(2, "big") + length.to_bytes(2, "big") + bytes(2 * length)
    if ended:
        image += b"\xff\xff" + (b"\x00\x00" if length_behind_the_end else b"")
    clock = FakeClock()
    serial = FakeSerial(clock, 115_200, ImageSlave(1, base, image, 300))
    bus = Bus(serial, clock, 115_200)
    found = Discovery()
    drive(found.run(Reader(bus, 1, 20_000)), bus, serial)
    # A length that nothing follows cannot be told from a register map that ends too soon.
    if ended or not chain or chain[-1][1]:
        assert found.models == expected
    assert found.result == (sunspec.FOUND if ended else sunspec.UNENDED)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_a_hostile_map_neither_raises_nor_holds_on(image):
    clock = FakeClock()
    serial = FakeSerial(clock, 115_200, ImageSlave(1, 40_000, b"SunS" + image, 300))
    bus = Bus(serial, clock, 115_200)
    found = Discovery()
    drive(found.run(Reader(bus, 1, 20_000)), bus, serial)
    assert found.result in (sunspec.FOUND, sunspec.UNENDED)
    assert len(found.models) <= 64
