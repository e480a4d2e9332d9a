"""Asking, commanding and answering allocates nothing, whichever PCS, limit, genset controller or BMS it is."""

import json

import build_info

from firmware.drivers.line.bus import Bus
from firmware.drivers.profile import Profiles
from firmware.drivers.regmap import Scale
from tests.device.test_drivers_noalloc import _replay
from tests.fakes_bus import AnySlave, FakeClock, FakeSerial, ImageSlave, Recorder, drive

_UNIT = 7
_UNIT_W = 10
# role, profile, image of pysunspec2's or None, requests of one round
_CASES = (
    ("pcs", "sunspec_der", "pcs", 6), ("pcs", "sunspec_124", "storage", 3), ("pcs", "sunspec_124", "storage_float", 3),
    ("pcs", "kaco_gridsave", "kaco", 3), ("pcs", "sinexcel_pws2", None, 4), ("pcs", "foxess_h3", None, 3),
    ("pcs", "sma", None, 5), ("wind_limit", "sunspec_limit", "wind", 3), ("wind_limit", "sunspec_123", "plant", 3),
    ("pv_limit", "sunspec_123", "plant_float", 3), ("bms", "sunspec_bms", "battery", 2),
    ("genset_control", "dse_gencomm", None, 6))


def _kaco():
    """Return the registers of a FAKE KACO inverter: models 121 and 64201, their registers by hand."""
    image = bytearray(b"SunS" + b"\x00\x79\x00\x1e" + bytes(60) + b"\xfa\xc9\x00\x34" + bytes(104))
    image += b"\xff\xff\x00\x00"

    def put(at, value):
        image[2 * at] = value >> 8
        image[2 * at + 1] = value & 0xFF

    put(2 + 2, 3000)  # 121 WMax, W
    put(2 + 22, 1)
    vendor = 2 + 32
    for at, value in ((5, 11), (8, 60), (35, 0xFB2E), (37, 5000), (46, 0xFFFE), (51, 1), (53, 0xFFFE)):
        put(vendor + at, value)
    return image


def _slave(image):
    if image is None:
        return AnySlave(_UNIT, 4)
    if image == "kaco":
        return ImageSlave(_UNIT, 40_000, _kaco())
    with open("tests/vectors/sunspec_devices.json") as file:
        text = json.load(file)[image]
    return ImageSlave(_UNIT, 40_000, bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2)))


def _live(role, name, image, requests):
    clock = FakeClock()
    recorder = Recorder((_slave(image),))
    serial = FakeSerial(clock, 115_200, recorder)
    bus = Bus(serial, clock, 115_200)
    profile = Profiles((), None, build_info.DEVICES).device(role, name)
    device = profile.DRIVER(bus, _UNIT, Scale(_UNIT_W), reversion_s=7, timeout_us=20_000, profile=profile,
                            rating_w=30_000)
    if name == "dse_gencomm":
        device._set_up = lambda: iter(())  # which keys it has, a FAKE of equal registers cannot say
    drive(device.start(), bus, serial)
    assert device.ready, (name, device.trouble)

    def go():
        device.say(1, False)  # local
        device.request()
        device.request_slow()
        device.command(-1000)
        device.heartbeat()
        for _ in range(80):
            bus.poll()
            clock.now_us += 2500
            bus.wait_us()

    counted = _replay(recorder, bus, (device,), 2 * requests, go)
    assert device.stats.answers == counted[0] + 2 * requests
    assert device.stats.timeouts == device.stats.crc == 0


def test_nothing_is_allocated_by_any_profile():
    seen = set()
    for role, name, image, requests in _CASES:
        _live(role, name, image, requests)
        seen.add(name)
    for names in build_info.DEVICES.values():
        for name in names:
            assert name in seen, name
