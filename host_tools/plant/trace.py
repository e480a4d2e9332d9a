"""trace.csv and the figures of a run: the plant's true values, sampled on two fixed grids of virtual time."""

from array import array
from collections import deque
from math import sqrt

COLUMNS = ("time_s", "load_w", "wind_available_w", "wind_w", "pv_available_w", "pv_w", "genset_w", "bess_w",
           "grid_w", "setpoint_w", "target_w", "soc_permille", "mode", "reason")
_RAMPS = ("load", "grid", "without_battery")
_SKIP_US = 60_000_000  # start-up, left out of the control figures


class Trace:
    """Writes one row every `step_us`, from the start to the end inclusive."""

    def __init__(self, path, plant, reports, step_us, end_us):
        self._plant = plant
        self._reports = reports
        self._step_us = step_us
        self._end_us = end_us
        self._file = open(path, "w", encoding="ascii", newline="\n")  # noqa: SIM115 closed by close()
        self._file.write(",".join(COLUMNS) + "\n")
        plant.agenda.calmly_at(0, self._row, 0)

    def _row(self, t_us):
        site = self._plant.site
        reports = self._reports
        bess_w = site.bess(t_us)
        load_w, wind_w, pv_w, genset_w = site.load(t_us), site.wind(t_us), site.pv(t_us), site.genset(t_us)
        target = "" if reports.target_w is None else reports.target_w
        soc = site.battery.soc_permille(t_us)
        self._file.write(f"{t_us / 1e6:.10g},{load_w:.0f},{site.wind_available(t_us):.0f},{wind_w:.0f},"
                         f"{site.pv_available(t_us):.0f},{pv_w:.0f},{genset_w:.0f},{bess_w:.0f},"
                         f"{load_w - bess_w - wind_w - pv_w - genset_w:.0f},"
                         f"{self._plant.setpoint_w:.0f},{target},{soc:.1f},{reports.mode},{reports.reason}\n")
        if t_us + self._step_us <= self._end_us:
            self._plant.agenda.calmly_at(t_us + self._step_us, self._row, t_us + self._step_us)

    def close(self):
        """Finish the file."""
        self._file.close()


class Ramp:
    """The largest change of a value over a window of samples."""

    def __init__(self, samples, window_s):
        self._ring = deque(maxlen=samples + 1)
        self._window_s = window_s
        self.largest_w = 0.0

    def take(self, value):
        """Take the next sample."""
        ring = self._ring
        ring.append(value)
        if len(ring) == ring.maxlen:
            change = value - ring[0]
            if change < 0:
                change = -change
            if change > self.largest_w:
                self.largest_w = change

    def figures(self):
        """Return the change and its rate."""
        return {"change_w": round(self.largest_w), "rate_w_per_s": round(self.largest_w / self._window_s)}


class Figures:
    """Samples load, grid and target every control period; accounts the energies as it goes."""

    def __init__(self, plant, reports, end_us):
        self._plant = plant
        self._reports = reports
        self._step_us = plant.period_ms * 1000
        self._end_us = end_us
        self._skip_us = _SKIP_US if end_us > 2 * _SKIP_US else 0
        self._misses = array("d")
        self._load_misses = array("d")
        self._ramps = {}
        for window_us in sorted({self._step_us, 1_000_000, 2_000_000}):
            if window_us % self._step_us == 0:
                samples = window_us // self._step_us
                self._ramps[f"{window_us / 1e6:g}_s"] = [Ramp(samples, window_us / 1e6) for _ in range(3)]
        plant.agenda.calmly_at(0, self._sample, 0)

    def _sample(self, t_us):
        site = self._plant.site
        site.advance(t_us)
        if t_us >= self._skip_us:
            load_w = site.load(t_us)
            grid_w = site.grid(t_us)
            alone_w = load_w - site.wind_available(t_us) - site.pv_available(t_us)
            for load, grid, alone in self._ramps.values():
                load.take(load_w)
                grid.take(grid_w)
                alone.take(alone_w)
            target_w = self._reports.target_w
            if target_w is not None:
                self._misses.append(grid_w - target_w)
                self._load_misses.append(alone_w - target_w)
        if t_us + self._step_us <= self._end_us:
            self._plant.agenda.calmly_at(t_us + self._step_us, self._sample, t_us + self._step_us)

    def summary(self):
        """Return the control figures of the run."""
        return {"skipped_s": self._skip_us // 1_000_000, "sample_s": self._step_us / 1e6,
                "grid_minus_target": _distribution(self._misses),
                "without_battery_minus_target": _distribution(self._load_misses),
                "ramps": {window: dict(zip(_RAMPS, [ramp.figures() for ramp in ramps]))
                          for window, ramps in self._ramps.items()}}


def _distribution(misses):
    if not misses:
        return None
    ordered = sorted(abs(miss) for miss in misses)
    return {"rms_w": round(sqrt(sum(miss * miss for miss in ordered) / len(ordered))),
            "p99_w": round(ordered[int(0.99 * (len(ordered) - 1))]), "max_w": round(ordered[-1])}
