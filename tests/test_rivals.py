"""The laws that ours is compared with: lag makes of each what it is known for, and no bound is above its law."""

import math
from dataclasses import replace

import pytest

from host_tools.bench import control_laws, control_table, delay_bound, edge_control, edge_plan, rivals, tracking

_STEP_MS = 100
_SETTLED = 0.05
_LOAD_W, _LIMIT_W = 50e3, 100e3


def _after_step(law, meter_cycles, pcs_cycles, seconds=600):
    """Return (seconds until a step of 50 kW stays within 5 %, or None; the battery's peak in kW); no lag of the PCS."""
    load = [0.0] * 50 + [_LOAD_W] * (seconds * 10)
    way = rivals.Way(1000, 1000 * meter_cycles, 1000 * pcs_cycles, lag_ms=0)
    grid = rivals.follow(law, load, [0.0] * len(load), way, _STEP_MS, _LIMIT_W)
    off = [i for i, power in enumerate(grid) if abs(power) > _SETTLED * _LOAD_W]
    settled_s = None if off[-1] > len(grid) - 200 else (off[-1] + 1 - 50) / 10
    return settled_s, max(p - g for p, g in zip(load, grid)) / 1000


def test_without_lag_between_samples_balance_settles_at_once_and_the_pid_takes_seconds():
    settled_s, peak_kw = _after_step(rivals.balance, 0, 1)
    assert settled_s <= 2 and peak_kw == pytest.approx(50, abs=0.5)
    settled_s, peak_kw = _after_step(rivals.OpenEmsPid(_LIMIT_W), 0, 1)
    assert 4 <= settled_s <= 12 and peak_kw < 60


@pytest.mark.parametrize("meter, pcs", [(1, 1), (2, 2), (3, 1)])
def test_balance_of_samples_of_different_age_swings_from_limit_to_limit(meter, pcs):
    settled_s, peak_kw = _after_step(rivals.balance, meter, pcs)
    assert settled_s is None and peak_kw == pytest.approx(100)


def test_the_later_the_meter_the_longer_the_pid_takes_and_the_more_it_overshoots():
    got = [_after_step(rivals.OpenEmsPid(_LIMIT_W), meter, 1) for meter in (0, 1, 2, 3)]
    times = [math.inf if settled_s is None else settled_s for settled_s, _ in got]
    assert times == sorted(times) and times[1] >= 10 and times[2] >= 2 * times[0]
    peaks = [peak_kw for _, peak_kw in got]
    assert peaks == sorted(peaks) and peaks[2] > 60


def test_the_load_meter_alone_settles_at_any_lag():
    for meter, pcs in ((0, 1), (1, 1), (2, 2), (3, 2)):
        settled_s, peak_kw = _after_step(rivals.greedy, meter, pcs)
        assert settled_s <= meter + pcs + 1 and peak_kw == pytest.approx(50)


@pytest.mark.parametrize("way", [*control_laws.WAYS.values(), rivals.Way(1000, 3000, 2000, 50)])
def test_the_pi_settles_wherever_its_rule_tunes_it(way):
    load = [0.0] * 200 + [20e6] * (200 * 120)
    grid = rivals.follow(rivals.GridPi(way), load, [0.0] * len(load), way)
    assert max(map(abs, grid[-200 * 20:])) < 0.05 * 20e6
    assert min(grid) > -0.5 * 20e6


def test_the_pi_and_the_pid_stay_within_the_rating_and_come_back_from_it():
    load = [0.0] * 200 + [60e6] * (200 * 60) + [0.0] * (200 * 120)
    for law, way in ((rivals.GridPi(control_laws.WAYS[20]), control_laws.WAYS[20]),
                     (rivals.OpenEmsPid(), rivals.Way(1000, 10, 20))):
        grid = rivals.follow(law, load, [0.0] * len(load), way)
        assert max(abs(p - g) for p, g in zip(load, grid)) <= tracking.BESS_W * (1 + 1e-9)
        assert grid[200 * 60] == pytest.approx(20e6, rel=0.01)
        assert max(map(abs, grid[-200 * 10:])) < 1e6


def test_this_loop_is_that_of_tracking_where_only_the_load_is_seen():
    load = tracking.trapezoid_w(2, 10, 1)
    target = tracking.mean_w(load)
    ours = rivals.follow(rivals.Metered(tracking.FeedForward(20)), load, target, rivals.Way(20, 0, 30))
    theirs = tracking.run(tracking.FeedForward(20), load, target, 20, 30)
    assert ours == pytest.approx(theirs)


def test_cycle_age_and_way_are_whole_steps():
    with pytest.raises(ValueError, match="whole steps"):
        rivals.follow(rivals.greedy, [0.0], [0.0], rivals.Way(20, 3, 20))


def test_the_periods_of_the_bound_are_those_of_the_load():
    load = tracking.trapezoid_w(2, 20, 3)
    periods = delay_bound.drawn(2, 20, 3)
    t_s = [i * tracking.STEP_MS / 1000 for i in range(len(load))]
    k, again = 0, []
    for each in t_s:
        while each >= periods[k][0] + periods[k][1]:
            k += 1
        again.append(delay_bound.power_w(each - periods[k][0], *periods[k][1:]))
    assert again == pytest.approx(load, abs=1)


def test_without_delay_all_is_foreseen_and_the_longer_the_delay_the_less():
    load = tracking.trapezoid_w(2, 20, 3)[::4]
    left = []
    for delay_ms in (0, 30, 120, 520):
        foreseen = delay_bound.foreseen_w(2, 20, 3, delay_ms, len(load), 20)
        left.append(math.fsum((f - p) ** 2 for f, p in zip(foreseen, load)))
    assert left[0] == pytest.approx(0, abs=1) and left == sorted(left) and left[1] > 1e9


@pytest.mark.parametrize("meter_ms", control_laws.WAYS)
def test_no_law_is_below_the_bound_of_the_trapezoid(meter_ms):
    found = control_laws.trapezoid(meter_ms, 2).fractions
    assert list(found) == control_laws.KEYS[meter_ms]
    assert found["none"] == pytest.approx({name: 1.0 for name in found["none"]})
    assert found["bound"]["rms"] < min(row["rms"] for key, row in found.items() if key != "bound")


def test_no_weighted_sum_is_below_the_fitted_one():
    if tracking.gpt3_w()[1]:
        pytest.skip("the measured GPT-3 run cannot be had here")
    found = control_laws.gpt3(200, 240).fractions
    assert found["bound"]["rms"] < min(found[key]["rms"] for key in ("greedy", "lead", "none", "ours"))


def test_at_20_ms_ours_leaves_less_of_a_periodic_load_than_every_rival():
    found = control_laws.trapezoid(20, 2).fractions
    others = [key for key in found if key not in ("ours", "bound")]
    for name in ("rms", "p99", "band"):
        assert found["ours"][name] < 0.5 * min(found[key][name] for key in others)


@pytest.mark.parametrize("hz, most", [(0.83, 1.05), (1.03, 1.05), (1.17, 1.05), (2.03, 1.05), (0.1, 0.7)])
def test_behind_a_meter_of_1_s_ours_does_not_follow_what_only_looks_slow(hz, most):
    law, way = control_laws.laws(1000)["ours"]
    step_s = tracking.STEP_MS / 1000
    load = [77e6 + 10e6 * math.sin(2 * math.pi * hz * i * step_s) for i in range(round(240 / step_s))]
    grid = rivals.follow(law, load, [77e6] * len(load), replace(way, grid_age_ms=100))
    last = len(load) // 2
    left = [sum((x - 77e6) ** 2 for x in values[last:]) for values in (grid, load)]
    assert math.sqrt(left[0] / left[1]) <= most


def test_energy_is_accounted_for_at_the_edge_site():
    site = edge_plan.Site(1000, 4000, 8000, low_kwh=800, high_kwh=7200)
    load = [1000.0 + 300 * math.sin(i / 7) for i in range(361)]
    wind = [max(1500 * math.sin(i / 40), 0.0) for i in range(361)]
    idle, greedy = (edge_control.run(edge_control.Rival(law, 4000), site, load, wind, 0, 360, 4000)
                    for law in (rivals.nothing, rivals.greedy))
    used = sum(min(p, w) for p, w in zip(load, wind)) / 60
    assert idle.direct_use(site.efficiency) == pytest.approx(used, rel=0.02) and idle.gained == 0
    assert greedy.exported == 0 and greedy.bought < idle.bought and greedy.gained < 0
    best = edge_control.bound(site, load, wind, 0, 360, 4000)
    assert best.load == pytest.approx(greedy.load, rel=1e-3)
    for week in (idle, greedy):
        assert week.direct_use(site.efficiency) <= best.direct_use(site.efficiency) * 1.002


def test_the_usual_laws_keep_the_window_of_charge():
    site = edge_plan.Site(1000, 4000, 8000, low_kwh=800, high_kwh=7200)
    for wind, end in ((0.0, 800), (4000.0, 7200)):
        law = edge_control.Rival(rivals.greedy, 4000)
        week = edge_control.run(law, site, [1000.0] * 601, [wind] * 601, 0, 600, 4000)
        assert week.stored[-1] == pytest.approx(end, abs=1e-6)


def test_the_firmware_runs_as_a_law_of_the_edge_site():
    config, site = edge_control.config()
    law = edge_control.laws(site, config)["ours"]
    week = edge_control.run(law, site, [1000.0] * 61, [2000.0] * 61, 0, 60, site.bess_kwh / 2)
    assert week.bought < 20 and week.gained == pytest.approx(1000 * site.efficiency, rel=0.1)


def test_a_table_as_text_and_as_a_page():
    table = control_table.Table("Shown", "A note & more.", [("RMS", 2), ("p99", 1)], [("ours", [0.123, None])])
    assert control_table.text(table) == ["Shown", "       RMS  p99", "ours  0.12    -"]
    found = control_laws.trapezoid(200, 1)
    table.figure = control_table.curves("Curves", "", found, {"none": "no battery", "ours": "ours"})
    page = control_table.page([table], "Words.")
    assert "A note &amp; more." in page and page.count("<svg") == 2 and "http" not in page.replace("http-equiv", "")
