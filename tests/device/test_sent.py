"""What is made good of a kick that went out late, or never, and how deep one may be: beside a PCS reckoned exactly."""

from array import array
from math import exp

from firmware.control import sent, tuning
from firmware.control.limits import Limits
from firmware.core.types import BESS, LOAD
from tests.device.test_tracker import BESS_PU, CONTROL, Rig, site

PERIOD_US, LAG_US = 20_000, 50_000
NOW, PERIOD, WENT, KEPT = 33, 26, 40, 47  # of the bus's cells
FAR_PU = 20_000  # of a large step: its kick is more than the usual one
KICK_REST = 101
SURE = 8  # large kicks that have landed


class Wire(Rig):
    """A load that steps, and a PCS that gets each set point `late_us` behind its tick, or never."""

    def __init__(self):
        super().__init__(dict(CONTROL, policy="self_consumption", trim_permille_per_s=0),
                         tuning.Facts(site(PERIOD_US // 1000, 10, LAG_US // 1000)))
        self.bus = array("i", [0] * 48)
        self.bus[PERIOD] = PERIOD_US
        self.now_us, self.pcs_pu, self.stands_pu = 1_000_000, 0.0, 0
        self.tick(0)

    def tick(self, load_pu, late_us=0, making_good=True, unseen_us=0):
        """One period: the tick, and what the PCS does until the next one, taking its set point `unseen_us` later."""
        self.bus[NOW] = self.now_us
        if making_good:
            sent.make_good(self.tracker.cells, self.point.cells, self.bus, WENT)
        self.snap.age_ms[LOAD] = 0
        self.step(load_pu, PERIOD_US // 1000)
        self.snap.power_pu[BESS] = round(self.pcs_pu)
        self.kicks = sent.watch(self.tracker.cells, self.point.cells, self.snap.cells, self.bus)
        if late_us is not None:
            self._go(late_us + unseen_us)
            self.stands_pu = self.point.bess_pu
            self.bus[WENT] = self.now_us + late_us
        self._go(PERIOD_US - (late_us or 0) - unseen_us)
        self.now_us += PERIOD_US
        return self.point.bess_pu

    def _go(self, time_us):
        self.pcs_pu += (self.stands_pu - self.pcs_pu) * (1 - exp(-time_us / LAG_US))


def fall(lates, step_pu=10_000, making_good=True):
    """Return how far the PCS is from the load, behind each tick, in permille of the step."""
    wire = Wire()
    for _ in range(10):
        wire.tick(0, 0, making_good)
    off = []
    for late_us in lates:
        wire.tick(step_pu, late_us, making_good)
        off.append(round(1000 * (wire.pcs_pu - step_pu) / step_pu))
    return off


def test_where_all_go_out_at_once_nothing_is_added():
    for late_us in (0, 900):  # the way of each to the wire
        plain, off = (fall((late_us,) * 4, making_good=good) for good in (False, True))
        assert max(abs(a - b) for a, b in zip(plain, off)) <= 3, (plain, off)


def test_a_kick_that_came_late_or_never_is_made_good_with_the_next_set_point():
    for late_us in (3_000, 8_000, 15_000, None):
        plain, off = (fall((late_us, 0, 0, 0), making_good=good) for good in (False, True))
        assert abs(off[1]) <= 15, (late_us, off)
        assert late_us is None or abs(plain[1]) > 2 * abs(off[1]), (late_us, plain, off)


def test_a_kick_that_stood_too_long_is_taken_back():
    for late_us in (5_000, 12_000, None):
        plain, off = (fall((0, late_us, 0, 0), making_good=good) for good in (False, True))
        assert plain[2] > 40 and abs(off[2]) <= 15, (late_us, plain, off)


def test_a_large_kick_keeps_the_line_free_for_the_set_point_that_takes_it_back():
    wire = Wire()
    for load_pu, kicks in ((0, 0), (5_000, 0), (5_000, 0), (FAR_PU, 1), (FAR_PU, 0)):
        wire.bus[KEPT] = 0
        wire.tick(load_pu)
        assert (wire.kicks, wire.bus[KEPT]) == (kicks, 2 * kicks), load_pu


def test_a_large_kick_that_a_limit_cuts_is_none():
    wire = Wire()
    wire.limits = Limits(BESS_PU, 1 << 19, 0, 0, 1000)  # nothing may be exported
    for load_pu, ticks, kicks in ((0, 1, 0), (FAR_PU, 20, 0), (0, 1, 1)):
        for _ in range(ticks):
            wire.tick(load_pu)
            assert wire.kicks == kicks, load_pu


def test_what_the_rating_cuts_off_a_kick_the_next_set_point_makes_good_either_way():
    for way in (1, -1):
        wire, far_pu = Wire(), way * BESS_PU // 4
        for _ in range(90):
            wire.tick(-far_pu)
        assert wire.tick(far_pu) == way * BESS_PU
        assert way * wire.tick(far_pu) > BESS_PU // 4 + BESS_PU // 8
        assert abs(wire.pcs_pu - far_pu) < BESS_PU // 200, way


def swing(wire, times, unseen_us=0):
    """Let the load swing so often; return how deep the first set point of each swing was kicked."""
    depths = []
    for _ in range(times):
        load_pu = FAR_PU - wire.snap.power_pu[LOAD]
        depths.append(abs(wire.tick(load_pu) - load_pu))
        wire.tick(load_pu, unseen_us=unseen_us)
        for _ in range(90):  # more often, and it would be taken for what swings all the time
            wire.tick(load_pu)
    return depths


def test_a_kick_is_as_deep_as_the_pcs_can_from_the_first():
    assert min(swing(Wire(), 4)) > 2 * FAR_PU


def test_one_that_came_late_on_a_way_that_nobody_sees_makes_the_next_as_usual_until_some_have_landed():
    wire, usual_pu = Wire(), BESS_PU * 13 // 32
    assert swing(wire, 1, 5_000)[0] > usual_pu
    assert swing(wire, SURE) == [usual_pu] * SURE
    assert swing(wire, 1)[0] > usual_pu


def test_after_a_long_rest_nothing_is_made_good():
    wire = Wire()
    wire.tick(0)
    wire.tick(10_000)
    wire.now_us += 1_000_000
    wire.bus[NOW] = wire.now_us
    wire.tracker.cells[KICK_REST] = 0
    sent.make_good(wire.tracker.cells, wire.point.cells, wire.bus, WENT)
    assert wire.tracker.cells[KICK_REST] == 0
