"""What is made good of a kick whose set point went out late, or never: beside a PCS that is reckoned exactly."""

from array import array
from math import exp

from firmware.control import sent, tuning
from firmware.core.types import LOAD
from tests.device.test_tracker import CONTROL, Rig, site

PERIOD_US, LAG_US = 20_000, 50_000
NOW, PERIOD, WENT = 33, 26, 40  # of the bus's cells
FAR_PU = 40_000  # of a step, no more than one kick
KICK_REST, SPARED = 101, 111


class Wire(Rig):
    """A load that falls once, and a PCS that gets each set point `late_us` behind its tick, or never."""

    def __init__(self):
        super().__init__(dict(CONTROL, policy="self_consumption", trim_permille_per_s=0),
                         tuning.Facts(site(PERIOD_US // 1000, 10, LAG_US // 1000)))
        self.bus = array("i", [0] * 48)
        self.bus[PERIOD] = PERIOD_US
        self.now_us, self.pcs_pu, self.stands_pu = 1_000_000, 0.0, 0

    def tick(self, load_pu, late_us=0, making_good=True):
        """One period: the tick, and what the PCS does until the next one."""
        self.bus[NOW] = self.now_us
        if making_good:
            sent.make_good(self.tracker.cells, self.point.cells, self.bus, WENT)
        self.snap.age_ms[LOAD] = 0
        self.step(load_pu, PERIOD_US // 1000)
        if late_us is not None:
            self._go(late_us)
            self.stands_pu = self.point.bess_pu
            self.bus[WENT] = self.now_us + late_us
        self._go(PERIOD_US - (late_us or 0))
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


def test_of_a_large_kick_a_part_is_spared_only_where_set_points_have_been_late():
    for late_us in (0, 5_000):
        wire = Wire()
        for i in range(64):
            wire.tick(0, 0 if i % 4 else late_us)
        spared = []
        for _ in range(4):
            wire.tick(FAR_PU)
            spared.append(wire.tracker.cells[SPARED])
        assert (max(spared) > 0) == (late_us > 0), (late_us, spared)
        assert spared[-1] == 0


def test_after_a_long_rest_nothing_is_made_good():
    wire = Wire()
    wire.tick(0)
    wire.tick(10_000)
    wire.now_us += 1_000_000
    wire.bus[NOW] = wire.now_us
    wire.tracker.cells[KICK_REST] = 0
    sent.make_good(wire.tracker.cells, wire.point.cells, wire.bus, WENT)
    assert wire.tracker.cells[KICK_REST] == 0
