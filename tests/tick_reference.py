"""The laws of the control tick once more, in plain Python over dictionaries: what its viper stages are compared with.

Written for reading, not for speed, with integers of any size; runs on CPython and MicroPython alike.
"""

from firmware.control import reasons, supervisor
from firmware.core.types import ABSENT, BESS, FRESH, GENSET, GRID, LOAD, MISSING, PV, ROLES, STALE, WIND

LIMIT_PU = 0x90000  # of a meter's value, and of one formed from others
HALF = 1 << 29
SILENT = {LOAD: reasons.LOAD_SILENT, GRID: reasons.GRID_SILENT, WIND: reasons.WIND_SILENT, PV: reasons.PV_SILENT,
          GENSET: reasons.GENSET_SILENT}
# The other devices, the one that is told first in front.
LOST = (("bms", reasons.BMS_LOST), ("wind_limit", reasons.WIND_LIMIT_LOST), ("pv_limit", reasons.PV_LIMIT_LOST),
        ("genset_control", reasons.GENSET_CONTROL_LOST))


def clamp(x, low, high):
    """Return x limited to low .. high; low wins where the two cross."""
    return max(min(x, high), low)


def diff(a, b):
    """Return how much later 30-bit tick a is than tick b."""
    return ((a - b + HALF) % (2 * HALF)) - HALF


class Snap:
    """What measure makes of the readings: `rows` are (value, t_ms, count), None where the site has no such plant."""

    def __init__(self, rows):
        self.power = [0] * ROLES
        self.state = [ABSENT if row is None else MISSING for row in rows[:ROLES]]
        self.soc, self.soc_state = 0, MISSING
        self.mean = 0
        self._spent = {}

    def update(self, rows, now_ms, stale_ms):
        """Take the rows as they stand at `now_ms`."""
        self.now_ms = now_ms
        for i in range(ROLES + 1):
            if rows[i] is None or not rows[i][2] or self._spent.get(i) == rows[i][2]:
                continue  # absent, missing or stale: as it was
            value, t_ms, count = rows[i]
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
        self.trim = self.trim_rest = self.base = self.base_rest = self.last = self.changes = 0
        self.started = self.seen = False
        self.cut = True
        self.begin_ms = None
        self.state = supervisor.START

    def observe(self, snap, dt_ms):
        """Move the trim, unless something is silent, the set point was cut or the PCS does not follow."""
        follows = abs(snap.power[BESS] - self.point[0]) * 16 <= self.site["bess"]
        if snap.silent() or self.cut or not follows:
            return
        left = snap.power[GRID] - snap.net() + self.point[0]
        rest = self.trim_rest + clamp((left - self.trim) * self.site["gain"], -1_000_000, 1_000_000) * dt_ms
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
            found = supervisor.STOPPING, reasons.STOPPING
        elif local or not self.seen:
            found = (supervisor.LOCAL, reasons.PCS_LOCAL) if local else (supervisor.START, reasons.START)
            self.commands = False
        elif fault:
            found = supervisor.FAULT, reasons.PCS_FAULT
        elif not ready or snap.state[BESS] != FRESH:
            found = supervisor.FAULT, reasons.PCS_LOST
        elif snap.soc_state != FRESH:
            found = supervisor.FAULT, reasons.BMS_LOST if "bms" in lost else reasons.SOC_UNKNOWN
        elif silent > 1:
            found = supervisor.FAULT, reasons.BLIND
        else:
            self.allowed = True
            missing = [SILENT[role] for role in snap.silent()] + [reason for name, reason in LOST if name in lost]
            found = (supervisor.DEGRADED, missing[0]) if missing else (supervisor.ON_GRID, None)
        self.reason = found[1]
        if not (found[0] == supervisor.ON_GRID and self.state == supervisor.LIMITED):
            self._enter(found[0])

    def _enter(self, state):
        self.changes += state != self.state
        self.state = state

    def track(self, snap, allowed, dt_ms):
        """Choose the set point inside the window that is allowed."""
        site, net = self.site, snap.net()
        if not self.started:
            self.base, self.started = net, not snap.silent()
        target = 0
        if not site["follow"]:
            rest = self.base_rest + clamp(net - self.base, -524_288, 524_287) * dt_ms
            self.base += rest // site["base_ms"]
            self.base_rest = rest % site["base_ms"]
            target = self.base + site["bess"] * ((site["home"] - snap.soc) * site["homing"] // 1000) // 1000
        want = net - target + self.trim
        low, low_reason, high, high_reason, _ = allowed
        self.cut = want > high or want < low
        reason = reasons.FOLLOW if site["follow"] else reasons.BASELINE
        if self.cut:
            want, reason = (high, high_reason) if want > high else (low, low_reason)
        self.point[0], self.point[2], self.point[3] = want, target, reason

    def have_last_word(self, dt_ms):
        """Go to zero where the state asks for it, along the ramp always."""
        want = self.point[0] if self.allowed else 0
        if self.allowed and self.state in (supervisor.ON_GRID, supervisor.LIMITED):
            limited = reasons.RATING <= self.point[3] <= reasons.EXPORT_CAP
            self._enter(supervisor.LIMITED if limited else supervisor.ON_GRID)
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
