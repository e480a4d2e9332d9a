"""drivers.slow: whole rounds of a meter's slow registers, decoded exactly, however the meter takes the requests."""

import struct

from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.profile import Profiles
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, run

_PROFILES = ("sdm630", "em340", "abb_b23", "generic_fast", "sdm120")


class _Picky(ImageSlave):
    """A FAKE meter that refuses registers which are not in its list."""

    known = ()

    def _answer(self, frame):
        address = frame[2] << 8 | frame[3]
        for i in range(frame[4] << 8 | frame[5]):
            if address + i not in self.known:
                return bytes((frame[0], frame[1] | 0x80, 2))
        return ImageSlave._answer(self, frame)


def _meter(name, words, sign=1, slave=ImageSlave, base=0):
    clock = FakeClock()
    slave = slave(3, base, bytes(2 * words))
    serial = FakeSerial(clock, 115_200, slave)
    bus = Bus(serial, clock, 115_200)
    return slave, serial, bus, Meter(bus, 3, Profiles(_PROFILES).load(name), Scale(10), sign)


def _ask(bus, serial, request):
    assert request()
    run(bus, serial, serial.clock.now_us + 400_000)


def _floats(*values):
    data = struct.pack(">%df" % len(values), *values)
    return struct.unpack(">%dH" % (len(data) // 2), data)


def test_one_request_brings_frequency_and_energies_of_an_sdm630():
    slave, serial, bus, meter = _meter("sdm630", 0x60)
    assert meter.values()["import_wh"] is None and meter.slow.count == 0
    slave.put(0x46, _floats(49.97, 1234.5, 0.125))
    _ask(bus, serial, meter.request_slow)
    assert len(serial.sent) == 1 and serial.sent[0][2][2:6] == b"\x00\x46\x00\x06"
    values = meter.values()
    assert (values["frequency_mhz"], values["import_wh"], values["export_wh"]) == (49970, 1234500, 125)
    assert meter.slow.count == 1 and abs(meter.slow.t_ms - serial.sent[0][1] // 1000) <= 1


def test_phases_on_demand_and_a_clamp_that_is_turned_round():
    slave, serial, bus, meter = _meter("sdm630", 0x60, -1)
    slave.put(0x0C, _floats(-100.0, 200.5, 0.0))
    slave.put(0x48, _floats(7.0, 9.0))
    _ask(bus, serial, meter.request_phases)
    _ask(bus, serial, meter.request_slow)
    values = meter.values()
    assert [values["power_l%d_w" % i] for i in (1, 2, 3)] == [100, -201, 0]
    assert (values["import_wh"], values["export_wh"]) == (9000, 7000)
    assert (meter.phases.count, meter.slow.count) == (1, 1)


def test_blocks_are_as_long_as_the_meter_allows():
    slave, serial, bus, meter = _meter("em340", 0x60)
    slave.put(0x33, (500,))
    slave.put(0x34, (2, 1))
    slave.put(0x4E, (5, 0))
    _ask(bus, serial, meter.request_slow)
    assert [frame[2:6] for _, _, frame in serial.sent] == [b"\x00\x33\x00\x03", b"\x00\x4E\x00\x02"]
    values = meter.values()
    assert (values["frequency_mhz"], values["import_wh"], values["export_wh"]) == (50000, 6553800, 500)


def test_a_round_counts_only_when_it_is_whole():
    slave, serial, bus, meter = _meter("em340", 0x60)
    _ask(bus, serial, meter.request_slow)
    stamp = meter.slow.t_ms
    slave.put(0x34, (10, 0))
    whole = slave.image
    slave.image = whole[:2 * 0x4E]  # export is refused from now on
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.slow.fails, meter.slow.t_ms) == (1, 1, stamp)
    assert meter.values()["import_wh"] == 0  # the values of the last whole round, all of it
    slave.image = whole
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.values()["import_wh"]) == (2, 1000)


def test_a_meter_that_minds_the_gaps_is_read_without_them():
    slave, serial, bus, meter = _meter("em340", 0x60, 1, _Picky)
    slave.known = (0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x33, 0x34, 0x35, 0x4E, 0x4F)
    _ask(bus, serial, meter.request_phases)
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.phases.count) == (1, 1)
    slave, serial, bus, meter = _meter("abb_b23", 0xC00, 1, _Picky, 0x5000)
    slave.known = tuple(range(0x5000, 0x5008)) + (0x5B2C,)
    _ask(bus, serial, meter.request_slow)
    assert meter.slow.count == 1 and len(serial.sent) == 2
    slave, serial, bus, meter = _meter("sdm120", 0x60, 1, _Picky)
    slave.known = (0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B)
    _ask(bus, serial, meter.request_slow)
    assert meter.slow.count == 1


def test_a_refused_block_is_split_for_good():
    clock = FakeClock()
    slave = _Picky(3, 0, bytes(0x100))
    slave.known = (0, 1, 20, 21)
    serial = FakeSerial(clock, 115_200, slave)
    bus = Bus(serial, clock, 115_200)
    facts = Profiles(_PROFILES).load("sdm630")
    facts.table = ((0, 4, 1, 1, "power_w"), (20, 4, 1000, 1, "import_wh"), (40, 4, 1000, 1, "export_wh"))
    slave.known += (40, 41)
    meter = Meter(bus, 3, facts, Scale(10))
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.slow.fails, len(serial.sent)) == (0, 1, 1)
    _ask(bus, serial, meter.request_slow)
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.slow.fails, len(serial.sent)) == (2, 1, 5)


def test_what_is_under_way_is_not_asked_again_and_what_is_not_there_not_at_all():
    slave, serial, bus, meter = _meter("generic_fast", 8)
    assert not meter.request_phases()
    assert meter.request_slow() and not meter.request_slow()
    run(bus, serial, serial.clock.now_us + 100_000)
    assert meter.slow.count == 1 and meter.values() == {"frequency_mhz": 0}
    slave.silent = True
    _ask(bus, serial, meter.request_slow)
    assert (meter.slow.count, meter.slow.fails) == (1, 1)
