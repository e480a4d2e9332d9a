"""One site twice: the firmware's stages and the plain laws of tests.tick_reference, led through the same life."""

from array import array

from firmware.control.limits import Limits
from firmware.control.missing import LOST, TOLD
from firmware.control.stale import FORM, Stale
from firmware.control.states import IF_STOPPING
from firmware.control.supervisor import Supervisor
from firmware.control.tracker import Tracker
from firmware.control.tuning import Facts
from firmware.control.wind_limit import WindLimit
from firmware.core.types import BESS, FRESH, GRID, LOAD, ROLES, Reading, Setpoint
from firmware.ledger.energy import AUX_WH, SUBSTITUTED_WH, Energy
from firmware.site.measure import Measure
from tests import tick_reference

STALE_MS = 3000
MASK = (1 << 30) - 1


class FakePcs:
    """What measure looks at."""

    def __init__(self):
        self.says = array("i", (0, 0, 0))


class FakeFacts(Facts):
    """Facts about periods and delays that need no site: `facts` are period, way, dead time, lag and refresh, ms."""

    def __init__(self, site):
        self.period_ms, self.way_ms, self.dead_ms, self.lag_ms, self.load_refresh_ms = site["facts"]
        self.grid_sample_ms = self.period_ms


class Pair:
    """`put` and `sample` are the meters, `step` is a control tick that compares everything."""

    def __init__(self, site, roles, unit_w, begin_ms=0):
        self.now_ms = begin_ms
        self.pcs = FakePcs()
        self._readings = [Reading() if role in roles else None for role in range(ROLES)] + [Reading()]
        self._true = [0] * ROLES
        self.measure = Measure(self._readings[:ROLES], self._readings[ROLES], self.pcs, STALE_MS)
        self.point = Setpoint()
        self.limits = Limits(site["bess"], site["import"], site["export"], site["soc_min"], site["soc_max"])
        self.tracker = Tracker({"policy": "self_consumption" if site["follow"] else "smooth",
                                "baseline_s": site["base_ms"] // 1000, "soc_home_permille": site["home"],
                                "homing_permille": site["homing"], "trim_permille_per_s": site["gain"]}, site["bess"],
                               site["pull_max"], FakeFacts(site))
        self.tracker.bound(site["dead_band"], site["pcs_dead_band"], 0)
        site.update(tuning=self.tracker.facts.coefficients(), span=self.tracker.facts.slope_samples(), pcs_step=1 << 20,
                    kick=self.tracker.facts.kick(),
                    wait=max(1000, site["facts"][0]), gain=min(site["gain"], 250_000 // site["facts"][0]))
        self.supervisor = Supervisor(site["ramp"])
        self.stale = Stale([FORM] * ROLES, [0] * ROLES, 0)
        self.wind = WindLimit(site["wind"], site["export"])
        self.energy = Energy(unit_w)
        self.unit_w = unit_w
        self.plain = tick_reference.Control(site)
        self.tracker.aim_pu = self.plain.aim = site["aim"]
        self.tracker.term_pu = self.plain.term = site["term"]
        self.books = tick_reference.Books()
        self.snap = tick_reference.Snap(self._rows())
        self.balance = False

    def put(self, role, power_pu):
        """Let the plant of a role run at this power from now on."""
        self._true[role] = power_pu

    def sample(self, role):
        """Let the meter of a role be read."""
        if self._readings[role] is not None:
            power_pu = self._true[role]
            if role == GRID and self.balance:  # so that the trim finds a PCS that follows
                power_pu = tick_reference.clamp(self._true[LOAD] - self.point.bess_pu, 1 - (1 << 19), 1 << 19)
            elif role == 2 and self.balance:
                power_pu = self.point.bess_pu
            self._readings[role].take(power_pu, self.now_ms)

    def put_soc(self, soc_permille):
        """Let the state of charge be read."""
        self._readings[ROLES].take(soc_permille, self.now_ms)

    def _rows(self):
        return [None if row is None else (row.value, row.t_ms, row.count) for row in self._readings]

    def step(self, dt_ms, ready, local, fault, stopping, lost=()):
        """Run one tick on both sides, `dt_ms` after the last; AssertionError where they differ."""
        self.now_ms = (self.now_ms + dt_ms) & MASK
        for i, said in enumerate((ready, local, fault)):
            self.pcs.says[i] = said
        step_ms = min(max(dt_ms, 1), 1000)
        snap, plain = self.snap, self.plain
        measured = self.measure.update(self.now_ms)
        snap.update(self._rows(), self.now_ms, STALE_MS)
        known = self.stale.update(self.supervisor, measured, self.measure.table, step_ms)
        self._same_snapshot(measured)

        self.tracker.observe(self.point, measured, self.limits, step_ms)
        plain.expect(snap, ready and snap.state[BESS] == FRESH and not local and not fault, step_ms)
        plain.observe(snap, step_ms)
        assert list(measured.power_pu) == snap.power  # a load that was formed has been laid to one instant
        assert (self.tracker.can_give_pu, self.tracker.can_take_pu) == (plain.can.give, plain.can.take)
        self.limits.update(measured, self.tracker.trim_pu, known)
        self.stale.guard(self.limits, measured, self.tracker.trim_pu)
        window = tick_reference.window(plain.site, snap, plain.trim)
        made = self.limits
        assert (made.low_pu, made.low_reason, made.high_pu, made.high_reason, made.charge_pu) == window

        self.supervisor.tell(1 << IF_STOPPING, stopping << IF_STOPPING)
        self.supervisor.tell(TOLD, sum(1 << LOST[name] for name in lost))
        self.supervisor.update(measured)
        plain.judge(snap, ready, local, fault, stopping, lost)
        self.tracker.step(self.point, measured, self.limits, step_ms)
        plain.track(snap, window, step_ms)
        assert list(self.point.cells)[2:] == plain.point[2:] and self.point.bess_pu == plain.point[0]
        self.supervisor.apply(self.point, self.limits, step_ms)
        plain.have_last_word(step_ms)
        self.wind.step(self.point, measured, made.charge_pu if plain.allowed else 0)
        plain.limit_wind(snap, plain.charge if plain.allowed else 0)
        self._same_control()
        self.energy.add(measured, step_ms)
        self.energy.remember(measured)
        self.books.add(snap, step_ms)
        self._same_energy()

    def _same_snapshot(self, measured):
        snap = self.snap
        assert list(measured.power_pu) == snap.power and list(measured.state) == snap.state
        assert (measured.soc_permille, measured.soc_state) == (snap.soc, snap.soc_state)
        assert measured.all_fresh == (snap.silent() == []) and measured.grid_mean_pu == snap.mean
        assert measured.now_ms == self.now_ms

    def _same_control(self):
        plain = self.plain
        assert list(self.point.cells) == plain.point
        assert self.tracker.trim_pu == plain.trim
        assert (self.supervisor.state, self.supervisor.changes) == (plain.state, plain.changes)
        assert (self.supervisor.allowed, self.supervisor.commands) == (plain.allowed, plain.commands)

    def _same_energy(self):
        sums, per_wh = self.books.sums, 7_200_000 // self.unit_w
        wh = self.energy.wh
        assert list(wh)[:8] == [sums[i] // per_wh for i in (0, 2, 3, 4, 5, 6, 8, 10)]
        assert wh[AUX_WH] == (sums[7] + sums[9] + sums[11]) // per_wh
        assert wh[SUBSTITUTED_WH] == self.books.substituted // per_wh
