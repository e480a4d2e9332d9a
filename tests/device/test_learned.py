"""What the dispatcher has learnt outlives a restart; what is damaged, foreign or of another time is not taken."""

from array import array

from firmware.control.dispatch import Dispatch
from firmware.control.learned import PATH, Learned
from firmware.core.types import ABSENT, BESS, CLOCK_SYNCHRONISED, FRESH, GRID, LOAD, ROLES, WIND, Setpoint, Snapshot
from firmware.core.utc import Utc
from tests.device.test_dispatch import CAPS, CONTROL, DAY, POLICY, RATINGS, changed
from tests.device.test_files import scratch

BEGIN = 1_900_032  # a quarter hour since 1970 at a day's beginning
_MASK = 0x3FFFFFFF


def load_of(quarter):
    """Return the load: above the cap for four hours of each day, and no two of them alike."""
    return 600 + quarter // DAY % 8 + (700 if quarter % DAY < 16 else 0)


class Board:
    """A board with flash: its dispatcher, and what of it is kept there. Clock and flash outlive a restart."""

    def __init__(self, files, policy=POLICY, mark="site", caps=CAPS):
        self.files, self.policy, self.mark, self.caps = files, policy, mark, caps
        self.notes = []
        self.utc = Utc()
        self.start()

    def start(self):
        """Start with nothing but what is on flash; UTC is unknown."""
        from firmware.control.limits import Limits
        from firmware.control.tracker import Tracker

        config = {"dispatch": self.policy, "limits": self.caps, "ratings": RATINGS, "control": CONTROL}
        self.limits, self.tracker = Limits(4000, 1000, 0, 0, 1000), Tracker(CONTROL, 4000)
        self.setpoint, self.utc = Setpoint(), Utc()
        self.setpoint.wind_limit_pu = 8200
        self.dispatch = Dispatch(config, self, lambda power_w: power_w, 1)
        self.snap = snap = Snapshot()
        for role in range(ROLES):
            snap.state[role] = FRESH if role in (LOAD, GRID, BESS, WIND) else ABSENT
        snap.soc_state, snap.soc_permille, snap.now_ms = FRESH, 500, 0
        self.learned = Learned(self.files, self.dispatch, self.utc, self.mark)
        self.learned.resume(self.note)

    def note(self, source, code, text):
        self.notes.append((code, text))

    def know(self, quarter):
        """Let the clock be set."""
        self.utc.set(quarter, 0, CLOCK_SYNCHRONISED, 0)

    def days(self, count):
        """Let the reserve see so many days, up to the clock's quarter hour: without wind, for that takes long."""
        for quarter in range(self.utc.quarter - count * DAY, self.utc.quarter):
            for _ in range(8):
                self.dispatch.reserve.add(load_of(quarter), 60_000, quarter)

    def minutes(self, count):
        """Let so many minutes pass."""
        for i in range(count):
            self.utc.advance(60_000)
            self.snap.now_ms = (self.snap.now_ms + 60_000) & _MASK
            self.snap.power_pu[LOAD] = load_of(self.utc.quarter)
            self.snap.power_pu[WIND] = (i * 37 + self.utc.quarter * 50) % 8000
            self.snap.soc_permille = 500 + i % 300
            self.dispatch.step(self.snap, self.note)
            if self.learned.due():
                self.finish(self.learned.work(self.note))

    def finish(self, work):
        """Run a generator to its end; return the number of its slices."""
        return sum([1 for _ in work])

    def state(self):
        """Return all that is kept, as lists."""
        return [list(cells) for cells in self.dispatch.learnt() + [self.dispatch.reserve.ring]]


def taught(days=4, **how):
    """Return a Board that has been running for so many days, the last four hours with wind, and written at its end."""
    board = Board(scratch(), **how)
    board.know(BEGIN + days * DAY - 16)
    board.days(days)
    board.minutes(240)
    board.finish(board.learned.writing(board.note))
    return board


def codes(board):
    return [code for code, _ in board.notes if code != "WEAR"]


def test_a_restart_takes_up_where_the_board_was():
    board = taught(policy=changed(POLICY, carbon="day_ahead"))
    assert codes(board) == ["FACTORS_MISSING"]
    known = board.state()
    board.start()
    board.minutes(1)
    assert board.dispatch.reserve.permille == 150  # which hour it is nobody knows yet
    assert board.state()[:-1][2:] == known[:-1][2:] and board.state()[-1] != known[-1]
    board.know(BEGIN + 4 * DAY)
    board.minutes(8)
    assert codes(board)[-1] == "LEARNED"
    assert board.state()[-1] == known[-1] and 156 <= board.dispatch.reserve.permille <= 160  # 1,200 kWh
    assert board.dispatch.windcast.model.scored() > 12


def test_the_file_is_written_six_times_a_day_and_only_with_a_clock():
    board = Board(scratch())
    board.minutes(20)
    assert board.files.size(PATH) is None
    board.know(BEGIN)
    written = 0
    for _ in range(1440):
        board.utc.advance(60_000)
        if board.learned.due():
            board.finish(board.learned.work(board.note))
        if board.files.size(PATH) is not None:
            written += 1
            board.files.remove(PATH)
    assert written == 6 and codes(board) == []


def test_days_that_wait_for_the_clock_are_not_written_over():
    board = taught()
    days = board.state()[-1]
    board.start()
    board.minutes(300)
    board.finish(board.learned.writing(board.note))  # as an orderly end does
    board.start()
    board.know(BEGIN + 5 * DAY)
    board.minutes(1)
    assert board.state()[-1] == days


def test_days_of_a_time_to_come_or_long_ago_are_not_taken():
    for quarter in (BEGIN + 4 * DAY - 8, BEGIN + 33 * DAY):
        board = taught()
        scored = board.dispatch.windcast.model.scored()
        board.start()
        board.know(quarter)
        board.minutes(8)
        assert codes(board)[-1] == "LEARNED_REFUSED" and board.dispatch.reserve.permille == 150
        assert board.dispatch.windcast.model.scored() == scored
        board.minutes(250)  # and the file is written anew
        assert codes(board)[-1] == "LEARNED_REFUSED"
        board.start()
        board.know(quarter + 21)
        board.minutes(1)
        assert codes(board)[-1] == "LEARNED"


def test_a_damaged_cut_or_foreign_file_is_said_and_nothing_of_it_taken():
    board = taught()
    good = board.files.read(PATH)
    fresh = Board(scratch()).state()
    for at in (0, 3, 5, 13, 16, 40, len(good) // 2, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        refused(board, bytes(bad), fresh, "damaged")
    for cut in (0, 1, 16, len(good) - 1):
        refused(board, good[:cut], fresh, "bytes")
    refused(board, good + b"x", fresh, "bytes")
    board.mark = "another site"
    refused(board, good, fresh, "another site")
    board.mark = "site"
    board.files.replace(PATH, good)
    board.start()
    assert board.state()[:-1] != fresh[:-1]


def refused(board, data, fresh, why):
    board.files.replace(PATH, data)
    board.notes = []
    board.start()
    board.know(BEGIN + 4 * DAY)
    assert board.state() == fresh
    assert not board.learned.due() and len(board.notes) == 1
    assert board.notes[0][0] == "LEARNED_REFUSED" and why in board.notes[0][1]


class Refusing:
    """Files that refuse; a fake, for a flash cannot be made to."""

    def __init__(self, files):
        self._files = files
        self.refuses = True

    def __getattr__(self, name):
        return getattr(self._files, name)

    def replacing(self, path, data):
        yield
        if self.refuses:
            raise OSError(28)
        yield from self._files.replacing(path, data)

    def size(self, path):
        if self.refuses:
            raise OSError(5)
        return self._files.size(path)


def test_a_flash_that_refuses_is_said_once_and_tried_again():
    board = Board(Refusing(scratch()))
    assert codes(board) == ["LEARNED_REFUSED"]
    board.know(BEGIN)
    board.minutes(600)
    assert codes(board) == ["LEARNED_REFUSED", "LEARNED_UNWRITTEN"]
    board.files.refuses = False
    board.minutes(300)
    assert board.files.size(PATH) and codes(board)[2:] == []


def test_what_was_missed_keeps_the_week_before():
    board = taught(8)
    before = board.state()[-1]
    board.start()
    board.know(BEGIN + 8 * DAY + 12)  # off for three hours
    board.minutes(30)
    ring = board.state()[-1]
    now = (BEGIN + 8 * DAY + 12) % len(ring)
    assert [i for i in range(len(ring)) if ring[i] != before[i]] in ([], [now], [now + 1], [now, now + 1])
    assert -0x8000 not in ring


def test_the_arrays_are_kept_as_they_are():
    board = Board(scratch())
    cells = board.dispatch.windcast.model.sums
    cells[0], cells[1], cells[2] = -(1 << 30), (1 << 30) - 1, -1
    board.dispatch.reserve.ring[5] = -0x8000
    board.dispatch.reserve.ring[6] = 0x7FFF
    board.know(BEGIN)
    board.finish(board.learned.writing(board.note))
    board.start()
    board.know(BEGIN)
    board.minutes(1)
    assert list(board.dispatch.windcast.model.sums[:3]) == [-(1 << 30), (1 << 30) - 1, -1]
    assert board.dispatch.reserve.ring[5] == -0x8000 and board.dispatch.reserve.ring[6] == 0x7FFF
    assert isinstance(board.dispatch.reserve.ring, array)
