"""Energy by the meters' registers: which readings are believed, and what they add to the integrated power."""

from firmware.core.types import BESS, FLAG_IMPLAUSIBLE, FLAG_REGISTER_BACK, GRID, LOAD, ROLES, WIND
from firmware.ledger import register, registers
from firmware.ledger.energy import COUNTERS, IMPORT_WH, LOAD_WH

RATED_W = 2_000_000


class FakeEnergy:
    """FAKE counters in Wh, as the tick leaves them."""

    def __init__(self):
        self.wh = [0] * COUNTERS
        self.past = [0x1FFFFFF0] * COUNTERS  # the totals wrap on the way

    def total(self, counter):
        return (self.past[counter] + self.wh[counter]) & 0x1FFFFFFF

    def correct(self, counter, wh):
        wh = max(wh, -self.wh[counter])
        self.wh[counter] += wh
        return wh

    def cut(self):
        closed = list(self.wh)
        for i in range(COUNTERS):
            self.past[i] += self.wh[i]
            self.wh[i] = 0
        return closed


class FakeInterval:
    """FAKE Interval with the fields that registers look at."""

    def __init__(self, wh):
        self.flags = 0
        self.sources_wh = [wh[5], wh[6], wh[7], wh[1], wh[3]]
        self.uses_wh = [wh[0], wh[4], wh[2], wh[8]]


class Site:
    """FAKE board: integrates what it is told, reads a register each second."""

    def __init__(self, rated_w=RATED_W, start_wh=180_100, resolution_wh=1):
        self.energy = FakeEnergy()
        self.books = registers.Registers(self.energy, [rated_w] * 4 + [0, 0])
        self.up_ms = 5000
        self.true_wmh = start_wh * 3600  # Ws
        self.rest = 0
        self.resolution_wh = resolution_wh
        self.offset_wh = 0
        self.cuts = 0

    def wh(self):
        return self.true_wmh // 3600 // self.resolution_wh * self.resolution_wh + self.offset_wh

    def second(self, power_w, measured_w=None, reading=True, glitch_wh=0, counter=LOAD_WH, role=LOAD):
        self.up_ms += 1000
        self.true_wmh += power_w
        self.rest += power_w if measured_w is None else measured_w
        self.energy.wh[counter] += self.rest // 3600
        self.rest %= 3600
        if reading:
            self.books.take(role, self.wh() + glitch_wh, None, self.up_ms)

    def cut(self):
        self.books.sync(self.cuts + 1, 0)
        self.cuts += 1
        interval = FakeInterval(self.energy.cut())
        self.books.finish(interval)
        return interval

    def codes(self):
        return [code for _, code, _ in self.books.news]


def load_row(interval):
    return [row for row in interval.registers if row[0] == LOAD][0]


def test_the_sum_follows_the_register_though_the_power_is_measured_wrong():
    site = Site()
    total = 0
    for quarter in range(4):
        begin = site.wh()
        for i in range(900):
            power = 900_000 + 700 * i
            site.second(power, power * 98 // 100)
        interval = site.cut()
        total += interval.uses_wh[0]
        row = load_row(interval)
        assert row[:2] == [LOAD, registers.BY_REGISTER if quarter else registers.PARTLY]
        assert row[3] == site.wh() and row[5] is None and row[7] is None
        assert abs(row[3] - begin - interval.uses_wh[0]) < 600 and 3000 < row[6] < 9000
        assert interval.flags == 0
    assert abs(total - (site.wh() - 180_100)) < 600
    assert site.codes() == []


def test_every_interval_begins_with_the_register_that_ended_the_last():
    site = Site()
    ends = []
    for _ in range(3):
        for _ in range(300):
            site.second(1_000_000)
        ends.append(load_row(site.cut()))
    assert ends[0][3] == ends[1][2] and ends[1][3] == ends[2][2]


def test_a_coarse_register_does_not_blur_the_integral():
    site = Site(rated_w=10_000, resolution_wh=100)
    for _ in range(3):
        for _ in range(900):
            site.second(4_001)
        interval = site.cut()
        assert abs(interval.uses_wh[0] - 1000) <= 2, interval.uses_wh
        assert interval.flags == 0
    assert site.codes() == []


def test_a_float_register_above_131_mwh_is_followed():
    site = Site(rated_w=100_000, start_wh=131_072_000 - 20_000, resolution_wh=16)
    for i in range(3000):
        site.second(40_000 + i)
        if i == 1500:
            site.resolution_wh = 32
    interval = site.cut()
    assert interval.flags == 0 and site.codes() == []
    assert abs(interval.uses_wh[0] - (sum(40_000 + i for i in range(3000)) // 3600)) < 40


def test_a_glitch_with_a_right_crc_is_refused():
    site = Site()
    for i in range(600):
        site.second(1_000_000, glitch_wh=4_820_000 if i == 300 else 0)
    interval = site.cut()
    assert site.codes() == ["REGISTER_GLITCH"] and site.books.refused[LOAD] == 1
    assert interval.flags == FLAG_IMPLAUSIBLE
    assert abs(interval.uses_wh[0] - 600_000_000 // 3600) < 600
    assert load_row(interval)[3] == site.wh()


def test_a_glitch_while_the_register_rests_is_refused():
    site = Site()
    for i in range(60):
        site.second(1_000_000)
    for i in range(800):
        site.second(0, glitch_wh=400_000 if i == 700 else 0)
    assert site.codes() == ["REGISTER_GLITCH"]


def test_a_register_that_went_back_is_a_new_beginning_after_three_readings():
    site = Site()
    for i in range(600):
        if i == 300:
            site.offset_wh = -150_000
        site.second(1_000_000)
    interval = site.cut()
    assert site.codes() == ["REGISTER_BACK", "REGISTER_RENEWED"] and site.books.refused[LOAD] == 3
    assert interval.flags == FLAG_IMPLAUSIBLE | FLAG_REGISTER_BACK
    assert abs(interval.uses_wh[0] - 600_000_000 // 3600) < 600
    assert load_row(interval)[1] == registers.PARTLY and load_row(interval)[3] == site.wh()
    for _ in range(600):
        site.second(1_000_000)
    interval = site.cut()
    assert interval.flags == 0 and load_row(interval)[1] == registers.BY_REGISTER


def test_a_contradiction_leaves_the_integral_and_says_so():
    site = Site()
    for _ in range(600):
        site.second(1_000_000)
    site.cut()
    for _ in range(900):
        site.second(1_000_000, 1_200_000)
    interval = site.cut()
    row = load_row(interval)
    assert interval.uses_wh[0] in range(299_990, 300_010), "the integral stands"
    assert row[1] == registers.CONTRADICTED and row[6] == row[3] - row[2] - interval.uses_wh[0]
    assert interval.flags == FLAG_IMPLAUSIBLE and site.codes() == ["REGISTER_DIFFERS"]


def test_a_register_that_stands_still_contradicts_the_power():
    site = Site()
    for _ in range(60):
        site.second(1_000_000)
    assert not site.books.stand_still(LOAD)
    for _ in range(60):
        site.second(0, 1_000_000)
    assert site.books.stand_still(LOAD)
    interval = site.cut()
    assert load_row(interval)[1] == registers.CONTRADICTED and interval.flags == FLAG_IMPLAUSIBLE


def test_what_was_not_measured_is_taken_from_the_register():
    site = Site()
    for _ in range(100):
        site.second(1_000_000)
    for _ in range(200):  # silent: the last value is held while the load has risen
        site.books.pass_stale(LOAD, 1000)
        site.second(1_900_000, 1_000_000, reading=False)
    for _ in range(600):
        site.second(1_000_000)
    interval = site.cut()
    assert interval.flags == 0 and site.codes() == []
    assert abs(interval.uses_wh[0] - (700 * 1_000_000 + 200 * 1_900_000) // 3600) < 600


def test_after_a_long_silence_nothing_is_booked():
    site = Site()
    for _ in range(100):
        site.second(1_000_000)
    for _ in range(1000):
        site.second(1_900_000, 1_000_000, reading=False)
    for _ in range(100):
        site.second(1_000_000)
    interval = site.cut()
    assert abs(interval.uses_wh[0] - 1200 * 1_000_000 // 3600) < 600 and load_row(interval)[1] == registers.PARTLY


def test_the_age_of_a_reading_is_taken_into_account():
    site = Site()
    for i in range(900):
        site.second(1_000_000, reading=False)
        late_ms = i * 37 % 900
        wh = (site.true_wmh - 1_000_000 * late_ms // 1000) // 3600
        site.books.take(LOAD, wh, None, site.up_ms - late_ms, late_ms, 1_000_000)
        assert abs(site.energy.wh[LOAD_WH] - (i + 1) * 10_000 // 36) < 300
    assert site.codes() == []


def test_both_directions_and_roles_without_registers():
    site = Site()
    for _ in range(10):
        site.second(1_000_000, counter=IMPORT_WH, role=GRID)
        site.books.take(WIND, 5, 7, site.up_ms)
    site.books.take(GRID, site.wh(), 3, site.up_ms)
    rows = site.cut().registers
    assert [row[0] for row in rows] == [LOAD, GRID, BESS, WIND] and len(rows) < ROLES
    assert rows[0] == [LOAD, registers.INTEGRATED] + [None] * 6
    assert rows[1][4:6] == [3, 3] and rows[1][7] == 0
    assert rows[3][2:6] == [5, 5, 7, 7] and rows[3][7] is None


def test_the_first_reading_of_all_may_be_the_wrong_one():
    one = register.Register(RATED_W)
    assert one.take(9_000_000, 0, 0) == register.BEGUN
    codes = [one.take(1000 + i, 1000 * i, 0) for i in range(1, 5)]
    assert codes == [register.BACK, register.BACK, register.RENEWED, register.MOVED]


def test_refusals_are_told_once_until_it_was_quiet():
    site = Site()
    for i in range(300):
        site.second(1_000_000, glitch_wh=10**7 if 50 <= i < 150 and i % 2 else 0)
    for i in range(20):
        site.second(1_000_000, glitch_wh=10**7 if i == 10 else 0)
    assert site.codes() == ["REGISTER_GLITCH"] * 2 and site.books.refused[LOAD] == 51
