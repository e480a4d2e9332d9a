"""drivers.line where somebody babbles: what was drowned is asked again soon, and nobody is taken for silent."""

from firmware.drivers.line import modbus
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.fakes_bus import FakeClock, FakeSerial, Owner, read_answer, run

_BAUD = 38_400
_TURN_US = 20_000
_UNIT = 9
_NOISE = b"\x55\xaa\x13\x37\x42"


class _Rig:
    """A unit that answers within 20 ms, and a script of what happens to its next answers instead."""

    def __init__(self, echo=False):
        self.echo = echo  # the adapter repeats what is sent
        self.turn_us = _TURN_US
        self.clock = FakeClock()
        self.instead = []  # of each request to come: None for its answer, else [(us after its end, bytes)]
        self.serial = FakeSerial(self.clock, _BAUD, self._answers)
        self.bus = Bus(self.serial, self.clock, _BAUD)
        self.owner = Owner()
        self.job = Job(self.bus, _UNIT, modbus.READ_INPUT, 0, 2, self.owner, 200_000, extra=2)
        self.job.persists()
        self.device = self.bus.device(_UNIT)
        self.rounds(20)

    def _answers(self, frame, end_us):
        instead = self.instead.pop(0) if self.instead else None
        if instead is None:
            instead = [(self.turn_us, read_answer(frame, range(200)))]
        echo = [(end_us - (len(frame) - 1) * self.bus.char_us, bytes(frame))] if self.echo else []
        return echo + [(end_us + after_us, data) for after_us, data in instead]

    def rounds(self, count, every_us=100_000):
        """Ask so many times; returns when each request began, us after the first round's begin."""
        begin_us = self.clock.now_us
        self.serial.sent.clear()
        for _ in range(count):
            self.bus.submit(self.job)
            run(self.bus, self.serial, self.clock.now_us + every_us)
        return [start_us - begin_us for start_us, _, _ in self.serial.sent]


def test_a_read_that_was_drowned_is_made_again_once_its_answer_should_have_begun():
    rig = _Rig()
    rig.instead = [[(1_000, _NOISE)]]  # the end of a burst that met the request
    begun_us = rig.rounds(1)
    assert len(begun_us) == 2
    assert 22_000 < begun_us[1] - begun_us[0] < 32_000
    assert rig.owner.log[-1][0] == modbus.OK and rig.device.fails == 0


def test_behind_its_own_echo_a_slower_answer_than_ever_is_awaited():
    for echo in (False, True):
        rig = _Rig(echo)
        rig.turn_us = 45_000
        assert len(rig.rounds(1)) == 1 and rig.owner.log[-1][0] == modbus.OK and rig.device.fails == 0


def test_where_nothing_is_heard_more_time_is_given():
    rig = _Rig()
    rig.instead = [[]]
    begun_us = rig.rounds(1, 300_000)
    assert len(begun_us) == 2 and begun_us[1] > 90_000


def test_an_answer_behind_noise_is_awaited_and_taken():
    rig = _Rig()
    frame = rig.job.bus.frames[4 * 0 + 2 * (1 - rig.job.last)]
    rig.instead = [[(15_000, _NOISE), (_TURN_US + 3_000, read_answer(frame, range(200)))]]
    answers = rig.device.answers
    assert len(rig.rounds(1)) == 1
    assert rig.device.answers == answers + 1 and rig.device.timeouts == 0


def test_three_drowned_answers_in_a_row_do_not_make_a_silent_unit():
    rig = _Rig()
    rig.instead = [[(1_000, _NOISE)]] * 3 + [[]]
    rig.rounds(12)
    assert rig.instead == [] and rig.device.fails == 0
    assert rig.owner.log[-1][0] == modbus.OK


def test_a_unit_that_stays_silent_beside_noise_is_left_alone_in_the_end():
    rig = _Rig()
    rig.instead = [[]] * 1000
    for _ in range(100):
        rig.serial.feed(rig.clock.now_us + 60_000, _NOISE)
        rig.rounds(1)
    first = 1000 - len(rig.instead)
    for _ in range(100):
        rig.serial.feed(rig.clock.now_us + 60_000, _NOISE)
        rig.rounds(1)
    assert 1 <= 1000 - len(rig.instead) - first <= 4  # in 10 s, of 100 that were wanted


def test_what_was_drowned_does_not_count_as_slow():
    rig = _Rig()
    learnt_us = rig.device.turnaround_us
    own = bytes((_UNIT, 4, 4, 0, 1, 2, 3, 9, 9))  # its answer, and another speaks over it
    rig.instead = [[(_TURN_US, own + _NOISE)]] * 2
    rig.rounds(2)
    assert rig.device.turnaround_us <= learnt_us + 1000
