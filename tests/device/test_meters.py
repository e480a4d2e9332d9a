"""The meters' profiles against their vectors, each by its name, and one meter through the bus."""

import gc
import json
import struct

import build_info

from firmware.core.errors import ConfigError
from firmware.drivers import ratio, regmap
from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.profile import Profiles
from firmware.drivers.ratio import INVALID, LIMIT_PU
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, run

_UNITS_W = (1, 200, 5000)
_POWERS = ("power_w", "power_l1_w", "power_l2_w", "power_l3_w")
_PROFILES = Profiles(build_info.PROFILES)
_TABLES = [name for name in build_info.PROFILES if _PROFILES.load(name).table]


def _vectors(name):
    """Return the vectors of a profile; there is not room for all of them at once on a small board."""
    gc.collect()
    with open("tests/vectors/meters/%s.json" % name) as file:
        return json.load(file)["rows"]


def _bytes(text):
    text = text.replace(" ", "")
    return bytes(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


def _meter(name, image, sign=1, unit_w=10):
    clock = FakeClock()
    slave = ImageSlave(3, 0, image)
    serial = FakeSerial(clock, 115_200, slave)
    bus = Bus(serial, clock, 115_200)
    return slave, serial, bus, Meter(bus, 3, _PROFILES.load(name), Scale(unit_w), sign)


def _ask(meter, bus, serial):
    meter.request()
    run(bus, serial, serial.clock.now_us + 50_000)


def test_every_row_has_a_vector_and_agrees_with_it():
    for name in _TABLES:
        table = _PROFILES.load(name).table
        seen = set()
        for address, quantity, raw, expected, unit in _vectors(name):
            row = regmap.find(table, quantity)
            assert row[0] == address, (name, quantity)
            assert quantity.split("_")[-1] == unit
            data = _bytes(raw)
            assert len(data) == 2 * regmap.words(row[1]), (name, quantity)
            assert regmap.value(row, b"\0\0" + data, 2) == expected, (name, quantity, raw)
            seen.add(quantity)
        assert seen == set(row[4] for row in table), name


def test_powers_are_read_alike_on_the_control_path():
    for name in _TABLES:
        table = _PROFILES.load(name).table
        signs = set()
        for _, quantity, raw, expected, _ in _vectors(name):
            if quantity not in _POWERS:
                continue
            row = regmap.find(table, quantity)
            for unit_w in _UNITS_W:
                got = ratio.read(Scale(unit_w).power(row).cells, _bytes(raw), 0)
                assert _agree(got, expected, unit_w), (name, quantity, raw, unit_w, got)
            if quantity == "power_w":
                signs.add(None if expected is None else (expected > 0) - (expected < 0))
        assert signs == {-1, 0, 1, None}, name


def _agree(pu, value, unit_w):
    """Judge a power in units against the vector's watts, which are rounded themselves."""
    if pu == INVALID:
        return value is None or abs(value) > (LIMIT_PU - 1) * unit_w
    return value is not None and 2 * abs(pu * unit_w - value) <= unit_w + 1


def test_every_row_can_be_read_in_one_request():
    for name in _TABLES:
        profile = _PROFILES.load(name)
        addresses = [row[0] for row in profile.table]
        assert addresses == sorted(set(addresses))
        for row in profile.table:
            assert row[0] % profile.step == 0 and regmap.words(row[1]) % profile.step == 0
            assert ratio.S16 <= row[1] <= regmap.S64 and regmap.words(row[1]) <= profile.max_read
        assert profile.fast_count + profile.fast_extra <= profile.max_read <= 125
        assert profile.fast_count % profile.step == 0 and profile.fast_extra % profile.step == 0
        assert profile.function in (3, 4) and profile.turnaround_us > 0 and profile.document
        assert profile.hypothetical == (name == "generic_fast")


def test_the_numbers_of_the_kinds_are_those_of_the_drivers():
    kinds = ("S16", "U16", "S32", "U32", "F32", "S32_LOW_FIRST", "U32_LOW_FIRST", "F32_LOW_FIRST", "U64", "S64")
    for name in _TABLES:
        module = __import__("firmware.drivers.meters." + name, None, None, ("TABLE",))
        for kind in kinds:
            there = ratio if hasattr(ratio, kind) else regmap
            assert getattr(module, kind, getattr(there, kind)) == getattr(there, kind), (name, kind)


def test_what_has_no_table_finds_its_registers_itself():
    assert [name for name in build_info.PROFILES if name not in _TABLES] == ["sunspec_meter"]
    assert _PROFILES.load("sunspec_meter").driver and not _PROFILES.load("sdm630").driver


def test_a_profile_that_nobody_knows_is_refused_with_those_known():
    try:
        Profiles(build_info.PROFILES, lambda path: None).load("sdm631", "devices[0].profile")
    except ConfigError as error:
        assert error.detail.startswith('devices[0].profile: "sdm631" is not known; give one of ')
        assert "sdm630" in error.detail and "profiles/sdm631.json" in error.detail
    else:
        raise AssertionError("accepted")


def test_an_sdm630_reads_total_power():
    slave, serial, bus, meter = _meter("sdm630", bytes(2 * 0x50))
    for value, pu in ((123456.0, 12346), (-50.0, -5), (0.0, 0)):
        slave.put(0x34, struct.unpack(">HH", struct.pack(">f", value)))
        _ask(meter, bus, serial)
        assert meter.power.value == pu
    assert (meter.power.count, meter.power.fails, meter.stats.answers) == (3, 0, 3)
    assert [frame[2:6] for _, _, frame in serial.sent[:2]] == [b"\x00\x34\x00\x02", b"\x00\x34\x00\x04"]
    last_us = serial.sent[-1][1]
    assert abs(meter.power.t_ms - last_us // 1000) <= 1


def test_a_reversed_clamp_and_no_number():
    slave, serial, bus, meter = _meter("sdm630", bytes(2 * 0x50), -1)
    slave.put(0x34, struct.unpack(">HH", struct.pack(">f", 1000.0)))
    _ask(meter, bus, serial)
    assert meter.power.value == -100
    slave.put(0x34, (0x7FC0, 0))
    _ask(meter, bus, serial)
    assert (meter.power.value, meter.power.count, meter.power.fails, meter.invalid) == (-100, 1, 1, 1)
    slave.silent = True
    _ask(meter, bus, serial)
    run(bus, serial, serial.clock.now_us + 2_000_000)
    assert (meter.power.count, meter.power.fails, meter.stats.timeouts) == (1, 3, 2)  # it is asked once more
    assert not meter.busy()


def test_generic_fast_believes_a_sample_once():
    slave, serial, bus, meter = _meter("generic_fast", b"\x00\x00\x27\x10\x13\x88\x00\x01", 1, 1)
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

def test_generic_fast_is_not_taken_for_frozen_while_a_loss_bars_the_request_that_reads_the_counter():
    slave, serial, bus, meter = _meter("generic_fast", b"\x00\x00\x27\x10\x13\x88\x00\x01", 1, 1)
    for _ in range(4):  # it stands
        _ask(meter, bus, serial)
    slave.silent = True
    _ask(meter, bus, serial)
    slave.silent = False
    run(bus, serial, serial.clock.now_us + 500_000)
    count = meter.power.count
    for counter in range(10, 18):
        slave.put(3, (counter,))
        _ask(meter, bus, serial)
    assert meter.power.count >= count + 6
