"""From what the drivers last read to one Snapshot of one instant, every value with its age and state.

A silent meter is a state, not a zero. While exactly one role of the balance is silent, its value is formed from the
others (load = grid + bess + wind + pv + genset), and said to be so by its state.
"""

from array import array

import micropython

from firmware.core import ticks
from firmware.core.types import ABSENT, BESS, FRESH, GRID, LOAD, MISSING, ROLES, STALE, Snapshot


class Measure:
    """Owns the Snapshot; `readings` is indexed by role, None where the site has no such plant."""

    def __init__(self, readings, soc, pcs, stale_ms):
        self.snapshot = Snapshot()
        self._readings = readings
        self._soc = soc
        self._pcs = pcs
        self._stale_ms = stale_ms
        self.roles = 0
        self._grid_sum_pu = 0
        self._grid_samples = 0
        self._grid_count = 0  # of the reading when it was last sampled
        self._stale_count = array("i", [-1] * ROLES)  # count at which a role was found stale
        for role in range(ROLES):
            self.snapshot.state[role] = ABSENT if readings[role] is None else MISSING
            self.roles += readings[role] is not None

    @micropython.native
    def update(self, now_ms):
        """Fill the snapshot for the tick at `now_ms`; returns it."""
        snap = self.snapshot
        snap.now_ms = now_ms
        fresh = 0
        silent = -1
        for role in range(ROLES):
            if snap.state[role] != ABSENT:
                if self._take(role, now_ms) == FRESH:
                    fresh += 1
                else:
                    silent = role
        snap.all_fresh = fresh == self.roles
        if fresh == self.roles - 1:
            snap.power_pu[silent] = self._balance(silent)
        self._take_grid(snap)
        self._take_pcs(snap, now_ms)
        return snap

    @micropython.native
    def sample_grid(self):
        """Note the grid meter's value if it is a new one: several times a period, where the period leaves room."""
        reading = self._readings[GRID]
        if reading.count != self._grid_count:
            self._grid_count = reading.count
            self._grid_sum_pu += reading.value
            self._grid_samples += 1

    @micropython.native
    def _take_grid(self, snap):
        self.sample_grid()
        samples = self._grid_samples
        snap.grid_mean_pu = snap.power_pu[GRID]
        if samples and snap.state[GRID] == FRESH:
            snap.grid_mean_pu = (2 * self._grid_sum_pu + samples) // (2 * samples)
        self._grid_sum_pu = 0
        self._grid_samples = 0

    @micropython.native
    def _take(self, role, now_ms):
        snap = self.snapshot
        reading = self._readings[role]
        state = MISSING
        if reading.count and reading.count != self._stale_count[role]:
            age_ms = ticks.diff(now_ms, reading.t_ms)
            snap.age_ms[role] = age_ms
            snap.power_pu[role] = reading.value
            state = FRESH
            if age_ms > self._stale_ms:
                # Stale until a new value comes, however far the 30-bit tick runs on.
                self._stale_count[role] = reading.count
                state = STALE
        elif reading.count:
            state = STALE
        snap.state[role] = state
        return state

    @micropython.native
    def _balance(self, role):
        """Return what the other meters say that `role` must be, in site power units."""
        power = self.snapshot.power_pu
        rest = power[LOAD]
        for other in range(1, ROLES):
            rest -= power[other]
        # rest = load - (all sources); add the silent one's own share back out of the sum
        return power[role] + rest if role != LOAD else power[LOAD] - rest

    @micropython.native
    def _take_pcs(self, snap, now_ms):
        soc = self._soc
        if soc.count:
            snap.soc_permille = soc.value
            # The state of charge moves slowly: ten times the limit of a power before it is doubted.
            stale = ticks.diff(now_ms, soc.t_ms) > 10 * self._stale_ms
            snap.soc_state = STALE if stale else FRESH
        pcs = self._pcs
        snap.pcs_ready = pcs.ready and snap.state[BESS] == FRESH
        snap.pcs_local = pcs.local
        snap.pcs_fault = pcs.fault
