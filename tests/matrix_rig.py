"""The real control of one whole site under faults of its inputs: Station's own tick on readings that are put by hand.

The site moves as sites do, the PCS does what it was last sent; a fault changes what is read, never what is.
"""

import json
from array import array

from firmware.control import missing, reasons, states
from firmware.core.types import BESS, GENSET, GRID, LOAD, PV, ROLES, WIND
from firmware.main import Station, ticker
from firmware.site.config import load
from tests.fakes_station import FakePlatform

PERIOD_MS, STALE_MS, FROZEN_MS, HOLD_S = 500, 1200, 12_000, 10
RATED_W = {"load": 1_000_000, "grid": 1_000_000, "wind": 100_000, "pv": 100_000, "genset": 100_000}
ROLE_OF = {"load": LOAD, "grid": GRID, "pcs": BESS, "wind": WIND, "pv": PV, "genset": GENSET}
INPUTS = (*ROLE_OF, "soc")
IMPORT_W, EXPORT_W = 900_000, 100_000
MANUAL_W = 100_000
PROFILES = {"pcs": "sunspec_der", "bms": "sunspec_bms"}


def site(policy="form", bess_w=400_000, mode="auto", roles=tuple(ROLE_OF), scale=1, tracks="smooth", ramp_w_per_s=None):
    """Return the configuration of a site with a meter of each role, and one policy for all inputs or a dict by role.

    `scale` multiplies every power but `bess_w`; with a "bms" among the roles that tells the state of charge.
    """
    policies = dict.fromkeys(roles, policy) if isinstance(policy, str) else policy
    devices = [{"role": role, "profile": PROFILES.get(role, "generic_fast"), "bus": 0, "unit": 1 + unit,
                "on_stale": policies[role]} for unit, role in enumerate(roles)]
    rated_w = {role: int(watts * scale) if role in roles else 0 for role, watts in RATED_W.items()}
    factor = {"direct_mg_per_kwh": 1, "lifecycle_mg_per_kwh": 1}
    return load(json.dumps({
        "version": 1, "site": {"id": "rig", "device": "rig"},
        "control": {"period_ms": PERIOD_MS, "policy": tracks, "baseline_s": 3, "homing_permille": 1000,
                    "stale_ms": STALE_MS, "frozen_ms": FROZEN_MS, "hold_s": HOLD_S, "mode": mode,
                    "manual_w": int(MANUAL_W * scale)},
        "limits": {"grid_import_w": int(IMPORT_W * scale), "grid_export_w": int(EXPORT_W * scale),
                   "soc_min_permille": 100, "soc_max_permille": 900,
                   **({} if ramp_w_per_s is None else {"ramp_w_per_s": ramp_w_per_s})},
        "ratings": {**{f"{role}_w": watts for role, watts in rated_w.items()}, "bess_w": bess_w,
                    "bess_wh": max(bess_w // 180, 100)},
        "buses": [{"id": 0, "uart": 0, "baud": 115_200}], "devices": devices,
        "factors": {"grid": factor, "bess_substitute": factor}}).encode())[0]


def _triangle(tick, period, low, high):
    """Return a value that goes up and down between two, one whole way in `period` ticks."""
    way = abs((tick % (2 * period)) - period)
    return low + (high - low) * way // period


class Rig:
    """`fault` says what happens to which input; step() is one period. What is checked at every step is checked here."""

    def __init__(self, config):
        self.platform = FakePlatform(None)
        self.made = made = Station(self.platform, config)
        self.roles = [row["role"] for row in config["devices"]]
        self.scale = config["ratings"]["load_w"] / RATED_W["load"]
        self.sent = []  # of this step
        self.limited = []
        pcs = made.field.pcs
        pcs.say(0, True)  # ready
        pcs.command = self.sent.append
        made.control_tick = ticker(made, made.looked_up())
        self.noted = []
        made.events = type("Events", (), {"note": lambda _, *words: self.noted.append(words)})()
        self.fault = {}
        self.lost = 0  # bits of the limits and others that do not answer
        self.tick = 0
        self.command_pu = 0  # what the PCS does
        self.soc = 700
        self._held = {}
        self.bess_pu = made.limits.cells  # looked at by bound()
        self.ramp_pu, self.ramp_ms = made.supervisor.cells[9], made.supervisor.cells[18]

    def carry_by(self, rule):
        """Let the site be an island, carried by a rule of control.share."""
        self.made.backup = type("Backup", (), {"island": type("Island", (), {"cells": array("i", [rule] + [0] * 16)})})
        self.made.control_tick = ticker(self.made, self.made.looked_up())

    def true(self):
        """Return the true power of every role, site power units."""
        unit = self.made.unit_w
        tick = self.tick
        # Slowly enough that samples one period apart are no contradiction to a value that really stands still.
        watts = {LOAD: _triangle(tick, 20, 450_000, 750_000), WIND: _triangle(tick + 7, 36, 60_000, 80_000),
                 PV: _triangle(tick + 3, 34, 60_000, 80_000), GENSET: _triangle(tick + 5, 32, 60_000, 80_000)}
        there = [ROLE_OF[name] for name in self.roles if name in ROLE_OF]
        power = [int(watts.get(role, 0) * self.scale) // unit if role in there else 0 for role in range(ROLES)]
        power[BESS] = self.command_pu
        power[GRID] = power[LOAD] - power[BESS] - power[WIND] - power[PV] - power[GENSET]
        return power

    def _read(self, name, true, far):
        """Return what a device shows for a true value, or None for nothing; `far` is beyond anything possible."""
        kind = self.fault.get(name)
        if kind != "frozen":
            self._held[name] = true
        if kind == "lost":
            return None
        if kind == "insane":
            return far if self.tick % 2 else -far
        return self._held[name]

    def _sample(self):
        now_ms, jitter = self.platform.ms(), 2 + 2 * (self.tick % 2)  # no meter shows the same twice
        power, unit = self.true(), self.made.unit_w
        field = self.made.field
        for name in self.roles:
            role = ROLE_OF.get(name)
            if role is None:
                continue
            far = int(2 * RATED_W.get(name, 1_000_000) * self.scale) // unit
            value = self._read(name, power[role] + jitter, far)
            if value is not None:
                field.readings[role].take(value, now_ms)
        value = self._read("soc", self.soc + self.tick % 3, 5000)
        if value is not None:
            field.soc.take(value, now_ms)

    def step(self):
        """Let one period pass: sample, tick, once a second the background; then check what holds always."""
        self.tick += 1
        self.platform.now_us += PERIOD_MS * 1000
        self._sample()
        del self.sent[:]
        before_pu = self.made.setpoint.bess_pu
        self.made.control_tick()
        if self.sent:
            (self.command_pu,) = self.sent
        self._check(before_pu)
        if self.tick % 2:
            self._background()

    def _background(self):
        made = self.made
        made.supervisor.tell(missing.TOLD, self.lost)
        made.supervisor.tell(1 << states.IF_SOC_FROZEN, made.charge.look(made.measure.snapshot) << states.IF_SOC_FROZEN)
        for line in self.platform.commands:
            made.operator().take(line, self.platform.ms(), made.events.note)
        del self.platform.commands[:]
        if made.override:
            made.override.look(self.platform.ms(), made.events.note)

    def _check(self, before_pu):
        """Hold the set point against rating, ramp, window and state of charge; the reason against its list."""
        made = self.made
        point, lim = made.setpoint.bess_pu, made.limits
        assert abs(point) <= made._pu(made.config["ratings"]["bess_w"])
        step_pu = self.ramp_pu * PERIOD_MS // self.ramp_ms + 1
        assert abs(point - before_pu) <= step_pu
        if made.supervisor.allowed:
            inside = max(min(point, lim.high_pu), lim.low_pu)
            assert point == inside or abs(point - before_pu) == step_pu
        else:
            assert point == 0 or abs(point) == abs(before_pu) - step_pu
        assert 0 <= made.setpoint.reason < len(reasons.SENTENCES)
        assert self.sent == [point] or not made.supervisor.commands and not self.sent

    def run(self, seconds):
        """Run for some seconds."""
        for _ in range(seconds * 1000 // PERIOD_MS):
            self.step()

    def found(self):
        """Return (state, reason, set point allowed, commanded)."""
        sup = self.made.supervisor
        return states.NAMES[sup.state], reasons.NAMES[self.made.setpoint.reason], sup.allowed, sup.commands
