"""The meters' tables against their vectors, and one meter of each type through the bus."""

import json
import struct

from firmware.drivers import ratio, regmap
from firmware.drivers.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.meters import generic_fast, sdm630
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, run

_PROFILES = {"sdm630": sdm630, "generic_fast": generic_fast}
with open("tests/vectors/meters.json") as _file:
    _VECTORS = json.load(_file)


def _bytes(text):
    return bytes(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


def _meter(profile, image, sign=1, unit_w=10):
    clock = FakeClock()
    slave = ImageSlave(3, 0, image)
    serial = FakeSerial(clock, 115_200, slave)
    bus = Bus(serial, clock, 115_200)
    return slave, serial, bus, Meter(bus, 3, profile, Scale(unit_w), sign)


def _ask(meter, bus, serial):
    meter.request()
    run(bus, serial, serial.clock.now_us + 50_000)


def test_every_row_has_a_vector_and_agrees_with_it():
    for name, profile in _PROFILES.items():
        seen = set()
        for address, quantity, raw, expected in _VECTORS[name]:
            row = regmap.find(profile.TABLE, quantity)
            assert row[0] == address
            assert len(raw) == 4 * regmap.words(row[1])
            assert regmap.value(row, _bytes("0000" + raw), 2) == expected, quantity
            seen.add(quantity)
        assert seen == set(row[4] for row in profile.TABLE)


def test_every_row_can_be_read_in_one_request():
    for profile in _PROFILES.values():
        addresses = [row[0] for row in profile.TABLE]
        assert addresses == sorted(set(addresses))
        for row in profile.TABLE:
            assert row[0] % profile.STEP == 0 and regmap.words(row[1]) % profile.STEP == 0
        assert profile.FAST_COUNT + profile.FAST_EXTRA <= profile.MAX_READ
        assert profile.FAST_COUNT % profile.STEP == 0 and profile.FAST_EXTRA % profile.STEP == 0
    assert generic_fast.HYPOTHETICAL and not sdm630.HYPOTHETICAL


def test_an_sdm630_reads_total_power():
    slave, serial, bus, meter = _meter(sdm630, bytes(2 * 0x50))
    for value, pu in ((123456.0, 12346), (-50.0, -5), (0.0, 0)):
        slave.put(0x34, struct.unpack(">HH", struct.pack(">f", value)))
        _ask(meter, bus, serial)
        assert meter.power.value == pu
    assert (meter.power.count, meter.power.fails, meter.stats.answers) == (3, 0, 3)
    assert [frame[2:6] for _, _, frame in serial.sent[:2]] == [b"\x00\x34\x00\x02", b"\x00\x34\x00\x04"]
    last_us = serial.sent[-1][1]
    assert abs(meter.power.t_ms - last_us // 1000) <= 1


def test_a_reversed_clamp_and_no_number():
    slave, serial, bus, meter = _meter(sdm630, bytes(2 * 0x50), -1)
    slave.put(0x34, struct.unpack(">HH", struct.pack(">f", 1000.0)))
    _ask(meter, bus, serial)
    assert meter.power.value == -100
    slave.put(0x34, (0x7FC0, 0))
    _ask(meter, bus, serial)
    assert (meter.power.value, meter.power.count, meter.power.fails, meter.invalid) == (-100, 1, 1, 1)
    slave.silent = True
    _ask(meter, bus, serial)
    run(bus, serial, serial.clock.now_us + 500_000)
    assert (meter.power.count, meter.power.fails, meter.stats.timeouts) == (1, 2, 1)
    assert not meter.busy()


def test_generic_fast_believes_a_sample_once():
    slave, serial, bus, meter = _meter(generic_fast, b"\x00\x00\x27\x10\x13\x88\x00\x01", 1, 1)
    for counter in range(10, 16):
        slave.put(3, (counter,))
        _ask(meter, bus, serial)
    assert (meter.power.value, meter.power.count, meter.repeated) == (10000, 6, 0)
    stamp = meter.power.t_ms
    for _ in range(5):
        _ask(meter, bus, serial)
    # The counter is read with every second request: at most one answer of a frozen meter is believed.
    assert meter.power.count <= 7 and meter.repeated >= 4
    assert meter.power.t_ms - stamp < 120
    slave.put(3, (99,))
    _ask(meter, bus, serial)
    _ask(meter, bus, serial)
    assert meter.power.t_ms - stamp >= 250


def test_ratio_kinds_of_the_tables_are_known():
    for profile in _PROFILES.values():
        for row in profile.TABLE:
            assert ratio.S16 <= row[1] <= ratio.F32_LOW_FIRST
