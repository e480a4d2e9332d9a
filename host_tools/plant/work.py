"""Useful computing work: what was offered to the site, and what of it was lost where load was shed.

The file gives the rate of work that goes with the load, in units of the user's choice a second. Where part of the load
is shed, the same part of the work is lost: whatever runs there, stands.
"""

from host_tools.plant.series import Series, load_columns

HEADER = ("time_s", "work_per_s")


def load_work(path):
    """Read a `time_s,work_per_s` file."""
    times_us, (rates,) = load_columns(path, HEADER)
    return Series(times_us, rates)


class Work:
    """Counts units of work of one run."""

    def __init__(self, series, island, end_us):
        self._series = series
        self._end_us = end_us
        self._lost = 0.0
        island.on_shed.append(self._lose)

    def _lose(self, from_us, to_us, share):
        to_us = min(to_us, self._end_us)
        if to_us > from_us:
            self._lost += share * self._series.integral(from_us, to_us) / 1e6

    def done(self, t_us):
        """Return the units done from the start to a time."""
        return self._series.integral(0, min(t_us, self._end_us)) / 1e6 - self._lost

    def summary(self, load_wh):
        """Return units done and lost, and the energy of the load a unit, for summary.json."""
        done = self.done(self._end_us)
        return {"done": round(done, 3), "lost": round(self._lost, 3),
                "load_wh_per_unit": round(load_wh / done, 6) if done > 0 else None}
