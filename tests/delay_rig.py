"""A step plant for late, jittering and lossy sites around the firmware's tracker: every figure of it can be turned.

Everything lies on a grid of STEP_MS. A cycle of the control is `period_ms`: the meters (load and grid, one bus) show
what was `meter_late` cycles ago, a command reaches the PCS after a share of a cycle and `pcs_late` more, and the PCS is
a first-order lag. The tracker is told none of it but the lag of the PCS and the share of a cycle.

What nobody can beat is said by bound_ms(): no frame shows the load before, no command reaches the PCS before, and from
then on it goes with all of its rating, by somebody who knows all of it, what is late and what will get lost too. A step
is given eight cycles, or where that bound is beyond them the bound; and what nobody can know before: one and a half
where the ways jitter, and a cycle for each frame of the load or of the command that was lost on the way.
"""

import math
import random

from host_tools.bench import tracking
from host_tools.bench.tracker_law import UNIT_W, firmware

STEP_MS = tracking.STEP_MS
LOAD, GRID, BESS = range(3)
FAR_W = (1 << 19) * UNIT_W
SETTLE_CYCLES = 8
_UNFORESEEN = 1.5  # cycles: a set point that leads the load stands for longer or shorter than was meant
_WIRE = 0.5  # of a cycle, from a sample to its command at the PCS, where nothing is late
_CONTROL = {"policy": "self_consumption", "trim_permille_per_s": 20, "baseline_s": 30, "soc_home_permille": 500,
            "homing_permille": 0}


class DelayedSite:
    """Load, battery and grid behind delays, and the tracker between its limits, W and ms. The target is 0."""

    def __init__(self, period_ms, meter_late=0, pcs_late=0, jitter=0.0, lost=0.0, seed=1, *, export_w=FAR_W, told=False,
                 first_w=0.0):
        """`jitter` is the most that each way takes longer, in cycles; `lost` the share of frames lost, each way."""
        parts = firmware()
        self.period_ms, self.every = period_ms, period_ms // STEP_MS
        self.meter_late, self.jitter, self.lost = meter_late, jitter, lost
        self.dice = random.Random(f"{seed}")
        self.wire_steps = round((_WIRE + pcs_late) * self.every)
        way_ms = round(_WIRE * period_ms) + (meter_late + pcs_late) * period_ms * told
        facts = parts.tuning.Facts({"control": {"period_ms": period_ms}, "commissioning": {
            "dead_ms": None, "response_ms": None}, "pcs": {"dead_ms": way_ms, "lag_ms": tracking.LAG_MS}},
            load_refresh_ms=1, grid_refresh_ms=1)
        bess_pu = round(tracking.BESS_W / UNIT_W)
        self.tracker = parts.tracker.Tracker(_CONTROL, bess_pu, facts=facts)
        self.point, self.snap = parts.types.Setpoint(), parts.types.Snapshot()
        self.limits = parts.limits.Limits(bess_pu, 1 << 19, round(export_w / UNIT_W), 0, 1000)
        self.fresh = parts.types.FRESH
        for role in (LOAD, GRID, BESS):
            self.snap.state[role] = self.fresh
        snap = self.snap
        snap.soc_state, snap.soc_permille, snap.all_fresh, snap.pcs_ready = self.fresh, 500, 1, 1
        snap.power_pu[LOAD] = snap.power_pu[GRID] = round(first_w / UNIT_W)
        self.limits.update(snap, 0)
        self.share = 1 - math.exp(-STEP_MS / tracking.LAG_MS)
        self.can_w = tracking.BESS_W
        self.bess_w = self.command_w = 0.0
        self.under_way = []
        self.load, self.grid, self.bess = [], [], []
        self.shown, self.due = [], []  # (tick, index of the sample) of each frame of the load; (tick, when it acts)
        self.lost_at = {LOAD: [], GRID: [], BESS: [], "command": []}  # indices of the ticks whose frame was lost

    def can_w_known(self, way):
        """Return what the tracker believes that the PCS can give (1) or take (-1), W."""
        return (self.tracker.can_give_pu if way > 0 else self.tracker.can_take_pu) * UNIT_W

    def allowed_ms(self, begin, from_w, within_w):
        """Return how long the step at an index may take to settle: see above."""
        allowed_ms = max(SETTLE_CYCLES * self.period_ms, self.bound_ms(begin, from_w, within_w))
        allowed_ms += _UNFORESEEN * self.period_ms * (self.jitter > 0)
        for at in sorted(self.lost_at[LOAD] + self.lost_at["command"]):
            if begin <= at <= begin + allowed_ms // STEP_MS:
                allowed_ms += self.period_ms
        return allowed_ms

    def bound_ms(self, begin, from_w, within_w):
        """Return before when nobody could have settled on the load of an index, with all of the rating, ms after it."""
        to_w = self.load[begin]
        known = next(at for at, sampled in self.shown if sampled >= begin)
        at = next(due for sent, due in self.due if sent >= known)
        way = math.copysign(1, to_w - from_w)
        while way * (to_w - from_w) > within_w:
            from_w += (way * self.can_w - from_w) * self.share
            at += 1
        return (at - begin) * STEP_MS

    def run(self, load_w, seconds):
        """Run that long on a load that stands; return the grid's power on the grid of times, W."""
        begin = len(self.grid)
        for _ in range(round(seconds * 1000 / STEP_MS)):
            self._step(load_w)
        return self.grid[begin:]

    def _step(self, load_w):
        at = len(self.grid)
        self.load.append(load_w)
        while self.under_way and self.under_way[0][0] <= at:
            self.command_w = self.under_way.pop(0)[1]
        self.bess.append(self.bess_w)
        self.grid.append(load_w - self.bess_w)
        if at % self.every == 0:
            self._tick(at)
        to_w = min(max(self.command_w, -self.can_w), self.can_w)
        self.bess_w += (to_w - self.bess_w) * self.share

    def _late(self):
        return round(self.dice.random() * self.jitter * self.every)

    def _tick(self, at):
        snap = self.snap
        snap.now_ms = (snap.now_ms + self.period_ms) & 0x3FFFFFFF
        for role, values, late in ((LOAD, self.load, self.meter_late * self.every),
                                   (GRID, self.grid, self.meter_late * self.every), (BESS, self.bess, 0)):
            if self.dice.random() < self.lost:
                snap.age_ms[role] += self.period_ms
                self.lost_at[role].append(at)
                continue
            snap.age_ms[role] = 0
            sampled = max(at - late - self._late(), 0)
            snap.power_pu[role] = round(values[sampled] / UNIT_W)
            if role == LOAD:
                self.shown.append((at, sampled))
        self.tracker.observe(self.point, snap, self.limits, self.period_ms)
        self.limits.update(snap, self.tracker.trim_pu)
        self.tracker.step(self.point, snap, self.limits, self.period_ms)
        if self.dice.random() >= self.lost:
            due = at + self.wire_steps + self._late()
            if self.under_way:
                due = max(due, self.under_way[-1][0])
            self.under_way.append((due, self.point.bess_pu * UNIT_W))
            self.due.append((at, due))
        else:
            self.lost_at["command"].append(at)


def settled_ms(grid, target_w, within_w):
    """Return the time from which on the grid stays within a band around its target, ms after the first value."""
    off = [i for i, power in enumerate(grid) if abs(power - target_w) > within_w]
    return (off[-1] + 1) * STEP_MS if off else 0


def export_wh(grid):
    """Return what the grid takes over a stretch, Wh."""
    return sum(max(-power, 0.0) for power in grid) * STEP_MS / 3_600_000
