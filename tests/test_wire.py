"""The virtual RS-485 line: bytes, times, exceptions, silence, damage."""

import json
import random
import struct
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.plant.agenda import Agenda
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.crc import crc16, with_crc
from host_tools.plant.devices.generic_fast import GenericFast
from host_tools.plant.series import constant
from host_tools.plant.wire import Line
from tests.plant_rig import SECOND, SITE, make_plant, send
from tests.simulation_rig import SITES


@pytest.fixture
def plant():
    return make_plant()


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


def test_a_broadcast_is_taken_and_not_answered(plant):
    register = 40_000 + plant.slaves["pcs"].fields[704, "WSetEna"].register
    data = struct.pack(">HHi", 1, 1, 2_000_000)
    assert send(plant, 1, struct.pack(">BBHHB", 0, 16, register, 4, 8) + data) == []
    assert plant.setpoint_w == 2e6


def test_noise_never_makes_a_slave_answer_a_damaged_request(plant):
    plant.lines[0].faults.set("flip", 0.02)
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


@cache
def made():
    """One plant for all examples: they must not break it for one another."""
    return Plant(SITE, Inputs(constant(1e6)), 0, 1)


@pytest.mark.parametrize("path", sorted(SITES.glob("*.json")), ids=lambda path: path.stem)
def test_the_reference_sites_can_be_simulated(path):
    plant = Plant(json.loads(path.read_bytes()), Inputs(constant(1e6)), 0, 1)
    assert {"load", "grid", "pcs"} <= plant.slaves.keys()
    assert all(line.slaves for line in plant.lines.values())
