"""The dispatcher on worked cases: demand cap, reserve, wear, and what they set."""

from firmware.control import reasons
from firmware.control.battery import Battery
from firmware.control.demand_cap import DemandCap
from firmware.control.dispatch import Dispatch
from firmware.control.limits import Limits
from firmware.control.reserve import Reserve
from firmware.control.tracker import Tracker
from firmware.control.wear import Wear
from firmware.core.types import ABSENT, BESS, CLOCK_SYNCHRONISED, FRESH, GRID, LOAD, ROLES, WIND, Setpoint, Snapshot
from firmware.core.utc import Utc

# One unit is a kilowatt: 4 MW and 8 MWh behind a cap of 1 MW, as at the edge site.
RATINGS = {"wind_w": 8200, "bess_w": 4000, "bess_wh": 8000, "charge_efficiency_permille": 938,
           "discharge_efficiency_permille": 938}
CAPS = {"grid_import_w": 1000, "grid_export_w": 0, "demand_w": None, "soc_min_permille": 0, "soc_max_permille": 1000}
CONTROL = {"policy": "self_consumption", "baseline_s": 10, "soc_home_permille": 500, "homing_permille": 0,
           "trim_permille_per_s": 20}
POLICY = {"reserve": "banded", "reserve_permille": 150, "reserve_margin_permille": 0, "wind_fade_permille": 800,
          "backup_min": 0, "grid_charging": 1, "carbon": "off", "wear_mg_per_kwh": 0}
NO_WIND = (0, 0, 0, 0, 0)
DAY = 96


def changed(what, **changes):
    made = dict(what)
    made.update(changes)
    return made


def clock(quarter, ms=0):
    made = Utc()
    made.set(quarter, ms, CLOCK_SYNCHRONISED, 0)
    return made


def battery(caps=CAPS):
    return Battery(RATINGS, caps, 4000, 1)


def test_the_demand_cap_spreads_what_is_left_of_the_quarter():
    cap, utc = DemandCap(2000, 1000), clock(8)
    assert cap.step(0, 0, utc) == 1000
    for _ in range(450):  # half a quarter at half the demand leaves half as much again
        utc.advance(1000)
        now = cap.step(500, 1000, utc)
    assert now == 1500
    for _ in range(400):
        utc.advance(1000)
        now = cap.step(now, 1000, utc)
    assert 1490 <= now <= 1500
    for _ in range(50):  # the next one begins anew, with what was imported since it began
        utc.advance(1000)
        now = cap.step(900, 1000, utc)
    assert utc.ms == 0 and now == 1000


def test_the_demand_cap_counts_what_it_has_not_seen_as_the_demand():
    assert DemandCap(2000, 1000).step(0, 1000, clock(8, 600_000)) == 1000
    unknown = Utc()
    cap = DemandCap(2000, 1000)
    assert cap.step(0, 1000, unknown) == 1000 and cap.step(5000, 1000, unknown) == 1000
    assert DemandCap(2000, None).step(5000, 1000, unknown) == 2000
    set_back = clock(8, 300_000)
    cap.step(0, 0, set_back)
    set_back.set(9, 450_000, CLOCK_SYNCHRONISED, 0)
    assert cap.step(0, 1000, set_back) == 1000


def test_a_quarter_that_has_used_up_its_demand_imports_nothing():
    cap, utc = DemandCap(4000, 1000), clock(8)
    cap.step(0, 0, utc)
    for _ in range(300):
        utc.advance(1000)
        now = cap.step(4000, 1000, utc)
    assert now == 0


def learned(load, days=1, policy=POLICY):
    """Return a Reserve that has seen `load(quarter of the day)` for so many days, and the quarter it is then."""
    reserve = Reserve(policy, battery())
    for quarter in range(days * DAY + 1):
        for _ in range(15):
            reserve.add(load(quarter % DAY), 60_000, quarter)
    return reserve, days * DAY


def look(reserve, lows=NO_WIND, cap=1000):
    for _ in range(7):
        reserve.look(lows, cap, 0)
    return reserve.permille


def test_the_reserve_is_the_fixed_one_until_days_are_known():
    reserve = Reserve(POLICY, battery())
    assert reserve.permille == 150 and look(reserve) == 150
    reserve, _ = learned(lambda q: 900, 1)
    assert look(reserve) == 150
    reserve, _ = learned(lambda q: 900, 4)
    assert look(reserve) == 0
    assert Reserve(changed(POLICY, reserve="off"), battery()).permille == 0


def test_the_reserve_covers_what_a_day_takes_above_the_cap():
    # 1,300 kW for four hours: 1,200 kWh, 1,279 of them stored, 160 permille of 8 MWh.
    reserve, now = learned(lambda q: 1300 if q < 16 else 500, 4)
    assert 158 <= look(reserve) <= 162
    # Four hours of 300 kW too much, half a day later, can be charged before: nothing has to be there now.
    reserve, now = learned(lambda q: 1300 if 48 <= q < 64 else 500, 4)
    assert look(reserve) == 0


def test_a_gap_that_no_night_fills_again_is_kept_for_two_days():
    reserve, now = learned(lambda q: 1056, 4)  # 56 kW for two days: 2,688 kWh, 2,866 of them stored
    assert 352 <= look(reserve) <= 360
    reserve, now = learned(lambda q: 1056 if q < 48 else 900, 4)  # 672 kWh, and they come back
    assert 86 <= look(reserve) <= 92


def test_a_load_that_repeats_itself_is_kept_for_and_no_other():
    def load(quarter):  # every other day begins with four hours above the cap, and those before end a little higher
        if quarter // DAY % 2:
            return 1300 if quarter % DAY < 16 else 500
        return 600 if quarter % DAY >= 80 else 500

    def seen(evening, days):
        reserve = Reserve(POLICY, battery())
        for quarter in range(days * DAY + 1):
            eve = quarter >= days * DAY - 16
            for _ in range(15):
                reserve.add(evening if eve and evening else load(quarter), 60_000, quarter)
        return look(reserve)

    assert 158 <= seen(None, 5) <= 162  # the eve was like the two before such days
    assert seen(None, 6) == 0  # and this one like the other two
    assert 158 <= seen(560, 6) <= 162  # like none: each of them may be the next
    assert seen(510, 6) == 0


def test_a_weak_wind_lowers_the_reserve_and_backup_raises_it():
    still = look(learned(lambda q: 1300 if q < 16 else 500, 4)[0])
    windy = look(learned(lambda q: 1300 if q < 16 else 500, 4)[0], (600, 500, 400, 400, 400))
    assert windy < still - 30
    held = look(learned(lambda q: 1300 if q < 16 else 500, 4, changed(POLICY, backup_min=60))[0])
    assert still + 170 <= held <= still + 176  # an hour of 1,300 kW besides


def test_a_clock_that_is_set_makes_the_days_unknown():
    reserve, now = learned(lambda q: 1300 if q < 16 else 500, 4)
    reserve.add(500, 1000, now + 5)
    assert look(reserve) == 150


def test_a_clock_that_is_set_by_less_than_an_hour_leaves_the_days_known():
    for by in (-4, -1, 2, 4):
        reserve, now = learned(lambda q: 1300 if q < 24 else 500, 4)
        reserve.add(500, 1000, now + by)
        assert look(reserve) > 190, "the days ask for it, not the fixed reserve of 150"


def test_wear_counts_half_cycles_by_their_depth():
    wear = Wear()
    for soc in [500, 505, 500, 495, 500] + list(range(500, 901, 5)) + list(range(900, 399, -5)) + [440, 900]:
        wear.add(soc)
    assert wear.half_cycles == 2  # up by 405, down by 500; the last way up has not ended
    assert wear.permille == 450 + 2 and wear.deep_permille == 82 + 125
    for soc in (890, 895, 888, 900, 885):  # noise around the top
        wear.add(soc)
    assert wear.half_cycles == 2


class Site:
    """Limits, tracker, set point, clock and dispatcher of the site, and a snapshot that is all fresh."""

    def __init__(self, policy=POLICY, caps=CAPS):
        self.setpoint, self.utc = Setpoint(), clock(400_000)
        self.setpoint.wind_limit_pu = 8200
        self.limits = Limits(4000, caps["grid_import_w"], 0, 0, 1000)
        self.tracker = Tracker(CONTROL, 4000)
        self.notes = []
        self.dispatch = Dispatch({"dispatch": policy, "limits": caps, "ratings": RATINGS}, self, int, 1)
        self.snap = snap = Snapshot()
        for role in range(ROLES):
            snap.state[role] = FRESH if role in (LOAD, GRID, BESS, WIND) else ABSENT
        snap.soc_state, snap.all_fresh = FRESH, 1

    def step(self, soc, load=900, wind=0, dt_ms=1000):
        snap = self.snap
        snap.now_ms += dt_ms
        self.utc.advance(dt_ms)
        snap.soc_permille = soc
        snap.power_pu[LOAD], snap.power_pu[WIND] = load, wind
        snap.power_pu[GRID] = snap.grid_mean_pu = load - wind
        self.dispatch.step(snap, self.note)
        self.limits.update(snap, 0)
        self.tracker.step(self.setpoint, snap, self.limits, dt_ms)
        return self.setpoint.bess_pu, self.setpoint.reason

    def note(self, source, code, text):
        self.notes.append(code)


def test_above_the_reserve_all_is_free_and_below_it_the_battery_is_charged():
    site = Site(changed(POLICY, reserve="constant"))
    assert site.step(500) == (900, reasons.FOLLOW)
    assert site.step(154)[0] == 900
    power, reason = site.step(150)
    assert (power, reason) == (0, reasons.RESERVE)
    power, reason = site.step(140)
    assert reason == reasons.RESERVE_CHARGE and -100 <= power <= -90  # up to the cap, less a little
    assert site.step(149)[1] == reasons.RESERVE_CHARGE and site.step(150)[1] == reasons.RESERVE
    site = Site(changed(POLICY, reserve="constant", grid_charging=0))
    assert site.step(140) == (0, reasons.RESERVE)


def test_the_reserve_is_there_for_the_import_cap():
    site = Site(changed(POLICY, reserve="constant"))
    power, reason = site.step(140, load=1300)
    assert (power, reason) == (300, reasons.IMPORT_CAP)
    assert site.step(140, load=500, wind=800)[0] <= -300  # surplus is stored as ever


def test_an_island_has_no_reserve():
    site = Site(changed(POLICY, reserve="constant"))
    site.dispatch.islanded = True
    assert site.step(140) == (900, reasons.FOLLOW)


def test_the_demand_cap_narrows_the_import_and_says_so():
    site = Site(changed(POLICY, reserve="off"), changed(CAPS, grid_import_w=4000, demand_w=1000))
    for _ in range(302):
        power, reason = site.step(0, load=3000)  # nothing to give: all is imported
    assert site.limits.import_pu == 0
    power, reason = site.step(500, load=3000)
    assert (power, reason) == (3000, reasons.FOLLOW)
    site.limits.free_pu = 0
    site.limits.update(site.snap, 0)
    assert site.limits.low_pu == 3000 and site.limits.low_reason == reasons.DEMAND_CAP


def test_with_factors_it_holds_and_charges_and_without_it_is_greedy():
    site = Site(changed(POLICY, reserve="off", carbon="day_ahead"), changed(CAPS, grid_import_w=4000))
    assert site.step(500) == (900, reasons.FOLLOW) and site.notes == ["FACTORS_MISSING"]
    hour = site.utc.quarter // 4
    site.dispatch.foresee(hour, [100_000] + [500_000] * 23)
    for _ in range(30):
        power, reason = site.step(500)
    assert reason == reasons.CARBON_CHARGE and power < -2900
    site.utc.advance(900_000)
    kept = site.dispatch.carbon.keep_permille
    site.step(500, wind=8000)
    assert site.dispatch.carbon.keep_permille < kept  # so much wind is not there to last one hour only
    site.dispatch.foresee(hour, [500_000] * 4 + [100_000] * 20)
    for _ in range(30):
        power, reason = site.step(500)
    assert (power, reason) == (900, reasons.FOLLOW)
    site.dispatch.foresee(hour, [5] * 24)
    assert site.step(500) == (900, reasons.FOLLOW)
    assert site.notes == ["FACTORS_MISSING", "FACTORS_KNOWN", "FACTORS_REJECTED"]
