"""What was counted beside energy in each interval: the genset's fuel, and the computing work that the load did.

Both come from counters that only go up, read every few seconds in the background. Where an interval has no reading, or
its counter went back, it states nothing. Fuel is believed within what an engine can make of it: none gives more than
5 kWh a litre, and none burns more than a litre an hour for each kW of its rating; else the genset counts by its energy.
"""

_WH_PER_ML = 5
_FLOOR_WH = 1000  # the counters of fuel and of energy do not step together
_STEP_ML = 1000  # of a coarse counter
_MS_PER_H = 3_600_000


class Tally:
    """One counter: what it gained in the open interval, and in those closed since."""

    def __init__(self):
        self._last = None
        self._gained = 0
        self._heard = False
        self._whole = True  # no reading was missing when the interval began
        self._closed = []

    def hear(self, count):
        """Take a reading."""
        if self._last is not None and count >= self._last:
            self._gained += count - self._last
        elif self._last is not None:
            self._whole = False
        self._last = count
        self._heard = True

    def close(self, keep):
        """End the interval; its gain is kept for take() where somebody will ask."""
        if keep:
            self._closed.append(self._gained if self._heard and self._whole else None)
        self._whole = self._heard  # after a silence what has been counted belongs to nobody knows which interval
        if not self._heard:
            self._last = None
        self._gained = 0
        self._heard = False

    def take(self):
        """Return the gain of the oldest closed interval, None where it is not known."""
        return self._closed.pop(0) if self._closed else None


class Supplies:
    """Fuel and work of each interval of a Cutter; `rated_w` is the genset's rating."""

    def __init__(self, cutter, rated_w):
        self._cutter = cutter
        self._rated_w = rated_w
        self.fuel, self.work = Tally(), Tally()
        self._kept = self._lost = 0

    def sync(self):
        """Close the intervals that the tick has cut: those kept wait to be written, those lost found no room."""
        kept, lost = self._cutter.kept, self._cutter.lost
        while self._kept != kept:
            self._kept += 1
            self.fuel.close(True)
            self.work.close(True)
        if self._lost != lost:
            self._lost = lost
            self.fuel.close(False)
            self.work.close(False)

    def take(self, energy_wh, duration_ms):
        """Return (fuel in ml, work) of the oldest closed interval, None where unknown; the genset gave `energy_wh`."""
        self.sync()
        return self._believed(self.fuel.take(), energy_wh, duration_ms), self.work.take()

    def _believed(self, fuel_ml, energy_wh, duration_ms):
        if fuel_ml is None:
            return None
        most_ml = self._rated_w * duration_ms // _MS_PER_H + _STEP_ML
        fits = energy_wh <= fuel_ml * _WH_PER_ML + _FLOOR_WH and fuel_ml <= most_ml
        return fuel_ml if fits else None
