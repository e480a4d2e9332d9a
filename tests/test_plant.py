"""The physics of the simulated site: responses, battery, balance, curtailment, agenda."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.plant.agenda import Agenda, Timer
from host_tools.plant.battery import Battery
from host_tools.plant.response import Response
from host_tools.plant.series import W_US_PER_WH, Series, constant
from host_tools.plant.site_model import SiteModel

SECOND = 1_000_000


def stepped(response, moves, end_us, step_us=50):
    """Follow a response by small steps, as somebody would who knows no closed form."""
    y, t_us, plus, minus = 0.0, 0, 0.0, 0.0
    target = 0.0
    moves = dict(moves)
    while t_us < end_us:
        target = moves.get(t_us, target)
        slope = (target - y) / response.tau_us
        if response.rate_w_per_us:
            slope = max(-response.rate_w_per_us, min(response.rate_w_per_us, slope))
        after = y + slope * step_us
        area = (y + after) / 2 * step_us
        plus, minus = (plus + area, minus) if area > 0 else (plus, minus - area)
        y, t_us = after, t_us + step_us
    return y, plus, minus


@pytest.mark.parametrize("rate", [0.0, 2e-4, 1e-2])
def test_a_response_is_what_small_steps_make_of_it(rate):
    response = Response(0.0, 50_000, rate)
    moves = [(100_000, 1000.0), (180_000, -500.0), (400_000, 300.0)]
    for t_us, target in moves:
        response.retarget(t_us, target)
    y, plus, minus = stepped(response, moves, 600_000)
    assert response.value(600_000) == pytest.approx(y, abs=2)
    assert response.integrals(0, 600_000) == (pytest.approx(plus, rel=5e-3), pytest.approx(minus, rel=5e-3))


def test_a_response_remembers_the_last_two_seconds():
    response = Response(0.0, 50_000)
    response.retarget(SECOND, 100.0)
    response.retarget(2 * SECOND, 0.0)
    assert response.value(SECOND // 2) == 0.0
    assert response.value(SECOND + 50_000) == pytest.approx(100 * (1 - math.exp(-1)))
    assert response.value(2 * SECOND + 50_000) == pytest.approx(100 * math.exp(-1))
    assert not response.settled(2 * SECOND + 50_000)
    assert response.settled(3 * SECOND)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 300_000), st.floats(-1e7, 1e7)), min_size=1, max_size=8),
       st.sampled_from([0.0, 1.0, 50.0]))
def test_integrals_of_a_response_add_up(moves, rate):
    response = Response(0.0, 50_000, rate)
    t_us = 0
    for step, target in moves:
        t_us += step
        response.retarget(t_us, target)
    middle, end = max(t_us - 100_000, 0), t_us + 400_000
    start = max(end - 1_800_000, 0)
    spans = ((start, middle), (middle, end), (start, end))
    first, second, whole = (response.integrals(*span) for span in spans)
    if start <= middle:
        for i in range(2):
            assert first[i] + second[i] == pytest.approx(whole[i], rel=1e-6, abs=1e3)
    ys = [response.value(start + i * (end - start) // 400) for i in range(401)]
    assert max(abs(y) for y in ys) <= max(abs(target) for _, target in moves) * (1 + 1e-9) + 1e-6


def test_dead_time_and_lag_of_the_battery():
    battery = Battery(1000, 1000)
    battery.command(SECOND, 800)
    battery.advance(3 * SECOND)
    assert battery.power(SECOND + 10_000) == 0
    assert battery.power(SECOND + 60_000) == pytest.approx(800 * (1 - math.exp(-1)))
    assert battery.power(3 * SECOND) == pytest.approx(800)


def test_energy_in_the_store_follows_the_efficiencies():
    battery = Battery(1_000_000, 1_000_000, charge_permille=900, discharge_permille=800)
    battery.command(0, -360_000)
    assert battery.stored_wh(100 * SECOND) == pytest.approx(
        500_000 + 0.9 * battery.counters_wh(100 * SECOND)[1])
    battery.command(100 * SECOND, 720_000)
    stored_wh = battery.stored_wh(200 * SECOND)
    out_wh, into_wh = battery.counters_wh(200 * SECOND)
    assert stored_wh == pytest.approx(500_000 + 0.9 * into_wh - out_wh / 0.8)
    assert out_wh == pytest.approx(720_000 * 100 / 3600, rel=2e-3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.floats(-3e5, 3e5)), min_size=1, max_size=12))
def test_neither_rating_nor_store_is_exceeded(commands):
    battery = Battery(100_000, 5_000)
    t_us = 0
    for seconds, power_w in commands:
        battery.command(t_us, power_w)
        for _ in range(10):
            t_us += seconds * SECOND // 10
            # the BMS looks every 100 ms and the PCS lags 50 ms: so much more may go in or out at full power
            assert -5 <= battery.stored_wh(t_us) <= 5_005
            assert abs(battery.power(t_us)) <= 100_000


def test_an_empty_battery_stops_and_takes_charge_again():
    battery = Battery(100_000, 1_000, soc_permille=10)
    battery.command(0, 100_000)
    battery.advance(60 * SECOND)
    assert battery.power(60 * SECOND) == pytest.approx(0, abs=1e-6)
    assert battery.soc_permille(60 * SECOND) == pytest.approx(0, abs=4)
    battery.command(60 * SECOND, -50_000)
    battery.advance(62 * SECOND)
    assert battery.power(62 * SECOND) == pytest.approx(-50_000)


def test_a_fault_opens_the_breaker_and_derating_is_silent():
    battery = Battery(1000, 1000)
    battery.command(0, 900)
    battery.limit(2 * SECOND, 300, False)
    battery.advance(4 * SECOND)
    assert battery.power(4 * SECOND) == pytest.approx(300)
    battery.limit(4 * SECOND, 300, True)
    assert battery.power(4 * SECOND) == 0
    battery.limit(5 * SECOND, None, False)
    battery.advance(7 * SECOND)
    assert battery.power(7 * SECOND) == pytest.approx(900)


def site(load, wind=None, pv=None, battery=None, rating_w=10_000):
    battery = battery or Battery(5_000, 1_000_000)
    return SiteModel(load, wind or constant(0), pv or constant(0), rating_w, battery)


def test_the_balance_holds_at_every_instant_and_in_energy():
    load = Series([0, 60 * SECOND, 61 * SECOND, 120 * SECOND], [4000, 9000, 2000, 5000])
    wind = Series([0, 90 * SECOND, 120 * SECOND], [1000, 8000, 0])
    model = site(load, wind, constant(500))
    model.battery.command(10 * SECOND, 3000)
    model.battery.command(70 * SECOND, -4000)
    for t_us in range(0, 121 * SECOND, SECOND):
        model.advance(t_us)
        supply = model.grid(t_us) + model.bess(t_us) + model.wind(t_us) + model.pv(t_us) + model.genset(t_us)
        assert supply == pytest.approx(model.load(t_us))
    areas = model.areas
    out_wh, into_wh = model.battery.counters_wh(120 * SECOND)
    net = areas["import"] - areas["export"] + areas["wind"] + areas["pv"] + (out_wh - into_wh) * W_US_PER_WH
    assert net == pytest.approx(areas["load"], rel=1e-9)
    assert areas["load"] == pytest.approx(load.integral(0, 120 * SECOND))
    assert areas["export"] > 0 and areas["import"] > 0


def test_import_and_export_are_split_at_the_crossing():
    model = site(Series([0, 10 * SECOND], [-1000, 1000]))
    model.advance(10 * SECOND)
    assert model.areas["export"] == pytest.approx(2500 * SECOND, rel=1e-6)
    assert model.areas["import"] == pytest.approx(2500 * SECOND, rel=1e-6)


def test_a_step_far_apart_equals_many_small_ones():
    def run(step_us):
        model = site(Series([0, 300 * SECOND], [0, 9000]), Series([0, 300 * SECOND], [6000, 0]))
        model.cap.retarget(20 * SECOND, 2500)
        for t_us in range(0, 300 * SECOND + 1, step_us):
            model.advance(t_us)
        return model.areas

    small, large = run(20_000), run(SECOND)
    for name in small:
        assert large[name] == pytest.approx(small[name], rel=2e-4, abs=SECOND)


def test_a_cap_curtails_with_its_lag_and_lets_go():
    model = site(constant(0), constant(8000))
    model.cap.retarget(10 * SECOND, 3000)
    assert model.wind(10 * SECOND) == 8000
    assert model.wind(11 * SECOND) == pytest.approx(3000 + 7000 * math.exp(-1))
    assert model.wind(30 * SECOND) == pytest.approx(3000, rel=1e-3)


def test_the_agenda_runs_in_order_and_stops_at_an_interrupt():
    agenda, ran = Agenda(), []
    for t_us, name in ((30, "c"), (10, "a"), (10, "b"), (50, "e")):
        agenda.at(t_us, ran.append, name)

    def stop(_):
        ran.append("d")
        agenda.interrupt = True

    agenda.at(40, stop)
    agenda.run(100)
    assert (ran, agenda.now_us) == (["a", "b", "c", "d"], 40)
    agenda.run(100)
    assert (ran[-1], agenda.now_us) == ("e", 100)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 200), st.booleans()), min_size=1, max_size=30))
def test_a_timer_rings_once_at_its_last_wish(wishes):
    agenda, rang = Agenda(), []
    timer = Timer(agenda, lambda: rang.append(agenda.now_us))
    expected, due, now = [], None, 0
    for pause, delay, stop in wishes:
        if due is not None and due <= now + pause:
            expected.append(due)
            due = None
        now += pause
        agenda.run(now)
        if stop:
            timer.stop()
            due = None
        else:
            due = now + delay
            timer.start(due)
    agenda.run(now + 1000)
    assert rang == expected + ([due] if due is not None else [])
