"""What the grid meter says of the feed-forward: swings of known size and phase, with no delay told to anybody."""

import gc
from array import array

import micropython

from firmware.control import tuning, witnessed
from firmware.control.tracker import Tracker
from firmware.core.types import BESS, FRESH, GRID, LOAD, Snapshot

_LOCKABLE = hasattr(micropython, "heap_lock")
BESS_PU = 80_000
CONTROL = {"policy": "self_consumption", "baseline_s": 30, "soc_home_permille": 500, "homing_permille": 0,
           "trim_permille_per_s": 0}
WAVE = (0, 7071, 10_000, 7071, 0, -7071, -10_000, -7071)  # eight ticks of a swing


class Rig:
    """The cells as a tick leaves them: a load that swings, and a battery, `late` eighths of a turn behind it."""

    def __init__(self, period_ms=20, full_pu=10_000, late=0, beside_pu=0):
        facts = tuning.Facts({"control": {"period_ms": period_ms}, "pcs": {"dead_ms": 10, "lag_ms": 50},
                              "commissioning": {"dead_ms": None, "response_ms": None}}, 10, 10)
        self.tracker = Tracker(CONTROL, BESS_PU, facts=facts)
        self.snap = Snapshot()
        self.snap.all_fresh = 1
        for role in (LOAD, GRID, BESS):
            self.snap.state[role] = FRESH
        self.full_pu, self.late, self.beside_pu = full_pu, late, beside_pu
        self.cells, self.seen = self.tracker.cells, self.tracker.seen
        self.cells[70] = self.cells[76] = 0  # no filter: all of it is in the fast band
        self.at = 0
        self.share = 256

    def step(self, gate=0):
        """Return the share of the feed-forward that is let through; the same of the term."""
        cells, at = self.cells, self.at
        load_pu = WAVE[at & 7]
        bess_pu = WAVE[(at - self.late) & 7] * self.full_pu // 10_000 * self.share // 256
        cells[18], cells[58] = load_pu, bess_pu
        self.snap.power_pu[GRID] = load_pu - bess_pu + WAVE[(at * 3 + 1) & 7] * self.beside_pu // 10_000
        cells[89] = 1 << 16  # it swings
        cells[75] = 1 << 20  # what the model says: all of it is of use
        cells[74] = 1 << 20
        trust = self.tracker.compare(self.snap, gate)
        self.at = at + 1
        return (trust if gate else min(cells[74] * 5 // 4 * 256 // cells[75], 256)), trust

    def settle(self, ticks=1500, gate=0):
        """Run with what is let through; return it."""
        for _ in range(ticks):
            self.share = self.step(gate)[0]
        return self.share


def test_a_battery_in_step_is_let_through_and_one_against_it_keeps_a_sixteenth():
    assert Rig().settle() == 256
    assert Rig(late=1).settle() > 200
    assert 4 <= Rig(late=4).settle() <= 28
    assert 4 <= Rig(late=3).settle() <= 28


def test_a_battery_that_swings_too_far_is_scaled_down_to_what_leaves_the_least():
    assert 115 <= Rig(full_pu=25_000).settle() <= 160  # 0.4 of it, and a quarter more
    assert Rig(full_pu=12_000).settle() == 256


def test_in_steps_only_harm_is_taken_back():
    rig = Rig(period_ms=1000, late=1)
    rig.cells[74] = 0
    assert rig.settle(300) == 256 and rig.seen[5] == 7
    assert 4 <= Rig(period_ms=1000, late=3).settle(600) <= 40


def test_what_swings_beside_the_load_is_not_taken_for_harm():
    assert Rig(beside_pu=5_000).settle() == 256
    rig = Rig(beside_pu=12_000)
    shares = [rig.settle(100) for _ in range(60)]
    assert sum(shares[20:]) // 40 > 200


def test_a_term_that_does_harm_is_taken_back_and_the_bands_are_left():
    rig = Rig(late=4)
    assert rig.settle(1500, gate=256) <= 28
    rig.late = 0
    assert rig.settle(6000, gate=256) == 256
    assert Rig().settle(300, gate=256) == 256


def test_too_small_a_swing_and_meters_that_are_not_fresh_change_nothing():
    rig = Rig(late=4)
    rig.snap.all_fresh = 0
    assert rig.settle(200) == 256
    rig = Rig(late=4)
    rig.cells[96] = 1  # doubted
    assert rig.settle(200) == 256
    small = Rig(late=4)
    for _ in range(300):
        small.cells[18] = small.cells[58] = 0
        small.tracker.compare(small.snap)
    assert small.seen[17] == 256


def test_how_often_the_meter_has_new_values_is_seen():
    rig = Rig()
    for tick in range(70):
        rig.cells[35] = tick // 10 * 200
        rig.tracker.compare(rig.snap)
    assert witnessed.sample_ticks(rig.seen) == 10 and witnessed.sample_ticks(rig.seen) == 0
    for tick in range(20):
        rig.cells[35] = 2000 + tick * 20
        rig.tracker.compare(rig.snap)
    assert witnessed.sample_ticks(rig.seen) == 1


def test_it_allocates_nothing():
    rig = Rig(late=2)
    gate = array("i", (0,))
    rig.settle(20)
    gc.collect()
    if _LOCKABLE:
        micropython.heap_lock()
    try:
        for _ in range(50):
            rig.tracker.compare(rig.snap, gate[0])
    finally:
        if _LOCKABLE:
            micropython.heap_unlock()
