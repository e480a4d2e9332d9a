"""A round on the bus - two meters read, PCS read, set point sent - allocates nothing, at every rating.

The allocation total is looked at besides the heap lock: a frame too large for the stack falls back to it only
when the heap is locked. What a 64-bit VM or CPython cannot show, the 32-bit board does.
"""

from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.pcs.sunspec_der import SunspecPcs
from firmware.drivers.profile import Profiles
from firmware.drivers.ratio import LIMIT_PU
from firmware.drivers.regmap import Scale
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, Recorder, Replay, drive
from tests.locked_heap import moved


def _image(name):
    import json

    with open("tests/vectors/sunspec_devices.json") as file:
        text = json.load(file)[name]
    return bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


def _site(unit_w, power):
    """Return bus, devices and clock, set up on a scripted line and then moved to a replay of one round."""
    clock = FakeClock()
    slaves = (ImageSlave(1, 0, bytes(0x68) + power + bytes(0x38)),
              ImageSlave(2, 0, power[4:] + b"\x13\x88\x00\x01"),
              ImageSlave(7, 40_000, _image("pcs")))
    recorder = Recorder(slaves)
    serial = FakeSerial(clock, 115_200, recorder)
    bus = Bus(serial, clock, 115_200)
    scale = Scale(unit_w)
    profiles = Profiles(("sdm630", "generic_fast"))
    devices = (Meter(bus, 1, profiles.load("sdm630"), scale),
               Meter(bus, 2, profiles.load("generic_fast"), scale), SunspecPcs(bus, 7, scale))
    drive(devices[2].start(), bus, serial)
    assert devices[2].ready
    return clock, recorder, serial, bus, devices


def _round(clock, bus, devices, setpoint_pu):
    devices[0].request()
    devices[1].request()
    devices[2].request()
    devices[2].request_slow()
    devices[2].heartbeat()
    devices[2].command(setpoint_pu)
    for _ in range(60):
        bus.poll()
        clock.now_us += 1750
        bus.wait_us()


def _rehearse(unit_w, power, setpoint_pu):
    """Run two rounds to learn their answers, then the same again on a replay without allocation."""
    clock, recorder, serial, bus, devices = _site(unit_w, power)
    counted = _replay(recorder, bus, devices, 16, lambda: _round(clock, bus, devices, setpoint_pu))
    for device, count in zip(devices, counted):
        assert device.stats.answers > count
        assert device.stats.timeouts == device.stats.crc == 0
    return devices


def _replay(recorder, bus, devices, answers, go):
    """Run go() twice to learn the answers, then twice on a replay without allocation; return the answers before."""
    recorder.answers = []
    go()
    go()
    replay = Replay(recorder.answers)
    counted = [device.stats.answers for device in devices]
    bus.attach(replay)

    def work():
        go()
        go()

    count = moved(work)
    assert count == 0, "%d bytes" % count
    assert replay.requests == len(replay.answers) == answers
    return counted


def _power(watts):
    import struct

    return struct.pack(">fi", watts, watts)


def test_nothing_is_allocated_from_ten_kilowatts_to_one_gigawatt():
    for rating_w, unit_w in ((10_000, 1), (2_000_000, 10), (100_000_000, 500), (1_000_000_000, 5000)):
        for watts in (rating_w * 3 // 2, -rating_w * 3 // 2):
            devices = _rehearse(unit_w, _power(watts), watts // unit_w)
            for meter in devices[:2]:
                assert abs(meter.power.value * unit_w - watts) <= unit_w
                assert meter.power.count + meter.repeated == 4


def test_nothing_is_allocated_where_the_values_are_none():
    for power in (b"\x7f\xc0\x00\x00\x80\x00\x00\x00", b"\xff\x7f\xff\xff\x7f\xff\xff\xff"):
        devices = _rehearse(5000, power, -LIMIT_PU)
        assert devices[0].invalid >= 4 and devices[1].invalid >= 4


def test_nothing_is_allocated_where_a_meter_reads_its_slow_registers():
    clock, recorder, serial, bus, devices = _site(10, _power(123_400))
    meter = devices[0]

    def go():
        for request in _REQUESTS:
            request(meter)
            for _ in range(60):
                bus.poll()
                clock.now_us += 1750
                bus.wait_us()

    _replay(recorder, bus, devices, 4, go)
    assert (meter.slow.count, meter.phases.count, meter.slow.fails) == (4, 4, 0)


_REQUESTS = (Meter.request_slow, Meter.request_phases)


def _sunspec_meter():
    """Return clock, recorder, bus and a SunSpec meter that has been found."""
    import json

    with open("tests/vectors/sunspec_meters.json") as file:
        text = json.load(file)["203"][2]["image"]
    image = b"SunS" + bytes(int(text[i:i + 2], 16) for i in range(0, len(text), 2)) + b"\xff\xff"
    clock = FakeClock()
    recorder = Recorder((ImageSlave(8, 40_000, image),))
    serial = FakeSerial(clock, 115_200, recorder)
    bus = Bus(serial, clock, 115_200)
    profile = Profiles(("sunspec_meter",)).load("sunspec_meter")
    meter = profile.driver(bus, 8, profile, Scale(5000))
    drive(meter.start(), bus, serial)
    assert meter.ready
    return clock, recorder, bus, meter


def test_nothing_is_allocated_where_a_sunspec_meter_is_read():
    clock, recorder, bus, meter = _sunspec_meter()
    _replay(recorder, bus, (meter,), 6, _prepared(meter, bus, clock))
    assert (meter.slow.count, meter.phases.count, meter.power.count + meter.invalid) == (4, 4, 4)


def _prepared(meter, bus, clock):
    """Return what asks for everything once; its bound methods are made beforehand."""
    requests = (meter.request, meter.request_slow, meter.request_phases)

    def go():
        for request in requests:
            request()
            for _ in range(20):
                bus.poll()
                clock.now_us += 1750
                bus.wait_us()

    return go
