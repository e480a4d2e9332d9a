"""Half steps down at random times through `simulate`, with late meters, a late PCS and lost answers at 20 ms.

Measured is how long after a step the grid is last seen further from its target than a twentieth of the step. Eight
cycles are what a step is given, and all keep to it: with answers lost, with the meters three cycles late and the PCS
two, and with both. There what nobody could beat lies close below: no frame shows the load before, and from the first
set point that can know of it the PCS goes with all of its rating. Around a baseline the way up is seen too; there the
load itself is the highest set point where nothing may be exported, which late meters cannot make up for.
"""

import bisect
import math
import random

import pytest

from host_tools.bench import tracking
from host_tools.plant.devices.der import SunSpecPcs
from host_tools.plant.devices.measuring import Measuring
from host_tools.plant.vm import Vm
from tests.simulation_rig import Rig, trace
from tests.test_delay_simulated import RAMP_S, SETTLE_CYCLES, SIMULATED, _lines, _patient

STEPS, FIRST_S, STAND_S = 40, 14, 1.5
NEARLY = 8.1  # where the PCS goes from beyond nothing, so that its rating leaves less of a kick
UP_CYCLES = 9.1  # and none is above the load
NAMES = ("hyperscale_20ms_lost", "hyperscale_20ms_late", "hyperscale_20ms_late_lost")


class Steps:
    """A run of half steps up and down, and when each set point came and each sample of the load was taken."""

    def __init__(self, rig, name, monkeypatch, policy="self_consumption"):
        where, size, self.period_ms, refresh_ms, self.dead_ms, lost = SIMULATED[name]
        self.within_w, self.bess_w = size["bess"] / 40, size["bess"]
        self.came_us, self.sampled_us = [], []
        self._watch(monkeypatch)
        dice, load, at_s = random.Random(name), [(0, size["low"])], FIRST_S
        self.up_s, self.down_s = [], []
        for to_w in (size["high"], size["low"]) * STEPS:
            (self.down_s if to_w == size["low"] else self.up_s).append(at_s)
            load += [(at_s, load[-1][1]), (round(at_s + RAMP_S, 6), to_w)]
            at_s = round(at_s + STAND_S + dice.random(), 5)
        events = [(0, "pcs", "dead_ms", self.dead_ms)]
        for role in ("load", "grid", "pcs"):
            events += [(FIRST_S / 2, role, "lost", lost)]
            events += [(0, role, "refresh_ms", refresh_ms)] if refresh_ms and role != "pcs" else []
        site = rig.site(where, control__period_ms=self.period_ms, control__policy=policy,
                        **_patient(where))
        out = rig.run("--site", site, "--load", rig.file("load.csv", _lines("power_w", [*load, (at_s, size["low"])])),
                      "--events", rig.file("events.csv", _lines("device,event,value", events)),
                      "--trace-step", "0.001", "--duration", str(math.ceil(at_s)), vm=Vm)
        self.rows = trace(out)
        self.times = [row["time_s"] for row in self.rows]

    def _watch(self, monkeypatch):
        command, take_sample = SunSpecPcs._command, Measuring.take_sample

        def commanded(pcs, t_us):
            command(pcs, t_us)
            self.came_us.append(t_us)

        def sampled(meter, t_us):
            taken = take_sample(meter, t_us)
            if taken and meter.role == "load":
                phase_us = round(meter._phase * meter.refresh_us)
                self.sampled_us.append(((taken[1] - 1) * meter.refresh_us + phase_us, t_us))
            return taken

        monkeypatch.setattr(SunSpecPcs, "_command", commanded)
        monkeypatch.setattr(Measuring, "take_sample", sampled)

    def settled(self, begin_s):
        """Return after how many cycles the grid stays within a twentieth of the step around its target."""
        first, last = (bisect.bisect_right(self.times, at_s) for at_s in (begin_s, begin_s + STAND_S))
        off_s = max((row["time_s"] for row in self.rows[first:last]
                     if abs(row["grid_w"] - row["target_w"]) > self.within_w), default=begin_s)
        return (off_s - begin_s) * 1000 / self.period_ms

    def bound(self, begin_s):
        """Return after how many cycles a step down could be there at the earliest, whoever follows it."""
        read_us = next(read_us for taken_us, read_us in self.sampled_us if taken_us >= 1e6 * begin_s)
        acts_s = next(at for at in self.came_us if at > read_us) / 1e6 + self.dead_ms / 1000
        bess_w = self.rows[bisect.bisect_right(self.times, acts_s)]["bess_w"]
        there_w = self.rows[bisect.bisect_right(self.times, begin_s + STAND_S) - 1]["load_w"] + self.within_w
        most_s = tracking.LAG_MS / 1000 * math.log((bess_w + self.bess_w) / (there_w + self.bess_w))
        return (acts_s + most_s - begin_s) * 1000 / self.period_ms


@pytest.mark.parametrize("name", NAMES)
def test_a_half_step_down_settles_at_any_time(name, tmp_path, monkeypatch):
    run = Steps(Rig(tmp_path, monkeypatch), name, monkeypatch)
    took = [run.settled(begin_s) for begin_s in run.down_s]
    assert max(took) <= SETTLE_CYCLES
    assert all(run.bound(begin_s) <= cycles + 0.1 for begin_s, cycles in zip(run.down_s, took))


@pytest.mark.parametrize("name", NAMES)
def test_around_a_baseline_a_half_step_settles_both_ways(name, tmp_path, monkeypatch):
    run = Steps(Rig(tmp_path, monkeypatch), name, monkeypatch, "smooth")
    up, down = ([run.settled(begin_s) for begin_s in begins] for begins in (run.up_s, run.down_s))
    assert max(down) <= NEARLY
    assert max(up) <= (SETTLE_CYCLES if name.endswith("20ms_lost") else UP_CYCLES)
