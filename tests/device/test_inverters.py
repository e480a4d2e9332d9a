"""drivers.inverter and what builds on it, against the register images that pysunspec2 laid out."""

import json

from firmware.drivers.bms.sunspec_bms import SunspecBms
from firmware.drivers.limiters.sunspec_123 import PowerLimit123
from firmware.drivers.line.bus import Bus
from firmware.drivers.pcs.sunspec_124 import StoragePcs
from firmware.drivers.percent import Percent
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, drive, run

_UNIT_W = 10


class _Site:
    def __init__(self, image, driver):
        with open("tests/vectors/sunspec_devices.json") as file:
            text = json.load(file)[image]
        data = bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2))
        self.slave = ImageSlave(7, 40_000, data)
        self.clock = FakeClock()
        self.serial = FakeSerial(self.clock, 115_200, self.slave)
        self.bus = Bus(self.serial, self.clock, 115_200)
        self.device = driver(self.bus, 7, Scale(_UNIT_W), 7, 20_000)
        self.start()

    def start(self):
        drive(self.device.start(), self.bus, self.serial)
        return self.device

    def at(self, model):
        image = self.slave.image
        at = 4
        while image[at] << 8 | image[at + 1] != model:
            at += 4 + 2 * (image[at + 2] << 8 | image[at + 3])
        return 40_000 + at // 2

    def go(self, ms=60):
        run(self.bus, self.serial, self.clock.now_us + ms * 1000)

    def ask(self):
        self.device.request()
        self.device.request_slow()
        self.go()


def test_a_storage_inverter_begins_with_the_window_shut_and_its_time_set():
    for image in ("storage", "storage_float"):
        site = _Site(image, StoragePcs)
        pcs = site.device
        assert (pcs.ready, pcs.trouble) == (True, "")
        at = site.at(124)
        assert site.slave.writes == [(at + 12, bytes(6) + b"\x00\x07"), (at + 5, b"\x00\x03")]
        assert (pcs.max_w, pcs.charge_max_w, pcs.discharge_max_w) == (30_000, 25_000, 30_000)
        assert (pcs.low_pu, pcs.high_pu, pcs.reversion) == (-2500, 3000, True)
        site.ask()
        assert pcs.power.value == (-1234 if image == "storage" else -1235)  # -12.34 and -12.3456 kW
        assert (pcs.soc.value, pcs.storage_state, pcs.st, pcs.fault) == (513, 4, 4, False)


def test_a_set_point_is_a_window_of_one_value():
    site = _Site("storage", StoragePcs)
    for asked_pu, out, into in ((1500, 5000, -5000), (-600, -2000, 2000), (9999, 10_000, -10_000),
                                (-9999, -8333, 8333), (0, 0, 0)):
        assert site.device.command(asked_pu)
        site.go()
        assert site.slave.get(site.at(124) + 12, 4) == [out & 0xFFFF, into & 0xFFFF, 0, 7]
        site.ask()
        assert abs(site.device.applied.value - max(min(asked_pu, 3000), -2500)) <= 1
    assert site.device.strayed == 0


def test_a_device_without_the_timer_is_not_asked_for_it():
    site = _Site("storage", StoragePcs)
    at = site.at(124)
    site.slave.put(at + 15, (0xFFFF,))
    site.slave.writes.clear()
    pcs = site.start()
    assert pcs.ready and not pcs.reversion
    assert site.slave.writes[0] == (at + 12, bytes(4))


def test_a_scale_factor_that_moves_means_a_new_start():
    site = _Site("storage", StoragePcs)
    site.ask()
    count = site.device.power.count
    site.slave.put(site.at(103) + 15, (2,))
    site.ask()
    assert (site.device.ready, site.device.trouble) == (False, "RESCALED")
    assert (site.device.power.count, site.device.power.fails) == (count, 1)
    site.start()
    site.ask()
    assert site.device.ready and site.device.power.value == -12_340


def test_a_model_that_disappears_at_run_time_is_looked_for_anew():
    site = _Site("storage", StoragePcs)
    gone_at = 2 * (site.at(124) - 40_000)
    image = site.slave.image
    # 124 comes first behind the common model: take it out, and what follows moves up.
    length = 4 + 2 * (image[gone_at + 2] << 8 | image[gone_at + 3])
    for i in range(gone_at, len(image) - length):
        image[i] = image[i + length]
    site.slave.image = image[:len(image) - length]
    for _ in range(20):
        site.device.request()
        site.device.request_slow()
        site.device.command(0)
        site.go(200)
    assert not site.device.ready and site.device.trouble
    site.start()
    assert site.device.trouble == "NO_MODEL_124"


def test_all_zeros_with_a_fault_state_are_a_failed_reading():
    for image, model, w_at, st_at in (("storage", 103, 14, 38), ("storage_float", 113, 22, 48)):
        site = _Site(image, StoragePcs)
        site.ask()
        count = site.device.power.count
        site.slave.put(site.at(model) + w_at, (0,))
        site.slave.put(site.at(model) + w_at + 2, (0, 0) if model == 113 else (0,))
        if model == 113:
            site.slave.put(site.at(model) + w_at + 1, (0,))
        site.slave.put(site.at(model) + st_at, (7,))
        site.ask()
        assert (site.device.power.count, site.device.blank, site.device.fault) == (count, 1, True)
        site.slave.put(site.at(model) + st_at, (8,))
        site.ask()
        assert (site.device.power.count, site.device.power.value) == (count + 1, 0)


def test_a_limit_by_123_is_rounded_down_and_keeps_what_is_not_ours():
    for image in ("plant", "plant_float"):
        site = _Site(image, PowerLimit123)
        limiter = site.device
        at = site.at(123)
        assert limiter.ready and limiter.max_pu == 3000
        assert site.slave.writes == [(at + 5, b"\x03\xe8\x00\x00\x00\x07\x00\x07\x00\x01")]
        for limit_pu, raw in ((3000, 1000), (2999, 999), (1500, 500), (2, 0), (9999, 1000), (-1, 0)):
            assert limiter.command(limit_pu)
            site.go()
            assert site.slave.get(at + 5) == [raw]
            site.ask()
            assert limiter.applied.value <= max(limit_pu, 0) and limiter.strayed == 0
        site.slave.put(at + 4, (0,))
        site.slave.put(at + 9, (0,))
        site.ask()
        assert not limiter.connected and limiter.strayed == 1


def test_a_battery_by_802():
    site = _Site("battery", SunspecBms)
    site.ask()
    bms = site.device
    assert (bms.soc.value, bms.soh.value, bms.state, bms.fault) == (513, 980, 3, False)
    bms.heartbeat()
    site.go()
    assert site.slave.writes == [(site.at(802) + 19, b"\x00\x01")]
    site.slave.put(site.at(802) + 22, (99,))
    site.ask()
    assert bms.fault and bms.soc.count == 2


def test_percent_is_exact_in_31_bits():
    for exponent, whole in ((-2, 10_000), (-1, 1000), (0, 100), (1, 10), (2, 1)):
        for most_pu in (1, 3, 999, 10_000, 99_999, 524_288):
            percent = Percent(exponent, most_pu)
            assert percent.whole == whole
            for raw in (0, 1, whole // 3, whole, -whole, 2 * whole):
                exact = raw * most_pu // whole
                assert percent.read(raw) == exact
                assert -(1 << 30) <= raw * (most_pu % whole) < 1 << 30
