"""What a set point that stands for a minute counts on, on worked cases."""

from firmware.control.limits import Limits
from firmware.control.standing import Standing
from firmware.control.tracker import Tracker
from firmware.control.wind_limit import WindLimit
from firmware.core.types import ABSENT, BESS, FRESH, GRID, LOAD, ROLES, STALE, WIND, Setpoint, Snapshot
from tests.locked_heap import moved

CONTROL = {"policy": "self_consumption", "baseline_s": 10, "soc_home_permille": 500, "homing_permille": 0,
           "trim_permille_per_s": 20}
WIND_PU = 8200


class Site:
    """Limits, tracker, wind limit and set point of a site, all of whose meters answer."""

    def __init__(self, limited=True, load=1000, wind=0, soc=500):
        self.setpoint, self.limits, self.tracker = Setpoint(), Limits(4000, 1000, 0, 0, 1000), Tracker(CONTROL, 4000)
        self.wind, self.snap = WindLimit(WIND_PU, 0), Snapshot()
        self.setpoint.wind_limit_pu = WIND_PU
        for role in range(ROLES):
            self.snap.state[role] = FRESH if role in (LOAD, GRID, BESS, WIND) else ABSENT
        self.snap.soc_state, self.snap.all_fresh = FRESH, 1
        self.standing = Standing(self, self.snap, limited)
        self.see(load, wind, soc)

    def see(self, load=1000, wind=0, soc=500, mean=None):
        """Show these; `mean`: of the grid in the minute that has passed, what the meter shows now if not given."""
        snap = self.snap
        snap.power_pu[LOAD], snap.power_pu[WIND], snap.soc_permille = load, wind, soc
        snap.power_pu[GRID] = load - wind - snap.power_pu[BESS]
        snap.grid_mean_pu = snap.power_pu[GRID] if mean is None else mean
        return self.standing.foresee()

    def answer(self):
        """Have the tick answer what was seen; return (set point, wind limit)."""
        term = self.standing.foresee()
        self.limits.update(self.snap, term)
        self.tracker.step(self.setpoint, self.snap, self.limits, 1000)
        self.wind.step(self.setpoint, self.snap, self.limits.charge_pu)
        return self.setpoint.bess_pu, self.setpoint.wind_limit_pu


def near(a, b):
    """Return whether they are as good as the same: means are made of whole units."""
    return abs(a - b) <= 2


def test_the_wind_goes_on_as_it_went():
    site = Site(wind=500)
    assert near(site.see(wind=700), -100)
    assert near(site.see(wind=100), 100)  # and to no less than nothing
    assert near(Site(limited=False, wind=500).see(wind=700), -100)


def test_a_limited_wind_is_counted_on_where_its_limit_sends_it():
    site = Site(wind=1000, soc=1000)
    site.setpoint.wind_limit_pu = 1000
    assert near(site.see(load=1020, wind=1000, soc=1000), -20)  # the load rose, and so does the wind
    power, limit = site.answer()
    assert near(power, 0) and limit == 1020
    site = Site(wind=3000, soc=1000)
    assert near(site.see(wind=3000, soc=1000), 2000)  # what the sample shows does not pass the limit that comes
    power, limit = site.answer()
    assert near(power, 0) and limit == 1000
    site = Site(wind=1000)
    site.setpoint.wind_limit_pu = 1000
    assert near(site.see(wind=1000), -400)  # what it could give nobody knows: no more than this at once
    assert near(Site(limited=False, wind=1000).see(load=1020, wind=1000), 0)


def test_a_beat_of_the_load_comes_out_of_the_grids_mean():
    site = Site()
    for _ in range(500):
        more = site.see(mean=990)  # sampled where it is at its highest, 10 above its mean
    assert near(more, -10)
    for _ in range(500):
        more = site.see(mean=5000)
    assert near(more, 62)  # a 64th of the rating: no more is a beat


def test_the_target_stands_off_by_what_the_load_moves_less_where_the_battery_is_full():
    site = Site()
    for minute in range(1000):
        site.see(load=1000 + 40 * (minute & 1))
    for soc, off in ((0, 40), (500, 20), (1000, 0)):
        more = site.see(load=1000 + 40 * (soc == 500), soc=soc)
        assert abs(more - site.tracker.term_pu - off) <= 2
    site.tracker.aim_pu = 996  # while it charges up to the cap
    assert site.see(soc=0) == site.tracker.term_pu


def test_nothing_is_foreseen_of_a_load_that_is_not_measured():
    site = Site(wind=500)
    site.snap.state[LOAD] = STALE
    assert site.see(wind=700) == 0 and site.tracker.term_pu == 0
    site.snap.state[LOAD] = FRESH
    site.snap.state[WIND] = STALE
    assert site.see(wind=900) == 0


def test_it_allocates_nothing_whatever_load_and_wind_do():
    site = Site(wind=500)
    snap, standing, loads, winds = site.snap, site.standing, (0, 0x7FFFF, -0x7FFFF, 1000), (0, 0x7FFFF, 700)

    def work():
        for load in loads:
            for wind in winds:
                for soc in (0, 500, 1000):
                    snap.power_pu[LOAD], snap.power_pu[WIND], snap.soc_permille = load, wind, soc
                    snap.power_pu[GRID] = snap.grid_mean_pu = -load
                    standing.foresee()

    assert moved(work) == 0
