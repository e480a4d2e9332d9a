"""What the kinds of orders mean: acknowledgement, witnessed checkpoint, time. One class each, all alike.

`anytime`: it counts although the board does not know the time. check(words) raises UplinkError where the arguments
are out of range, before the signature is looked at; carry_out(words) does it and returns what the event log says.
"""

from micropython import const

from firmware.core import ticks
from firmware.core.errors import UplinkError
from firmware.core.patience import patiently
from firmware.core.types import CLOCK_SET, CLOCK_SYNCHRONISED

_NOTE_MAX = const(900)
_NEAR_MS = const(1000)
_QUARTER_MS = const(900_000)
_OFF_MAX_MS = const(0x3FFFFFFF)
_YEAR_2020_S = const(1_577_836_800)
_YEAR_2200_S = const(7_258_118_400)


class Ack:
    """Kind 1 {1: size, 2: hash of the record before}: all records below `size` are stored elsewhere, durably."""

    anytime = True

    def __init__(self, chain, records, digest):
        self._chain = chain
        self._records = records
        self._digest = digest

    def check(self, words):
        """Refuse what says nothing new, what is beyond our records, and what is about another chain."""
        if set(words) != {1, 2} or type(words[1]) is not int or type(words[2]) is not bytes:
            raise UplinkError("RANGE", "acknowledges without size and hash")
        size = words[1]
        if size <= self._chain.acknowledged:
            raise UplinkError("STALE", "acknowledges what is acknowledged already")
        if size > self._chain.size:
            raise UplinkError("AHEAD", "acknowledges %d records, there are %d" % (size, self._chain.size))
        if (yield from self._hash_before(size)) != words[2]:
            raise UplinkError("FORK", "acknowledges another record %d than ours; keep both logs and look" % (size - 1))

    def _hash_before(self, size):
        if size == self._chain.size:
            return self._chain.prev
        length = yield from self._records.find(size - 1)
        return self._digest(self._records.view[:length]) if length else None

    def carry_out(self, words):
        """Let the journal know; what is acknowledged may go when room is needed."""
        yield from self._chain.acknowledge(words[1])


class Witness:
    """Kind 9 {1: text}: a checkpoint of ours that others have cosigned, for the records to name."""

    anytime = False

    def __init__(self, files, origin):
        self._files = files
        self._origin = origin

    def check(self, words):
        """Refuse what is no note about this board's log."""
        if set(words) != {1} or type(words[1]) is not str or len(words[1]) > _NOTE_MAX:
            raise UplinkError("RANGE", "brings no note of at most %d characters" % _NOTE_MAX)
        if words[1].split("\n", 1)[0] != self._origin:
            raise UplinkError("RANGE", "brings a note about another log")
        yield

    def carry_out(self, words):
        """Replace witness.txt."""
        yield from patiently(self._files.replacing, "witness.txt", words[1].encode())
        yield
        return "a witnessed checkpoint"


class Time:
    """Kind 10 {1: UTC in s, 2: ms, 3: challenge}: sets the clock. Without 3 nobody knows how long it was under way.

    With it the time was true at some moment since the challenge was shown: known within a second it counts as
    synchronised, and the middle is taken; else as set.
    """

    anytime = False  # but for a challenge

    def __init__(self, post_utc, utc, challenge, ms):
        self._post = post_utc
        self._utc = utc
        self._challenge = challenge
        self._ms = ms

    def age_ms(self, words, arrived_ms):
        """Return how old the time in a message is at most, None where it does not say; refuse another challenge."""
        if 3 not in words:
            return None
        age_ms = self._challenge.age_ms(words[3], arrived_ms)
        if age_ms is None:
            raise UplinkError("CHALLENGE", "names a challenge that is not in the last status; read that and sign anew")
        return age_ms

    def check(self, words):
        """Refuse what is no time."""
        if not {1, 2} <= set(words) <= {1, 2, 3} or type(words[1]) is not int or type(words[2]) is not int:
            raise UplinkError("RANGE", "brings no seconds and milliseconds")
        if not _YEAR_2020_S <= words[1] < _YEAR_2200_S or not 0 <= words[2] < 1000:
            raise UplinkError("RANGE", "brings a time before 2020 or behind 2200")
        yield

    def carry_out(self, words, arrived_ms):
        """Leave it for the next tick, with what has gone by since the message came."""
        age_ms = self.age_ms(words, arrived_ms)
        near = age_ms is not None and age_ms <= _NEAR_MS
        since_ms = ticks.diff(self._ms(), arrived_ms) + (age_ms // 2 if near else 0)
        quarter, ms = words[1] // 900, words[1] % 900 * 1000 + words[2] + since_ms
        quarter, ms = quarter + ms // _QUARTER_MS, ms % _QUARTER_MS
        self._challenge.use()
        self._post(quarter, ms, CLOCK_SYNCHRONISED if near else CLOCK_SET, self._off_ms(quarter, ms))
        yield
        known = "nobody knows how old" if age_ms is None else "at most %d ms old" % age_ms
        return "the clock is set to %d s, %s" % (words[1], known)

    def _off_ms(self, quarter, ms):
        """Return what the clock was off by, true - ours; 0 where it was not known."""
        utc = self._utc
        if not utc.trust:
            return 0
        return max(-_OFF_MAX_MS, min((quarter - utc.quarter) * _QUARTER_MS + ms - utc.ms, _OFF_MAX_MS))
