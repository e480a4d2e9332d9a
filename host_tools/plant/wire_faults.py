"""Faults of a line, put on whole Modbus RTU frames: what a receiver gets instead of the frame that was sent.

One WireFaults belongs to a line or to one device on it. Every figure is 0 for "never"; all chance comes from the
generator given to it. parts() is for who can keep time (virtual line, pump of a pty), packet() for a server that
can only change what it is about to send.
"""

from host_tools.plant.crc import with_crc

# lowest, highest, whole numbers only, in words
_CHANCE = (0, 1, False, "a probability per answer, 0 to 1")
SETTINGS = {
    "flip": (0, 1, False, "a probability per byte, 0 to 1"),
    "noise": _CHANCE,  # 1 to 12 bytes of nothing before the answer, behind it, or in its place
    "lost": _CHANCE,
    "cut_short": _CHANCE,  # the answer stops in the middle
    "merged": _CHANCE,  # held back, and glued in front of the next answer
    "repeated": _CHANCE,  # comes twice in a row
    "late": _CHANCE,  # comes later, by late_ms; 1 where late_ms alone is set
    "late_ms": (0, 60_000, False, "0 to 60000 ms"),
    "wrong_unit": _CHANCE,  # whole and well-formed, in another's name
    "wrong_function": _CHANCE,
    "wrong_length": _CHANCE,  # one register too many or too few, and a right CRC over it
    "wrong_crc": _CHANCE,
}
_NOISE_MOST = 12
_UNITS = 247
_MOST_REGISTERS = 125  # that one answer holds
_FUNCTIONS = (1, 2, 3, 4, 6, 16)


class WireFaults:
    """What a line, or one device, does to answers."""

    def __init__(self, rng, **settings):
        self._rng = rng
        self._held = b""  # an answer kept back to be merged with the next
        self._owed = b""  # the same for packet(): the one that is late
        self.values = dict.fromkeys(SETTINGS, 0.0)
        self.any = False
        for name, value in settings.items():
            self.set(name, value)

    def set(self, name, value):
        """Set one figure."""
        if name not in SETTINGS:
            raise KeyError(name)
        self.values[name] = value
        if name == "late_ms":
            self.values["late"] = 1.0 if value else 0.0
        self.any = any(self.values.values())

    def clear(self):
        """Heal: no fault any more, and nothing kept back."""
        self.values = dict.fromkeys(SETTINGS, 0.0)
        self.any = False
        self._held = self._owed = b""

    def _chance(self, name):
        chance = self.values[name]
        return chance > 0 and self._rng.random() < chance

    def parts(self, answer):
        """Return [(delay us, bytes)] that arrive in place of an answer; delays count from where it was due."""
        if not self.any or not answer:
            return [(0, answer)] if answer else []
        delay_us = round(self.values["late_ms"] * 1000) if self._chance("late") else 0
        data = self._frames(answer)
        return [(delay_us, data)] if data else []

    def packet(self, answer):
        """Return the bytes to send now in place of an answer; a late one comes with the next, or in its place."""
        if not self.any or not answer:
            return answer
        late = self._chance("late")
        sent = self._owed if late else self._owed + self._frames(answer)
        self._owed = self._frames(answer) if late else b""
        return sent

    def _frames(self, answer):
        if self._chance("lost"):
            return b""
        if self._chance("merged"):
            self._held += answer
            return b""
        data = self._held + self.noisy(self._spoilt(answer))
        self._held = b""
        return self.flipped(data)

    def _spoilt(self, answer):
        for name, spoil in _SPOILS.items():
            if self._chance(name):
                answer = spoil(answer, self._rng)
        return answer

    def noisy(self, data):
        """Return the bytes with noise in front, behind, or alone."""
        if not self._chance("noise"):
            return data
        noise = self._rng.randbytes(self._rng.randint(1, _NOISE_MOST))
        return self._rng.choice((noise + data, data + noise, noise))

    def flipped(self, data):
        """Return the bytes with single bits turned."""
        flip = self.values["flip"]
        if not flip:
            return data
        damaged = bytearray(data)
        for i in range(len(damaged)):
            if self._rng.random() < flip:
                damaged[i] ^= 1 << self._rng.randrange(8)
        return bytes(damaged)


def wrong_unit(answer, rng):
    """Answer whole and well-formed, in another unit's name."""
    return with_crc(bytes((_other(answer[0], range(1, _UNITS + 1), rng),)) + answer[1:-2])


def wrong_function(answer, rng):
    """Answer another function."""
    return with_crc(answer[:1] + bytes((_other(answer[1], _FUNCTIONS, rng),)) + answer[2:-2])


def wrong_length(answer, rng):
    """Answer with one register too many or too few; what is no read comes one byte short."""
    if answer[1] not in (3, 4):
        return with_crc(answer[:-3])
    count = answer[2] // 2
    count += 1 if count < 2 or count < _MOST_REGISTERS and rng.random() < 0.5 else -1
    data = (answer[3:-2] + rng.randbytes(2))[:2 * count]
    return with_crc(answer[:2] + bytes((2 * count,)) + data)


def wrong_crc(answer, rng):
    """Answer with a CRC that is not its own."""
    at = rng.choice((-1, -2))
    return answer[:at] + bytes((answer[at] ^ rng.randint(1, 255),)) + answer[len(answer) + at + 1:]


def cut_short(answer, rng):
    """Stop in the middle of an answer."""
    return answer[:rng.randint(1, len(answer) - 1)]


def repeated(answer, _rng):
    """Answer twice in a row."""
    return answer + answer


def _other(value, choices, rng):
    return rng.choice([choice for choice in choices if choice != value])


_SPOILS = {"wrong_unit": wrong_unit, "wrong_function": wrong_function, "wrong_length": wrong_length,
           "wrong_crc": wrong_crc, "repeated": repeated, "cut_short": cut_short}
