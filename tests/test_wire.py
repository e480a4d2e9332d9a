"""The virtual RS-485 line and the slaves on it: bytes, times, exceptions, silence, damage."""

import json
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2.modbus.client import SunSpecModbusClientDevice

from host_tools.plant.agenda import Agenda
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.crc import crc16, with_crc
from host_tools.plant.devices.generic_fast import GenericFast
from host_tools.plant.devices.sunspec import scale_for, scaled
from host_tools.plant.series import Series, constant
from host_tools.plant.wire import Line
from tests.simulation_rig import SITES

SECOND = 1_000_000
SITE = {
    "site": {"id": "s", "device": "d"}, "control": {"period_ms": 100},
    "ratings": {"bess_w": 40_000_000, "bess_wh": 20_000_000, "wind_w": 8_000_000},
    "buses": [{"id": 0, "uart": 0, "baud": 38_400}, {"id": 7, "uart": 1, "baud": 9600, "parity": "E"}],
    "devices": [
        {"role": "load", "profile": "sdm630", "bus": 0, "unit": 1},
        {"role": "grid", "profile": "generic_fast", "bus": 0, "unit": 2},
        {"role": "wind", "profile": "sdm630", "bus": 7, "unit": 3, "invert": 1},
        {"role": "pcs", "profile": "sunspec_der", "bus": 7, "unit": 10},
        {"role": "wind_limit", "profile": "sunspec_limit", "bus": 7, "unit": 11}],
}


@pytest.fixture
def plant():
    load = Series([0, 100 * SECOND], [60e6, 70e6])
    return Plant(SITE, Inputs(load, constant(5e6)), 1_704_067_200, 1)


def send(plant, port, body, wait_us=SECOND, crc=None):
    """Write a frame and return [(time us, bytes)] of what arrives within a time."""
    frame = with_crc(body) if crc is None else body + crc
    plant.ports[port].write(frame)
    end_us = plant.agenda.now_us + wait_us
    arrived = []
    while plant.agenda.now_us < end_us:
        plant.agenda.run(end_us)
        arrived += [(plant.agenda.now_us, data) for _, data in plant.inbox]
        plant.inbox.clear()
    return arrived


def read(plant, port, unit, code, address, count):
    ((_, data),) = send(plant, port, struct.pack(">BBHH", unit, code, address, count))
    assert data[:3] == bytes((unit, code, 2 * count)) and not crc16(data)
    return data[3:-2]


def write(plant, port, unit, address, data):
    head = struct.pack(">BBHHB", unit, 16, address, len(data) // 2, len(data))
    ((_, answer),) = send(plant, port, head + data)
    return answer


def test_crc_of_the_standard():
    assert crc16(b"123456789") == 0x4B37
    assert with_crc(bytes.fromhex("010300000001")).hex() == "010300000001840a"


def test_times_on_the_wire_to_the_microsecond():
    agenda, arrived = Agenda(), []
    line = Line(agenda, 0, 0, (38_400, "N", 1), lambda port, data: arrived.append((agenda.now_us, data)),
                random.Random(1))
    line.slaves[2] = GenericFast(2, "load", random.Random(1), lambda t_us: 1000.0, None)
    agenda.run(5_000)
    line.write(with_crc(bytes((2, 4, 0, 0, 0, 2))))
    agenda.run(SECOND)
    char_us = 1e7 / 38_400
    sent_us = 5_000 + round(8 * char_us)
    ((at_us, data),) = arrived
    assert data[3:7] == struct.pack(">i", 1000)
    # 500 us of the device are less than the silence of 1750 us, which it keeps
    assert at_us == sent_us + 1750 + round(9 * char_us)


@pytest.mark.parametrize("settings_, bits", [
    ((9600, "N", 1), 10), ((9600, "E", 1), 11), ((9600, "N", 2), 11)])
def test_a_request_is_taken_when_its_last_byte_has_left(settings_, bits):
    agenda, asked = Agenda(), []
    line = Line(agenda, 0, 0, settings_, lambda port, data: None, random.Random(1))
    line.slaves[2] = GenericFast(2, "load", random.Random(1), lambda t_us: 0.0, None)
    line.slaves[2].answer = lambda request, t_us: asked.append(t_us)
    line.write(with_crc(bytes((2, 4, 0, 0, 0, 2))))
    agenda.run(SECOND)
    assert asked == [round(8 * bits * SECOND / 9600)]
    assert line.silence_us == round(3.5 * bits * SECOND / 9600)


def test_a_frame_written_in_pieces_is_one_frame(plant):
    frame = with_crc(struct.pack(">BBHH", 2, 4, 0, 4))
    plant.ports[0].write(frame[:3])
    plant.agenda.run(plant.agenda.now_us + 300)
    assert len(send(plant, 0, frame[3:-2], crc=frame[-2:])) == 1


def test_who_is_not_meant_keeps_silent(plant):
    assert send(plant, 0, bytes((9, 4, 0, 0, 0, 2))) == []
    assert send(plant, 0, bytes((2, 4, 0, 0, 0, 2)), crc=b"\0\0") == []
    assert send(plant, 0, b"\2", crc=b"") == []
    assert (plant.lines[0].statistics["foreign"], plant.lines[0].statistics["damaged"]) == (1, 2)


def test_wrong_settings_of_the_uart_are_not_understood(plant):
    plant.ports[0].open(19_200, "N", 1)
    assert send(plant, 0, bytes((2, 4, 0, 0, 0, 2))) == []
    plant.ports[0].open(38_400, "N", 1)
    assert len(send(plant, 0, bytes((2, 4, 0, 0, 0, 2)))) == 1


def test_speaking_into_an_answer_destroys_both(plant):
    plant.ports[0].write(with_crc(bytes((2, 4, 0, 0, 0, 4))))
    plant.agenda.run(plant.agenda.now_us + 2083 + 1750 + 1000)
    assert send(plant, 0, bytes((2, 4, 0, 0, 0, 4))) == []
    assert plant.lines[0].statistics["collisions"] == 1
    assert len(send(plant, 0, bytes((2, 4, 0, 0, 0, 4)))) == 1


@pytest.mark.parametrize("port, body, code", [
    (0, struct.pack(">BBHH", 1, 3, 0x34, 2), 1),
    (0, struct.pack(">BBHH", 1, 4, 0x35, 2), 2),
    (0, struct.pack(">BBHH", 1, 4, 0x34, 3), 2),
    (0, struct.pack(">BBHH", 1, 4, 0x17E, 4), 2),
    (0, struct.pack(">BBHH", 1, 4, 0, 82), 3),
    (0, struct.pack(">BBHH", 2, 4, 0, 0), 3),
    (0, struct.pack(">BBHH", 2, 4, 2, 3), 2),
    (0, struct.pack(">BBHHBH", 2, 16, 0, 1, 2, 0), 1),
    (1, struct.pack(">BBHH", 10, 3, 39_999, 2), 2),
    (1, struct.pack(">BBHH", 10, 3, 40_000, 126), 3),
    (1, struct.pack(">BBHH", 10, 4, 40_000, 2), 1),
    (1, struct.pack(">BBHHBH", 10, 16, 40_000, 1, 2, 0), 2),
    (1, struct.pack(">BBHHBI", 10, 16, 40_000, 1, 4, 0), 3),
    (1, struct.pack(">BBHH", 10, 6, 40_000, 2), 1),
])
def test_exceptions(plant, port, body, code):
    ((_, answer),) = send(plant, port, body)
    assert answer[:-2] == bytes((body[0], body[1] | 0x80, code))
    assert not crc16(answer)


def test_meters_show_the_plant_at_their_refresh(plant):
    for _ in range(5):
        power_w, = struct.unpack(">f", read(plant, 0, 1, 4, 0x34, 2))
        # the answer is at most 200 ms of refresh old, and the load rises by 100 kW/s
        now_us = plant.agenda.now_us - SECOND
        assert plant.site.load(now_us - 220_000) <= power_w * 1.0000001
        assert power_w <= plant.site.load(now_us + 60_000) * 1.0000001
    first = struct.unpack(">iHH", read(plant, 0, 2, 4, 0, 4))
    second = struct.unpack(">iHH", read(plant, 0, 2, 4, 0, 4))
    assert second[0] - first[0] == pytest.approx(100_000, abs=2_000)
    assert second[2] - first[2] == 100
    assert first[1] == 5000
    # the clamp of the wind meter looks the other way, as the site description says
    assert struct.unpack(">f", read(plant, 1, 3, 4, 0x34, 2))[0] == -5e6


def test_energy_registers_count_what_flows(plant):
    plant.agenda.run(36 * SECOND)
    bought_kwh, sold_kwh = struct.unpack(">ff", read(plant, 1, 3, 4, 0x48, 4))
    assert (bought_kwh, sold_kwh) == (0.0, pytest.approx(50.0, rel=5e-3))


class Scanner(SunSpecModbusClientDevice):
    """pysunspec2's client, reading and writing a slave of the plant."""

    def __init__(self, plant, role):
        super().__init__()
        self.plant, self.slave = plant, plant.slaves[role]

    def read(self, addr, count):
        data = self.slave.read(addr, count, self.plant.agenda.now_us)
        assert isinstance(data, bytes), data
        return data

    def write(self, addr, data):
        assert self.slave.write(addr, data, self.plant.agenda.now_us) == 0


def scanned(plant, role):
    device = Scanner(plant, role)
    device.scan()
    return device


def test_pysunspec2_finds_and_understands_the_pcs(plant):
    device = scanned(plant, "pcs")
    assert [model.model_id for model in device.model_list] == [1, 701, 702, 703, 704, 713, 715]
    assert device.common[0].Mn.value == "Simulated"
    assert device.DERCapacity[0].WMaxRtg.cvalue == 40_000_000
    assert device.DERStorageCapacity[0].WHRtg.cvalue == 20_000_000
    assert device.DERStorageCapacity[0].SoC.cvalue == 50.0
    assert device.DERMeasureAC[0].W.cvalue == 0
    assert device.DERMeasureAC[0].Var.value is None


def test_the_wind_controller_too(plant):
    device = scanned(plant, "wind_limit")
    assert [model.model_id for model in device.model_list] == [1, 701, 702, 704]
    assert device.DERMeasureAC[0].W.cvalue == 5_000_000
    ctl = device.DERCtlAC[0]
    ctl.WMaxLimPct.cvalue, ctl.WMaxLimPctEna.value, ctl.WMaxLimPctRvrtTms.value = 25.0, 1, 30
    ctl.WMaxLimPctRvrt.cvalue, ctl.WMaxLimPctEnaRvrt.value = 50.0, 1
    ctl.write()
    plant.agenda.run(29 * SECOND)
    device.DERMeasureAC[0].read()
    assert device.DERMeasureAC[0].W.cvalue == 2_000_000
    plant.agenda.run(60 * SECOND)
    assert plant.site.wind(60 * SECOND) == pytest.approx(4_000_000)


def command(plant, power_w, tms=10, ena=1, mode=1):
    data = struct.pack(">HHiihhHI", ena, mode, power_w, 1_000_000, 0, 0, 1, tms)
    return write(plant, 1, 10, 40_000 + plant.slaves["pcs"].fields[704, "WSetEna"].register, data)


def test_a_set_point_is_obeyed_and_reverts(plant):
    assert command(plant, -7_000_000)[1] == 16
    start_us = plant.agenda.now_us - SECOND
    assert plant.site.bess(start_us + SECOND) == pytest.approx(-7e6)
    device = scanned(plant, "pcs")
    assert device.DERMeasureAC[0].W.cvalue == -7_000_000
    assert 8 <= device.DERCtlAC[0].WSetRvrtRem.value <= 10
    plant.agenda.run(start_us + 9 * SECOND)
    command(plant, -6_000_000)
    plant.agenda.run(start_us + 17 * SECOND)
    assert plant.site.bess(start_us + 17 * SECOND) == pytest.approx(-6e6)
    plant.agenda.run(start_us + 21 * SECOND)
    assert plant.site.bess(start_us + 21 * SECOND) == pytest.approx(1e6)
    assert plant.setpoint_w == 1e6


def test_without_a_reversion_time_the_set_point_stays(plant):
    command(plant, 3_000_000, tms=0)
    plant.agenda.run(4000 * SECOND)
    assert plant.site.bess(4000 * SECOND) == pytest.approx(3e6)


def test_percent_local_stop_and_values_that_do_not_exist(plant):
    pcs = plant.slaves["pcs"]
    pcs.put(704, "WSetPct", -250)
    register = 40_000 + pcs.fields[704, "WSetEna"].register
    assert write(plant, 1, 10, register, struct.pack(">HH", 1, 0))[1] == 16
    assert plant.setpoint_w == -10e6
    pcs.set_local(True)
    assert plant.setpoint_w == 0
    pcs.set_local(False)
    assert plant.setpoint_w == -10e6
    op_ctl = 40_000 + pcs.fields[715, "OpCtl"].register
    assert write(plant, 1, 10, op_ctl, struct.pack(">H", 9))[1:3] == b"\x90\x03"
    assert pcs.get(715, "OpCtl") == 1
    write(plant, 1, 10, op_ctl, struct.pack(">H", 0))
    assert plant.setpoint_w == 0


def test_a_heartbeat_that_stops_makes_the_pcs_fall_back(plant):
    pcs = plant.slaves["pcs"]
    beat = 40_000 + pcs.fields[715, "ControllerHb"].register
    command(plant, 5_000_000, tms=0)
    for count in range(1, 30):
        write(plant, 1, 10, beat, struct.pack(">I", count))
    assert plant.setpoint_w == 5e6
    for _ in range(11):
        write(plant, 1, 10, beat, struct.pack(">I", 29))
    assert plant.setpoint_w == 1e6
    write(plant, 1, 10, beat, struct.pack(">I", 30))
    assert plant.setpoint_w == 5e6


def test_read_only_registers_stay(plant):
    pcs = plant.slaves["pcs"]
    before = bytes(pcs.image)
    remaining = 40_000 + pcs.fields[704, "WSetRvrtRem"].register
    assert write(plant, 1, 10, remaining - 2, struct.pack(">II", 1, 1))[1:3] == b"\x90\x02"
    assert bytes(pcs.image) == before


def test_a_broadcast_is_taken_and_not_answered(plant):
    register = 40_000 + plant.slaves["pcs"].fields[704, "WSetEna"].register
    data = struct.pack(">HHi", 1, 1, 2_000_000)
    assert send(plant, 1, struct.pack(">BBHHB", 0, 16, register, 4, 8) + data) == []
    assert plant.setpoint_w == 2e6


def test_noise_never_makes_a_slave_answer_a_damaged_request(plant):
    plant.lines[0].flip = 0.02
    answers = [send(plant, 0, bytes((2, 4, 0, 0, 0, 4)), 50_000) for _ in range(300)]
    good = sum(1 for arrived in answers if arrived and not crc16(arrived[0][1]))
    bad = sum(1 for arrived in answers if arrived and crc16(arrived[0][1]))
    statistics = plant.lines[0].statistics
    assert 0 < good < 300 and bad > 0
    assert statistics["answers"] == good + bad
    assert statistics["requests"] == statistics["answers"] + statistics["unanswered"] == 300


@settings(deadline=None, max_examples=300)
@given(st.binary(min_size=1, max_size=80), st.sampled_from([1, 2, 3, 10, 11]))
def test_no_request_breaks_a_slave(body, unit):
    plant = made()
    port = 0 if unit < 3 else 1
    arrived = send(plant, port, bytes((unit,)) + body)
    assert len(arrived) <= 1
    for _, data in arrived:
        assert data[0] == unit and data[1] & 0x7F == body[0] & 0x7F and not crc16(data)


def made(cache=[]):  # noqa: B006 one plant for all examples: they must not break it for one another
    if not cache:
        cache.append(Plant(SITE, Inputs(constant(1e6)), 0, 1))
    return cache[0]


@settings(deadline=None)
@given(st.floats(0, 4e9), st.integers(1, 40_000))
def test_scale_factors_are_the_smallest_that_fit(value, limit):
    power = scale_for(value, limit)
    assert value <= limit * 10**power
    assert power == 0 or value > limit * 10 ** (power - 1)
    assert abs(scaled(value, power) * 10**power - value) <= 10**power / 2 + 1e-6


@pytest.mark.parametrize("path", sorted(SITES.glob("*.json")), ids=lambda path: path.stem)
def test_the_reference_sites_can_be_simulated(path):
    plant = Plant(json.loads(path.read_bytes()), Inputs(constant(1e6)), 0, 1)
    assert {"load", "grid", "pcs"} <= plant.slaves.keys()
    assert all(line.slaves for line in plant.lines.values())
