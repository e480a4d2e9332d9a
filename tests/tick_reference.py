"""The laws of the control tick once more, in plain Python over dictionaries: what its viper stages are compared with.

Written for reading, not for speed, with integers of any size; runs on CPython and MicroPython alike.
"""

from firmware.control import reasons, states
from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, MISSING, PV, ROLES, STALE, WIND
from tests.tracker_reference import LED_MAX, Can, Pcs, Shape, clamp

LIMIT_PU = 0x90000  # of a meter's value, and of one formed from others
HALF = 1 << 29
SILENT = {LOAD: reasons.LOAD_SILENT, GRID: reasons.GRID_SILENT, WIND: reasons.WIND_SILENT, PV: reasons.PV_SILENT,
          GENSET: reasons.GENSET_SILENT}
# The other devices, the one that is told first in front.
LOST = (("bms", reasons.BMS_LOST), ("wind_limit", reasons.WIND_LIMIT_LOST), ("pv_limit", reasons.PV_LIMIT_LOST),
        ("genset_control", reasons.GENSET_CONTROL_LOST))


def diff(a, b):
    """Return how much later 30-bit tick a is than tick b."""
    return ((a - b + HALF) % (2 * HALF)) - HALF


class Snap:
    """What measure makes of the readings: `rows` are (value, t_ms, count), None where the site has no such plant."""

    def __init__(self, rows):
        self.power = [0] * ROLES
        self.state = [ABSENT if row is None else MISSING for row in rows[:ROLES]]
        self.soc, self.soc_state = 0, MISSING
        self.age = [0] * (ROLES + 1)
        self.mean = 0
        self._spent = {}

    def update(self, rows, now_ms, stale_ms):
        """Take the rows as they stand at `now_ms`."""
        self.now_ms = now_ms
        for i in range(ROLES + 1):
            if rows[i] is None or not rows[i][2] or self._spent.get(i) == rows[i][2]:
                continue  # absent, missing or stale: as it was
            value, t_ms, count = rows[i]
            self.age[i] = diff(now_ms, t_ms)
            fresh = diff(now_ms, t_ms) <= stale_ms * (10 if i == ROLES else 1)
            if not fresh:
                self._spent[i] = count
            if i == ROLES:
                self.soc, self.soc_state = value, FRESH if fresh else STALE
            else:
                self.power[i], self.state[i] = value, FRESH if fresh else STALE
        silent = self.silent()
        if len(silent) == 1:
            self._form(silent[0])
        self.mean = self.power[GRID]

    def silent(self):
        """Return the roles that the site has and that have no fresh value."""
        return [role for role in range(ROLES) if self.state[role] not in (FRESH, ABSENT)]

    def vouched(self):
        """Return True when the baseline may begin."""
        made_of = [self.state[role] in (FRESH, ABSENT) for role in range(BESS + 1, ROLES)]
        return not self.silent() or self.state[LOAD] == FRESH and all(made_of)

    def _form(self, role):
        sources = sum(self.power[other] for other in range(1, ROLES) if other != role)
        formed = sources if role == LOAD else self.power[LOAD] - sources
        self.power[role] = clamp(formed, -LIMIT_PU, LIMIT_PU)

    def net(self):
        """Return load less production."""
        return self.power[LOAD] - sum(self.power[BESS + 1:])

    def load_known(self):
        """Return True when the load is measured or formed from all the others."""
        return self.state[LOAD] == FRESH or self.silent() in ([], [LOAD])


def window(site, snap, trim):
    """Return (low, low_reason, high, high_reason, charge) of the set point."""
    up = down = ahead = 0
    if snap.soc_state == FRESH:
        up, down = (clamp(way, 0, 10) for way in (site["soc_max"] - snap.soc, snap.soc - site["soc_min"]))
        ahead = clamp(site["soc_max"] - snap.soc - 1, 0, 10)
    low, high, charge = -(site["bess"] * up // 10), site["bess"] * down // 10, site["bess"] * ahead // 10
    low_reason = reasons.SOC_HIGH if up < 10 else reasons.RATING
    high_reason = reasons.SOC_LOW if down < 10 else reasons.RATING
    if snap.load_known():
        need, may = snap.net() + trim - site["import"], snap.net() + trim + site["export"]
        if need > low:
            low, low_reason = min(need, high), reasons.IMPORT_CAP
        if may < high:
            high, high_reason = max(may, low), reasons.EXPORT_CAP
    return low, low_reason, high, high_reason, charge


class Control:
    """Tracker, supervisor and wind limit of a site; `point` is [bess, wind limit, grid target, reason]."""

    def __init__(self, site):
        self.site = site
        self.point = [0, 0, 0, 0]
        self.aim = self.term = 0
        self.trim = self.trim_rest = self.base = self.base_rest = self.last = self.changes = self.net = 0
        self.shape = Shape(site["tuning"], site["span"], site["bess"], site["kick"])
        self.carry = self.clipped = 0  # what a limit has cut off the lead, and to what
        self.pcs = Pcs()
        self.can = Can(site["bess"], site["wait"])
        self.started = self.seen = False
        self.cut = True
        self.begin_ms = None
        self.state = states.START

    def expect(self, snap, heard, dt_ms):
        """Move the models on, see where the PCS is short of what was asked, lay a formed load to one instant."""
        self.pcs.ask(self.point[0])
        for model in (self.pcs, self.shape.model):
            model.move(self.site["tuning"], self.site["pcs_step"])
        load_ms = snap.age[LOAD] if snap.state[LOAD] == FRESH else 0
        self.gap = 0
        if snap.state[BESS] == FRESH:
            self.gap = self.pcs.at(snap.age[BESS] - load_ms, dt_ms) - snap.power[BESS]
        heard = heard and snap.age[BESS] < max(dt_ms, 1000)
        self.can.learn(self.gap, snap.power[BESS], heard, dt_ms, self.pcs.earlier(self.site["tuning"][3]))
        if snap.silent() == [LOAD]:
            grid_ms, bess_ms = min(snap.age[GRID], dt_ms), min(snap.age[BESS], dt_ms)
            snap.power[LOAD] += (self.pcs.now - self.pcs.before) * ((bess_ms - grid_ms) * 256 // dt_ms) // 256

    def observe(self, snap, dt_ms):
        """Move the trim, unless something is silent, the set point was cut or the PCS does not follow."""
        if snap.silent() or self.cut or abs(self.gap) * 16 > self.site["bess"]:
            return
        age_ms = clamp(snap.age[GRID] - snap.age[LOAD], 0, dt_ms)
        left, before = snap.net() - self.pcs.now, self.net - self.pcs.before
        left += (before - left) * (age_ms * 128 // dt_ms) // 128
        most = min(1_000_000 // max(self.site["gain"], 1), max(self.site["bess"] // 64, 1))
        rest = self.trim_rest + clamp(snap.power[GRID] - left - self.trim, -most, most) * self.site["gain"] * dt_ms
        bound = self.site["bess"] // 20
        self.trim = clamp(self.trim + rest // 1_000_000, -bound, bound)
        self.trim_rest = rest % 1_000_000

    def judge(self, snap, ready, local, fault, stopping, lost=()):
        """Find the state, its reason (None: the tracker's), and what it allows; `lost` are names of LOST."""
        if self.begin_ms is None:
            self.begin_ms = snap.now_ms
        complete = MISSING not in snap.state and snap.soc_state != MISSING
        self.seen = self.seen or complete or diff(snap.now_ms, self.begin_ms) >= 10_000
        self.allowed, self.commands = False, True
        silent = len(snap.silent())
        if stopping:
            found = states.STOPPING, reasons.STOPPING
        elif local or not self.seen:
            found = (states.LOCAL, reasons.PCS_LOCAL) if local else (states.START, reasons.START)
            self.commands = False
        elif fault:
            found = states.FAULT, reasons.PCS_FAULT
        elif not ready or snap.state[BESS] != FRESH:
            found = states.FAULT, reasons.PCS_LOST
        elif snap.soc_state != FRESH:
            found = states.FAULT, reasons.BMS_LOST if "bms" in lost else reasons.SOC_UNKNOWN
        elif silent > 1:
            found = states.FAULT, reasons.BLIND
        else:
            self.allowed = True
            missing = [SILENT[role] for role in snap.silent()] + [reason for name, reason in LOST if name in lost]
            found = (states.DEGRADED, missing[0]) if missing else (states.ON_GRID, None)
        self.reason = found[1]
        if not (found[0] == states.ON_GRID and self.state == states.LIMITED):
            self._enter(found[0])

    def _enter(self, state):
        self.changes += state != self.state
        self.state = state

    def track(self, snap, allowed, dt_ms):
        """Choose the set point inside the window that is allowed."""
        site, net = self.site, snap.net()
        self.net = net
        if not self.started:
            self.base, self.started = net, snap.vouched()
        target = self.aim
        if not site["follow"]:
            pull = net - self.base
            if snap.soc_state == FRESH:
                pull += site["bess"] * ((site["home"] - snap.soc) * site["homing"] // 1000) // 1000
            rest = self.base_rest + clamp(pull, -site["pull_max"], site["pull_max"]) * dt_ms
            self.base += rest // site["base_ms"]
            self.base_rest = rest % site["base_ms"]
            target += self.base
        away = clamp(net - target, -LED_MAX, LED_MAX)
        sampled_ms = snap.now_ms - snap.age[LOAD if snap.state[LOAD] == FRESH else GRID]
        led = self.shape.led(net, away, sampled_ms % (2 * HALF), self.started)
        more = self.trim + self.term
        self._choose(self.shape.shaped(led, away) + more, away + more, allowed)
        self.point[2] = target

    def _choose(self, want, plain, allowed):
        site, can = self.site, self.can
        want += self.carry if self.point[0] == self.clipped else 0
        if abs(want - self.point[0]) <= site["dead_band"]:
            want = self.point[0]
        least = site["pcs_dead_band"]
        if abs(want) < least:
            want = 0 if 2 * abs(want) < least else least if want > 0 else -least
        low, low_reason, high, high_reason, charge = allowed
        if high > can.give:
            high, high_reason = max(can.give, low), reasons.PCS_LIMITED
        if low < -can.take:
            low, low_reason = min(-can.take, high), reasons.PCS_LIMITED
        self.charge = min(charge, can.take)
        self.cut = plain > high or plain < low
        reason = reasons.FOLLOW if site["follow"] else reasons.BASELINE
        if self.cut:
            reason = high_reason if plain > high else low_reason
        self.clipped = self.point[0] = clamp(want, low, high)
        self.point[3] = reason
        over = 0 if self.cut else clamp(want - self.clipped, -1 << 20, 1 << 20)
        self.carry = over * (1024 - site["tuning"][1]) >> 10

    def have_last_word(self, dt_ms):
        """Go to zero where the state asks for it, along the ramp always."""
        want = self.point[0] if self.allowed else 0
        if self.allowed and self.state in (states.ON_GRID, states.LIMITED):
            limited = reasons.RATING <= self.point[3] <= reasons.EXPORT_CAP or self.point[3] == reasons.PCS_LIMITED
            self._enter(states.LIMITED if limited else states.ON_GRID)
        if self.reason is not None:
            self.point[3] = self.reason
        step = self.site["ramp"] * dt_ms // 1000 + 1
        self.point[0] = clamp(want, self.last - step, self.last + step)
        if self.reason is None and self.point[0] != want:
            self.point[3] = reasons.RAMP
        self.last = self.point[0]

    def limit_wind(self, snap, charge):
        """Give the wind the room there is."""
        room = charge + self.site["export"]
        if snap.load_known():
            room += snap.power[LOAD] - snap.power[4] - snap.power[5]
        self.point[1] = clamp(room, 0, self.site["wind"])


class Books:
    """The energy counters in 1/7,200,000 Wh times the unit: load +-, grid +-, bess +-, wind +-, pv +-, genset +-."""

    def __init__(self):
        self.sums = [0] * (2 * ROLES)
        self.substituted = 0
        self._before = [0] * ROLES

    def add(self, snap, dt_ms):
        """Add dt_ms that end at this snapshot."""
        for role in range(ROLES):
            power = snap.mean if role == GRID else snap.power[role]
            before = power if role in (GRID, BESS) else self._before[role]
            amount = (power + before) * dt_ms
            self.sums[2 * role + (amount < 0)] += abs(amount)
            if snap.state[role] not in (FRESH, ABSENT):
                self.substituted += abs(amount)
        self._before = list(snap.power)
