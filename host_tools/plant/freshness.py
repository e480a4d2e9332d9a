"""How old what the firmware knows of each device is: at any time, and when a set point leaves; between injected events.

The lines tell when a device was asked and when the whole answer had arrived. A value's age counts from the last byte
of the request that read it. Of what is read of one device at several addresses the freshest counts, its power; of
what is written to the PCS that which finds the load freshest, the set point. What is read at start-up only is left out.
"""

from collections import Counter

from host_tools.plant.series import US_PER_S

_WINDOWS_MOST = 50
_OFTEN = 5  # read at least so often in the run: no start-up value
_BITS = 10  # of an age at a write that are kept, 0.2 %: a start-up value has another age at each write of a week


class _Ages:
    """Ages of one value: as time goes by, and at single instants."""

    def __init__(self, from_us, sampled_us):
        self._from_us = from_us
        self.sampled_us = sampled_us  # None: never heard
        self._starts = Counter()  # a piece of time begins with this age, ms
        self._ends = Counter()  # one ends with it
        self._area = 0.0
        self._time_us = 0
        self.instants = {}  # address of a write to the PCS -> {age at it, ms: how often}

    def hear(self, t_us, sampled_us):
        """Take a new sample that arrived now."""
        self.close(t_us)
        self.sampled_us = sampled_us

    def close(self, t_us):
        """Account the time up to now."""
        if self.sampled_us is not None and t_us > self._from_us:
            first_us, last_us = self._from_us - self.sampled_us, t_us - self.sampled_us
            self._starts[first_us // 1000] += 1
            self._ends[last_us // 1000] += 1
            self._area += (first_us + last_us) / 2 * (t_us - self._from_us)
            self._time_us += t_us - self._from_us
        self._from_us = t_us

    @property
    def mean_ms(self):
        """The mean age over time, ms; None without any."""
        return self._area / self._time_us / 1000 if self._time_us else None

    def at_any_time(self):
        """Return {mean, 95th percentile, largest} over time."""
        edges = sorted(self._starts.keys() | self._ends.keys())
        left_ms = 0.95 * sum(age_ms * (self._ends[age_ms] - self._starts[age_ms]) for age_ms in edges)
        open_n = 0
        for age_ms, next_ms in zip(edges, edges[1:]):
            open_n += self._starts[age_ms] - self._ends[age_ms]
            spent_ms = open_n * (next_ms - age_ms)
            if spent_ms >= left_ms > 0:
                break
            left_ms -= spent_ms
        p95_ms = round(age_ms + left_ms / open_n) if open_n else edges[-1]
        return {"mean_ms": round(self.mean_ms, 1), "p95_ms": p95_ms, "max_ms": edges[-1]}

    def at_writes(self, address):
        """Return the same at the writes to an address; None without any."""
        instants = self.instants.get(address)
        if not instants:
            return None
        mean_ms = sum(age_ms * count for age_ms, count in instants.items()) / sum(instants.values())
        return {"mean_ms": round(mean_ms, 1), "p95_ms": _percentile(instants), "max_ms": max(instants)}


def _short(age_ms):
    """Return an age by its first _BITS bits."""
    drop = max(age_ms.bit_length() - _BITS, 0)
    return age_ms >> drop << drop


def _percentile(counts):
    """Return the smallest value that 95 % do not exceed; 0 of nothing."""
    left = 0.95 * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0


class Freshness:
    """Watches the lines of a plant, in windows parted by the injected events."""

    def __init__(self, plant, end_us, edges_us=()):
        self._ages = {}  # (role, address) -> ages in this window
        self._heard = Counter()  # the same -> answers in the run
        self._written = []  # addresses of the writes to the PCS, in the order of the first ones
        self._from_us = 0
        self._windows = []
        for line in plant.lines.values():
            line.observer = self
        edges = sorted({edge_us for edge_us in edges_us if 0 < edge_us < end_us})
        for edge_us in [*edges[:_WINDOWS_MOST], end_us]:
            plant.agenda.calmly_at(edge_us, self._part, edge_us)

    def answered(self, slave, address, asked_us, t_us):
        """A read's whole answer has arrived."""
        key = slave.role, address
        self._heard[key] += 1
        ages = self._ages.get(key)
        if ages is None:
            ages = self._ages[key] = _Ages(t_us, None)
        ages.hear(t_us, asked_us)

    def written(self, slave, address, t_us):
        """A device has been written to."""
        if slave.role != "pcs":
            return
        if address not in self._written:
            self._written.append(address)
        for ages in self._ages.values():
            if ages.sampled_us is not None:
                instants = ages.instants.get(address)
                if instants is None:
                    instants = ages.instants[address] = {}
                age_ms = _short((t_us - ages.sampled_us) // 1000)
                instants[age_ms] = instants.get(age_ms, 0) + 1

    def _part(self, t_us):
        self._windows.append(self._window(t_us))
        self._from_us = t_us
        self._ages = {key: _Ages(t_us, ages.sampled_us) for key, ages in self._ages.items()}
        self._written = []

    def _window(self, t_us):
        power = {}  # role -> key of the value that is read most often
        for key, ages in self._ages.items():
            ages.close(t_us)
            known = power.get(key[0])
            if self._heard[key] >= _OFTEN and ages.mean_ms is not None and (
                    known is None or ages.mean_ms < self._ages[known].mean_ms):
                power[key[0]] = key
        return {"from_s": self._from_us / US_PER_S, "to_s": t_us / US_PER_S,
                "any_time": {role: self._ages[key].at_any_time() for role, key in sorted(power.items())},
                "at_setpoint": self._at_setpoint(power)}

    def _at_setpoint(self, power):
        shown = [{role: self._ages[key].at_writes(address) for role, key in sorted(power.items())
                  if address in self._ages[key].instants} for address in self._written]
        return min((ages for ages in shown if ages.get("load")), key=lambda ages: ages["load"]["mean_ms"], default={})

    def summary(self):
        """Return the windows in order."""
        return self._windows
