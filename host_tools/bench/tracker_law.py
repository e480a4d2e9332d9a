"""The firmware's own tracker as a law of tracking.run(): the code of the board's tick itself, on CPython."""

import importlib
from types import SimpleNamespace

from host_tools.bench import tracking

UNIT_W = 500  # of the hyperscale site
_LOAD, _GRID, _BESS = range(3)
_CONTROL = {"policy": "self_consumption", "baseline_s": 30, "soc_home_permille": 500, "homing_permille": 0,
            "trim_permille_per_s": 0}


def firmware():
    """Return the modules of the firmware that the law is made of."""
    return SimpleNamespace(**{name: importlib.import_module(f"firmware.{layer}.{name}") for layer, name in (
        ("control", "limits"), ("control", "tracker"), ("control", "tuning"), ("core", "types"))})


class TrackerLaw:
    """Feed-forward with lead and guard, tuned to period and delay; the target is what tracking.run() hands over."""

    def __init__(self, period_ms, delay_ms, lag_ms=tracking.LAG_MS, bess_w=tracking.BESS_W, tuned=None, refresh_ms=1):
        """`tuned` is (delay_ms, lag_ms) as the tracker believes them to be, if not as they are."""
        parts = firmware()
        told_delay_ms, told_lag_ms = tuned or (delay_ms, lag_ms)
        pcs = {"dead_ms": told_delay_ms - refresh_ms // 2, "lag_ms": told_lag_ms}
        facts = parts.tuning.Facts({"control": {"period_ms": period_ms}, "commissioning": {
            "dead_ms": None, "response_ms": None}, "pcs": pcs},
            load_refresh_ms=refresh_ms, grid_refresh_ms=refresh_ms)
        bess_pu = round(bess_w / UNIT_W)
        self.period_ms = period_ms
        self.tracker = parts.tracker.Tracker(_CONTROL, bess_pu, facts=facts)
        self.point = parts.types.Setpoint()
        self.limits = parts.limits.Limits(bess_pu, 1 << 19, 1 << 19, 0, 1000)
        self.snap = snap = parts.types.Snapshot()
        for role in (_LOAD, _GRID, _BESS):
            snap.state[role] = parts.types.FRESH
        snap.soc_state, snap.soc_permille, snap.all_fresh, snap.pcs_ready = parts.types.FRESH, 500, 1, 1
        self.limits.update(snap, 0)

    def __call__(self, load_w, target_w, bess_w=None, sampled=True):
        """Return the command for this sample, W; `bess_w` is what the PCS shows, if it is heard."""
        snap, fresh = self.snap, importlib.import_module("firmware.core.types").FRESH
        snap.now_ms = (snap.now_ms + self.period_ms) & 0x3FFFFFFF
        snap.state[_BESS] = fresh if bess_w is not None else 0
        snap.power_pu[_BESS] = round((bess_w or 0) / UNIT_W)
        if sampled:
            snap.power_pu[_LOAD] = round(load_w / UNIT_W)
            snap.age_ms[_LOAD] = 0
        else:
            snap.age_ms[_LOAD] += self.period_ms
        self.tracker.aim_pu = round(target_w / UNIT_W)
        self.tracker.observe(self.point, snap, self.limits, self.period_ms)
        self.limits.update(snap, self.tracker.trim_pu)
        self.tracker.step(self.point, snap, self.limits, self.period_ms)
        return self.point.bess_pu * UNIT_W
