"""Sum the intervals of a range into equal stretches of time, for charts and tables: energy and carbon, never ratios."""

from host_tools.evidence.reading import QUARTER_MS

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05


class Bin:
    """What a stretch of time sums to; `last` is its last interval."""

    __slots__ = ("sources_wh", "uses_wh", "carbon_ug", "low_high", "last", "grid_direct_mg", "entries")

    def __init__(self):
        self.sources_wh, self.uses_wh, self.carbon_ug = [0] * 5, [0] * 4, [0, 0]
        self.low_high = [[], []]
        self.last = None
        self.grid_direct_mg = None
        self.entries = []

    def add(self, entry):
        """Add one interval."""
        record = entry.record
        self.sources_wh = list(map(int.__add__, self.sources_wh, record[23]))
        self.uses_wh = list(map(int.__add__, self.uses_wh, record[24]))
        self.carbon_ug = [self.carbon_ug[0] + record[35][0], self.carbon_ug[1] + record[36][0]]
        self.last = entry
        self.entries.append(entry)

    def intensity(self, track):
        """Return g/kWh of the load, summed carbon over summed energy; None without load."""
        return self.carbon_ug[track] / self.uses_wh[0] / 1000 if self.uses_wh[0] else None

    def extremes(self, track):
        """Return the lowest and the highest g/kWh of the load among its intervals."""
        key = (35, 36)[track]
        found = [entry.record[key][0] / entry.record[24][0] / 1000 for entry in self.entries if entry.record[24][0]]
        return (min(found), max(found)) if found else (None, None)


class Series:
    """The intervals of a range placed in time. Without UTC they are placed by the board's running time."""

    def __init__(self, entries):
        offsets = {entry.record[4]: entry.record[9] - entry.record[11] for entry in entries
                   if entry.record[9] is not None}
        self.placed = []
        for entry in entries:
            if entry.is_interval:
                record = entry.record
                start_ms = record[9] if record[9] is not None else record[11] + offsets.get(record[4], 0)
                self.placed.append((start_ms, entry))
        self.placed.sort(key=lambda row: row[0])
        self.first_ms = self.placed[0][0] if self.placed else None
        self.last_ms = max((start + entry.record[10] for start, entry in self.placed), default=None)

    @property
    def days(self):
        """Return how many days the series reaches over."""
        return (self.last_ms - self.first_ms) / DAY_MS

    def bins(self, first_ms, step_ms, count):
        """Return so many bins from first_ms on; None where nothing was recorded."""
        found = [None] * count
        for start_ms, entry in self.placed:
            index = (start_ms - first_ms) // step_ms
            if 0 <= index < count:
                if found[index] is None:
                    found[index] = Bin()
                found[index].add(entry)
        return found

    def cover(self, step_ms):
        """Return (first_ms, bins) from the first to the last interval, on full steps."""
        first_ms = self.first_ms - self.first_ms % step_ms
        return first_ms, self.bins(first_ms, step_ms, -(-(self.last_ms - first_ms) // step_ms))

    def step(self):
        """Return a step for curves: few enough points to draw, fine enough to see days."""
        for step_ms in (QUARTER_MS, HOUR_MS, 3 * HOUR_MS, DAY_MS):
            if (self.last_ms - self.first_ms) / step_ms <= 1000:
                return step_ms
        return WEEK_MS


def monday(time_ms):
    """Return the Monday 00:00 UTC at or before a time."""
    return time_ms - (time_ms - _MONDAY_MS) % WEEK_MS
