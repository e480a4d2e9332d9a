"""Which samples are believed: every rule by its name, on the rows that drivers fill and Measure reads."""

from array import array

from firmware.core.types import BESS, GRID, LOAD, PV, READING_CELLS, ROLES, WIND, Reading
from firmware.site import doubt
from firmware.site.refusals import CODES, Refusals
from firmware.site.truth import Truth

RATED = 100_000
CONTROL = {"stale_ms": 3000, "frozen_ms": 10_000, "step_permille": 1000}


class Site:
    """FAKE drivers of a site with load, grid, PCS and wind, all rated RATED, each sampled once a second."""

    def __init__(self, control=CONTROL):
        self.now_ms = 0x3FFFFF00  # the tick wraps on the way
        self.drivers = [Reading() if role != PV and role < 5 else None for role in range(ROLES)]
        self.truth = Truth(self.drivers, [RATED] * ROLES, control)
        self.out = array("i", [0] * (READING_CELLS * ROLES))
        for role in range(ROLES):
            if self.truth.believed[role] is not None:
                self.truth.believed[role].move(self.out, role * READING_CELLS)

    def second(self, load=None, grid=None, bess=None, wind=None):
        """Let a second pass and the meters show these powers; None: nothing new."""
        self.now_ms = (self.now_ms + 1000) & 0x3FFFFFFF
        for role, value in ((LOAD, load), (GRID, grid), (BESS, bess), (WIND, wind)):
            if value is not None:
                self.drivers[role].take(value, self.now_ms)
        self.judge()

    def judge(self):
        doubt.judge(self.truth.table, self.out, self.now_ms)

    def value(self, role):
        return self.truth.believed[role].value

    def old(self, role):
        """Return how many ms ago the believed value was sampled."""
        return (self.now_ms - self.truth.believed[role].t_ms) & 0x3FFFFFFF

    def refused(self, role):
        """Return {cause: count}."""
        counts = [self.truth.count(role, cause) for cause in range(len(CODES))]
        return {CODES[cause]: counts[cause] for cause in range(1, len(CODES)) if counts[cause]}


def test_what_is_ordinary_passes_unchanged():
    site = Site()
    for i in range(50):
        site.second(40_000 + i, 10_000 - 700 * i, 30_000 - i, 701 * i)
        assert [site.value(role) for role in (LOAD, GRID, BESS, WIND)] == [
            40_000 + i, 10_000 - 700 * i, 30_000 - i, 701 * i]
        assert site.old(LOAD) == 0
    assert [site.refused(role) for role in (LOAD, GRID, BESS, WIND)] == [{}] * 4
    assert site.truth.believed[PV] is None


def test_a_sample_is_judged_once():
    site = Site()
    site.second(load=200_000)
    for _ in range(5):
        site.judge()
    assert site.refused(LOAD) == {"RANGE": 1} and site.truth.believed[LOAD].count == 0


def test_out_of_range_is_refused_and_ages():
    site = Site()
    site.second(load=50_000, grid=-150_000)
    assert site.value(GRID) == 0  # more than the rating from nothing: to be confirmed
    site.second(load=150_001, grid=-150_000)
    assert site.value(GRID) == -150_000 and site.value(LOAD) == 50_000 and site.old(LOAD) == 1000
    site.second(load=-150_001, grid=-150_001)
    assert site.old(LOAD) == 2000 and site.old(GRID) == 1000
    assert site.refused(LOAD) == {"RANGE": 2} and site.truth.refused_pu(LOAD) == -150_001
    site.second(load=50_001)
    assert site.value(LOAD) == 50_001


def test_a_load_below_zero_is_an_offset_or_refused():
    site = Site()
    site.second(load=900)
    site.second(load=-500)
    assert site.value(LOAD) == 0 and site.old(LOAD) == 0
    site.second(load=-501)
    site.second(load=-40_000)
    assert site.value(LOAD) == 0 and site.old(LOAD) == 2000 and site.refused(LOAD) == {"NEGATIVE": 2}
    site.second(wind=-40_000)
    assert site.value(WIND) == -40_000


def test_minus_one_is_no_reading_of_a_load():
    site = Site()
    site.second(load=50_000)
    for _ in range(20):
        site.second(load=-1)
    assert site.value(LOAD) == 50_000 and site.refused(LOAD) == {"MINUS_ONE": 20}
    site.second(load=49_000)
    assert site.value(LOAD) == 49_000


def test_minus_one_of_others_is_believed_from_the_fifth_on():
    site = Site()
    site.second(grid=50_000)
    for _ in range(4):
        site.second(grid=-1)
        assert site.value(GRID) == 50_000
    site.second(grid=-1)
    assert site.value(GRID) == -1 and site.refused(GRID) == {"MINUS_ONE": 4}


def test_minus_one_near_zero_is_a_value():
    site = Site()
    site.second(grid=900)
    site.second(grid=-1)
    assert site.value(GRID) == -1 and site.refused(GRID) == {}


def test_zeros_are_held_without_registers_until_the_third():
    site = Site()
    site.second(50_000, 10_000, 0, 40_000)
    for i in range(2):
        site.second(0, 10_000 + i, 0, 40_001 + i)
        assert site.value(LOAD) == 50_000
    site.second(0, 10_003, 0, 40_000)
    assert site.value(LOAD) == 0 and site.refused(LOAD) == {"ZEROS": 2}


def test_a_zero_that_the_other_meters_confirm_is_believed_at_once():
    site = Site()
    site.second(50_000, 10_000, 0, 40_000)
    site.second(50_001, 49_000, 0, 1_999)
    site.second(50_002, 49_500, 0, 0)
    assert site.value(WIND) == 0 and site.refused(WIND) == {}


def test_zeros_wait_for_a_living_voltage():
    site = Site()
    site.truth.heard(LOAD, True, site.now_ms + 1)
    site.second(50_000, 50_000, 0, 0)
    for i in range(5):
        site.second(0, 50_001 + i, 0, 0)
    assert site.value(LOAD) == 50_000
    site.truth.heard(LOAD, False, site.now_ms + 1)
    site.second(0, 50_000, 0, 0)
    assert site.value(LOAD) == 50_000
    site.truth.heard(LOAD, True, site.now_ms + 1)
    site.second(0, 50_001, 0, 0)
    assert site.value(LOAD) == 0 and site.refused(LOAD) == {"ZEROS": 6}


def test_a_living_voltage_from_before_the_zero_does_not_count():
    site = Site()
    site.second(50_000, 50_000, 0, 0)
    site.truth.heard(LOAD, True, site.now_ms + 1)
    site.second(50_001, 50_000, 0, 0)
    site.second(0, 50_003, 0, 0)
    assert site.value(LOAD) == 50_001
    site.truth.heard(LOAD, True, site.now_ms - 10)  # read before the zero, heard behind it
    site.second(0, 50_003, 0, 0)
    assert site.value(LOAD) == 50_001


def test_zeros_of_the_pcs_are_its_drivers_business():
    site = Site()
    site.second(50_000, 10_000, 40_000, 0)
    site.second(50_001, 10_001, 0, 0)
    assert site.value(BESS) == 0 and site.refused(BESS) == {}


def test_an_impossible_step_needs_a_second_sample():
    site = Site({"stale_ms": 3000, "frozen_ms": 10_000, "step_permille": 300})
    for load in (10_000, 12_000):
        site.second(load=load)
    site.second(load=99_000)
    assert site.value(LOAD) == 12_000
    site.second(load=12_500)  # it was a spike
    assert site.value(LOAD) == 12_500 and site.refused(LOAD) == {"STEP": 1}
    site.second(load=80_000)
    site.second(load=85_000)  # it was a step
    assert site.value(LOAD) == 85_000 and site.refused(LOAD) == {"STEP": 2}
    site.second(load=12_000)
    site.second(load=60_000)  # two spikes that do not confirm each other, in range of the value before
    assert site.value(LOAD) == 60_000 and site.refused(LOAD) == {"STEP": 3}


def test_frozen_against_the_other_meters():
    site = Site()
    for i in range(12):
        site.second(50_000 + i, 30_000 + i, 0, 20_000)
    for i in range(30):  # the load's meter stands still, the load rises
        site.second(50_011, 30_000 + 500 * i, 3 * i, 20_000)
    assert "FROZEN" in site.refused(LOAD) and site.value(LOAD) == 50_011 and site.old(LOAD) > 3000
    assert site.refused(GRID) == site.refused(BESS) == site.refused(WIND) == {}
    site.second(64_000, 44_500, 90, 20_000)
    assert site.value(LOAD) == 64_000 and site.old(LOAD) == 0


def test_frozen_is_the_grid_when_the_grid_stands_still_as_well():
    site = Site()
    for i in range(40):  # wind is curtailed to a constant, the load moves, the grid's meter has stopped
        site.second(30_000 + 700 * i, 10_000, i % 3, 20_000)
    assert "FROZEN" in site.refused(GRID) and site.refused(WIND) == site.refused(LOAD) == {}


def test_constant_power_is_not_frozen():
    site = Site()
    for i in range(500):
        site.second(50_000, 20_000 + 60 * i % 9000, 30_000 - 60 * i % 9000, 0)
    assert [site.refused(role) for role in (LOAD, GRID, BESS, WIND)] == [{}] * 4
    assert site.truth.still(LOAD) and not site.truth.still(GRID) and not site.truth.still(WIND)


def test_a_moment_of_misaligned_meters_is_not_frozen():
    site = Site()
    for i in range(200):
        late = 30_000 if i % 10 == 0 else 0  # the battery's step has reached its own meter, not yet the grid's
        site.second(50_000, 50_000 - 30_000 * (i // 10 % 2), 30_000 * (i // 10 % 2) + late, 0)
    assert site.refused(LOAD) == {}


def test_frozen_by_its_own_register_until_it_moves():
    site = Site()
    for _ in range(12):
        site.second(load=50_000)
    assert site.truth.still(LOAD)
    site.truth.freeze(LOAD)
    site.second(load=50_000)
    assert site.old(LOAD) == 1000 and site.refused(LOAD) == {"FROZEN": 1} and site.truth.still(LOAD)
    site.second(load=50_001)
    assert site.old(LOAD) == 0 and site.value(LOAD) == 50_001


def test_a_register_that_moves_proves_its_meter_alive():
    site = Site()
    for i in range(40):
        site.truth.moved(LOAD, site.now_ms)
        site.second(50_000, 10_000 + 700 * i, i % 3, 20_000)
    assert site.refused(LOAD) == {} and "FROZEN" in site.refused(WIND)


def test_refusals_are_told_when_they_begin_and_when_they_have_ended():
    site = Site()
    refusals = Refusals(site.truth, 10)
    told = []
    for i in range(200):
        site.second(load=200_000 if 10 <= i < 20 and i % 2 else 50_000 + i, grid=i)
        told += [(i, code, text) for code, text in refusals.look(LOAD, 3 if i >= 50 else 0, 1 if i >= 70 else 0)]
    assert [(i, code) for i, code, _ in told] == [
        (11, "RANGE"), (50, "SENTINEL"), (70, "MINUS_ONE"), (79, "BELIEVED"), (110, "BELIEVED"), (130, "BELIEVED")]
    assert told[0][2] == "load: 2000000 W is beyond 1.5 times the rating; refused"
    assert refusals.total[LOAD] == 5 + 3 + 1 and refusals.total[GRID] == 0
