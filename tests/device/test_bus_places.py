"""drivers.line.queue: what a line that carries set points is used for, and when, in a control period of 100 ms."""

from array import array

from firmware.core import ticks
from firmware.drivers.line import modbus
from firmware.drivers.line.bus import Bus
from firmware.drivers.line.job import Job
from tests.fakes_bus import FakeClock, FakeSerial, Owner, read_answer, run, sealed

_BAUD = 19_200
_PERIOD_US = 100_000
_PCS = 10
KEPT = 47  # of drivers.line.cells


def _answers(frame, end_us):
    answer = sealed(frame[:6]) if frame[1] > 4 else read_answer(frame, range(200))
    return [(end_us + 5000, answer)]


class _Rig:
    """A PCS on a line of its own: its set point comes 10 ms after a period has begun, reads are asked for at will."""

    def __init__(self, commands=True):
        self.clock = FakeClock()
        self.serial = FakeSerial(self.clock, _BAUD, self._answer)
        self.lost = 0  # of the next answers so many do not come
        self.bus = Bus(self.serial, self.clock, _BAUD)
        self.command = Job(self.bus, _PCS, modbus.WRITE_MANY, 100, 3, Owner(), skip=1, registers=array("H", (0, 0, 0)),
                           urgent=True)
        self.read = Job(self.bus, _PCS, modbus.READ_HOLDING, 0, 4, Owner(), extra=1)
        self.slow = Job(self.bus, _PCS, modbus.READ_HOLDING, 50, 8, Owner(), extra=1)
        self.slow.slow = True
        self.commands = commands
        self.begin_us = 0

    def _answer(self, frame, end_us):
        if self.lost:
            self.lost -= 1
            return []
        return _answers(frame, end_us)

    def lose(self, asked, count=1):
        """Run a period in which so many answers get lost from the first of `asked` on."""
        self.lost = count
        return self.period(asked)

    def grow_lossy(self):
        """Let answers get lost now and then."""
        for _ in range(2):
            self.learn()
            self.lose([])
        self.learn()

    def period(self, asked):
        """Run one period; `asked` are (us after its begin, job). Returns [(us after its begin, first register)]."""
        self.begin_us = begin_us = self.clock.now_us
        self.serial.sent.clear()
        self.bus.set_period(begin_us & ticks.MASK, _PERIOD_US)
        asked = list(asked) + ([(10_000, self.command)] if self.commands else [])
        for after_us, job in sorted(asked, key=lambda row: row[0]):
            run(self.bus, self.serial, begin_us + after_us)
            self.bus.submit(job)
        run(self.bus, self.serial, begin_us + _PERIOD_US)
        return [(start_us - begin_us, frame[3]) for start_us, _, frame in self.serial.sent]

    def learn(self):
        """Let the bus learn what the unit needs, and when set points come."""
        for _ in range(20):
            self.period([(60_000, self.read)])


def test_a_read_that_would_meet_the_next_set_point_waits_until_that_has_gone():
    rig = _Rig()
    rig.learn()
    sent = rig.period([(95_000, rig.read)])
    assert [first for _, first in sent] == [100]
    sent = rig.period([])
    assert [first for _, first in sent] == [100, 0]
    assert sent[0][0] < 11_000


def test_a_read_that_ends_before_the_next_set_point_goes_at_once():
    rig = _Rig()
    rig.learn()
    # 21 bytes of 0.52 ms, 5 ms, 1.8 ms of silence: 18 ms, and the set point comes 10 ms after the period has begun.
    assert [first for _, first in rig.period([(90_000, rig.read)])] == [100, 0]
    assert rig.period([])[0] == (10_000, 100)


def test_no_read_goes_between_the_begin_of_a_period_and_its_set_point():
    rig = _Rig()
    rig.learn()
    sent = rig.period([(2_000, rig.read), (2_001, rig.slow)])
    assert sent[0] == (10_000, 100)
    assert [first for _, first in sent] == [100, 0, 50]


def test_without_set_points_nothing_waits_for_them():
    rig = _Rig(commands=False)
    for _ in range(20):
        rig.period([(60_000, rig.read)])
    sent = rig.period([(2_000, rig.read), (2_001, rig.slow)])
    assert [first for _, first in sent] == [0, 50] and sent[0][0] < 3_000


def test_a_slow_read_waits_where_the_period_is_about_to_begin():
    rig = _Rig()
    rig.learn()
    sent = rig.period([(99_000, rig.slow)])
    assert [first for _, first in sent] == [100]
    rig.bus.poll()  # the new period has not been noted yet
    rig.clock.now_us += 300
    rig.bus.poll()
    assert rig.slow.state == 1  # QUEUED
    assert [first for _, first in rig.period([])] == [100, 50]


def test_a_slow_read_that_never_fits_goes_behind_a_set_point_after_two_seconds():
    rig = _Rig()
    rig.learn()
    rig.slow.aim(50, 60)  # 133 bytes, 70 ms: longer than a gap
    waited = 0
    while [first for _, first in rig.period([(60_000, rig.slow)])] == [100]:
        waited += 1
    assert 18 <= waited <= 21
    assert [first for _, first in rig.period([])][-1] == 100


def test_what_can_wait_goes_behind_the_two_set_points_that_the_line_is_kept_free_for():
    rig = _Rig()
    rig.learn()
    rig.bus.cells[KEPT] = 2
    asked = [(60_000, rig.read), (60_001, rig.slow)]
    assert [first for _, first in rig.period(asked)] == [100]
    assert [first for _, first in rig.period([])] == [100, 0, 50]
    rig.bus.cells[KEPT] = 2
    assert [first for _, first in rig.period(asked)] == [100]
    rig.commands = False  # no more of them come
    assert [first for _, first in rig.period([])] == []
    assert [first for _, first in rig.period([])] == [0, 50]


def test_what_came_while_the_board_looked_away_teaches_nothing():
    rig = _Rig()
    rig.learn()
    device = rig.bus.device(_PCS)
    learnt_us, most_us = device.turnaround_us, device.turnaround_max_us
    rig.bus.set_period(rig.clock.us(), 2 * _PERIOD_US)
    rig.bus.cells[46] = 0  # cells.COMMAND_DUE: no set point is to come
    rig.bus.submit(rig.read)
    rig.bus.poll()
    rig.clock.now_us += 80_000  # a long collection
    rig.bus.cells[36] = rig.clock.us()  # cells.AWAY, as Field.looked_away() has it
    answers = device.answers
    rig.bus.poll()
    assert device.answers == answers + 1
    assert (device.turnaround_us, device.turnaround_max_us) == (learnt_us, most_us)


def test_a_set_point_does_not_wait_for_an_answer_that_is_overdue():
    rig = _Rig()
    rig.learn()
    rig.commands = False
    assert rig.lose([(60_000, rig.read)]) == [(60_000, 0)]
    rig.commands = True
    after_us, first = rig.period([])[0]
    assert first == 100 and after_us - 10_000 <= 2


def test_a_set_point_does_not_wait_for_the_answer_to_the_last_one_and_goes_in_its_other_form():
    rig = _Rig()
    rig.learn()
    assert rig.lose([])[0] == (10_000, 100)
    after_us, first = rig.period([])[0]
    assert first == 101 and after_us - 10_000 <= 2


def _behind_two_requests(kept):
    """Return when a set point goes behind a read and a set point whose answers have got lost, and its form."""
    rig = _Rig()
    rig.grow_lossy()
    rig.command.device.late_us = 160_000
    rig.commands = False
    rig.lose([(70_000, rig.read)], 2)
    rig.commands = True
    assert rig.period([])[0][1] == 100  # this one's answer is lost too
    rig.bus.cells[KEPT] = kept
    return rig.period([])[0]


def test_behind_two_requests_without_an_answer_a_set_point_waits_until_the_first_can_have_none():
    after_us, first = _behind_two_requests(kept=0)
    assert first == 101 and 33_000 <= after_us < 40_000  # 160 ms after the read had left


def test_it_does_not_wait_where_the_line_is_kept_free_for_it():
    after_us, first = _behind_two_requests(kept=1)
    assert first == 101 and after_us < 11_000


def test_a_unit_whose_answers_get_lost_now_and_then_is_not_left_alone_for_a_few_in_a_row():
    rig = _Rig()
    rig.command.device.late_us = 100_000
    rig.grow_lossy()
    rig.lost = 4
    sent = [rig.period([]) for _ in range(6)]
    assert all(sent) and rig.lost == 0
    assert all(row[0][0] <= 40_000 for row in sent)
