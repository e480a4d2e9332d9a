"""drivers.pcs.sunspec_der and drivers.limiters.sunspec_limit against the register images that pysunspec2 laid out."""

import json

from firmware.drivers.limiters.sunspec_limit import PowerLimit
from firmware.drivers.line.bus import Bus
from firmware.drivers.pcs.sunspec_der import SunspecPcs
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, drive, run

_UNIT_W = 500
_COMMAND = bytes((0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 250, 0xFF, 0xF6, 0, 1, 0, 0, 0, 7))


def _image(name):
    with open("tests/vectors/sunspec_devices.json") as file:
        text = json.load(file)[name]
    return bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


def _find(image, model):
    """Return the address of a model in an image at 40000."""
    at = 4
    while image[at] << 8 | image[at + 1] != model:
        at += 4 + 2 * (image[at + 2] << 8 | image[at + 3])
    return 40_000 + at // 2


class _Site:
    def __init__(self, name, make):
        self.slave = ImageSlave(7, 40_000, _image(name))
        self.clock = FakeClock()
        self.serial = FakeSerial(self.clock, 115_200, self.slave)
        self.bus = Bus(self.serial, self.clock, 115_200)
        self.device = make(self.bus)

    def at(self, model):
        return _find(self.slave.image, model)

    def start(self):
        drive(self.device.start(), self.bus, self.serial)
        return self.device

    def go(self, ms=30):
        run(self.bus, self.serial, self.clock.now_us + ms * 1000)


def _pcs():
    site = _Site("pcs", lambda bus: SunspecPcs(bus, 7, Scale(_UNIT_W), 7, 20_000))
    site.start()
    return site, site.device


def test_it_is_found_rated_and_left_at_zero_with_its_fall_back_set():
    site, pcs = _pcs()
    assert (pcs.ready, pcs.trouble, pcs.local, pcs.fault) == (True, "", False, False)
    assert (pcs.max_w, pcs.charge_max_w, pcs.discharge_max_w) == (100_000_000, 80_000_000, 100_000_000)
    assert (pcs.charge_max_pu, pcs.discharge_max_pu) == (160_000, 200_000)
    assert site.slave.writes == [(site.at(704) + 22, _COMMAND)]
    assert pcs.reversion


def test_power_state_and_charge_are_read():
    site, pcs = _pcs()
    pcs.request()
    pcs.request_slow()
    site.go()
    assert pcs.power.value == -50_000  # -25 MW: W -2500, scale factor 4
    assert pcs.states() == (1, 3, 1, 0, 0)
    assert (pcs.soc.value, pcs.storage_state) == (513, 1)  # 51.25 %
    assert pcs.power.count == pcs.soc.count == 1
    site.slave.put(site.at(701) + 4, (6,))
    site.slave.put(site.at(701) + 10, (0x8000,))
    site.slave.put(site.at(713) + 4, (10_001,))
    pcs.request()
    pcs.request_slow()
    site.go()
    assert pcs.fault
    assert (pcs.power.count, pcs.power.fails, pcs.soc.count, pcs.soc.fails) == (1, 1, 1, 1)


def test_a_set_point_goes_out_whole_and_clamped():
    site, pcs = _pcs()
    for asked_pu, pu, raw in ((1, 1, 50), (-1, -1, -50), (160_000, 160_000, 8_000_000),
                              (300_000, 200_000, 10_000_000), (-300_000, -160_000, -8_000_000)):
        assert pcs.command(asked_pu)
        site.go()
        address, data = site.slave.writes[-1]
        assert address == site.at(704) + 22
        wset = bytes((raw >> 24 & 255, raw >> 16 & 255, raw >> 8 & 255, raw & 255))
        assert data == _COMMAND[:4] + wset + _COMMAND[8:]
        assert pcs.applied.value == pu
    assert pcs.applied.count == 6


def test_after_a_lost_answer_the_command_changes_form():
    site, pcs = _pcs()
    site.slave.silent = True
    pcs.command(100)
    site.go(200)
    site.slave.silent = False
    pcs.command(200)
    site.go(100)
    assert site.slave.writes[-1] == (site.at(704) + 23, _COMMAND[2:4] + b"\x00\x00\x27\x10" + _COMMAND[8:])
    assert pcs.applied.value == 200
    site.go(2500)
    pcs.command(300)
    site.go()
    assert site.slave.writes[-1][0] == site.at(704) + 22


def test_the_heartbeat_counts():
    site, pcs = _pcs()
    for beat in (1, 2, 3):
        pcs.heartbeat()
        site.go()
        assert site.slave.writes[-1] == (site.at(715) + 5, bytes((0, 0, 0, beat)))


def test_hands_off_while_local():
    site, pcs = _pcs()
    site.slave.put(site.at(715) + 2, (1,))
    pcs.request_slow()
    site.go()
    assert pcs.local and not pcs.command(5)
    site.slave.put(site.at(715) + 2, (0,))
    pcs.request_slow()
    site.go()
    assert not pcs.local and pcs.command(5)


def test_lost_and_found_again():
    site, pcs = _pcs()
    site.slave.silent = True
    for _ in range(100):
        pcs.request()
        site.go(100)
    assert (pcs.ready, pcs.trouble) == (False, "LOST")
    assert not pcs.request() and not pcs.command(1)
    site.start()
    assert (pcs.ready, pcs.trouble) == (False, "SILENT")
    site.slave.silent = False
    site.start()
    assert pcs.ready and pcs.stats.timeouts > 5
    site.slave.refuse_writes = True
    for _ in range(20):
        pcs.request()
        pcs.command(1)
        site.go()
    assert not pcs.ready
    site.start()
    assert pcs.trouble == "WRITE_REFUSED"


def test_what_cannot_be_driven_says_why():
    def spoil(model, offset, *registers):
        site = _Site("pcs", lambda bus: SunspecPcs(bus, 7, Scale(_UNIT_W), 7, 20_000))
        site.slave.put(site.at(model) + offset, registers)
        return site.start().trouble

    assert spoil(704, 0, 9) == "NO_MODEL_704"
    assert spoil(701, 0, 9) == "NO_MODEL_701"
    assert spoil(704, 24, 0x8000, 0) == "NO_WSET"
    assert spoil(704, 55, 11) == "SCALE_FACTOR"
    assert spoil(702, 2, *[0xFFFF] * 43) == "NO_RATING"
    assert spoil(1, -2, 0) == "NOT_SUNSPEC"
    assert spoil(713, 0, 9) == "" and spoil(715, 0, 9) == ""


def test_two_starts_at_once_are_one():
    site = _Site("pcs", lambda bus: SunspecPcs(bus, 7, Scale(_UNIT_W), 7, 20_000))
    first = site.device.start()
    next(first)
    assert list(site.device.start()) == []
    drive(first, site.bus, site.serial)
    assert site.device.ready


def test_a_wind_limit_is_rounded_down_and_falls_back():
    site = _Site("wind", lambda bus: PowerLimit(bus, 7, Scale(_UNIT_W), 7, 20_000))
    limiter = site.start()
    limit_at = site.at(704) + 14
    assert limiter.ready and limiter.max_pu == 10_002  # 5,001 kW
    assert site.slave.writes == [(limit_at, b"\x00\x01\x27\x10\x00\x00\x00\x01\x00\x00\x00\x07")]
    for limit_pu, raw in ((10_002, 10_000), (20_000, 10_000), (5_001, 5_000), (5_000, 4_999), (1, 0),
                          (-5, 0)):
        assert limiter.command(limit_pu)
        site.go()
        assert site.slave.get(limit_at, 2) == [1, raw]
        assert raw * 10_002 <= max(limit_pu, 0) * 10_000
    limiter.request()
    site.go()
    assert limiter.power.value == 6_000  # 3 MW
