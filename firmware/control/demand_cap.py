"""The demand cap: mean import over each clock-aligned quarter hour, turned into the import cap that is valid now.

What the quarter may still take is spread evenly over the rest of it, never above the cap of the connection. What was
imported before the clock was known, or before the board was there, is not known: it counts as the demand itself.
"""

from firmware.core.fixed import clamp
from firmware.core.types import CLOCK_UNKNOWN

_QUARTER_S = 900


class DemandCap:
    """Counts the quarter's import; both caps in site power units, 0 .. 2**19, `demand_pu` None: there is none."""

    def __init__(self, import_pu, demand_pu):
        self._import_pu = import_pu
        self._demand_pu = demand_pu
        self._quarter = None  # the one that is counted, None while its number is unknown
        self._used = 0  # pu * s, at most 900 * 2**19
        self._rest = 0  # pu * ms below one pu * s

    def step(self, grid_pu, dt_ms, utc):
        """Count `grid_pu` (import +) over the last `dt_ms` (0 .. 60,000); return the import cap valid now.

        `utc` is the core.utc clock as it stands behind these `dt_ms`. While it is unknown each instant is held to the
        demand: nobody knows which instants the meter of the grid adds up.
        """
        demand_pu = self._demand_pu
        if demand_pu is None:
            return self._import_pu
        if utc.trust == CLOCK_UNKNOWN:
            self._quarter = None
            return min(demand_pu, self._import_pu)
        ms = utc.ms
        if utc.quarter != self._quarter:
            came_to_its_end = self._quarter is not None and utc.quarter == self._quarter + 1 and ms <= dt_ms
            self._used = 0 if came_to_its_end else demand_pu * (ms // 1000)
            self._rest = 0
            self._quarter = utc.quarter
            dt_ms = ms if came_to_its_end else 0
        self._count(clamp(grid_pu, 0, 1 << 19), dt_ms)
        left_s = max(_QUARTER_S - ms // 1000, 1)
        return clamp((demand_pu * _QUARTER_S - self._used) // left_s, 0, self._import_pu)

    def _count(self, grid_pu, dt_ms):
        rest = self._rest + grid_pu * (dt_ms % 1000)
        self._used = min(self._used + grid_pu * (dt_ms // 1000) + rest // 1000, _QUARTER_S << 19)
        self._rest = rest % 1000
