"""How a commissioning run asks the devices of a bus in turn, and adds up what they answer."""

from firmware.core import ticks

_PHASES = ("power_l1_w", "power_l2_w", "power_l3_w")
_TURN_MS = 250  # an answer that brings no news is as good as none


class Turns:
    """The devices of one bus, asked one after the other: what is asked again at once would leave the last ones out."""

    def __init__(self):
        self._readings = []
        self._requests = []
        self._turn = 0
        self._seen = None  # what the one asked last had counted then
        self._asked_ms = 0

    def add(self, reading, request):
        """Add a device: what it counts in, and how to ask it."""
        self._readings.append(reading)
        self._requests.append(request)

    def ask(self, now_ms):
        """Ask the next one that can be asked, once the last one has answered or failed to."""
        if self._seen is not None and ticks.diff(now_ms, self._asked_ms) < _TURN_MS:
            reading = self._readings[self._turn]
            if reading.count + reading.fails == self._seen:
                return
        self._seen = None
        for _ in self._requests:
            self._turn = (self._turn + 1) % len(self._requests)
            reading = self._readings[self._turn]
            seen = reading.count + reading.fails
            if self._requests[self._turn]():
                self._seen = seen
                self._asked_ms = now_ms
                return


class Mean:
    """Adds up the samples of one reading."""

    def __init__(self, reading):
        self._reading = reading
        self._seen = reading.count
        self.sum = self.n = 0

    def look(self, begin_ms):
        """Take a sample that is new and was taken after `begin_ms`."""
        reading = self._reading
        if reading.count != self._seen:
            self._seen = reading.count
            if ticks.diff(reading.t_ms, begin_ms) >= 0:
                self.sum += reading.value
                self.n += 1


class Phases:
    """Adds up the powers of one meter's phases, W, round after round."""

    def __init__(self, meter):
        self._meter = meter
        self._seen = meter.phases.count
        self._sums = [0] * len(_PHASES)
        self._n = 0

    def look(self, begin_ms):
        """Take a round that is whole and began after `begin_ms`, and ask for the next."""
        meter = self._meter
        if meter.phases.count != self._seen:
            self._seen = meter.phases.count
            values = meter.values()
            if ticks.diff(meter.phases.t_ms, begin_ms) >= 0 and None not in [values.get(name) for name in _PHASES]:
                self._n += 1
                for i in range(len(_PHASES)):
                    self._sums[i] += values[_PHASES[i]]
        meter.request_phases()

    def means(self):
        """Return the mean of each phase, W, or None without a round."""
        return [total // self._n for total in self._sums] if self._n else None
