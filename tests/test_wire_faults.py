"""Faults on the wire: each by its name, as bytes, on the virtual line, and through a server that sends packets."""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.plant import wire_faults
from host_tools.plant.crc import crc16, with_crc
from host_tools.plant.faults import Fault, Injector
from host_tools.plant.wire_faults import WireFaults
from tests.plant_rig import SECOND, make_plant, send

_READ = struct.pack(">BBHH", 2, 4, 0, 4)
_ANSWER = with_crc(bytes((2, 4, 8)) + bytes(range(8)))


@pytest.fixture
def plant():
    return make_plant()


def always(**faults):
    return WireFaults(random.Random(1), **faults)


def inject(plant, device, event, value=1.0):
    """Let an event happen now."""
    Injector(plant, [Fault(plant.agenda.now_us, device, event, value)])
    plant.agenda.run(plant.agenda.now_us)


def heard(plant, us=SECOND):
    """Return the bytes that arrive within a time while nobody asks."""
    return b"".join(data for _, data in send_nothing(plant, us))


def send_nothing(plant, us):
    end_us = plant.agenda.now_us + us
    arrived = []
    while plant.agenda.now_us < end_us:
        plant.agenda.run(end_us)
        arrived += [(plant.agenda.now_us, data) for _, data in plant.inbox]
        plant.inbox.clear()
    return arrived


def test_without_a_fault_an_answer_passes():
    faults = WireFaults(random.Random(1))
    assert faults.parts(_ANSWER) == [(0, _ANSWER)] and faults.packet(_ANSWER) == _ANSWER
    assert faults.parts(b"") == [] and faults.packet(b"") == b""


def test_an_unknown_fault_is_refused():
    with pytest.raises(KeyError):
        always(nonsense=1)


def test_noise():
    faults = always(noise=1)
    seen = [faults.packet(_ANSWER) for _ in range(200)]
    assert all(1 <= len(data) <= len(_ANSWER) + 12 and data != _ANSWER for data in seen)
    assert any(data.startswith(_ANSWER) for data in seen) and any(data.endswith(_ANSWER) for data in seen)
    assert any(_ANSWER not in data for data in seen)


def test_flip():
    data = always(flip=0.2).packet(_ANSWER)
    turned = [(a ^ b).bit_count() for a, b in zip(data, _ANSWER)]
    assert len(data) == len(_ANSWER) and set(turned) == {0, 1}


def test_lost():
    assert always(lost=1).parts(_ANSWER) == [] and always(lost=1).packet(_ANSWER) == b""


def test_cut_short():
    data = always(cut_short=1).packet(_ANSWER)
    assert 0 < len(data) < len(_ANSWER) and _ANSWER.startswith(data)


def test_merged():
    faults = always(merged=1)
    assert faults.parts(_ANSWER) == []
    faults.set("merged", 0)
    other = with_crc(_ANSWER[:-2] + b"\1")
    faults.set("late_ms", 5)
    assert faults.parts(other) == [(5000, _ANSWER + other)]


def test_repeated():
    assert always(repeated=1).packet(_ANSWER) == _ANSWER * 2


def test_late():
    assert always(late_ms=300).parts(_ANSWER) == [(300_000, _ANSWER)]
    faults = always(late=1)
    answers = [with_crc(bytes((2, 4, 2, 0, k))) for k in range(4)]
    assert [faults.packet(answer) for answer in answers[:3]] == [b"", answers[0], answers[1]]
    faults.set("late", 0)
    faults.set("flip", 1e-12)
    assert faults.packet(answers[3]) == answers[2] + answers[3]


def test_late_sometimes():
    faults = always(late_ms=300)
    faults.set("late", 0.5)
    assert {faults.parts(_ANSWER)[0][0] for _ in range(50)} == {0, 300_000}


def test_wrong_unit():
    data = always(wrong_unit=1).packet(_ANSWER)
    assert data[0] != 2 and data[1:-2] == _ANSWER[1:-2] and not crc16(data)


def test_wrong_function():
    data = always(wrong_function=1).packet(_ANSWER)
    assert data[0] == 2 and data[1] != 4 and not crc16(data)


def test_wrong_length():
    for _ in range(20):
        data = always(wrong_length=1).packet(_ANSWER)
        assert data[2] in (6, 10) and len(data) == data[2] + 5 and not crc16(data)
    echo = with_crc(b"\2\x10\0\1\0\2")
    assert len(always(wrong_length=1).packet(echo)) == 7


def test_wrong_crc():
    data = always(wrong_crc=1).packet(_ANSWER)
    assert data[:-2] == _ANSWER[:-2] and crc16(data)


def test_the_same_seed_gives_the_same_faults():
    def run(seed):
        faults = WireFaults(random.Random(seed), noise=0.3, flip=0.01, merged=0.2, cut_short=0.2, lost=0.1)
        return [faults.parts(_ANSWER) for _ in range(100)]

    assert run(5) == run(5) != run(6)


_NAMES = sorted(set(wire_faults.SETTINGS) - {"late_ms"})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(_NAMES), st.floats(0, 1)), st.integers(0, 999),
       st.lists(st.binary(min_size=3, max_size=40), min_size=1, max_size=8))
def test_no_answer_and_no_setting_breaks_the_faults(chosen, seed, bodies):
    faults = WireFaults(random.Random(seed), **chosen)
    for body in bodies:
        for delay_us, data in faults.parts(with_crc(body)):
            assert delay_us == 0 and data
        assert isinstance(faults.packet(with_crc(body)), bytes)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("wrong_unit", "wrong_function", "wrong_length", "wrong_crc", "cut_short")),
       st.integers(1, 247), st.sampled_from((3, 4)), st.integers(1, 125), st.integers(0, 999))
def test_what_is_spoilt_is_never_a_right_answer(name, unit, function, count, seed):
    answer = with_crc(bytes((unit, function, 2 * count)) + random.Random(seed).randbytes(2 * count))
    data = WireFaults(random.Random(seed), **{name: 1}).packet(answer)
    right = data[:3] == answer[:3] and len(data) == len(answer) and not crc16(data)
    assert not right


# ---- on the virtual line

@pytest.mark.parametrize("device", ("bus0", "grid"))
@pytest.mark.parametrize("event, judge", [
    ("lost", lambda data: data == b""),
    ("wrong_crc", lambda data: len(data) == 13 and crc16(data)),
    ("wrong_unit", lambda data: data[0] != 2 and not crc16(data)),
    ("repeated", lambda data: len(data) == 26 and data[:13] == data[13:]),
    ("cut_short", lambda data: 0 < len(data) < 13),
    ("merged", lambda data: data == b""),
])
def test_events_of_a_bus_and_of_a_device_reach_the_line(plant, device, event, judge):
    inject(plant, device, event)
    assert judge(b"".join(data for _, data in send(plant, 0, _READ)))
    inject(plant, device, "ok")
    ((_, data),) = send(plant, 0, _READ)
    assert len(data) == 13 and not crc16(data)


def test_a_fault_of_one_device_leaves_the_others(plant):
    inject(plant, "grid", "lost")
    assert send(plant, 0, _READ) == []
    assert len(send(plant, 0, struct.pack(">BBHH", 1, 4, 0x34, 2))) == 1


def test_a_late_answer_arrives_during_the_next_request(plant):
    ((prompt_us, _),) = send(plant, 0, _READ)
    began_us = plant.agenda.now_us
    inject(plant, "grid", "late_ms", 300)
    assert send(plant, 0, _READ, 250_000) == []
    inject(plant, "grid", "ok")
    late, own = send(plant, 0, struct.pack(">BBHH", 2, 4, 0, 2))
    assert sorted((len(late[1]), len(own[1]))) == [9, 13]
    assert max(late, own, key=lambda item: len(item[1]))[0] == began_us + prompt_us + 300_000


def test_speaking_while_a_late_answer_comes_destroys_both(plant):
    inject(plant, "grid", "late_ms", 300)
    ((late_us, _),) = send(plant, 0, _READ)
    assert send(plant, 0, _READ, late_us - 1000) == []
    inject(plant, "grid", "ok")
    assert send(plant, 0, _READ) == []
    assert plant.lines[0].statistics["collisions"] == 1


def test_echo(plant):
    inject(plant, "bus0", "echo")
    (_, echo), (_, answer) = send(plant, 0, _READ)
    assert echo == with_crc(_READ) and len(answer) == 13


def test_babble_speaks_for_its_share_of_the_time(plant):
    inject(plant, "grid", "babble", 0.2)
    data = heard(plant, 20 * SECOND)
    share = len(data) * plant.lines[0].char_us / (20 * SECOND)
    assert 0.15 < share < 0.25
    inject(plant, "grid", "ok")
    heard(plant)
    assert heard(plant, 20 * SECOND) == b""


def test_babble_without_a_pause_leaves_room_for_nobody(plant):
    inject(plant, "grid", "babble", 1.0)
    assert all(crc16(data) for _, data in send(plant, 0, struct.pack(">BBHH", 1, 4, 0x34, 2), SECOND // 2))
    assert plant.lines[0].statistics["answers"] == 0


def test_babble_garbles_some_answers_and_leaves_the_rest(plant):
    inject(plant, "grid", "babble", 0.1)
    whole = 0
    for _ in range(200):
        arrived = b"".join(data for _, data in send(plant, 0, struct.pack(">BBHH", 1, 4, 0x34, 2), 100_000))
        whole += any(not crc16(arrived[at:at + 9]) and arrived[at:at + 2] == b"\1\4"
                     for at in range(len(arrived) - 8))
    assert 20 < whole < 190


def test_another_master_asks_strangers_and_they_answer(plant):
    inject(plant, "bus0", "master", 10)
    bursts, last_us = [b""], 0
    for at_us, data in send_nothing(plant, 10 * SECOND):
        if at_us - last_us > 2_000:
            bursts.append(b"")
        bursts[-1] += data
        last_us = at_us
    frames = [burst for burst in bursts if len(burst) > 4 and not crc16(burst)]
    assert 120 < len(frames) < 260
    assert not {frame[0] for frame in frames} & {1, 2}
    assert sum(len(frame) == 8 for frame in frames) >= len(frames) // 3


def test_noise_of_a_bus_disturbs_requests_too(plant):
    inject(plant, "bus0", "noise", 0.5)
    for _ in range(100):
        send(plant, 0, _READ, 50_000)
    assert plant.lines[0].statistics["damaged"] > 10
    assert plant.lines[0].statistics["answers"] > 10
