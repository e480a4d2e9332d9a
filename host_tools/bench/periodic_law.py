"""The firmware's tracker with its repetitive term, as a law that the bench's closed loop can ask."""

import importlib

from host_tools.bench import tracking
from host_tools.bench.tracker_law import UNIT_W, TrackerLaw

_GRID = 1
_SECOND_MS = 1000


class PeriodicLaw(TrackerLaw):
    """TrackerLaw, and the repetitive term on top of its feed-forward."""

    def __init__(self, period_ms, delay_ms, used=True, lag_ms=tracking.LAG_MS, refresh_ms=1):
        """Not `used`, the term learns but its correction is left out."""
        super().__init__(period_ms, delay_ms, lag_ms, refresh_ms=refresh_ms)
        self.parts = [importlib.import_module(f"firmware.control.{name}")
                      for name in ("baseline", "lead", "periodic", "tracker")]
        self.term = self.parts[2].Periodic(period_ms, delay_ms, lag_ms, refresh_ms)
        self.open = 0  # ticks in which the correction was used at all
        self._used = used
        self._since_ms = 0
        self._sees_grid = False
        self.tracker.step = self._step

    def with_grid(self, load_w, grid_w, bess_w, target_w, sampled=True):
        """Return the command for this sample, W, where the grid's meter is seen too: as a law of rivals.follow().

        Not `sampled`, the load is that of the last sample.
        """
        self.snap.power_pu[_GRID] = round(grid_w / UNIT_W)
        self._sees_grid = True
        command_w = self(load_w, target_w, sampled=sampled)
        self._since_ms += self.period_ms
        if self._since_ms >= _SECOND_MS:
            self._since_ms = 0
            if self.tracker.is_aliased():
                self.term.forget()
            if self.tracker.retune(self.snap.now_ms, self.snap.now_ms):
                self.term.retune(self.tracker.facts)
        return command_w

    def _step(self, setpoint, snap, limits, dt_ms):
        """Do as control.decide does."""
        baseline, lead, periodic, tracker = self.parts
        cells = self.tracker.cells
        baseline.aim(cells, snap.cells, dt_ms)
        lead.weigh(cells, lead.lead(cells, snap.cells))
        if not self._sees_grid:
            lead.count_turns(cells)
        periodic.repeat(self.term.cells, self.term.ring, cells)
        self.open += self.term.gate > 0
        if not self._used:
            self.tracker.term_pu = 0
        tracker.track(cells, setpoint.cells, limits.cells)
        self.term.learn(*[self.tracker.compare(snap, self.term.open)] * self._sees_grid)
