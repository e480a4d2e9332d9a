"""Late, lossy and derated sites through `simulate`: half a step up and down, a silent limit, and a load that goes away.

The meters are late by their refresh, the PCS by its dead time, and neither is in site.json. With answers lost, each
may cost its time-out: there the devices are given short ones, as devices[].timeout_ms is for, and longer to be stale.

Where nothing may be exported, no set point may be above the load: on the way up it cannot be led, and the PCS alone
takes three lags to a twentieth of the step. On the way down it can, and there eight cycles are all that it is given,
with answers lost too.
"""

import json

import pytest

from host_tools.bench import tracking
from host_tools.plant.vm import Vm
from tests.simulation_rig import ROOM, SITES, Rig, trace

RAMP_S = 0.001
RELEASE_S = 60
STALE_MS = 3000
TIMEOUT_MS = {"load": 5, "grid": 5, "pcs": 20}
SETTLE_CYCLES, SETTLE_MS = 8, 3 * tracking.LAG_MS
# The PCS's reading is up to a period old: derated just before it is read, it is seen to stand there two reads later.
LEARN_S = {20: 3, 100: 3, 1000: 3.2}
_EDGE = {"low": 0.4e6, "high": 2.4e6, "full": 3.5e6, "bess": 4e6, "stand": 40, "trace": 0.05}
_HYPER = {"low": 10e6, "high": 30e6, "full": 35e6, "bess": 40e6, "stand": 10, "trace": 0.005}
SIMULATED = {  # site, its size, period, refresh of the meters, dead time of the PCS, share of answers lost
    "hyperscale_20ms": ("hyperscale", _HYPER, 20, 0, 10, 0),
    "hyperscale_20ms_late": ("hyperscale", _HYPER, 20, 60, 50, 0),
    "hyperscale_20ms_lost": ("hyperscale", _HYPER, 20, 0, 10, 0.1),
    "hyperscale_20ms_late_lost": ("hyperscale", _HYPER, 20, 60, 50, 0.1),
    "hyperscale_100ms_late": ("hyperscale", _HYPER, 100, 300, 210, 0),
    "hyperscale_100ms_lost": ("hyperscale", _HYPER, 100, 0, 210, 0.1),
    "hyperscale_100ms_late_lost": ("hyperscale", _HYPER, 100, 300, 210, 0.1),
    "edge_1s_late": ("edge", _EDGE, 1000, 1900, 2010, 0),
    "edge_1s_late_lost": ("edge", _EDGE, 1000, 1900, 2010, 0.1),
}


class Simulated:
    """One run: up by half of the BESS, down, up, derated to half, let go, and the load goes away."""

    def __init__(self, rig, name):
        where, self.size, self.period_ms, refresh_ms, dead_ms, lost = SIMULATED[name]
        size, stand_s = self.size, self.size["stand"]
        self.up_s, self.down_s, self.full_s = (stand_s * n for n in (2, 3, 4))
        self.derated_s, self.healed_s = self.full_s + stand_s, self.full_s + 2 * stand_s
        self.gone_s = self.healed_s + RELEASE_S
        self.end_s = self.gone_s + 2 * stand_s
        self.lost = lost
        site = rig.site(where, control__period_ms=self.period_ms, control__policy="self_consumption",
                        **(_patient(where) if lost else {}), **(ROOM if where == "edge" else {}))
        load = [(0, size["low"])]
        for t_s, power_w in ((self.up_s, size["high"]), (self.down_s, size["low"]), (self.full_s, size["full"]),
                             (self.gone_s, 0), (self.end_s, 0)):
            load += [(t_s, load[-1][1]), (t_s + RAMP_S, power_w)]
        events = [(0, "pcs", "dead_ms", dead_ms), (self.derated_s, "pcs", "derate", size["bess"] / 2),
                  (self.healed_s, "pcs", "derate", 0)]
        for role in ("load", "grid", "pcs"):
            events += [(self.up_s / 2, role, "lost", lost)] if lost else []
            events += [(0, role, "refresh_ms", refresh_ms)] if refresh_ms and role != "pcs" else []
        out = rig.run("--site", site, "--load", rig.file("load.csv", _lines("power_w", load)),
                      "--events", rig.file("events.csv", _lines("device,event,value", events)),
                      "--trace-step", str(size["trace"]), "--duration", str(self.end_s), vm=Vm)
        self.rows = trace(out)

    def between(self, from_s, to_s):
        """Return the rows of a stretch."""
        return [row for row in self.rows if from_s < row["time_s"] < to_s]

    def settled_cycles(self, from_s, to_s):
        """Return after how many cycles the grid stays within a twentieth of the step around nothing."""
        within_w = self.size["bess"] / 40
        last_s = max((row["time_s"] for row in self.between(from_s, to_s) if abs(row["grid_w"]) > within_w),
                     default=from_s)
        return (last_s - from_s) * 1000 / self.period_ms


def _patient(where):
    """Return the changes of a site whose frames get lost."""
    devices = json.loads((SITES / f"{where}.json").read_text())["devices"]
    if where == "hyperscale":
        devices = [{**device, "timeout_ms": TIMEOUT_MS[device["role"]]} for device in devices]
    return {"devices": devices, "control__stale_ms": STALE_MS}


def _lines(names, rows):
    return f"time_s,{names}\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.mark.parametrize("name", SIMULATED)
def test_a_simulated_site_settles_stands_learns_and_exports_nothing(name, tmp_path, monkeypatch):
    run = Simulated(Rig(tmp_path, monkeypatch), name)
    size, stand_s = run.size, run.size["stand"]
    allowed = SETTLE_CYCLES + SETTLE_MS / run.period_ms
    steps = ((run.up_s, run.down_s), (run.down_s, run.full_s), (run.full_s, run.derated_s))
    assert [took for took in (run.settled_cycles(a, b - 0.5) for a, b in steps) if took > allowed] == []
    assert run.settled_cycles(run.down_s, run.full_s - 0.5) <= SETTLE_CYCLES
    for _, end_s in steps:
        tail = [row["grid_w"] for row in run.between(end_s - stand_s / 3, end_s - 0.5)]
        assert max(tail) - min(tail) <= size["bess"] / 1000  # no limit cycle
    learned = [row["time_s"] for row in run.between(run.derated_s, run.healed_s)
               if row["setpoint_w"] < 1.1 * size["bess"] / 2]
    assert learned[0] - run.derated_s <= LEARN_S[run.period_ms]
    assert all(row["setpoint_w"] < 1.25 * size["bess"] / 2 for row in run.between(learned[0] + 0.1, run.healed_s))
    assert run.settled_cycles(run.healed_s, run.gone_s - 0.5) * run.period_ms < 1000 * RELEASE_S
    # After a few losses in a row the bus leaves a meter alone for a while, and its last value holds until it is stale.
    left_s = (allowed * run.period_ms + SETTLE_MS + (STALE_MS if run.lost else 0)) / 1000
    assert min(row["grid_w"] for row in run.between(run.gone_s + left_s, run.end_s - 0.5)) >= -size["bess"] / 400
