"""drivers.sunspec: discovery on a scripted line, and every point against what pysunspec2 made."""

import json

from firmware.drivers import sunspec, sunspec_models, sunspec_models_100, sunspec_models_200, sunspec_models_storage
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.reader import Reader
from firmware.drivers.sunspec import Discovery
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, drive

_TABLES = {}
for _module in (sunspec_models, sunspec_models_100, sunspec_models_storage):
    for _name in dir(_module):
        if _name.startswith("MODEL_"):
            _TABLES[_name[6:]] = getattr(_module, _name)


def _load(name):
    with open("tests/vectors/sunspec_%s.json" % name) as file:
        return json.load(file)


def _bytes(text):
    return bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


class _Forgetful(FakeSerial):
    """A line that does not remember what was sent: a chain without an end would fill a small heap with it."""

    def write(self, buf, n):
        FakeSerial.write(self, buf, n)
        del self.sent[:]


def _discover(slave, unit=5):
    clock = FakeClock()
    serial = _Forgetful(clock, 115_200, slave)
    bus = Bus(serial, clock, 115_200)
    found = Discovery()
    drive(found.run(Reader(bus, unit, 20_000)), bus, serial)
    return found


def _models(*pairs):
    """Return a chain of models (id, length), their registers zero."""
    image = bytearray(b"SunS")
    for model, length in pairs:
        image += bytes((model >> 8, model & 0xFF, length >> 8, length & 0xFF)) + bytes(2 * length)
    return image


def test_every_point_of_every_model_agrees_with_the_vectors():
    vectors = _load("points")
    for model, table in _TABLES.items():
        for row in vectors[model]:
            image = _bytes(row["image"])
            assert image[0] << 8 | image[1] == int(model)
            assert (image[2] << 8 | image[3]) == len(image) // 2 - 2
            for point, expected in zip(table, row["values"]):
                assert sunspec.point(point, image, 2 * point[0]) == expected, (model, point[4])


def test_every_point_of_the_meters_too():
    vectors = _load("meters")
    for model, table in (("203", sunspec_models_200.MODEL_203), ("213", sunspec_models_200.MODEL_213)):
        for row in vectors[model]:
            image = _bytes(row["image"])
            for point, expected in zip(table, row["values"]):
                assert sunspec.point(point, image, 2 * point[0]) == expected, (model, point[4])


def test_scale_factors():
    assert [sunspec.exponent(raw) for raw in (0, 3, 10, 0xFFFF, 0xFFF6, 0x8000)] == [0, 3, 10, -1, -10, 0]
    for raw in (11, 0xFFF5, 0x7FFF):
        try:
            sunspec.exponent(raw)
        except Exception as error:
            assert error.code == "SCALE_FACTOR"
        else:
            raise AssertionError("accepted")


def test_models_are_found_in_any_order_and_a_repeated_one_counts_once():
    found = _discover(ImageSlave(5, 40_000, _bytes(_load("devices")["pcs"])))
    assert found.result == sunspec.FOUND
    assert found.base == 40_000
    assert sorted(found.models) == [1, 2, 701, 702, 703, 704, 713, 715]
    assert found.models[1] == 40_002
    assert found.models[713] == 40_070
    assert found.address(713, 4) == 40_074
    assert found.lengths[704] == 65


def test_the_other_bases():
    end = b"\xff\xff\x00\x00"
    for base in (0, 50_000, 500):
        found = _discover(ImageSlave(5, base, _models((1, 66), (701, 153)) + end))
        assert (found.result, found.base, sorted(found.models)) == (sunspec.FOUND, base, [1, 701])


def test_an_end_model_without_its_length():
    found = _discover(ImageSlave(5, 40_000, _models((1, 65)) + b"\xff\xff"))
    assert (found.result, found.models) == (sunspec.FOUND, {1: 40_002})


def test_what_is_no_sunspec_device_and_what_is_none_at_all():
    assert _discover(ImageSlave(5, 40_000, bytes(200))).result == sunspec.NOT_SUNSPEC
    assert _discover(ImageSlave(5, 100, bytes(200))).result == sunspec.NOT_SUNSPEC
    assert _discover(ImageSlave(6, 40_000, bytes(200))).result == sunspec.SILENT


def test_a_chain_without_an_end_is_bounded():
    found = _discover(ImageSlave(5, 40_000, _models((1, 66), (701, 153))))
    assert (found.result, sorted(found.models)) == (sunspec.UNENDED, [1, 701])
    found = _discover(ImageSlave(5, 40_000, b"SunS" + bytes(1000)))
    assert (found.result, list(found.models)) == (sunspec.UNENDED, [0])
    found = _discover(ImageSlave(5, 40_000, _models((1, 66)) + b"\x00\x02\xff\xff" + bytes(20)))
    assert found.result == sunspec.UNENDED


def test_a_device_that_falls_silent_on_the_way():
    class Dying(ImageSlave):
        def __call__(self, frame, end_us):
            self.silent = self.silent or frame[3] > 0x60
            return ImageSlave.__call__(self, frame, end_us)

    assert _discover(Dying(5, 40_000, _models((1, 66), (701, 153)))).result == sunspec.BROKEN
