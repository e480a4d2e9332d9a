"""The tracker's parts on worked cases: tuning, baseline, dead bands, limits that are learned, a load that is formed."""

from firmware.control import reasons, tuning
from firmware.control.limits import Limits
from firmware.control.tracker import Tracker
from firmware.core.types import BESS, FRESH, GRID, LOAD, MISSING, STALE, WIND, Setpoint, Snapshot

BESS_PU = 80_000
CONTROL = {"policy": "smooth", "baseline_s": 30, "soc_home_permille": 500, "homing_permille": 100,
           "trim_permille_per_s": 500}


def site(period_ms, dead_ms, lag_ms, found=(None, None)):
    return {"control": {"period_ms": period_ms}, "pcs": {"dead_ms": dead_ms, "lag_ms": lag_ms},
            "commissioning": {"dead_ms": found[0], "response_ms": found[1]}}


class Rig:
    """A tracker between a load and a PCS that does what it is told, `late` steps later, up to what it can."""

    def __init__(self, control=CONTROL, facts=None, pull_max_pu=1 << 18, late=0):
        self.tracker = Tracker(control, BESS_PU, pull_max_pu, facts)
        self.limits = Limits(BESS_PU, 1 << 19, 1 << 19, 0, 1000)
        self.point, self.snap = Setpoint(), Snapshot()
        for role in (LOAD, GRID, BESS):
            self.snap.state[role] = FRESH
        self.snap.soc_state, self.snap.soc_permille = FRESH, 500
        self.snap.all_fresh = self.snap.pcs_ready = 1
        self.can_pu = BESS_PU
        self.sent = [0] * late

    def step(self, load_pu, dt_ms=100, seen_pu=None):
        """`seen_pu` is the load as it is when the grid meter samples, if that is at another time."""
        snap, tracker = self.snap, self.tracker
        snap.now_ms = snap.now_ms + dt_ms
        self.sent.append(self.point.bess_pu)
        bess_pu = max(min(self.sent.pop(0), self.can_pu), -self.can_pu)
        snap.power_pu[LOAD], snap.power_pu[BESS], snap.power_pu[GRID] = \
            load_pu, bess_pu, (load_pu if seen_pu is None else seen_pu) - bess_pu
        tracker.observe(self.point, snap, self.limits, dt_ms)
        self.limits.update(snap, tracker.trim_pu)
        tracker.step(self.point, snap, self.limits, dt_ms)
        return self.point.bess_pu


def test_a_lag_decays_as_it_should():
    for time_ms, lag_ms, left in ((0, 50, 1024), (20, 50, 686), (50, 50, 377), (100, 50, 139), (1000, 50, 0),
                                  (5, 0, 0), (0, 0, 1024), (20, 60_000, 1024), (60_000, 60_000, 377)):
        assert abs(tuning.decayed(time_ms, lag_ms) - left) <= 2, (time_ms, lag_ms)


def test_the_tuning_of_the_reference_delays():
    lead, part, early, back, window, slow, mid = tuning.coefficients(20, 30, 50)
    assert (lead, back, window) == (716, 1, 8)  # 56 ms of 20
    assert abs(part - 338) <= 2 and abs(early - 463) <= 5 and abs(slow - 62) <= 2 and abs(mid - 226) <= 2
    assert tuning.coefficients(1000, 0, 0)[:5] == (19, 1024, 0, 0, 6)
    assert tuning.coefficients(20, 10_000, 60_000)[3] == 6  # no further back than the ring reaches
    assert tuning.coefficients(60_000, 500, 50)[0] == 19


def test_no_term_acts_on_less_than_four_fresh_samples():
    assert [tuning.slope_samples(*row) for row in ((10, 20), (11, 20), (0, 20), (200, 100), (100, 200))] \
        == [1, 2, 2, 2, 1]
    assert [tuning.fastest_trim(ms) for ms in (20, 1000, 60_000)] == [12_500, 250, 4]
    facts = tuning.Facts(site(1000, 0, 0), 0, 2000)
    rig = Rig(facts=facts)
    assert facts.grid_sample_ms == 2000 and rig.tracker.cells[3] == 125  # its gain


def test_what_was_measured_goes_before_what_is_told():
    facts = tuning.Facts(site(100, 10, 50, (40, 265)))
    assert facts.measured and (facts.dead_ms, facts.lag_ms) == (40, 100)
    assert "measured" in facts.sentence() and "lag 100 ms" in facts.sentence()
    facts = tuning.Facts(site(100, 10, 50, (40, None)))
    assert not facts.measured and (facts.dead_ms, facts.lag_ms) == (10, 50)


def test_the_way_of_a_sample_is_measured_and_the_tuning_follows():
    rig = Rig(facts=tuning.Facts(site(100, 10, 50), 10))
    lead = rig.tracker.cells[23]
    rig.snap.age_ms[LOAD] = 40
    for _ in range(255):
        rig.step(1000)
        rig.tracker.compare(rig.snap)
    assert rig.tracker.retune(rig.snap.now_ms, rig.snap.now_ms + 5) is None  # too few yet
    rig.step(1000)
    rig.tracker.compare(rig.snap)
    told = rig.tracker.retune(rig.snap.now_ms, rig.snap.now_ms + 5)
    assert "45 ms from read to command" in told and rig.tracker.cells[23] > lead
    for _ in range(256):
        rig.step(1000)
        rig.tracker.compare(rig.snap)
    assert rig.tracker.retune(rig.snap.now_ms, rig.snap.now_ms + 6) is None  # no news


def test_the_baseline_does_not_wait_for_a_pcs_that_is_still_being_found_but_for_the_wind():
    for silent, begins_pu in ((BESS, 3000), (WIND, 3400)):
        rig = Rig()
        rig.snap.state[silent], rig.snap.all_fresh = MISSING, 0
        rig.step(3000)
        rig.step(3400)
        assert begins_pu <= rig.point.grid_target_pu < begins_pu + 100, silent


def test_the_baseline_moves_no_faster_than_its_ramp_and_brings_the_charge_home():
    rig = Rig(pull_max_pu=200 * 30)  # 200 a second
    rig.step(100_000)
    before = rig.point.grid_target_pu
    for _ in range(50):
        rig.step(140_000)
        assert 0 <= rig.point.grid_target_pu - before <= 21
        before = rig.point.grid_target_pu
    assert 100_990 <= before <= 101_000
    rig = Rig()
    rig.snap.soc_permille = 300
    for _ in range(3000):
        rig.step(100_000)
    assert rig.point.grid_target_pu == 100_000 + BESS_PU * 20 // 1000  # charges with 2 % of its rating
    assert rig.point.bess_pu < 0


def test_dead_bands():
    rig = Rig(dict(CONTROL, policy="self_consumption", trim_permille_per_s=0))
    rig.tracker.bound(50, 400, 0)
    for load_pu, bess_pu in ((1000, 1000), (1050, 1000), (1051, 1051), (300, 400), (190, 0), (-150, 0), (-210, -400)):
        assert rig.step(load_pu) == bess_pu, load_pu


def test_a_pcs_that_is_late_is_not_taken_for_one_that_is_limited():
    rig = Rig(dict(CONTROL, policy="self_consumption", trim_permille_per_s=0), late=2)
    for load_pu in (0, 70_000, -70_000, 20_000):
        for _ in range(8):
            rig.step(load_pu, 1000)
            assert rig.tracker.can_give_pu == rig.tracker.can_take_pu == BESS_PU
    rig.can_pu = 10_000
    for _ in range(4):  # one read in which it moves, one in which it stands
        rig.step(20_000, 1000)
    assert rig.can_pu < rig.tracker.can_give_pu < 15_000


def test_a_limit_that_nobody_told_is_learned_and_named_and_let_go():
    rig = Rig(dict(CONTROL, policy="self_consumption"))
    for _ in range(5):
        rig.step(70_000)
    rig.can_pu = BESS_PU // 2
    for _ in range(30):
        rig.step(70_000)
    can_pu = rig.tracker.can_give_pu
    assert BESS_PU // 2 < can_pu < BESS_PU * 11 // 20 and rig.tracker.can_take_pu == BESS_PU
    assert rig.point.reason == reasons.PCS_LIMITED and rig.point.bess_pu == can_pu
    assert rig.tracker.trim_pu == 0  # it was frozen
    rig.can_pu = BESS_PU
    for _ in range(700):
        rig.step(70_000)
    assert rig.tracker.can_give_pu == BESS_PU and rig.point.bess_pu == 70_000
    for _ in range(30):
        rig.snap.pcs_local = 1
        rig.can_pu = 0
        rig.step(70_000)
    assert rig.tracker.can_give_pu == BESS_PU  # somebody else commands it: that is no limit


def test_a_formed_load_does_not_move_with_the_battery():
    rig = Rig(dict(CONTROL, policy="self_consumption"))
    rig.step(0)
    rig.point.bess_pu = 10_000
    snap = rig.snap
    snap.state[LOAD], snap.all_fresh = STALE, 0
    snap.age_ms[GRID], snap.age_ms[BESS] = 0, 50  # the battery is half way, and was at its beginning when it was read
    snap.power_pu[GRID], snap.power_pu[BESS] = 40_000, 5_000
    snap.power_pu[LOAD] = 45_000  # as formed from the two: grid of now, battery of then
    rig.tracker.observe(rig.point, snap, rig.limits, 100)
    assert snap.power_pu[LOAD] == 50_000


def _doubts(shown, seen, ticks=400, dt_ms=1000):
    """Return at which ticks the load's meter is doubted that shows shown(t) where the grid's sees seen(t)."""
    facts = tuning.Facts(site(dt_ms, 10, 50))
    rig = Rig(CONTROL | {"policy": "self_consumption"}, facts)
    found = []
    for t in range(ticks):
        rig.step(shown(t), dt_ms, seen(t))
        rig.tracker.compare(rig.snap)
        if rig.tracker.is_aliased():
            found.append(t)
    return found, rig


def _square(period, high=60_000, low=20_000):
    return lambda t: high if t % period * 2 < period else low


def test_a_swing_that_the_grid_meter_does_not_show_is_doubted_and_the_mean_followed():
    shown = _square(20)
    found, rig = _doubts(shown, _square(7))
    assert found and found[0] < 60 and found[-1] == 399
    sent = []
    for t in range(400, 460):
        rig.step(shown(t), 1000, _square(7)(t))
        rig.tracker.compare(rig.snap)
        rig.tracker.is_aliased()
        sent.append(rig.point.bess_pu)
    assert max(sent) - min(sent) < 20_000 and 25_000 < sum(sent) // 60 < 55_000
    for t in range(460, 700):
        rig.step(shown(t), 1000)
        rig.tracker.compare(rig.snap)
        doubted = rig.tracker.is_aliased()
    assert not doubted and rig.point.bess_pu > 55_000 or rig.point.bess_pu < 25_000


def test_what_the_grid_meter_shows_too_is_not_doubted():
    assert _doubts(_square(20), _square(20))[0] == []
    assert _doubts(lambda t: 30_000 if t < 100 else 70_000, lambda t: 30_000 if t < 101 else 70_000)[0] == []


def test_a_swing_of_few_ticks_that_the_grid_meter_shows_a_tick_later_is_not_doubted():
    swing = (40_000, 59_000, 51_800, 28_200, 21_000)
    assert _doubts(lambda t: swing[t % 5], lambda t: swing[(t - 1) % 5])[0] == []
    assert _doubts(lambda t: swing[t // 4 % 5], lambda t: swing[(t // 4 - 1) % 5])[0]  # one of twenty would not be late


def test_an_unmetered_load_beside_is_no_reason_to_doubt():
    beside = _square(33, 10_000, 0)
    assert _doubts(_square(20), lambda t: _square(20)(t) + 30_000 + beside(t))[0] == []
