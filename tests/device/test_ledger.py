"""Energy integration and the quarter-hour cut."""

from firmware.core.types import (
    BESS,
    FLAG_CLOCK_STEP,
    FRESH,
    GRID,
    LOAD,
    ROLES,
    STALE,
    WIND,
    Snapshot,
)
from firmware.core.utc import Utc
from firmware.ledger.energy import (
    AUX_WH,
    CHARGE_WH,
    DISCHARGE_WH,
    EXPORT_WH,
    IMPORT_WH,
    LOAD_WH,
    SUBSTITUTED_WH,
    WIND_WH,
    Energy,
)
from firmware.ledger.interval import Cutter


def snapshot(load=0, grid=0, bess=0, wind=0, state=FRESH):
    snap = Snapshot()
    for role, power in ((LOAD, load), (GRID, grid), (BESS, bess), (WIND, wind)):
        snap.power_pu[role] = power
        snap.state[role] = state
    snap.grid_mean_pu = grid
    snap.all_fresh = state == FRESH
    return snap


def test_signs_go_to_their_own_counters():
    energy = Energy(100)
    snap = snapshot(load=3600, grid=-7200, bess=-3600, wind=-36)
    energy.remember(snap)
    for _ in range(10):
        energy.add(snap, 1000)
    wh = energy.wh
    assert (wh[LOAD_WH], wh[IMPORT_WH], wh[EXPORT_WH]) == (1000, 0, 2000)
    assert (wh[DISCHARGE_WH], wh[CHARGE_WH], wh[WIND_WH], wh[AUX_WH]) == (0, 1000, 0, 10)
    assert wh[SUBSTITUTED_WH] == 0


def test_remainder_is_never_lost():
    energy = Energy(1)
    snap = snapshot(load=7)
    energy.remember(snap)
    moved = [0] * 10
    total = 0
    for _ in range(3600):
        energy.add(snap, 1000)
        energy.move_to(moved)
        total += moved[LOAD_WH]
    assert total == 7


def test_full_scale_stays_exact_at_every_unit():
    for unit_w in (1, 2, 5, 10, 500, 5000):
        energy = Energy(unit_w)
        snap = snapshot(load=1 << 19, grid=-(1 << 19))
        energy.remember(snap)
        for _ in range(36):
            energy.add(snap, 1000)
        assert energy.wh[LOAD_WH] == (1 << 19) * unit_w // 100
        assert energy.wh[EXPORT_WH] == (1 << 19) * unit_w // 100


def test_stale_values_are_counted_as_substituted():
    energy = Energy(1)
    snap = snapshot(load=3600, state=STALE)
    energy.remember(snap)
    energy.add(snap, 10_000)
    assert energy.wh[LOAD_WH] == 10 and energy.wh[SUBSTITUTED_WH] == 10


def cutter_at(quarter, ms, trust):
    utc = Utc()
    if trust:
        utc.set(quarter, ms, trust, 0)
    return Cutter(Energy(1), utc, 1000), utc


def drain(cutter):
    found = []
    while cutter.waiting:
        closed = cutter.oldest()
        found.append((closed.quarter, closed.ms, closed.duration_ms, closed.trust, closed.flags, closed.wh[LOAD_WH]))
        cutter.drop_oldest()
    return found


def test_cut_falls_exactly_on_the_quarter():
    cutter, _ = cutter_at(100, 899_400, 2)
    snap = snapshot(load=3600)
    cutter.add(snap, 0)
    for _ in range(902):
        cutter.add(snap, 1000)
    assert [row[:4] for row in drain(cutter)] == [(100, 899_400, 600, 2), (101, 0, 900_000, 2)]


def test_unknown_clock_cuts_every_900_s_of_uptime():
    cutter, _ = cutter_at(0, 0, 0)
    snap = snapshot(load=3600)
    for _ in range(1900):
        cutter.add(snap, 1000)
    rows = drain(cutter)
    assert [row[2] for row in rows] == [900_000, 900_000]
    assert [row[3] for row in rows] == [0, 0]


def test_setting_the_clock_ends_the_piece_and_begins_one_partial_record():
    cutter, utc = cutter_at(0, 0, 0)
    snap = snapshot(load=3600)
    for _ in range(1000):
        cutter.add(snap, 1000)
    cutter.set_utc(snap, 500, 300_000, 2, 0)
    for _ in range(1600):
        cutter.add(snap, 1000)
    rows = drain(cutter)
    assert [(row[2], row[3]) for row in rows] == [(900_000, 0), (100_000, 0), (600_000, 2), (900_000, 2)]
    assert rows[2][:2] == (500, 300_000) and rows[3][:2] == (501, 0)
    assert all(row[4] & FLAG_CLOCK_STEP == 0 for row in rows)


def test_clock_step_is_flagged_on_both_sides_and_not_carried_on():
    cutter, _ = cutter_at(100, 0, 2)
    snap = snapshot(load=3600)
    for _ in range(10):
        cutter.add(snap, 1000)
    cutter.set_utc(snap, 100, 500_000, 2, 0)
    for _ in range(1400):
        cutter.add(snap, 1000)
    rows = drain(cutter)
    assert [(row[1], row[2], row[4] & FLAG_CLOCK_STEP) for row in rows] == [
        (0, 10_000, 1), (500_000, 400_000, 1), (0, 900_000, 0)]


def test_small_correction_leaves_no_hole():
    cutter, _ = cutter_at(100, 0, 2)
    snap = snapshot(load=3600)
    for i in range(1000):
        cutter.add(snap, 1000)
        if i == 400:
            cutter.set_utc(snap, 100, 401_400, 2, 0)
    rows = drain(cutter)
    assert [(row[0], row[1], row[2]) for row in rows] == [(100, 0, 900_000)]


def test_a_full_ring_counts_what_it_lost():
    cutter, _ = cutter_at(100, 0, 2)
    snap = snapshot(load=3600)
    for _ in range(8):
        cutter.add(snap, 900_000)
    assert cutter.waiting == 6 and cutter.lost == 2
    assert ROLES == 6
