"""Properties of the energy integrator, the quarter-hour cut and the carbon book."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.scale import choose_unit_w, to_pu
from firmware.core.types import BESS, FRESH, GRID, LOAD, WIND, Snapshot
from firmware.core.utc import Utc
from firmware.ledger.carbon import Pool, book, split
from firmware.ledger.energy import CHARGE_WH, COUNTERS, DISCHARGE_WH, LOAD_WH, Energy
from firmware.ledger.interval import Cutter

FULL = 1 << 19
POWER = st.integers(-FULL, FULL)
SMALL = range(-(1 << 30), 1 << 30)
WH = st.integers(0, 400_000_000)
FACTOR = st.integers(0, 10_000_000)


def snapshot(load, grid, bess, wind):
    snap = Snapshot()
    for role, power in ((LOAD, load), (GRID, grid), (BESS, bess), (WIND, wind)):
        snap.power_pu[role] = power
        snap.state[role] = FRESH
    snap.grid_mean_pu = grid
    snap.all_fresh = True
    return snap


@given(st.sampled_from([1, 2, 5, 10, 200, 500, 5000]),
       st.lists(st.tuples(POWER, st.integers(0, 5000)), min_size=1, max_size=50))
def test_property_energy_is_exact_and_every_step_a_small_integer(unit_w, steps):
    energy = Energy(unit_w)
    exact = {DISCHARGE_WH: 0, CHARGE_WH: 0, LOAD_WH: 0}
    last = 0
    for power, dt_ms in steps:
        energy.add(snapshot(abs(power), 0, power, 0), dt_ms)
        exact[DISCHARGE_WH if power > 0 else CHARGE_WH] += 2 * abs(power) * dt_ms
        exact[LOAD_WH] += (last + abs(power)) * dt_ms
        last = abs(power)
        energy.remember(snapshot(last, 0, power, 0))
    for counter, amount in exact.items():
        assert energy.wh[counter] == amount * unit_w // 7_200_000
        assert energy.rest[counter] in SMALL


@given(st.integers(0, 899_999), st.lists(st.integers(0, 400_000), min_size=1, max_size=40))
def test_property_cuts_cover_time_without_hole_or_overlap(start_ms, steps):
    utc = Utc()
    utc.set(100, start_ms, 2, 0)
    cutter = Cutter(Energy(1), utc, 1000)
    snap = snapshot(3600, 0, 0, 0)
    now_ms = 100 * 900_000 + start_ms
    for dt_ms in steps:
        cutter.add(snap, dt_ms)
        end_ms = now_ms
        while cutter.waiting:
            closed = cutter.oldest()
            begin_ms = closed.quarter * 900_000 + closed.ms
            end_ms = begin_ms + closed.duration_ms
            assert begin_ms == now_ms and end_ms % 900_000 == 0
            now_ms = end_ms
            cutter.drop_oldest()


@given(st.integers(0, 10**15), st.lists(WH, min_size=4, max_size=4))
def test_property_split_is_whole_and_fair(amount, shares):
    parts = split(amount, shares)
    assert sum(parts) == amount
    total = sum(shares)
    if total:
        for part, share in zip(parts, shares, strict=True):
            assert 0 <= part * total - amount * share + total <= 2 * total


@settings(max_examples=200)
@given(st.lists(st.tuples(st.lists(WH, min_size=5, max_size=5), st.lists(WH, min_size=4, max_size=4),
                          st.lists(FACTOR, min_size=5, max_size=5), st.none() | WH,
                          st.none() | st.integers(0, 10**15)), min_size=1, max_size=12),
       st.integers(500_000, 1_000_000))
def test_property_the_carbon_book_closes_exactly(quarters, eta_ppm):
    pool = Pool(1000, 5_000_000, 7_000_000)
    for sources, uses, factors, anchor, fuel_ug in quarters:
        before = pool.state()
        done = book(pool, sources, uses, (factors, factors[::-1]), eta_ppm, anchor, (fuel_ug, fuel_ug))
        after = pool.state()
        taken = min(sources[4], before[0])
        assert after[0] == before[0] + uses[1] - done["loss_wh"] - taken + done["trueup_wh"]
        assert done["loss_wh"] >= 0 and after[0] >= 0 and 0 <= after[3] < 1_000_000
        for track, used in enumerate((factors, factors[::-1])):
            carbon = done["carbon"][track]
            genset_ug = sources[2] * used[2] if fuel_ug is None else fuel_ug
            stored_ug = carbon[5] + (sources[4] - taken) * used[4]
            lumps = sum(sources[k] * used[k] for k in (0, 1, 3)) + genset_ug + stored_ug
            assert sum(carbon[:4]) == lumps
            assert after[1 + track] == before[1 + track] + carbon[1] - carbon[5] - carbon[4] >= 0
        assert len(done["load_mix_wh"]) == 5 and min(done["load_mix_wh"]) >= 0


@given(st.integers(1, 1_000_000_000))
def test_property_the_unit_fits_and_is_no_coarser_than_it_must_be(rating_w):
    unit_w = choose_unit_w(rating_w)
    assert to_pu(rating_w * 3 // 2, unit_w) <= FULL + 1 and 7_200_000 % unit_w == 0
    assert unit_w == 1 or rating_w * 3 > 2 * (unit_w * 2 // 5) * FULL


@given(st.integers(-10**12, 10**12), st.sampled_from([1, 2, 5, 500, 5000]))
def test_property_to_pu_rounds_to_nearest(power_w, unit_w):
    assert abs(to_pu(power_w, unit_w) * unit_w - power_w) * 2 <= unit_w
    assert COUNTERS == 10
