"""Measure, limits, tracker and supervisor on worked cases, in site power units."""

from array import array

from firmware.control import reasons, states, supervisor
from firmware.control.limits import Limits, net_load_pu
from firmware.control.stale import FORM, Stale
from firmware.control.tracker import Tracker
from firmware.control.wind_limit import WindLimit
from firmware.core.types import (
    ABSENT,
    BESS,
    GRID,
    LOAD,
    MISSING,
    PV,
    STALE,
    WIND,
    Reading,
    Setpoint,
)
from firmware.site.measure import Measure

CONTROL = {"policy": "self_consumption", "baseline_s": 10, "soc_home_permille": 500, "homing_permille": 0,
           "trim_permille_per_s": 100}


class Pcs:
    def __init__(self):
        self.says = array("i", (1, 0, 0))  # ready, not local, no fault


class Site:
    """A measured site: readings by role, all fresh until told otherwise."""

    def __init__(self, **power):
        roles = {"load": LOAD, "grid": GRID, "bess": BESS, "wind": WIND, "pv": PV}
        self.readings = [None] * 6
        for name in power:
            self.readings[roles[name]] = reading(power[name])
        self.soc = reading(500)
        self.pcs = Pcs()
        self.measure = Measure(self.readings, self.soc, self.pcs, 3000)

    def at(self, now_ms, *silent):
        for role in range(6):
            if self.readings[role] is not None and role not in silent:
                self.readings[role].t_ms = now_ms
                self.readings[role].count += 1
        self.soc.t_ms = now_ms
        self.soc.count += 1
        return self.measure.update(now_ms)


def reading(value):
    made = Reading()
    made.value = value
    made.count = 1
    return made


def limits(bess=1000, imports=5000, exports=0):
    return Limits(bess, imports, exports, 100, 900)


def decide(site, snap, lim=None, wanted=None):
    """Run one whole decision; returns (setpoint, supervisor)."""
    lim = lim or limits()
    sup = wanted or supervisor.Supervisor(1 << 19)
    point = Setpoint()
    known = Stale([FORM] * 6, [1000] * 6, 0).update(sup, snap, site.measure.table, 1000)
    lim.update(snap, 0, known)
    sup.update(snap)
    Tracker(CONTROL, 1000).step(point, snap, lim, 1000)
    sup.apply(point, lim, 1000)
    return point, sup


def test_rising_load_discharges_and_surplus_wind_charges():
    site = Site(load=800, grid=300, bess=0, wind=500)
    point, sup = decide(site, site.at(1000))
    assert (point.bess_pu, point.reason, sup.state) == (300, reasons.FOLLOW, states.ON_GRID)
    site = Site(load=200, grid=-300, bess=0, wind=500)
    point, _ = decide(site, site.at(1000))
    assert point.bess_pu == -300


def test_rating_limits_and_says_so():
    site = Site(load=4000, grid=4000, bess=0)
    point, sup = decide(site, site.at(1000))
    assert (point.bess_pu, point.reason, sup.state) == (1000, reasons.RATING, states.LIMITED)


def test_power_fades_to_zero_at_both_ends_of_the_soc_window():
    for soc, load, wind, allowed, reason in (
            (100, 800, 0, 0, reasons.SOC_LOW), (99, 800, 0, 0, reasons.SOC_LOW), (103, 800, 0, 300, reasons.SOC_LOW),
            (110, 800, 0, 800, reasons.FOLLOW), (900, 0, 800, 0, reasons.SOC_HIGH),
            (896, 0, 800, -400, reasons.SOC_HIGH), (890, 0, 800, -800, reasons.FOLLOW)):
        site = Site(load=load, grid=load - wind, bess=0, wind=wind)
        site.soc.value = soc
        point, _ = decide(site, site.at(1000))
        assert (point.bess_pu, point.reason) == (allowed, reason), soc


def test_import_cap_raises_and_export_cap_lowers_the_set_point():
    site = Site(load=3000, grid=3000, bess=0)
    lim = limits(imports=2500)
    snap = site.at(1000)
    lim.update(snap, 0)
    assert (lim.low_pu, lim.low_reason) == (500, reasons.IMPORT_CAP)
    site = Site(load=300, grid=300, bess=0)
    lim = limits(exports=0)
    lim.update(site.at(1000), 0)
    assert (lim.high_pu, lim.high_reason) == (300, reasons.EXPORT_CAP)


def test_one_silent_meter_is_formed_from_the_others():
    site = Site(load=800, grid=250, bess=50, wind=500)
    site.at(1000)
    snap = site.at(5000, WIND)
    assert snap.state[WIND] == STALE and snap.power_pu[WIND] == 500
    site.readings[LOAD].value = 900
    snap = site.at(6000, WIND)
    assert snap.power_pu[WIND] == 600
    assert net_load_pu(snap) == 300
    point, sup = decide(site, snap)
    assert (sup.state, point.reason, point.bess_pu) == (states.DEGRADED, reasons.WIND_SILENT, 300)
    snap = site.at(10_000, LOAD)
    assert snap.state[LOAD] == STALE and snap.power_pu[LOAD] == 250 + 50 + 500


def test_two_silent_meters_take_the_battery_to_zero():
    site = Site(load=800, grid=300, bess=0, wind=500)
    site.at(1000)
    sup = supervisor.Supervisor(1 << 19)
    decide(site, site.at(2000), None, sup)
    point, sup = decide(site, site.at(6000, WIND, GRID), None, sup)
    assert (sup.state, point.reason, point.bess_pu) == (states.FAULT, reasons.BLIND, 0)


def test_stale_stays_stale_while_the_tick_wraps():
    site = Site(load=800, grid=800, bess=0)
    site.at(1000)
    snap = site.at(5000, LOAD)
    assert snap.state[LOAD] == STALE
    snap = site.measure.update(1500)  # a whole turn of the 30-bit tick later
    assert snap.state[LOAD] == STALE


def test_never_seen_is_missing_and_the_start_waits_then_goes_on():
    site = Site(load=800, grid=300, bess=0, wind=500)
    site.readings[WIND].count = 0
    sup = supervisor.Supervisor(1 << 19)
    snap = site.at(1000, WIND)
    assert snap.state[WIND] == MISSING
    point, sup = decide(site, snap, None, sup)
    assert (sup.state, sup.commands) == (states.START, False)
    point, sup = decide(site, site.at(12_000, WIND), None, sup)
    assert (sup.state, sup.commands) == (states.DEGRADED, True)


def test_the_grid_counts_with_the_mean_of_its_samples():
    site = Site(load=800, grid=10, bess=0)
    site.at(1000)
    for value in (20, 40, 90):
        site.readings[GRID].value = value
        site.readings[GRID].count += 1
        site.measure.sample_grid()
        site.measure.sample_grid()  # the same sample is not counted twice
    site.readings[GRID].value = 50
    snap = site.at(2000)
    assert (snap.grid_mean_pu, snap.power_pu[GRID]) == (50, 50)
    snap = site.measure.update(2100)
    assert snap.grid_mean_pu == 50


def test_absent_roles_are_exactly_zero():
    site = Site(load=800, grid=800, bess=0)
    snap = site.at(1000)
    assert snap.state[WIND] == ABSENT and snap.power_pu[WIND] == 0 and snap.all_fresh


def test_pcs_lost_local_fault_and_unknown_soc():
    cases = ((0, 0, states.FAULT, reasons.PCS_LOST, True),  # not ready
             (1, 1, states.LOCAL, reasons.PCS_LOCAL, False),
             (2, 1, states.FAULT, reasons.PCS_FAULT, True))
    for what, value, state, reason, commands in cases:
        site = Site(load=800, grid=800, bess=0)
        sup = supervisor.Supervisor(1 << 19)
        decide(site, site.at(1000), None, sup)
        site.pcs.says[what] = value
        point, sup = decide(site, site.at(2000), None, sup)
        assert (sup.state, point.reason, sup.commands, point.bess_pu) == (state, reason, commands, 0), what


def test_ramp_bounds_every_step_and_names_itself():
    site = Site(load=800, grid=800, bess=0)
    sup = supervisor.Supervisor(100)
    point, _ = decide(site, site.at(1000), None, sup)
    assert (point.bess_pu, point.reason) == (101, reasons.RAMP)
    point, _ = decide(site, site.at(2000), None, sup)
    assert point.bess_pu == 202


def test_trim_removes_what_no_meter_sees_and_freezes_when_the_pcs_does_not_follow():
    site = Site(load=800, grid=50, bess=800)
    tracker = Tracker(CONTROL, 4000)
    point = Setpoint()
    lim = limits()
    for second in range(1, 5):
        site.readings[BESS].value = point.bess_pu or 800
        snap = site.at(1000 * second)
        lim.update(snap, 0)
        if second == 1:
            point.bess_pu = 800
        lim.high_pu = 1000
        tracker.observe(point, snap, lim, 1000)
        tracker.step(point, snap, lim, 1000)
    assert 15 <= tracker.trim_pu <= 20
    held = tracker.trim_pu
    site.readings[BESS].value = 0
    snap = site.at(6000)
    tracker.observe(point, snap, lim, 1000)
    assert tracker.trim_pu == held


def test_trim_works_where_the_set_point_stands_at_the_export_cap():
    site = Site(load=800, grid=-40, bess=800)  # the grid meter reads 40 lower than the others make of it
    tracker = Tracker(CONTROL, 1000)
    point = Setpoint()
    lim = limits(exports=0)
    for second in range(1, 61):
        site.readings[BESS].value = point.bess_pu
        site.readings[GRID].value = 800 - point.bess_pu - 40
        snap = site.at(1000 * second)
        tracker.observe(point, snap, lim, 1000)
        lim.update(snap, tracker.trim_pu)
        tracker.step(point, snap, lim, 1000)
    assert -41 <= tracker.trim_pu <= -38 and 759 <= point.bess_pu <= 762


def test_smooth_policy_follows_the_baseline():
    control = dict(CONTROL)
    control["policy"] = "smooth"
    tracker = Tracker(control, 1000)
    point = Setpoint()
    lim = limits(exports=5000)
    site = Site(load=3000, grid=3000, bess=0)
    snap = site.at(1000)
    lim.update(snap, 0)
    tracker.step(point, snap, lim, 1000)
    assert (point.bess_pu, point.grid_target_pu) == (0, 3000)
    site.readings[LOAD].value = 3500
    snap = site.at(2000)
    lim.update(snap, 0)
    tracker.step(point, snap, lim, 1000)
    assert point.grid_target_pu == 3050 and point.bess_pu == 450 + tracker.trim_pu


def test_the_baseline_begins_at_the_first_whole_snapshot():
    control = dict(CONTROL)
    control["policy"] = "smooth"
    tracker = Tracker(control, 1000)
    point = Setpoint()
    lim = limits(exports=5000)
    site = Site(load=3000, grid=3000, bess=0)
    site.readings[LOAD].count = 0
    snap = site.at(1000, LOAD)
    lim.update(snap, 0)
    tracker.step(point, snap, lim, 1000)
    snap = site.at(2000)
    lim.update(snap, 0)
    tracker.step(point, snap, lim, 1000)
    assert (point.bess_pu, point.grid_target_pu) == (0, 3000)


def test_wind_limit_takes_all_there_is_room_for():
    point = Setpoint()
    wind = WindLimit(8000, 100)
    site = Site(load=2000, grid=2000, bess=0, pv=300)
    wind.step(point, site.at(1000), 1000)
    assert point.wind_limit_pu == 2000 - 300 + 1000 + 100
    wind.step(point, site.at(2000), 7950)
    assert point.wind_limit_pu == 8000
    wind.step(point, site.at(9000, LOAD, GRID), 1000)  # the load is not known: it counts as nothing
    assert point.wind_limit_pu == 1100
