"""drivers.line.bus under generated streams: right, damaged, foreign, late, merged, cut, behind noise, repeated, echoed.

What each answer holds says to which request it belongs: nothing but a request's own answer may pass for it.
"""

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.drivers.line import cells, modbus
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.fakes_bus import FakeClock, FakeSerial, read_answer, run, sealed

_MS = 1000
_TIMEOUT_US = 20 * _MS
_LATE_US = 40 * _MS  # the units' largest turn-around: no answer is later
_NOISE = st.one_of(st.sampled_from((b"\x00", b"\xff", b"\x01", b"\x01\x04", b"\x01\x04\x04", bytes(3))),
                   st.binary(min_size=1, max_size=12))
_SOON = st.integers(300, 15 * _MS)
_EVER = st.integers(300, _LATE_US)
# A turn is what the line does after one request: a list of (delay, how, argument).
_EVENTS = st.one_of(
    st.tuples(_SOON, st.just("right"), st.none()),
    st.tuples(_EVER, st.just("right"), st.none()),
    st.tuples(_SOON, st.just("noise"), _NOISE),
    st.tuples(_SOON, st.just("behind"), _NOISE),
    st.tuples(_SOON, st.just("before"), _NOISE),
    st.tuples(_SOON, st.just("flip"), st.integers(0, 255)),
    st.tuples(_SOON, st.just("cut"), st.integers(1, 8)),
    st.tuples(_SOON, st.just("refuse"), st.integers(1, 11)),
    st.tuples(_SOON, st.just("unit"), st.integers(1, 9)),
    st.tuples(_SOON, st.just("function"), st.sampled_from((3, 4, 6, 16))),
    st.tuples(_SOON, st.just("longer"), st.integers(1, 3)),
)
_SPOILS = st.tuples(_SOON, st.sampled_from(("noise",)), _NOISE)
_TURN = st.one_of(st.just([]), st.tuples(_EVENTS).map(list), st.tuples(_SPOILS, _EVENTS).map(list))
TURNS = st.lists(_TURN, max_size=12)
_REPEAT = st.tuples(_SOON, st.just("twice"), st.integers(0, 2 * _MS))
TWICE = st.lists(st.tuples(_REPEAT).map(list), max_size=12)


class Line:
    """Answers request k with registers that all hold k, spoilt as its turn says; later ones in good order."""

    def __init__(self, turns, echo):
        self.turns = turns
        self.echo = echo
        self.k = -1
        self.intact = set()  # requests that got a whole right answer, whenever it came
        self.char_us = 87

    def __call__(self, frame, end_us):
        self.k += 1
        turn = self.turns[self.k] if self.k < len(self.turns) else [(_MS, "right", None)]
        out = [(end_us - (len(frame) - 1) * self.char_us, frame)] if self.echo else []
        for delay_us, how, argument in turn:
            out.append((end_us + delay_us, self._data(frame, how, argument)))
            if how == "twice":
                out.append((end_us + delay_us + 9 * self.char_us + argument, self._right(frame)))
        return out

    def _right(self, frame):
        return sealed(frame[:6]) if frame[1] > 4 else read_answer(frame, [self.k] * 130)

    def _data(self, frame, how, argument):
        right = self._right(frame)
        if how in ("right", "twice", "behind", "before"):
            self.intact.add(self.k)
        if how == "behind":
            return argument + right
        if how == "before":
            return right + argument
        if how in ("right", "twice"):
            return right
        if how == "noise":
            return argument
        if how == "flip":
            at = argument % len(right)
            return right[:at] + bytes((right[at] ^ (1 + argument % 255),)) + right[at + 1:]
        if how == "cut":
            return right[:-min(argument, len(right) - 1)]
        if how == "refuse":
            return sealed(bytes((frame[0], frame[1] | 0x80, argument)))
        if how == "unit":
            return right if argument == frame[0] else sealed(bytes((argument,)) + right[1:-2])
        if how == "function":
            return right if argument == frame[1] else sealed(bytes((frame[0], argument)) + right[2:-2])
        count = frame[5] + argument  # longer than what was asked for
        return sealed(bytes((frame[0], frame[1], 2 * count)) + bytes(2 * count))


class Owner:
    """Checks every answer against the request that is on the line."""

    def __init__(self, line):
        self.line = line
        self.outcomes = 0

    def on_answer(self, job, buf, at):
        self.outcomes += 1
        k = self.line.k
        if job.is_write:
            assert k in self.line.intact or k < len(self.line.turns)
        else:
            data = bytes(buf[at:at + buf[at - 1]])
            assert buf[at - 1] == job.bus.frames[4 * job.bus.cells[job.at + cells.NUMBER] + 2 * job.last][5] * 2
            assert data == bytes((k >> 8, k & 0xFF)) * (len(data) // 2), "the answer of another request"

    def on_failure(self, job, status):
        self.outcomes += 1
        assert status not in (modbus.OK, modbus.MORE)


def _play(turns, echo, step_us):
    line = Line(turns, echo)
    clock = FakeClock()
    serial = FakeSerial(clock, 115_200, line)
    bus = Bus(serial, clock, 115_200)
    owner = Owner(line)
    jobs = [Job(bus, 1, 4, 0, 2, owner, _TIMEOUT_US, extra=2),
            Job(bus, 1, 3, 0, 3, owner, _TIMEOUT_US, extra=1),
            Job(bus, 2, 4, 0, 2, owner, _TIMEOUT_US, extra=2),
            Job(bus, 1, 16, 10, 4, owner, _TIMEOUT_US, skip=1, registers=array("H", (1, 2, 3, 4)),
                urgent=True)]

    def ask():
        for job in jobs:
            bus.submit(job)

    until_us = 0
    while line.k < len(turns) and until_us < 20_000 * _MS:
        until_us += 20 * _MS
        run(bus, serial, until_us, step_us, ask)
    # Then peace: everything is answered again.
    run(bus, serial, until_us + 4_000 * _MS, 100_000)
    before = bus.device(1).answers + bus.device(2).answers
    for job in jobs:
        bus.submit(job)
    run(bus, serial, until_us + 4_100 * _MS, step_us)
    assert bus.device(1).answers + bus.device(2).answers == before + 4
    return bus, owner


@settings(max_examples=200, deadline=None)
@given(TURNS, st.booleans(), st.sampled_from((200, 1_000, 7_000, 30_000)))
def test_only_a_requests_own_answer_passes_and_nothing_raises(turns, echo, step_us):
    bus, owner = _play(turns, echo, step_us)
    counted = 0
    for device in bus.devices:
        assert device.requests == device.answers + device.timeouts + device.crc + device.exceptions
        counted += device.requests
    assert counted == owner.outcomes


@settings(max_examples=50, deadline=None)
@given(TWICE, st.booleans(), st.sampled_from((200, 1_000, 7_000)))
def test_an_answer_that_comes_twice_counts_once(turns, echo, step_us):
    bus, owner = _play(turns, echo, step_us)
    assert sum(device.timeouts + device.crc for device in bus.devices) <= len(turns)


@settings(max_examples=100, deadline=None)
@given(st.integers(25 * _MS, 1_900 * _MS), st.integers(1, 40), st.sampled_from((1_000, 10_000, 50_000)))
def test_one_late_answer_is_never_taken_for_a_later_requests_however_late(delay_us, period_ms, step_us):
    line = Line([[(delay_us, "right", None)]], False)
    clock = FakeClock()
    serial = FakeSerial(clock, 115_200, line)
    bus = Bus(serial, clock, 115_200)
    owner = Owner(line)
    jobs = [Job(bus, 1, 4, address, 2, owner, _TIMEOUT_US, extra=2) for address in (0, 8)]
    due_us = [0]

    def ask():
        if clock.now_us >= due_us[0]:
            due_us[0] += period_ms * _MS
            for job in jobs:
                bus.submit(job)

    run(bus, serial, delay_us + 200 * _MS, step_us, ask)
    assert bus.device(1).answers > 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30 * _MS), st.binary(min_size=1, max_size=300)), max_size=8))
def test_arbitrary_bytes_at_arbitrary_times_neither_raise_nor_block(bursts):
    line = Line([[]] * 3, False)
    clock = FakeClock()
    serial = FakeSerial(clock, 115_200, line)
    at_us = 0
    for pause_us, data in bursts:
        at_us += pause_us
        serial.feed(at_us, data)
        at_us += len(data) * 87
    bus = Bus(serial, clock, 115_200)
    owner = Owner(line)
    job = Job(bus, 1, 4, 0, 2, owner, _TIMEOUT_US, extra=2)
    run(bus, serial, at_us + 1_000 * _MS, 1_000, lambda: bus.submit(job))
    assert owner.outcomes >= 3
    assert bus.device(1).answers > 0
