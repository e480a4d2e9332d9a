"""Why a genset runs: every condition with its start value, stop value and times, one beside the other."""

from firmware.control import genset, reasons
from firmware.control import genset_wants as why
from firmware.control.genset import START, STOP
from tests.genset_bench import THURSDAY_MIN, Bench


def test_it_starts_for_the_charge_and_stops_when_that_is_reached():
    bench = Bench()
    bench.soc = 300
    bench.go(200)
    assert bench.genset.state == genset.RESTING  # the grid is there
    bench.lost_s = 1
    assert 30 <= bench.until(genset.STARTING) <= 33
    assert bench.genset.reason == reasons.GENSET_FOR_SOC
    assert 30 <= bench.until(genset.CARRYING) <= 33
    bench.soc = 500
    bench.go(2000)
    assert bench.genset.state == genset.CARRYING and bench.genset.carries
    bench.soc = 800
    bench.until(genset.COOLING, 3)
    assert bench.genset.cools and bench.genset.reason == reasons.GENSET_NOT_NEEDED
    assert 30 <= bench.until(genset.STOPPING) <= 32
    bench.until(genset.RESTING, 5)
    assert [one for i, one in enumerate(bench.sent) if not i or bench.sent[i - 1] != one] == [START, STOP]


def test_each_condition_is_remembered_beside_the_others():
    bench = Bench(load_start_w=8000, load_stop_w=5000, loss_start_s=1000)
    bench.start()
    bench.net_w = 9000
    bench.go(400)
    bench.soc = 850
    bench.go(400)
    assert bench.genset.wants.counting == 1 << why.FOR_LOAD
    bench.go(600)
    assert bench.genset.wants.counting == 1 << why.FOR_LOAD | 1 << why.FOR_LOSS
    bench.net_w = 3000
    bench.go(400)
    assert bench.genset.wants.counting == 1 << why.FOR_LOSS and bench.genset.state == genset.CARRYING
    bench.lost_s = 0
    bench.until(genset.COOLING, 3)


def test_quiet_hours_put_a_start_off_and_never_let_the_battery_run_out():
    bench = Bench(quiet_from_min=1320, quiet_to_min=360)
    bench.lost_s, bench.soc, bench.minute = 1, 300, THURSDAY_MIN + 1400
    bench.go(3600)
    assert bench.genset.state == genset.RESTING
    bench.soc = 200
    assert 30 <= bench.until(genset.STARTING) <= 33
    bench.until(genset.CARRYING)
    bench.soc = 300
    bench.until(genset.COOLING, 901)  # the quiet hours have a stop value of their own
    bench = Bench(quiet_from_min=1320, quiet_to_min=360, soc_delay_s=3600)
    bench.lost_s, bench.soc, bench.minute = 1, 150, THURSDAY_MIN + 1400
    bench.until(genset.STARTING, 2)
    assert bench.genset.reason == reasons.GENSET_FOR_LIFE
    bench = Bench(quiet_from_min=1320, quiet_to_min=360)
    bench.lost_s, bench.soc, bench.minute = 1, 300, -1
    bench.until(genset.STARTING, 40)  # the hour is not known


def test_quiet_hours_over_midnight_and_within_the_day():
    over = Bench(quiet_from_min=1320, quiet_to_min=360).genset.wants
    within = Bench(quiet_from_min=600, quiet_to_min=700).genset.wants
    none = Bench().genset.wants
    for minute, first, second in ((0, True, False), (359, True, False), (360, False, False), (650, False, True),
                                  (700, False, False), (1319, False, False), (1320, True, False)):
        day = THURSDAY_MIN + minute
        assert (over.quiet(day), within.quiet(day), none.quiet(day)) == (first, second, False), minute


def test_what_is_unknown_follows_the_owners_choice():
    for choice, expected in (("start", genset.CARRYING), ("stop", genset.RESTING), ("keep", genset.RESTING)):
        bench = Bench(on_soc_loss=choice)
        bench.lost_s, bench.soc = 1, -1
        bench.go(200)
        assert bench.genset.state == expected, choice
    for choice, expected in (("start", genset.CARRYING), ("stop", genset.RESTING), ("keep", genset.CARRYING)):
        bench = Bench(on_soc_loss=choice)
        bench.start()
        bench.soc = -1
        bench.go(2000)
        assert bench.genset.state == expected, choice


def test_low_on_fuel_it_starts_for_what_cannot_wait_only():
    bench = Bench()
    bench.lost_s, bench.soc, bench.fuel = 1, 300, 50
    bench.go(600)
    assert bench.genset.state == genset.RESTING and bench.genset.wants.low_on_fuel
    bench.soc = 150
    bench.until(genset.CARRYING, 60)
    bench = Bench()
    bench.lost_s, bench.soc, bench.fuel = 1, 300, -1
    bench.until(genset.CARRYING, 100)


def test_a_run_by_hand_ends_by_itself():
    bench = Bench(min_run_s=0)
    bench.genset.wants.hand_s = 500
    bench.until(genset.CARRYING, 60)
    assert bench.told[0] == reasons.GENSET_BY_HAND
    assert 460 <= bench.until(genset.COOLING) <= 500


def test_it_runs_for_a_test_on_its_day_once_and_after_a_restart_too():
    bench = Bench(test_days=7, test_s=600, min_run_s=0)
    runs = []
    first = THURSDAY_MIN - THURSDAY_MIN // 1440 % 7 * 1440 + 7 * 1440
    for day in range(15):
        for minute in range(0, 1440):
            bench.minute = first + day * 1440 + minute
            state = bench.genset.state
            bench.go(1, 60_000)
            if bench.genset.state == genset.STARTING and state != genset.STARTING:
                runs.append((day, minute))
    assert runs == [(0, 600), (7, 600), (14, 600)]
    assert bench.genset.state == genset.RESTING and bench.genset.starts == 3


def test_a_long_run_is_as_good_as_a_test():
    bench = Bench(test_days=1, test_s=600)
    bench.start()
    bench.minute = THURSDAY_MIN + 590
    bench.go(700)
    bench.minute = THURSDAY_MIN + 601
    bench.soc = 900
    bench.until(genset.RESTING, 2000)
    bench.go(100)
    assert bench.genset.state == genset.RESTING


def test_a_test_that_cannot_be_had_is_given_up_after_its_hour():
    bench = Bench(test_days=1)
    bench.obeys = False
    for minute in range(590, 800):
        bench.minute = THURSDAY_MIN + minute
        bench.go(60)
    assert bench.genset.state in (genset.RESTING, genset.LOCKED) and not bench.genset.wants.holding


def test_time_steps_of_any_length_lead_to_the_same():
    for dt_ms in (200, 1000, 7000, 60_000):
        bench = Bench()
        bench.lost_s, bench.soc = 1, 300
        t_ms = 0
        while bench.genset.state != genset.CARRYING:
            bench.go(1, dt_ms)
            t_ms += dt_ms
        assert 60_000 <= t_ms <= 64_000 + 4 * dt_ms, dt_ms
