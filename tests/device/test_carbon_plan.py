"""The carbon plan and the chain of the wind on worked cases. One unit is a kilowatt, as at the edge site."""

from array import array

from firmware.control import carbon_plan
from firmware.control.battery import Battery
from firmware.control.carbon_plan import CarbonPlan
from firmware.control.wind_chain import VALUES, WindChain, expect

RATINGS = {"bess_wh": 8000, "charge_efficiency_permille": 938, "discharge_efficiency_permille": 938}


def battery():
    return Battery(RATINGS, {"soc_min_permille": 0, "soc_max_permille": 1000}, 4000, 1)


def plan(factors, load=1000, wind=0, wear=0, hours=()):
    chain = WindChain(8200)
    for power in hours:
        chain.add(power)
    made = CarbonPlan(battery(), chain, 100_000, wear)
    made.take(1000, factors)
    made.begin(1000)
    while made.work(lambda quarters: load, wind):
        pass
    return made


CALM = (0,) * 200


def test_the_plan_keeps_energy_for_the_dirty_hours_and_charges_in_the_clean_ones():
    clean_now = plan([100_000] + [500_000] * 23, hours=CALM)
    assert clean_now.state == carbon_plan.KNOWN
    assert clean_now.keep_permille > 900 and clean_now.goal_permille > 900
    dirty_now = plan([500_000] * 4 + [100_000] * 20, hours=CALM)
    assert dirty_now.keep_permille < 100 and dirty_now.goal_permille < 100
    even = plan([300_000] * 24, hours=CALM)  # nothing to be gained: what it stores comes back as less
    assert even.goal_permille == 0


def test_losses_and_wear_have_to_be_made_good():
    assert plan([300_000] + [330_000] * 23, hours=CALM).goal_permille == 0  # 10 % more later, 12 % lost
    assert plan([200_000] + [300_000] * 23, hours=CALM).goal_permille > 300
    assert plan([200_000] + [300_000] * 23, wear=50_000, hours=CALM).goal_permille == 0


def test_wind_to_come_leaves_room_for_it():
    factors = [200_000] + [300_000] * 23
    calm, windy = plan(factors, hours=CALM), plan(factors, wind=3000, hours=(3000, 500) * 100)
    assert windy.keep_permille < calm.keep_permille - 100 and windy.goal_permille < calm.goal_permille - 100


def test_within_the_hour_the_plan_follows_the_wind():
    factors = [200_000] + [300_000] * 23
    hours = (3000, 500) * 100
    made, windy = plan(factors, hours=hours), plan(factors, wind=3000, hours=hours)
    for wind, like in ((3000, windy), (0, plan(factors, hours=hours))):
        made.again()
        assert not made.work(None, wind)
        assert (made.keep_permille, made.goal_permille) == (like.keep_permille, like.goal_permille)
    made.take(1000, ())
    made.again()
    assert not made.work(None, 3000) and made.state == carbon_plan.STALE


def test_the_chain_learns_how_the_wind_goes_on_and_forgets_what_was_long_ago():
    chain = WindChain(8200)
    assert [chain.level(power) for power in (-5, 0, 100, 1000, 8200, 10_000)] == [0, 0, 1, 3, 7, 7]
    for _ in range(2000):
        chain.add(100)
        chain.add(4000)
    values, expected = array("i", [0] * (8 * VALUES)), array("i", [0] * VALUES)
    for i in range(VALUES):
        values[6 * VALUES + i] = 1000
    expect(chain.counts, values, 1, expected)
    assert min(expected) > 900 and max(chain.counts) < 256
    expect(chain.counts, values, 6, expected)
    assert max(expected) < 100


def test_factors_that_cannot_be_true_or_run_out_are_not_used():
    made = CarbonPlan(battery(), WindChain(8200), 1000, 0)
    assert made.state == carbon_plan.MISSING
    for factors in ([-1] * 24, [10_000_001] * 24, [0] * 24, [1000] * 25):
        made.take(1000, factors)
        assert made.state == carbon_plan.REJECTED
    made.take(1000, [300_000] * 24)
    made.begin(1018)
    assert made.state == carbon_plan.KNOWN
    made.begin(1019)  # five hours are too few
    assert made.state == carbon_plan.STALE and not made.work(None, 0)
    made.take(1000, ())
    assert made.state == carbon_plan.STALE
