"""What an operator may ask of the control and of the log: kinds 2 to 8, one class each, as in kinds.py.

Nothing in here is obeyed past the supervisor: a set point, a mode and a tighter cap become a line of its operator
(control.override), which holds limits, ramp and table of states against it and ends it by itself.
"""

from hashlib import sha256

from micropython import const

from firmware.core.errors import UplinkError
from firmware.core.patience import at_once, patiently

_MOST_S = const(86_400)
_MOST_W = const(1_000_000_000)
_REASON_MAX = const(60)
_FACTOR_MAX = const(10_000_000)
_HOURS = const(24)
_MODES = ("auto", "manual", "dry_run")
_CAPS = ("import_w", "export_w")
_CONFIG = "site.json"
_CONFIG_MAX = const(16_384)
_PIECE_MAX = const(512)


def _whole(value, low, high, what):
    if type(value) is not int or not low <= value <= high:
        raise UplinkError("RANGE", "asks for %s that is not from %d to %d" % (what, low, high))


def _reason(words, key):
    text = words.get(key, "")
    if type(text) is not str or len(text) > _REASON_MAX or "\n" in text or "\r" in text:
        raise UplinkError("RANGE", "gives no reason of one line and at most %d letters" % _REASON_MAX)
    return text


def _keys(words, needed, free=()):
    if not set(needed) <= set(words) <= set(needed) | set(free):
        raise UplinkError("RANGE", "has other arguments than its kind takes")


class _Line:
    """A kind that becomes a line for the operator; `post(line)` hands it on."""

    anytime = False

    def __init__(self, post):
        self._post = post

    def check(self, words):
        """Refuse what is out of range."""
        self._line(words)
        yield

    def carry_out(self, words):
        """Hand the line on."""
        line = self._line(words)
        self._post(line)
        yield
        return line


class SetPoint(_Line):
    """Kind 2 {1: W, discharge positive, 2: seconds, 3: reason}: a set point that ends by itself."""

    def _line(self, words):
        _keys(words, (1, 2), (3,))
        _whole(words[1], -_MOST_W, _MOST_W, "a power")
        _whole(words[2], 1, _MOST_S, "a time")
        return "override_w %d %d %s" % (words[1], words[2], _reason(words, 3))


class Mode(_Line):
    """Kind 3 {1: auto, manual or dry_run, 2: seconds, 3: reason}."""

    def _line(self, words):
        _keys(words, (1, 2), (3,))
        if words[1] not in _MODES:
            raise UplinkError("RANGE", "asks for a mode that is none of " + ", ".join(_MODES))
        _whole(words[2], 1, _MOST_S, "a time")
        return "mode %s %d %s" % (words[1], words[2], _reason(words, 3))


class Cap(_Line):
    """Kind 4 {1: import_w or export_w, 2: W, 3: seconds, 4: reason}: a cap tighter than the site's."""

    def _line(self, words):
        _keys(words, (1, 2, 3), (4,))
        if words[1] not in _CAPS:
            raise UplinkError("RANGE", "asks for a cap that is none of " + ", ".join(_CAPS))
        _whole(words[2], 0, _MOST_W, "a power")
        _whole(words[3], 1, _MOST_S, "a time")
        return "%s %d %d %s" % (words[1], words[2], words[3], _reason(words, 4))


class Ahead:
    """Kind 5 {1: hour since 1970, 2: [mg/kWh of that hour and those behind it, 1 to 24]}: grid factors a day ahead."""

    anytime = False

    def __init__(self, post):
        self._post = post

    def check(self, words):
        """Refuse what is no list of factors."""
        _keys(words, (1, 2))
        _whole(words[1], 0, 0xFFFFF, "an hour")
        if type(words[2]) is not list or not 1 <= len(words[2]) <= _HOURS:
            raise UplinkError("RANGE", "brings no list of 1 to %d factors" % _HOURS)
        for factor in words[2]:
            _whole(factor, 0, _FACTOR_MAX, "a factor")
        yield

    def carry_out(self, words):
        """Hand them to the dispatch."""
        self._post(words[1], words[2])
        yield
        return "grid factors of %d hours" % len(words[2])


class Configuration:
    """Kind 6 {1: bytes in all, 2: position, 3: piece, 4: SHA-256 of all}: a new site.json, for the next start.

    Pieces come in order, from 0; the last one is checked against the hash, and only then the file is replaced.
    """

    anytime = False

    def __init__(self, files):
        self._files = files

    def check(self, words):
        """Refuse a piece that is not the next one."""
        _keys(words, (1, 2, 3, 4))
        _whole(words[1], 2, _CONFIG_MAX, "a length")
        if type(words[3]) is not bytes or not 1 <= len(words[3]) <= _PIECE_MAX:
            raise UplinkError("RANGE", "brings no piece of 1 to %d bytes" % _PIECE_MAX)
        if type(words[4]) is not bytes or len(words[4]) != 32:
            raise UplinkError("RANGE", "brings no SHA-256")
        _whole(words[2], 0, words[1] - len(words[3]), "a position")
        have = self._files.size(self._beside) if words[2] else 0
        yield
        if words[2] != have:
            raise UplinkError("RANGE", "brings bytes from %d on, wanted are those from %d" % (words[2], have or 0))

    @property
    def _beside(self):
        return _CONFIG + ".coming"

    def carry_out(self, words):
        """Write the piece; behind the last one put the whole in place."""
        if words[2] == 0:
            yield from patiently(at_once, self._files.remove, self._beside)
        yield from patiently(at_once, self._files.append, self._beside, words[3])
        yield
        have = words[2] + len(words[3])
        if have < words[1]:
            return "site.json: %d of %d bytes" % (have, words[1])
        digest, pos = sha256(), 0
        while pos < have:
            digest.update(self._files.read_at(self._beside, pos, _PIECE_MAX))
            pos += _PIECE_MAX
            yield
        if digest.digest() != words[4]:
            return "site.json: its pieces are not what was announced; nothing is replaced"
        self._files.rename(self._beside, _CONFIG)
        yield
        return "site.json is replaced; it counts from the next start on"


class Again:
    """Kind 7 {1: number}: send all records from this one on again."""

    anytime = True

    def __init__(self, log, rewind):
        self._log = log
        self._rewind = rewind

    def check(self, words):
        """Refuse a record that is not there yet."""
        _keys(words, (1,))
        _whole(words[1], 0, self._log.size - 1, "a record")
        yield

    def carry_out(self, words):
        """Put the outbox back."""
        self._rewind(words[1])
        yield
        return "records from %d on go again" % words[1]


class Seal:
    """Kind 8 {}: send the checkpoint again."""

    anytime = True

    def __init__(self, unseal):
        self._unseal = unseal

    def check(self, words):
        """Refuse arguments."""
        _keys(words, ())
        yield

    def carry_out(self, words):
        """Forget that it was sent."""
        self._unseal()
        yield
        return "the checkpoint goes again"
