"""A small site with a grid that fails, PV, a battery and a genset, around the real Backup: for CPython and the VMs.

All powers in W, one site power unit being one watt; whole seconds, whole watts. What is random comes in from outside.
"""

from firmware.control import backup, genset, island, limits, room, share
from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, PV, Reading, Setpoint, Snapshot
from firmware.site.schema import ROWS

RATED_BESS_W = 10_000
RATED_GENSET_W = 12_000
RATED_PV_W = 8000
CAPACITY_WS = 20_000 * 3600
SOC_MIN, SOC_MAX = 100, 900


def settings(section, **changed):
    """Return a section of site.json with its defaults, some values changed."""
    made = {row[0].split(".")[1]: row[4] for row in ROWS if row[0].startswith(section + ".")}
    for key in changed:
        assert key in made, key
        made[key] = changed[key]
    return made


class Engine:
    """The genset and its controller: `starts(attempt)` tells whether the engine catches."""

    def __init__(self, starts=None):
        self.ready = True
        self.local = self.fault = self.running = False
        self.fuel = Reading()
        self.fuel.take(800, 0)
        self.mains_mhz = self.mains_mv = -1
        self.applied = Reading()
        self.commands = []
        self.attempts = 0
        self.starts = starts or (lambda attempt: True)
        self.breaker = False
        self.wanted = False
        self._cranked_s = 0
        self._run_s = 0

    def command(self, run):
        """Take a start or stop, as the driver does."""
        self.commands.append(run)
        if self.local or not self.ready:
            return False
        self.applied.take(1 if run else 0, 0)
        if run and not self.wanted:
            self.attempts += 1
            self._cranked_s = 0
        self.wanted = run
        return True

    def stall(self):
        """Let the engine stop by itself."""
        self.running = self.breaker = False
        self._cranked_s = -1_000_000  # and not catch again before it is asked anew

    def step(self):
        """Let a second pass: 8 s to start, 5 s to close the breaker; stopping takes 10 s without load."""
        if self.fault or self.fuel.value == 0:
            self.running = self.breaker = False
        if self.wanted and not self.running and not self.fault and self.fuel.value:
            self._cranked_s += 1
            if self._cranked_s == 8 and self.starts(self.attempts):
                self.running = True
                self._run_s = 0
        elif self.wanted:
            self._run_s += 1
            self.breaker = self.running and self._run_s >= 5
        elif self.running:
            self.breaker = False
            self._run_s = min(self._run_s, 0) - 1
            if self._run_s <= -10:
                self.running = False


class Pcs:
    """The battery's PCS: forms a grid within a second where it can, and says so."""

    ready = True
    forms = 0

    def islanded(self):
        """Return what it says of the grid, as drivers.commanded has it."""
        return self.forms


class Sense:
    """What the grid meter says."""

    word = 1

    def look(self):
        return self.word

    def within(self, frequency_mhz, voltage_mv):
        return -1 if frequency_mhz < 0 else 1 if frequency_mhz > 40_000 else 0


class Field:
    def __init__(self, engine, pcs):
        self.genset, self.pcs = engine, pcs


class Clock:
    """UTC, begins on a Thursday at midnight."""

    trust = 2
    quarter = 19_723 * 96 + 0
    ms = 0

    def step(self):
        self.ms += 1000
        if self.ms >= 900_000:
            self.ms = 0
            self.quarter += 1


class Rig:
    """The site; step() a second at a time. `has_genset` false: battery and PV alone."""

    def __init__(self, island_changes=None, genset_changes=None, starts=None, no_grid=False, has_genset=True):
        self.engine = Engine(starts)
        self.pcs, self.sense, self.clock = Pcs(), Sense(), Clock()
        self.pcs_fault = False
        changes = {"former": "pcs", "stable_s": 20, "resync_s": 30}
        changes.update(island_changes or {})
        self.genset = None
        if has_genset:
            made = settings("genset", **(genset_changes or {}))
            self.genset = genset.Genset(made, RATED_GENSET_W, lambda power_w: power_w, SOC_MIN)
        self.forms = changes["former"] == "pcs"
        self.island = island.Island(settings("island", **changes), self.genset, 0, no_grid)
        self.snap, self.point = Snapshot(), Setpoint()
        self.limits = limits.Limits(RATED_BESS_W, 15_000, 0, SOC_MIN, SOC_MAX)
        for role in (LOAD, GRID, BESS, PV, GENSET):
            self.snap.state[role] = FRESH
        self.snap.state[3] = ABSENT
        self.snap.soc_state = FRESH
        self.snap.pcs_ready = 1
        self.field = Field(self.engine if has_genset else None, self.pcs)
        self.backup = backup.Backup(self.island, self.sense, self.field, self.snap, self.limits, self.clock, 0, 240)
        self.grid_up = not no_grid
        self.coupled = self.grid_up
        self.load_w, self.sun_w = 4000, 0
        self.pv_limit_w = RATED_PV_W
        self.stored_ws = CAPACITY_WS // 2
        self.bess_w = self.genset_w = self.grid_w = self.pv_w = self.unserved_w = 0
        self.former = "grid"
        self.t_s = self.genset_ws = self.unserved_ws = 0
        self._up_s = 1000
        self.reasons = []
        self._changes = (0, 0)

    @property
    def soc(self):
        return self.stored_ws * 1000 // CAPACITY_WS

    def charge_to(self, permille):
        self.stored_ws = CAPACITY_WS // 1000 * permille

    # ---- the plant

    def _physics(self):
        """Work out who forms the grid, and what each gives in this second."""
        self.engine.step()
        self._up_s = self._up_s + 1 if self.grid_up else 0
        if not self.grid_up:
            self.coupled = False
        elif self._up_s >= 15 and self.island.state in (island.RETURNING, island.ON_GRID, island.BEGIN):
            self.coupled = True  # the PCS or the genset controller has synchronised
        able = not self.pcs_fault and self.stored_ws > 0
        self.pv_w = min(self.sun_w, self.pv_limit_w)
        high_w = RATED_BESS_W if able else 0
        low_w = 0 if self.pcs_fault or self.stored_ws >= CAPACITY_WS else -RATED_BESS_W
        self.bess_w = self.genset_w = self.grid_w = self.unserved_w = 0
        if self.coupled:
            self.former, self.bess_w = "grid", min(max(self.point.bess_pu, low_w), high_w)
            self.genset_w = 4000 if self.engine.breaker else 0
            self.grid_w = self.load_w - self.pv_w - self.bess_w - self.genset_w
        elif self.engine.breaker:
            self._on_genset(min(max(self.point.bess_pu, low_w), high_w), low_w)
        elif able and self.forms:
            self.former = "pcs"
            self.pv_w = min(self.pv_w, self.load_w - low_w)  # beyond that the PCS raises the frequency
            self.bess_w = min(self.load_w - self.pv_w, high_w)
            self.unserved_w = self.load_w - self.pv_w - self.bess_w
        else:
            self.former, self.pv_w = "nobody", 0
            self.unserved_w = self.load_w
        self.pcs.forms = -1 if self.former == "nobody" else 1 if self.former == "pcs" else 0
        self.stored_ws = min(max(self.stored_ws - self.bess_w, 0), CAPACITY_WS)
        self.genset_ws += self.genset_w // 100
        self.unserved_ws += self.unserved_w // 100

    def _on_genset(self, want_w, low_w):
        self.former = "genset"
        net_w = self.load_w - self.pv_w
        self.bess_w = max(want_w, low_w, net_w - 2 * RATED_GENSET_W)
        if net_w - self.bess_w < 0:  # the engine takes nothing back: PV trips down
            self.pv_w = max(self.pv_w + net_w - self.bess_w, 0)
            net_w = self.load_w - self.pv_w
        self.genset_w = min(max(net_w - self.bess_w, 0), RATED_GENSET_W)
        self.unserved_w = max(net_w - self.bess_w - RATED_GENSET_W, 0)

    # ---- the board

    def _measure(self):
        snap = self.snap
        power = snap.power_pu
        power[LOAD] = self.load_w if self.former != "nobody" else 0
        power[GRID], power[BESS], power[PV], power[GENSET] = self.grid_w, self.bess_w, self.pv_w, self.genset_w
        snap.soc_permille = self.soc
        snap.pcs_fault = 1 if self.pcs_fault else 0
        if self.sense.word >= 0:
            self.sense.word = 1 if self.grid_up else 0

    def _control(self):
        """Do what the control tick does."""
        rule = self.island.rule
        limits.narrow(self.limits.cells, self.snap.cells, 0, 0 if rule else 1)
        if rule:
            share.share(self.island.cells, self.point.cells, self.snap.cells, self.limits.cells, 1)
        else:
            net_w = self.snap.power_pu[LOAD] - self.snap.power_pu[PV] - self.snap.power_pu[GENSET]
            self.point.bess_pu = min(max(net_w, self.limits.low_pu), self.limits.high_pu)

    def step(self, seconds=1):
        """Let whole seconds pass."""
        for _ in range(seconds):
            self.t_s += 1
            self.clock.step()
            self._physics()
            self._measure()
            self._control()
            self.backup.step(1000)
            self.pv_limit_w = room.for_pv(self.snap, RATED_PV_W, self.limits.charge_pu, self.backup.spare_pu)
            changes = (self.island.changes, self.genset.changes if self.genset else 0)
            if changes[0] != self._changes[0]:
                self.reasons.append(self.island.reason)
            if changes[1] != self._changes[1]:
                self.reasons.append(self.genset.reason)
            self._changes = changes

    def until(self, condition, longest_s=3600):
        """Step until a condition holds; return the seconds that took."""
        for second in range(longest_s):
            if condition():
                return second
            self.step()
        raise AssertionError(f"not within {longest_s} s")
