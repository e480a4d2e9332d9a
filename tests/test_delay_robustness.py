"""Meters and a PCS that are late, jitter, lose frames, and are derated in silence: in a step plant and in simulate.

Lateness in cycles of the control: meters 0 .. 3, the PCS 0 .. 2, of which the tracker is told nothing. See delay_rig.
"""

import itertools

import pytest

from host_tools.bench import tracking
from tests.delay_rig import BESS, STEP_MS, DelayedSite, export_wh, settled_ms

BESS_W = tracking.BESS_W
STEP_W = BESS_W / 2
LOW_W, HIGH_W, FULL_W = 10e6, 30e6, 35e6
WITHIN_W = STEP_W / 20
STILL_W = BESS_W / 1000  # peak to peak, of what stands
EXPORT_W = BESS_W / 400  # what the trim may be off by
LEARN_MS, RELEASE_S = 3000, 60
PERIODS_MS = (20, 100, 1000)
DISTURBED = {"steady": (0, 0), "jitter": (0.5, 0), "lost": (0, 0.1), "jitter_and_lost": (0.5, 0.1)}
LATE = list(itertools.product(range(4), range(3)))


def sites(period_ms, disturbed, **more):
    """Yield (name, site) of every lateness."""
    for late in LATE:
        for seed in range(2 if any(DISTURBED[disturbed]) else 1):
            yield (*late, seed), DelayedSite(period_ms, *late, *DISTURBED[disturbed], seed, **more)


def stand_s(period_ms):
    """Return how long a load stands before the next step, s."""
    return 20 if period_ms == 1000 else 3


@pytest.mark.parametrize("told", (False, True), ids=("untold", "told"))
@pytest.mark.parametrize("disturbed", DISTURBED)
@pytest.mark.parametrize("period_ms", PERIODS_MS)
def test_half_a_step_settles_within_eight_cycles_and_stands(period_ms, disturbed, told):
    late, swing = {}, {}
    for name, site in sites(period_ms, disturbed, told=told, first_w=LOW_W):
        site.run(LOW_W, stand_s(period_ms))
        for load_w, after_s in ((HIGH_W, 0.0), (LOW_W, 0.6 * period_ms / 1000)):
            site.run(site.load[-1], after_s)  # at a sample, and between two
            begin, from_w = len(site.grid), site.load[-1]
            grid = site.run(load_w, stand_s(period_ms))
            took_ms, allowed_ms = settled_ms(grid, 0, WITHIN_W), site.allowed_ms(begin, from_w, WITHIN_W)
            if took_ms > allowed_ms:
                late[(*name, load_w)] = took_ms, allowed_ms
            tail = grid[-len(grid) // 3:]
            if max(tail) - min(tail) > STILL_W:
                swing[(*name, load_w)] = max(tail) - min(tail)
    assert (late, swing) == ({}, {})


@pytest.mark.parametrize("least_w", (0, 2e6), ids=("to_nothing", "to_its_least"))
@pytest.mark.parametrize("disturbed", DISTURBED)
@pytest.mark.parametrize("period_ms", PERIODS_MS)
def test_nothing_is_exported_once_the_load_has_gone(period_ms, disturbed, least_w):
    off = {}
    for name, site in sites(period_ms, disturbed, export_w=0, first_w=LOW_W):
        for load_w in (LOW_W, FULL_W):
            site.run(load_w, stand_s(period_ms))
        begin = len(site.grid)
        grid = site.run(least_w, 20)
        # Settled is a twentieth of it; five lags of the PCS later that is less than a four hundredth.
        left_ms = site.allowed_ms(begin, FULL_W, WITHIN_W) + 5 * tracking.LAG_MS
        grid = grid[round(left_ms / STEP_MS):]
        if min(grid) < -EXPORT_W or export_wh(grid) > EXPORT_W * 20 / 3600:
            off[name] = min(grid), export_wh(grid)
    assert off == {}


@pytest.mark.parametrize("way", (1, -1), ids=("giving", "taking"))
@pytest.mark.parametrize("disturbed", DISTURBED)
@pytest.mark.parametrize("period_ms", PERIODS_MS)
def test_a_silent_limit_is_learned_within_three_seconds_and_let_go(period_ms, disturbed, way):
    wrong = {}
    for name, site in sites(period_ms, disturbed):
        site.run(0, stand_s(period_ms))
        site.run(way * FULL_W, stand_s(period_ms))
        site.can_w = BESS_W / 2
        begin, learned_ms = len(site.grid), None
        while learned_ms is None and len(site.grid) - begin < 2 * LEARN_MS // STEP_MS:
            site.run(way * FULL_W, STEP_MS / 1000)
            if site.can_w_known(way) < 1.1 * site.can_w:
                learned_ms = (len(site.grid) - begin) * STEP_MS
        lost = sum(at >= begin for at in site.lost_at[BESS])  # without a reading there is nothing to learn from
        if learned_ms is None or learned_ms > LEARN_MS + lost * period_ms:
            wrong[name] = "learned", learned_ms, lost
        site.run(way * FULL_W, 5)
        grid = site.run(way * FULL_W, 10)
        if max(grid) - min(grid) > STILL_W or site.can_w_known(-way) != BESS_W:
            wrong[name] = "swing", max(grid) - min(grid), site.can_w_known(-way)
        site.can_w = BESS_W
        grid = site.run(way * FULL_W, RELEASE_S)
        if settled_ms(grid, 0, WITHIN_W) > 1000 * (RELEASE_S - 1):
            wrong[name] = "held", grid[-1], site.can_w_known(way)
    assert wrong == {}


@pytest.mark.parametrize("disturbed", DISTURBED)
@pytest.mark.parametrize("period_ms", PERIODS_MS)
def test_a_pcs_that_is_late_is_not_taken_for_one_that_is_limited(period_ms, disturbed):
    limited = set()
    for name, site in sites(period_ms, disturbed):
        for load_w in (0, FULL_W, LOW_W, -FULL_W, 0, STEP_W, FULL_W):
            for _ in range(8):
                site.run(load_w, period_ms / 1000)
                if site.can_w_known(1) + site.can_w_known(-1) < 2 * BESS_W:
                    limited.add(name)
    assert limited == set()
