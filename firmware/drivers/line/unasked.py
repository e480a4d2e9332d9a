"""Tells who speaks on a line without having been asked: a unit of the site by its address, or somebody unknown.

The bus counts each burst that is no answer by the address it begins with (outcome.blame). A score a line and a score a
unit follow these counts and fade by a sixteenth each second: a burst every other second ends at 128. Noise hits the
address of one certain unit once in 256 bursts, so a unit is named long before chance would name it.
"""

from micropython import const

# As in drivers.line.cells.
_BABBLE = const(23)
_FOREIGN = const(24)

_BURST = 16
_FADE = 16
_DISTURBED = 128  # a burst every other second
_QUIET = 48
_SPEAKS = 48  # three bursts that have just been, of a line that is disturbed
_OWED = 4  # answers that a unit may still bring late, one a time-out
_FULL = 256  # no score goes beyond, so that half a minute of silence clears every line
_MASK = 0x3FFFFFFF


class _Unit:
    """What is known of one unit."""

    def __init__(self, device):
        self.device = device
        self.score = 0
        self._owed = 0
        self._foreign, self._late, self._timeouts = device.foreign, device.late, device.timeouts

    def bursts(self):
        """Return how many bursts in its name nobody had asked for since the last look."""
        device = self.device
        foreign, late, timeouts = device.foreign, device.late, device.timeouts
        count = (foreign - self._foreign) & _MASK
        came = (late - self._late) & _MASK
        self._owed = min(self._owed + ((timeouts - self._timeouts) & _MASK), _OWED)
        self._foreign, self._late, self._timeouts = foreign, late, timeouts
        excused = min(came, self._owed)
        self._owed -= excused
        count += came - excused
        self.score = _faded(self.score, count)
        return count


class Unasked:
    """Watches one bus. Background only; look() once a second."""

    def __init__(self, bus):
        self._cells = bus.cells
        self.disturbed = False
        self.units = []  # addresses of the site's units that speak unasked
        self._score = 0
        self._line = self._count()
        self._all = [_Unit(device) for device in bus.devices]

    def _count(self):
        return (self._cells[_FOREIGN] + self._cells[_BABBLE]) & _MASK

    def look(self):
        """Take one look; return True when what is known has changed."""
        line = self._count()
        count = (line - self._line) & _MASK
        self._line = line
        for unit in self._all:
            count += unit.bursts()
        self._score = _faded(self._score, count)
        was = self.disturbed
        self.disturbed = self._score >= (_QUIET if was else _DISTURBED)
        changed = self.disturbed != was
        most = max([unit.score for unit in self._all], default=0)
        for unit in self._all:
            changed |= self._name(unit.device.unit, unit.score, most)
        return changed

    def _name(self, address, score, most):
        """Name a unit or no longer; beside one that speaks far more, others are only late because of it."""
        named = address in self.units
        speaks = self.disturbed and score >= (_BURST if named else _SPEAKS) and 2 * score >= most
        if speaks and not named:
            self.units.append(address)
        elif named and not speaks:
            self.units.remove(address)
        return speaks != named


def _faded(score, count):
    return min(score - (score + _FADE - 1) // _FADE + count * _BURST, _FULL)
