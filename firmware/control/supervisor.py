"""The supervisor: named states from a table, and the last word on every set point before the wire."""

import micropython

from firmware.control import reasons
from firmware.core import ticks
from firmware.core.types import ABSENT, FRESH, MISSING, ROLES

START = 0
ON_GRID = 1
LIMITED = 2
DEGRADED = 3
FAULT = 4
LOCAL = 5
STOPPING = 6
NAMES = ("start", "on_grid", "limited", "degraded", "fault", "local", "stopping")

# What is wrong, as bits; the first row of the table that has one of its bits decides.
_STOP = 1
_LOCAL = 2
_NEVER_SEEN = 4
_PCS_LOST = 8
_PCS_FAULT = 16
_SOC = 32
_BLIND = 64
_ONE_SILENT = 128

_RAMP_MAX_PU_PER_S = 1 << 20  # from one end of full scale to the other; times 1,000 ms it is a small integer
_START_MS = 10_000  # how long a start waits for every meter before it goes on without the silent ones

# condition, state, reason that replaces the tracker's (or -1), set point allowed, command sent
_TABLE = (
    (_STOP, STOPPING, reasons.STOPPING, False, True),
    (_LOCAL, LOCAL, reasons.PCS_LOCAL, False, False),
    (_NEVER_SEEN, START, reasons.START, False, False),
    (_PCS_FAULT, FAULT, reasons.PCS_FAULT, False, True),
    (_PCS_LOST, FAULT, reasons.PCS_LOST, False, True),
    (_SOC, FAULT, reasons.SOC_UNKNOWN, False, True),
    (_BLIND, FAULT, reasons.BLIND, False, True),
    (_ONE_SILENT, DEGRADED, reasons.DEGRADED, True, True),
)


class Supervisor:
    """Decides the state from one Snapshot and clamps the set point; `ramp_pu_per_s` is the site's ramp limit."""

    def __init__(self, ramp_pu_per_s):
        self._ramp = min(ramp_pu_per_s, _RAMP_MAX_PU_PER_S)
        self.state = START
        self.commands = False  # this tick's set point goes to the wire
        self.stopping = False
        self.changes = 0
        self.allowed = False  # a set point other than zero is
        self._reason = reasons.START
        self._seen = False
        self._begun = False
        self._begin_ms = 0
        self._last_pu = 0

    @micropython.native
    def update(self, snap):
        """Find the state for this snapshot."""
        wrong = self._wrong(snap)
        state = ON_GRID
        self.allowed = True
        self.commands = True
        self._reason = -1
        for row in _TABLE:
            if wrong & row[0]:
                state = row[1]
                self._reason = row[2]
                self.allowed = row[3]
                self.commands = row[4]
                break
        self._enter(state)

    @micropython.native
    def _wrong(self, snap):
        wrong = _STOP if self.stopping else 0
        if snap.pcs_local:
            wrong |= _LOCAL
        if snap.pcs_fault:
            wrong |= _PCS_FAULT
        if not snap.pcs_ready:
            wrong |= _PCS_LOST
        if snap.soc_state != FRESH:
            wrong |= _SOC
        return wrong | self._silent(snap)

    @micropython.native
    def _silent(self, snap):
        silent = 0
        missing = 0
        for role in range(ROLES):
            state = snap.state[role]
            if state == ABSENT:
                continue
            if state != FRESH:
                silent += 1
            if state == MISSING:
                missing += 1
        if not self._seen and not self._start_over(snap, missing):
            return _NEVER_SEEN
        if silent > 1:
            return _BLIND
        return _ONE_SILENT if silent else 0

    @micropython.native
    def _start_over(self, snap, missing):
        """Return True, from then on, once every meter has been seen or the start has lasted long enough."""
        if not self._begun:
            self._begun = True
            self._begin_ms = snap.now_ms
        complete = not missing and snap.soc_state != MISSING
        self._seen = complete or ticks.diff(snap.now_ms, self._begin_ms) >= _START_MS
        return self._seen

    @micropython.native
    def _enter(self, state):
        if state != self.state and not (state == ON_GRID and self.state == LIMITED):
            self.state = state
            self.changes += 1

    @micropython.native
    def apply(self, setpoint, dt_ms):
        """Have the last word: zero where the state asks for it, else along the ramp."""
        want_pu = setpoint.bess_pu if self.allowed else 0
        if self.allowed:
            self._name_limited(setpoint)
        if self._reason >= 0:
            setpoint.reason = self._reason
        step_pu = self._ramp * dt_ms // 1000 + 1
        if want_pu > self._last_pu + step_pu:
            want_pu = self._last_pu + step_pu
            setpoint.reason = reasons.RAMP if self.allowed else self._reason
        elif want_pu < self._last_pu - step_pu:
            want_pu = self._last_pu - step_pu
            setpoint.reason = reasons.RAMP if self.allowed else self._reason
        setpoint.bess_pu = want_pu
        self._last_pu = want_pu

    @micropython.native
    def _name_limited(self, setpoint):
        """Tell ON_GRID from LIMITED: the same state for safety, another word for people."""
        limited = reasons.RATING <= setpoint.reason <= reasons.EXPORT_CAP
        if limited and self.state == ON_GRID:
            self.state = LIMITED
            self.changes += 1
        elif not limited and self.state == LIMITED:
            self.state = ON_GRID
            self.changes += 1
