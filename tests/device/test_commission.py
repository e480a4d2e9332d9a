"""site.commission_*: the estimator, the codes, a step's figures and the plan, on every runtime alike."""

from firmware.core.errors import ConfigError
from firmware.site import commission_estimate as e
from firmware.site.commission_plan import Plan
from firmware.site.commission_response import analyse, crossing


def _blocks(load, response, step=1000):
    """Return the estimates of a meter that shows `response` permille of a PCS beside a load, a function of time."""
    found = []
    for block in range(len(load) // 4):
        means = [load[4 * block + i] + response * step * e.sign(block, i) // 1000 for i in range(4)]
        did = e.contrast(block, [step * e.sign(block, i) for i in range(4)])
        found.append(e.permille(e.contrast(block, means), did))
    return found


def test_a_block_is_blind_to_a_load_that_drifts_in_a_straight_line():
    for slope in (0, 7, -130):
        assert _blocks([slope * t for t in range(16)], -1000) == [-1000] * 4


def test_every_second_block_stands_on_its_head():
    assert [e.sign(0, i) for i in range(4)] == [1, -1, -1, 1]
    assert [e.sign(1, i) for i in range(4)] == [-1, 1, 1, -1]
    assert [e.sign(3, i) for i in range(4)] == [1, -1, -1, 1]


def test_a_missing_level_makes_no_estimate():
    assert e.contrast(0, [1, None, 1, 1]) is None


def test_the_interval_is_wide_while_blocks_disagree():
    assert e.response([-1000]) is None
    assert e.response([-1000] * 4) == (-1000, 10)
    centre, half = e.response([-1200, -800, -1100, -900])
    assert centre == -1000 and half > 400
    assert e.judge((centre, half), -1000) == e.UNCERTAIN


def test_one_step_of_the_load_spoils_one_block_and_not_the_estimate():
    centre, half = e.response([-1000, -1004, -996, 3000, -1002, -998, -1001, -999])
    assert abs(centre + 1000) <= 5 and half < 100


def test_the_codes_of_a_total():
    for factor, code in ((1000, e.OK), (1040, e.OK), (2000, e.RATIO), (500, e.RATIO), (333, e.ONE_REVERSED),
                         (0, e.NO_RESPONSE), (-333, e.TWO_REVERSED), (-500, e.WRONG_PHASE), (-1000, e.REVERSED),
                         (-2000, e.RATIO), (850, e.RATIO)):
        assert e.judge((factor, 10), 1000) == code, factor
        assert e.judge((-factor, 10), -1000) == code, factor


def test_the_codes_of_a_phase():
    for factor, code in ((1000, e.OK), (-1000, e.REVERSED), (-500, e.WRONG_PHASE), (500, e.WRONG_PHASE),
                         (0, e.NO_RESPONSE)):
        assert e.judge((-factor, 10), -1000, True) == code, factor


def test_no_response_is_told_from_some():
    assert e.judge_none((0, 10)) == e.judge_none((100, 100)) == e.OK
    assert e.judge_none((200, 100)) == e.UNCERTAIN
    assert e.judge_none((-1000, 30)) == e.RATIO


def test_a_root_is_rounded_up():
    for n in (0, 1, 2, 3, 4, 5, 99, 100, 101, 1 << 40, (1 << 40) + 1):
        x = e.root(n)
        assert x * x >= n and (x == 0 or (x - 1) * (x - 1) < n)


def test_a_step_is_read_off_its_trace():
    # dead 100 ms, then a ramp of 10 units a ms to 1000, seen every 20 ms
    trace = [(t, min(max(10 * (t - 100), 0), 1000)) for t in range(20, 1000, 20)]
    dead_ms, response_ms, ramp = analyse(trace, 0, 1000)
    assert (dead_ms, response_ms) == (105, 190)
    assert ramp == 10_000
    down = [(t, 1000 - value) for t, value in trace]
    assert analyse(down, 1000, 0) == (105, 190, 10_000)


def test_a_jump_between_two_samples_has_no_ramp():
    assert analyse([(20, 0), (40, 1000), (60, 1000)], 0, 1000)[2] == 0


def test_no_step_has_no_figures():
    assert analyse([(20, 0)], 0, 0) is None
    assert analyse([], 0, 10) is None
    assert crossing([(0, 0), (10, 5)], 7, True) is None


def _config(bess_w=4_000_000):
    return {"ratings": {"bess_w": bess_w}, "pcs": {"reversion_s": 60}, "devices": [0] * 5, "buses": [0]}


def test_the_plan_keeps_power_and_time_within_what_is_permitted():
    plan = Plan(_config(), {})
    assert (plan.step_w, plan.max_w, plan.reversion_limit_s) == (200_000, 800_000, 240)
    assert [line[0] for line in plan.lines] == ["find", "direction", "response", "reversion", "zero"]
    assert max(line[2] for line in plan.lines) == plan.max_w
    plan = Plan(_config(), {"step_permille": 100, "max_permille": 30, "steps": ["reversion"], "scan": [1, 2]})
    assert plan.step_w == plan.max_w == 120_000
    assert [line[0] for line in plan.lines] == ["scan", "find", "reversion", "zero"]


def test_the_plan_refuses_what_it_does_not_know():
    for options in ({"steps": ["dance"]}, {"step_permille": 0}, {"max_permille": 1001}, {"scan": [248]}):
        try:
            Plan(_config(), options)
        except ConfigError as error:
            assert error.code == "OPTION"
        else:
            raise AssertionError(options)
