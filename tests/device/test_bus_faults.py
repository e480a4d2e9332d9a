"""drivers.line.bus on a scripted line: silence, noise, damage, strangers, late answers."""

from array import array

from firmware.drivers.line import modbus
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.fakes_bus import FakeClock, FakeSerial, Owner, read_answer, run, sealed

_BAUD = 115_200
_MS = 1000


class _Device:
    """Answers the n-th request as the n-th function of a list says; later ones in good order."""

    def __init__(self, *turns):
        self.turns = list(turns)

    def __call__(self, frame, end_us):
        if self.turns:
            return self.turns.pop(0)(frame, end_us)
        return [(end_us + _MS, _right(frame))]


def _right(frame):
    return sealed(frame[:6]) if frame[1] > 4 else read_answer(frame, range(100, 230))


def _silent(frame, end_us):
    return []


def _bus(*turns):
    serial = FakeSerial(FakeClock(), _BAUD, _Device(*turns))
    return serial, Bus(serial, serial.clock, _BAUD)


def _one(turn, function=4, unit=1):
    """Make one request that is answered as `turn` says; return status, bus and device record."""
    serial, bus = _bus(turn)
    owner = Owner()
    registers = array("H", range(11)) if function == 16 else None
    bus.submit(Job(bus, unit, function, 0x34, 11 if registers else 2, owner, 20 * _MS, registers=registers))
    run(bus, serial, 200 * _MS)
    assert len(owner.log) == 1
    return owner.log[0][0], bus, bus.device(unit)


def test_no_answer_times_out_from_the_end_of_the_request():
    serial, bus = _bus(_silent)
    owner = Owner()
    bus.submit(Job(bus, 1, 4, 0, 2, owner, 20 * _MS))
    times = []

    def watch():
        if owner.log and not times:
            times.append(serial.clock.now_us)

    run(bus, serial, 100 * _MS, 500, watch)
    assert owner.log == [(modbus.TIMEOUT, 0)]
    late_us = times[0] - serial.sent[0][1]
    assert 20 * _MS <= late_us <= 26 * _MS
    assert bus.device(1).timeouts == 1


def test_noise_before_the_answer_is_skipped():
    for noise in (b"\x00", b"\x00\xff", b"\x01", b"\x01\x04", b"\x01\x04\x04", b"\x01\x04\x04\x00\x64"):
        status, bus, device = _one(lambda frame, end_us: [(end_us + _MS, noise + _right(frame))])
        assert status == modbus.OK, noise
        assert device.answers == 1
        status, bus, device = _one(lambda frame, end_us: [(end_us + _MS, noise + _right(frame))], 16)
        assert status == modbus.OK, noise


def test_a_foreign_frame_before_the_answer_is_skipped_and_counted():
    def turn(frame, end_us):
        other = sealed(b"\x07\x04\x04\x01\x02\x03\x04")
        return [(end_us + _MS, other + _right(frame))]

    status, bus, device = _one(turn)
    assert (status, bus.foreign) == (modbus.OK, 1)


def test_what_follows_the_answer_is_dropped():
    status, bus, device = _one(lambda frame, end_us: [(end_us + _MS, _right(frame) + b"\x07\x55")])
    assert (status, bus.foreign) == (modbus.OK, 1)


def test_damage_cut_and_strangers_are_told_apart():
    def cut(frame, end_us):
        return [(end_us + _MS, _right(frame)[:-1])]

    def damaged(frame, end_us):
        answer = bytearray(_right(frame))
        answer[4] ^= 1
        return [(end_us + _MS, bytes(answer))]

    def exception(frame, end_us):
        return [(end_us + _MS, sealed(bytes((frame[0], frame[1] | 0x80, 2))))]

    def stranger(frame, end_us):
        return [(end_us + _MS, sealed(b"\x02" + _right(frame)[1:-2]))]

    def other_function(frame, end_us):
        return [(end_us + _MS, sealed(b"\x01\x03" + _right(frame)[2:-2]))]

    def shorter(frame, end_us):
        return [(end_us + _MS, sealed(b"\x01\x04\x02\x00\x00"))]

    cases = ((cut, modbus.CUT), (damaged, modbus.BAD_CRC), (exception, modbus.EXCEPTION),
             (stranger, modbus.WRONG_UNIT), (other_function, modbus.WRONG_FUNCTION),
             (shorter, modbus.WRONG_LENGTH))
    for turn, expected in cases:
        status, bus, device = _one(turn)
        assert status == expected, modbus.STATUS_NAMES[expected]
        outcomes = device.answers + device.timeouts + device.crc + device.exceptions
        assert (device.requests, outcomes, device.answers) == (1, 1, 0)
    assert _one(exception)[2].fails == 0
    assert _one(damaged)[2].crc == 1


def _every(ms, clock, *asks):
    """Return a function that calls all of `asks` at most once in `ms`."""
    due_us = [0]

    def each():
        if clock.now_us >= due_us[0]:
            due_us[0] = clock.now_us + ms * _MS
            for ask in asks:
                ask()
    return each


def test_a_late_answer_is_counted_and_never_taken_for_the_next_ones():
    for delay_ms in list(range(25, 100, 3)) + list(range(120, 1900, 290)):
        serial, bus = _bus(lambda frame, end_us: [(end_us + delay_ms * _MS, read_answer(frame, [7] * 8))])
        owner = Owner()
        job = Job(bus, 1, 4, 0, 2, owner, 20 * _MS, extra=2)
        # Often at first and about the time at which the late answer comes.
        each = _every(5 if delay_ms < 120 else 30, serial.clock, lambda: bus.submit(job))
        run(bus, serial, (delay_ms + 90) * _MS, 5 * _MS, each)
        assert owner.log[0][0] != modbus.OK
        good = 0
        for status, data in owner.log:
            assert status != modbus.OK or data[:2] == b"\x00\x64", delay_ms
            good += status == modbus.OK
        assert good >= 1
        if delay_ms < 40:  # later it meets our own request or the next answer on the wire: nobody's any more
            assert bus.device(1).late == 1, delay_ms


def test_a_silent_unit_is_left_alone_while_others_go_on():
    serial = FakeSerial(FakeClock(), _BAUD, lambda frame, end_us: [] if frame[0] == 1 else
                        [(end_us + _MS, _right(frame))])
    bus = Bus(serial, serial.clock, _BAUD)
    owner = Owner()
    dead = Job(bus, 1, 4, 0, 2, owner, 20 * _MS, extra=2)
    alive = Job(bus, 2, 4, 0, 2, Owner(), 20 * _MS, extra=2)
    run(bus, serial, 3_000 * _MS, 5 * _MS,
        _every(25, serial.clock, lambda: bus.submit(dead), lambda: bus.submit(alive)))
    asked = [start_us for start_us, _, frame in serial.sent if frame[0] == 1]
    pauses = [b - a for a, b in zip(asked[:-1], asked[1:])]
    assert pauses[0] >= 40 * _MS  # twice the time-out: its largest turn-around
    assert pauses[-1] > 4 * pauses[0]
    assert len(owner.log) == bus.device(1).timeouts >= len(asked) - 1
    assert bus.device(2).answers > 90
    assert bus.device(2).timeouts == 0


def test_a_line_that_is_never_silent_is_used_nevertheless():
    serial, bus = _bus()
    owner = Owner()
    job = Job(bus, 1, 4, 0, 2, owner, 20 * _MS, extra=2)
    serial.feed(0, bytes([0x55]) * 1500)
    bus.submit(job)
    run(bus, serial, 400 * _MS, 500)
    assert bus.cells[23] >= 1  # cells.BABBLE
    assert owner.log[0][0] != modbus.OK
    bus.submit(job)
    run(bus, serial, 600 * _MS, 500)
    assert owner.log[-1][0] == modbus.OK


def test_an_answer_before_the_request_has_left_is_no_answer():
    def early(frame, end_us):
        return [(end_us - 7 * 87, _right(frame)[:7])]

    assert _one(early)[0] == modbus.TIMEOUT


def test_a_uart_that_never_sends_is_reported():
    serial, bus = _bus()
    serial.tx_done = lambda: False
    bus.attach(serial)
    owner = Owner()
    bus.submit(Job(bus, 1, 4, 0, 2, owner))
    run(bus, serial, 500 * _MS)
    assert owner.log[0][0] == modbus.STUCK
