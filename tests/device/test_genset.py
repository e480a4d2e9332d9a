"""The genset's state machine: how it starts and stops, and every way in which it goes wrong."""

from firmware.control import genset, reasons
from firmware.control.genset import ALARM, ANSWERS, LOADED, RUNS, STOP
from tests.genset_bench import WELL, Bench


def test_the_shortest_run_is_kept():
    bench = Bench()
    bench.start()
    bench.soc = 850
    assert 895 <= bench.until(genset.COOLING) <= 901


def test_the_longest_run_ends_and_it_rests():
    bench = Bench(max_run_s=2000, no_gain_s=80_000)
    bench.start()
    assert 1995 <= bench.until(genset.COOLING) <= 2001
    assert bench.genset.reason == reasons.GENSET_LONGEST_RUN
    bench.until(genset.RESTING)
    assert 3300 <= bench.until(genset.STARTING) <= 3600


def test_the_longest_run_goes_on_where_nobody_else_can_carry_the_load():
    bench = Bench(max_run_s=2000)
    bench.start()
    bench.alone = True
    bench.go(8000)
    assert bench.genset.state == genset.CARRYING


def test_a_stop_value_that_is_never_reached_ends_the_run():
    bench = Bench()
    bench.start()
    bench.soc = 600
    bench.go(3000)
    assert bench.genset.state == genset.CARRYING
    assert 590 <= bench.until(genset.COOLING) <= 610
    assert bench.genset.reason == reasons.GENSET_IN_VAIN


def test_it_starts_at_once_where_the_battery_cannot_carry_the_load():
    bench = Bench(warmup_s=600)
    bench.lost_s, bench.alone = 1, True
    bench.until(genset.CARRYING, 5)
    assert bench.told == [reasons.GENSET_FOR_LIFE, reasons.GENSET_WARMS, reasons.GENSET_AT_ONCE]


def test_a_start_is_tried_as_often_as_may_be_and_again_after_a_long_pause():
    bench = Bench()
    bench.obeys = False
    bench.lost_s, bench.soc = 1, 300
    bench.until(genset.LOCKED)
    again = [reasons.GENSET_DID_NOT_START, reasons.GENSET_AGAIN]
    assert bench.told == [reasons.GENSET_FOR_SOC] + again + again + [reasons.GENSET_LOCKED]
    assert bench.genset.starts == bench.genset.failed_starts == 3 and bench.genset.failed
    assert bench.sent[-1] == STOP  # a key that holds is taken back
    assert 899 <= bench.until(genset.RESTING) <= 901
    bench.obeys = True
    bench.until(genset.CARRYING, 60)
    bench.go(61)
    assert bench.genset.tries == 0 and not bench.genset.failed


def test_a_start_that_the_second_try_brings_is_no_failure_for_long():
    bench = Bench()
    bench.obeys = False
    bench.lost_s, bench.soc = 1, 300
    bench.until(genset.PAUSING)
    bench.obeys = True
    bench.until(genset.CARRYING, 100)
    assert bench.genset.tries == 2
    bench.go(61)
    assert bench.genset.tries == 0


def test_an_engine_that_stops_by_itself_is_started_again():
    bench = Bench()
    bench.start()
    bench.status &= ~RUNS
    bench.until(genset.PAUSING, 4)
    assert bench.genset.reason == reasons.GENSET_DIED and bench.genset.failed_starts == 1
    bench.until(genset.CARRYING, 70)


def test_a_genset_that_somebody_commands_on_the_spot_is_left_alone():
    bench = Bench()
    bench.start()
    sent = len(bench.sent)
    bench.status = ANSWERS | RUNS
    bench.until(genset.ON_THE_SPOT, 2)
    bench.status = ANSWERS  # and stopped there
    bench.go(600)
    assert len(bench.sent) == sent and not bench.genset.carries
    bench.status = WELL
    bench.until(genset.RESTING, 5)
    bench.until(genset.CARRYING, 60)


def test_a_genset_that_somebody_starts_is_noticed_and_taken_over_when_needed():
    bench = Bench()
    bench.status |= RUNS | LOADED
    bench.until(genset.OUTSIDE, 2)
    bench.go(600)
    assert bench.sent == [] and bench.genset.carries
    bench.lost_s, bench.soc = 1, 300
    bench.until(genset.CARRYING, 40)
    assert bench.genset.reason == reasons.GENSET_TAKEN_OVER


def test_an_alarm_is_never_reset_from_afar():
    bench = Bench()
    bench.start()
    bench.status = WELL | ALARM
    bench.until(genset.ALARMED, 2)
    bench.go(7200)
    assert bench.genset.state == genset.ALARMED and bench.sent[-1] == STOP and bench.genset.failed
    bench.status = WELL
    bench.until(genset.CARRYING, 60)


def test_a_controller_that_does_not_answer_is_found_again_with_its_engine_running():
    bench = Bench()
    bench.start()
    bench.status = LOADED
    bench.go(600)
    assert bench.genset.state == genset.UNREACHED and bench.genset.carries  # its meter says so
    bench.status = WELL | RUNS | LOADED
    bench.until(genset.CARRYING, 2)
    bench.status = LOADED
    bench.go(10)
    bench.lost_s, bench.soc = 0, 900
    bench.status = WELL | RUNS | LOADED
    bench.go()
    assert bench.genset.state == genset.COOLING and bench.genset.reason == reasons.GENSET_FOUND_RUNNING
    bench.until(genset.RESTING, 200)


def test_an_engine_that_will_not_stop_is_told_again():
    bench = Bench()
    bench.start()
    bench.lost_s = 0
    bench.obeys = False
    bench.until(genset.STOPPING, 2000)
    sent = len(bench.sent)
    bench.go(290)
    assert len(bench.sent) - sent == 58
    bench.go(20)
    assert bench.genset.reason == reasons.GENSET_WILL_NOT_STOP


def test_a_run_of_the_boards_own_is_ended_when_the_panel_gives_it_back():
    bench = Bench()
    bench.start()
    bench.status = ANSWERS | RUNS
    bench.go(10)
    bench.lost_s, bench.soc, bench.status = 0, 900, WELL | RUNS
    bench.go()
    assert bench.genset.state == genset.COOLING and bench.genset.reason == reasons.GENSET_FOUND_RUNNING
    bench.until(genset.RESTING, 200)
    assert bench.sent[-1] == STOP


def test_in_the_dark_it_is_tried_again_sooner():
    bench = Bench()
    bench.obeys = False
    bench.lost_s, bench.alone = 1, True
    bench.until(genset.LOCKED)
    assert 118 <= bench.until(genset.STARTING) <= 122
