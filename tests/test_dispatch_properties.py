"""Properties of the dispatcher's parts against plain versions with integers of any size, and of the optimum."""

from array import array

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.control import carbon_plan, reserve, wind_chain
from firmware.control.battery import Battery
from firmware.control.carbon_plan import CarbonPlan
from firmware.control.demand_cap import DemandCap
from firmware.control.limits import Limits
from firmware.control.wear import Wear
from firmware.control.wind_chain import WindChain
from firmware.core.types import CLOCK_SYNCHRONISED, FRESH, ROLES, Snapshot
from firmware.core.utc import Utc
from host_tools.bench.edge_plan import Site, optimum

FULL = 1 << 19
SMALL = range(-(1 << 30), 1 << 30)
POWER = st.integers(-FULL, FULL)
_SLOW = (HealthCheck.too_slow,)  # long lists on a busy machine


@settings(max_examples=100, deadline=None, suppress_health_check=_SLOW)
@given(st.integers(0, FULL), st.integers(0, FULL), st.integers(0, 899_999), st.lists(
    st.tuples(st.integers(1, 60_000), POWER), min_size=1, max_size=60))
def test_property_who_keeps_to_the_cap_valid_now_keeps_the_demand_of_the_quarter(demand, cap, ms, steps):
    utc = Utc()
    utc.set(5, ms, CLOCK_SYNCHRONISED, 0)
    made = DemandCap(cap, demand)
    now = made.step(0, 0, utc)
    used = demand * (ms // 1000)
    quarter = 5
    for dt_ms, wish in steps:
        power = min(wish, now)
        utc.advance(dt_ms)
        inside_ms = utc.ms if utc.quarter != quarter else dt_ms
        used = (0 if utc.quarter != quarter else used) + max(power, 0) * inside_ms / 1000
        quarter = utc.quarter
        now = made.step(power, dt_ms, utc)
        assert 0 <= now <= cap
        left_s = 900 - utc.ms // 1000
        assert now == 0 or used + now * left_s <= 900 * demand + now + 900  # to the second it is reckoned by


def plain_need(course, cells):
    """Return what Reserve asks for, in plain words."""
    _, _, cap, bess, out, into, left, backup, *_, calm = cells
    total = worst = held = taken = 0
    for m, over in enumerate(course):
        if m < backup and over > 0:
            held += over * 1000 // out
        over -= cap
        over = over * 1000 // out if over > 0 else -(min(-over, bess) * into // 1000)
        taken += max(over, 0)
        if m == 0:
            over = over * left // 1000
        if m == 96:
            fills_again = total <= taken / 2 and not calm
        if m >= 96 and fills_again:
            over //= 2
        total += over
        worst = max(worst, total)
    return worst + held


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(POWER, min_size=192, max_size=192), st.integers(0, FULL), st.integers(1, FULL),
       st.integers(500, 1000), st.integers(500, 1000), st.integers(0, 1000), st.integers(0, 96), st.integers(0, 1))
def test_property_need_is_the_largest_sum_on_the_way(course, cap, bess, out, into, left, backup, calm):
    cells = array("i", [0, 0, cap, bess, out, into, left, backup] + [0] * 7 + [calm])
    assert reserve.need(cells, array("i", course)) == plain_need(course, cells)
    worst = array("i", [FULL] * 192)
    assert reserve.need(array("i", [0, 0, 0, bess, 500, into, 1000, 96] + [0] * 8), worst) in SMALL


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(st.integers(-0x7FFF, 0x7FFF), min_size=672, max_size=672), st.integers(0, 671), st.integers(1, 7),
       POWER, st.lists(st.integers(0, FULL), min_size=5, max_size=5), st.integers(0, 1024))
def test_property_a_day_is_carried_over_hour_by_hour(ring, pos, days, now, lows, fade):
    cells = array("i", [pos, 96 * days, 0, 0, 0, 0, 0, 0, now, fade] + lows)
    course = array("i", [0] * 192)
    assert reserve.carry_over(cells, array("h", ring), course) == 1
    above, low = max(now - 16 * ring[(pos - 96 * days) % 672], 0), 0
    for m in range(192):
        back = 96 * days if m < 96 * days else 96 * (days + 1)
        low = lows[m] if m < 5 else low * fade >> 10
        assert course[m] == 16 * ring[(pos - back + m) % 672] + above - low
        above -= (above + 3) // 4
    ring[(pos - 96 * days + 5) % 672] = -0x8000
    assert reserve.carry_over(cells, array("h", ring), course) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(st.integers(-0x8000, 0x7FFF), min_size=672, max_size=672), st.integers(0, 671), st.integers(1, 7))
def test_property_a_day_is_as_unlike_another_as_their_eves_are(ring, pos, days):
    def eve(back):
        return [ring[(pos - m - back) % 672] for m in range(1, 17)]

    now, then = eve(0), eve(96 * days)
    plain = sum(abs(a - b) for a, b in zip(now, then)) // 16
    if days == 7 or -0x8000 in now + then:
        plain = -1
    assert reserve.unlike(array("i", [pos, 96 * days]), array("h", ring)) == plain


RATINGS = {"bess_wh": 8_000_000, "charge_efficiency_permille": 938, "discharge_efficiency_permille": 938}


@settings(max_examples=25, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(st.integers(16, 10_000_000), min_size=6, max_size=24), st.integers(-FULL, FULL), st.integers(0, FULL),
       st.lists(st.integers(0, FULL), max_size=40), st.integers(0, 500_000), st.integers(1, 1_000_000))
def test_property_a_plan_stays_in_31_bits_and_inside_the_window(factors, load, wind, hours, wear, mwh):
    chain = WindChain(FULL)
    for power in hours:
        chain.add(power)
    battery = Battery({**RATINGS, "bess_wh": mwh * 1000}, {"soc_min_permille": 100, "soc_max_permille": 900}, FULL, 50)
    plan = CarbonPlan(battery, chain, FULL, wear)
    plan.take(7, factors)
    plan.begin(7)
    for _ in range(len(factors)):
        plan.work(lambda quarters: load, wind)
        assert all(0 <= value < 1 << 24 for value in plan._values)
        assert all(value in SMALL for value in plan._cells)
    assert plan.state == carbon_plan.KNOWN and not plan.work(None, wind)
    assert 100 <= plan.goal_permille <= plan.keep_permille <= 900


@settings(max_examples=40, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(st.integers(0, (1 << 24) - 1), min_size=136, max_size=136),
       st.lists(st.integers(0, FULL), max_size=300))
def test_property_what_is_expected_lies_between_what_may_come(values, hours):
    chain = WindChain(FULL)
    for power in hours:
        chain.add(power)
    expected = array("i", [0] * 17)
    for level in range(8):
        wind_chain.expect(chain.counts, array("i", values), level, expected)
        for i in range(17):
            column = values[i::17]
            assert min(column) <= expected[i] <= max(column)


@settings(max_examples=100, deadline=None, suppress_health_check=_SLOW)
@given(POWER, POWER, st.integers(0, 1000), st.integers(0, FULL), st.integers(0, FULL), st.integers(1, FULL))
def test_property_what_is_kept_is_given_for_the_import_cap_only(load, wind, soc, cap, free, bess):
    snap = Snapshot()
    snap.power_pu[0], snap.power_pu[3] = load, wind
    for role in range(ROLES):
        snap.state[role] = FRESH
    snap.soc_permille, snap.soc_state = soc, FRESH
    lim = Limits(bess, cap, FULL, 0, 1000)
    lim.update(snap, 0)
    low, high = lim.low_pu, lim.high_pu
    lim.free_pu = free
    lim.update(snap, 0)
    assert lim.low_pu == low and lim.high_pu == min(high, max(free, low))


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(st.lists(st.integers(0, 1000), max_size=300))
def test_property_wear_never_counts_more_than_the_way_the_charge_went(socs):
    wear = Wear()
    for soc in socs:
        wear.add(soc)
    way = sum(abs(b - a) for a, b in zip(socs, socs[1:]))
    assert wear.deep_permille <= wear.permille <= way // 2


POWERS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(POWERS, st.integers(0, 8), st.integers(0, 12), st.integers(0, 10))
def test_property_no_way_through_the_steps_costs_less_than_the_optimum(steps, bess, cap, start):
    """Without losses whole units are enough: every way of storing them is tried."""
    site = Site(cap, bess, 10, efficiency=1.0)
    load, wind, prices = zip(*steps)
    plan = optimum(site, load, wind, 1.0, start, 2.0, prices)
    costs = {start: 0.0}
    for taken, blown, price in steps:
        after = {}
        for stored, cost in costs.items():
            for change in range(-min(bess, stored), min(bess, 10 - stored) + 1):
                grid = max(taken - blown + change, 0)
                if change > 0 and grid > cap:
                    continue  # nobody charges with what the load does not get
                paid = cost + min(grid, cap) * price + max(grid - cap, 0) * 1e6
                if paid < after.get(stored + change, 1e18):
                    after[stored + change] = paid
        costs = after
    best = min(cost - 2.0 * stored for stored, cost in costs.items())
    assert plan.price + 1e6 * plan.unserved_kwh - 2.0 * plan.stored_kwh == pytest.approx(best, rel=1e-9, abs=1e-3)
