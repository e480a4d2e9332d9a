"""drivers.line.bus on a scripted line with a virtual clock: what happens when everything is as it should be."""

from array import array

from firmware.drivers.line import modbus
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.fakes_bus import FakeClock, FakeSerial, Owner, read_answer, run, sealed

_BAUD = 19_200
_CHAR_US = 521


def _line(script, start_us=0, baud=_BAUD):
    clock = FakeClock(start_us)
    serial = FakeSerial(clock, baud, script)
    return clock, serial, Bus(serial, clock, baud)


def _answering(turnaround_us):
    def script(frame, end_us):
        registers = range(frame[3], frame[3] + 130)
        if frame[1] > 4:
            return [(end_us + turnaround_us, sealed(frame[:6]))]
        return [(end_us + turnaround_us, read_answer(frame, registers))]
    return script


def test_a_read_is_sent_answered_and_stamped():
    clock, serial, bus = _line(_answering(3000), 5_000_000)
    owner = Owner()
    job = Job(bus, 9, modbus.READ_INPUT, 0x34, 2, owner)
    assert bus.submit(job)
    run(bus, serial, 5_100_000)
    start_us, end_us, frame = serial.sent[0]
    buf = bytearray(8)
    modbus.read_request(buf, 9, 4, 0x34, 2)
    assert frame == bytes(buf)
    assert start_us - 5_000_000 >= 1823  # t3.5 at 19200
    assert owner.log == [(0, b"\x00\x34\x00\x35")]
    assert abs(job.sent_ms - end_us // 1000) <= 1
    device = bus.device(9)
    assert (device.requests, device.answers, device.timeouts, device.fails) == (1, 1, 0, 0)
    # The first byte is complete one character after the pause: the figure is the pause, give or take that.
    assert 2000 <= device.turnaround_max_us <= 4000


def test_silence_is_kept_between_frames_and_requests_alternate():
    clock, serial, bus = _line(_answering(1000))
    owner = Owner()
    job = Job(bus, 1, modbus.READ_INPUT, 0, 2, owner, extra=2)
    run(bus, serial, 1_000_000, each=lambda: bus.submit(job))
    assert len(owner.log) > 30
    counts = [frame[5] for _, _, frame in serial.sent]
    assert counts[:6] == [2, 4, 2, 4, 2, 4]
    for (_, end_us, frame), (start_us, _, _) in zip(serial.sent[:-1], serial.sent[1:]):
        answer_end_us = end_us + 1000 + (4 + 2 * frame[5]) * _CHAR_US
        assert start_us >= answer_end_us + 1823
        assert start_us <= answer_end_us + 1823 + 100


def test_the_wrap_of_the_microsecond_tick_goes_unnoticed():
    clock, serial, bus = _line(_answering(1000), (1 << 30) - 30_000)
    owner = Owner()
    job = Job(bus, 1, modbus.READ_INPUT, 0, 2, owner)
    run(bus, serial, (1 << 30) + 200_000, each=lambda: bus.submit(job))
    assert len(owner.log) >= 10
    assert all(status == 0 for status, _ in owner.log)


def test_urgent_first_then_in_the_order_of_asking():
    clock, serial, bus = _line(_answering(1000))
    owner = Owner()
    jobs = [Job(bus, unit, modbus.READ_INPUT, 0, 2, owner) for unit in (1, 2, 3)]
    urgent = Job(bus, 4, modbus.WRITE_MANY, 7, 2, owner, registers=array("H", (1, 2)), urgent=True)
    for job in jobs:
        assert bus.submit(job)
        assert not bus.submit(job)
    bus.submit(urgent)
    run(bus, serial, 200_000)
    assert [frame[0] for _, _, frame in serial.sent] == [4, 1, 2, 3]


def test_a_write_submitted_while_on_the_line_goes_once_more_with_the_new_content():
    clock, serial, bus = _line(_answering(5000))
    owner = Owner()
    registers = array("H", (1, 0xABCD))
    job = Job(bus, 4, modbus.WRITE_MANY, 7, 2, owner, registers=registers)
    bus.submit(job)
    run(bus, serial, 5_000)
    registers[1] = 0x1234
    assert bus.submit(job)
    run(bus, serial, 200_000)
    assert [frame[9:11] for _, _, frame in serial.sent] == [b"\xAB\xCD", b"\x12\x34"]
    assert len(owner.log) == 2


def test_a_write_of_one_register_is_answered_by_its_copy():
    clock, serial, bus = _line(_answering(1000))
    owner = Owner()
    registers = array("H", (777,))
    bus.submit(Job(bus, 4, modbus.WRITE_ONE, 9, 1, owner, registers=registers))
    run(bus, serial, 100_000)
    assert serial.sent[0][2] == sealed(b"\x04\x06\x00\x09\x03\x09")
    assert owner.log[0][0] == modbus.OK


def test_the_echo_of_the_request_is_dropped():
    answer = _answering(2000)

    def script(frame, end_us):
        return [(end_us - (len(frame) - 1) * _CHAR_US, frame)] + answer(frame, end_us)

    clock, serial, bus = _line(script)
    owner = Owner()
    read = Job(bus, 1, modbus.READ_INPUT, 0x11, 1, owner)
    write = Job(bus, 1, modbus.WRITE_MANY, 7, 11, owner, registers=array("H", range(11)))
    one = Job(bus, 1, modbus.WRITE_ONE, 7, 1, owner, registers=array("H", (5,)))
    for job in (read, write, one, read):
        bus.submit(job)
        run(bus, serial, clock.now_us + 100_000)
    assert [status for status, _ in owner.log] == [0, 0, 0, 0]
    assert owner.log[0][1] == b"\x00\x11"
    device = bus.device(1)
    assert (device.answers, device.foreign, device.late, bus.foreign) == (4, 0, 0, 0)


def test_what_waits_in_the_uart_at_start_is_no_answer():
    clock, serial, bus = _line(None)
    owner = Owner()
    job = Job(bus, 1, modbus.READ_INPUT, 0, 1, owner, timeout_us=20_000)
    buf = bytearray(8)
    modbus.read_request(buf, 1, 4, 0, 1)
    serial.feed(0, read_answer(buf, [7]))
    bus.submit(job)
    run(bus, serial, 200_000)
    assert owner.log == [(modbus.TIMEOUT, 0)]


def test_idle_bus_waits_long_and_a_pause_between_transactions_is_kept():
    clock, serial, bus = _line(_answering(1000))
    owner = Owner()
    job = Job(bus, 1, modbus.READ_INPUT, 0, 2, owner)
    bus.device(1).gap_us = 50_000
    run(bus, serial, 20_000)
    assert bus.wait_us() > 100_000_000
    run(bus, serial, 1_000_000, each=lambda: bus.submit(job))
    starts = [start_us for start_us, _, _ in serial.sent]
    assert len(starts) > 10
    assert min(b - a for a, b in zip(starts[:-1], starts[1:])) >= 50_000


def test_turn_arounds_are_told_by_percentiles_and_learnt():
    pauses_us = [3_000] * 95 + [40_000] * 5
    asked = [0]

    def script(frame, end_us):
        pause_us = pauses_us[asked[0] % len(pauses_us)]
        asked[0] += 1
        return [(end_us + pause_us, read_answer(frame, range(130)))]

    clock, serial, bus = _line(script)
    job = Job(bus, 1, modbus.READ_INPUT, 0, 2, Owner(), 200_000, extra=2)
    while asked[0] < 100:
        run(bus, serial, clock.now_us + 20_000, each=lambda: bus.submit(job))
    device = bus.device(1)
    assert device.turnaround_percentile_us(50) == 4_000  # the classes double, from half a millisecond
    assert 32_000 <= device.turnaround_percentile_us(98) <= device.turnaround_max_us <= 41_000
    assert 3_000 < device.turnaround_us <= device.turnaround_max_us
    # The first that is so much slower than all before is given up; then it is known to need longer.
    assert device.timeouts == 1
    assert device.summary().startswith("unit 1: %d requests, %d answers, 1 time-outs, 0 CRC"
                                       % (device.requests, device.answers))
