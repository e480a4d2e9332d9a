"""What a message that sets the clock names, so that its age is known to a board whose clock is wrong or not known.

Each status carries a new one. Whoever signs it has seen that status: the time in the message was true between then
and now. Nobody can tell one beforehand, so nothing signed for another one fits; once one is used, all are void.
"""

from binascii import hexlify
from hashlib import sha256

from micropython import const

from firmware.core import ticks

_BYTES = const(8)
_LONGEST_MS = const(600_000)  # a status is retained: who reads it later is told the next one soon


class Challenge:
    """The last two; `secret()` yields and returns bytes that nobody else can know, another each boot; `ms()` ticks."""

    def __init__(self, secret, ms):
        self._secret = secret
        self._ms = ms
        self._root = None
        self._number = 0
        self._shown = []  # [(challenge, tick at which it was shown first)], the last one first
        self.spent = False  # the clock was set: the next status is news

    def show(self):
        """Yield while making the next one; return it as hex, for the status that is sent now."""
        if self._root is None:
            self._root = yield from self._secret()
        self._number += 1
        made = sha256(self._root + self._number.to_bytes(4, "big")).digest()[:_BYTES]
        self._shown = [(made, self._ms())] + self._shown[:1]
        self.spent = False
        return hexlify(made)

    def age_ms(self, answer, at_ms):
        """Return how long before `at_ms` the challenge in `answer` was shown; None where it is none of ours, or old."""
        for made, shown_ms in self._shown:
            if made == answer:
                age_ms = ticks.diff(at_ms, shown_ms)
                return age_ms if 0 <= age_ms <= _LONGEST_MS else None
        return None

    def use(self):
        """Let no message set the clock by what was shown so far."""
        self._shown = []
        self.spent = True
