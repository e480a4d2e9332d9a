"""Who speaks on a line without having been asked: a device that babbles, and another master with its devices."""

from host_tools.plant.crc import with_crc

_BURST_MOST = 24  # bytes
_UNITS = 247
_ANSWER_US = (3_000, 30_000)  # the other master's devices answer within


class Babbler:
    """A device that speaks in bursts of 1 to 24 bytes, noise and whole frames in its own name, all the time.

    `duty` is the share of time in which it speaks; pauses are exponentially distributed.
    """

    def __init__(self, line, unit, rng):
        self._line = line
        self._unit = unit
        self._rng = rng
        self._duty = 0.0
        self._running = False

    def set(self, duty):
        """Speak for this share of the time, 0 to 1, from now on."""
        self._duty = duty
        if duty and not self._running:
            self._running = True
            self._pause()

    def _pause(self):
        mean_us = (1 + _BURST_MOST) / 2 * self._line.char_us * (1 / self._duty - 1)
        pause_us = round(self._rng.expovariate(1 / mean_us)) if mean_us else 0
        self._line.agenda.at(self._line.agenda.now_us + pause_us, self._speak)

    def _speak(self, _):
        if not self._duty:
            self._running = False
            return
        data = self._burst()
        self._line.say(data)
        end_us = self._line.agenda.now_us + round(len(data) * self._line.char_us)
        self._line.agenda.at(end_us, lambda _: self._pause() if self._duty else self._stop())

    def _stop(self):
        self._running = False

    def _burst(self):
        n = self._rng.randint(1, _BURST_MOST)
        if n >= 7 and self._rng.random() < 0.5:
            data = self._rng.randbytes(2 * ((n - 5) // 2))
            return with_crc(bytes((self._unit, self._rng.choice((3, 4)), len(data))) + data)
        return self._rng.randbytes(n)


class OtherMaster:
    """Another master on the line: it reads units that are not ours, and they answer. `per_s` reads a second."""

    def __init__(self, line, rng):
        self._line = line
        self._rng = rng
        self._per_s = 0.0
        self._running = False

    def set(self, per_s):
        """Make this many requests a second, in the mean, from now on."""
        self._per_s = per_s
        if per_s and not self._running:
            self._running = True
            self._later()

    def _later(self):
        pause_us = round(self._rng.expovariate(self._per_s / 1e6))
        self._line.agenda.at(self._line.agenda.now_us + pause_us, self._ask)

    def _ask(self, _):
        if not self._per_s:
            self._running = False
            return
        rng = self._rng
        line = self._line
        unit = rng.choice([unit for unit in range(1, _UNITS + 1) if unit not in line.slaves])
        function, count = rng.choice((3, 4)), rng.randint(1, 10)
        request = bytes((unit, function)) + rng.randrange(0x8000).to_bytes(2, "big") + bytes((0, count))
        line.say(with_crc(request))
        answer = with_crc(bytes((unit, function, 2 * count)) + rng.randbytes(2 * count))
        pause_us = max(rng.randint(*_ANSWER_US), line.silence_us)
        line.agenda.at(line.agenda.now_us + round(8 * line.char_us) + pause_us, line.say, answer)
        self._later()
