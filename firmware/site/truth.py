"""Judge every new sample before anything is made of it: what cannot be true is refused, counted, and left to age.

The drivers' rows come in, the believed ones go out into a second table of the same form, from which Measure reads: a
refused value is a meter that has said nothing, and grows stale like one. What a driver can see by itself (no value, the
raw -1, zeros of a SunSpec device with a fault) it has refused already. Rules, each with its reason:

 RANGE      beyond 1.5 times the role's rating: no plant of this site does that
 NEGATIVE   a load below zero: it feeds nothing back. Half a percent of the rating is an offset, and is 0
 MINUS_ONE  exactly -1 after more than 1 % of the rating: how analysers say "no reading". Of a load never believed, of
            others from the fifth on
 ZEROS      exactly 0 after more than 1 % of the rating: a restarting meter shows zeros too. Believed when the other
            meters agree within 2 %, when a slow read since then shows a living voltage, or from the third on where the
            meter has no such register
 STEP       a change beyond control.step_permille of the rating: believed when the next sample confirms it
 FROZEN     the same value for control.frozen_ms, while what the other meters make of it has moved by more than 5 % of
            the rating and stayed there, or while the meter's own energy register stands still (freeze()); refused until
            it moves. Constant power is no fault: the other meters say so, and a register that moves proves its meter
            alive. Of several that stand still the grid is accused, for whatever moves in the site moves it; else the
            load, which is never constant for long; of several others none

The percentages are not parameters: they are what class 2 meters, read within a second of each other, cannot exceed.
"""

from array import array

from micropython import const

from firmware.core import ticks
from firmware.core.types import BESS, LOAD, READING_CELLS, ROLES, Reading

# As in site.doubt.
_ZEROS = const(4)
_FROZEN = const(6)
_SAME = const(7)
_AWAY = const(8)
_LIFE_NONE = const(0)
_LIFE_EXEMPT = const(1)
_LIFE_ASKED = const(2)
_LIFE_ALIVE = const(3)
_LIFE_DEAD = const(4)
_STALE_MS = const(25)
_FROZEN_MS = const(26)
_END = const(27)
_HEADER = const(28)
_STATE = const(1)
_BELOW = const(2)
_SPAN = const(3)
_STEP_PU = const(4)
_TWO_STEPS = const(5)
_RATED = const(6)
_LIFE = const(7)
_SINCE = const(10)
_MOVED_MS = const(12)
_REFUSED = const(13)
_COUNTS = const(13)
_WIDTH = const(20)


class Truth:
    """Owns the drivers' rows and the believed ones; `readings` and `rated_pu` are indexed by role, None where absent.

    `believed` holds Readings like those of the drivers, by role: whoever reads them moves them into one array, in role
    order, and that array goes into judge(table, array, now_ms).
    """

    def __init__(self, readings, rated_pu, control):
        self.table = table = array("i", [0] * (_HEADER + _WIDTH * ROLES))
        table[_STALE_MS] = control["stale_ms"]
        table[_FROZEN_MS] = control["frozen_ms"]
        table[_END] = READING_CELLS * (1 + max(role for role in range(ROLES) if readings[role] is not None))
        self.believed = [None] * ROLES
        for role in range(ROLES):
            if readings[role] is not None:
                readings[role].move(table, role * READING_CELLS)
                self.believed[role] = Reading()
                self._rate(role, max(rated_pu[role], 1), control["step_permille"])

    def _rate(self, role, rated_pu, step_permille):
        row = _HEADER + role * _WIDTH
        table = self.table
        table[row + _RATED] = rated_pu
        high_pu = (rated_pu * 3 + 1) // 2
        table[row + _BELOW] = 0 if role == LOAD else high_pu
        table[row + _SPAN] = table[row + _BELOW] + high_pu
        table[row + _STEP_PU] = max(rated_pu * step_permille // 1000, 1)
        table[row + _TWO_STEPS] = 2 * table[row + _STEP_PU]
        table[row + _LIFE] = _LIFE_EXEMPT if role == BESS else _LIFE_NONE

    def heard(self, role, alive, t_ms):
        """Take note of a meter's voltage or frequency, read at the tick `t_ms`: whether it lives."""
        row = _HEADER + role * _WIDTH
        table = self.table
        before = table[row + _STATE] == _ZEROS and ticks.diff(t_ms, table[row + _SINCE]) <= 0
        if table[row + _LIFE] != _LIFE_EXEMPT:
            life = _LIFE_ALIVE if alive else _LIFE_DEAD
            table[row + _LIFE] = _LIFE_ASKED if before else life

    def still(self, role):
        """Return True while the role's value has stayed the same for control.frozen_ms, without being 0."""
        row = _HEADER + role * _WIDTH
        state = self.table[row + _STATE]
        if state != _SAME:
            return state == _AWAY or state == _FROZEN
        t_ms = self.believed[role].t_ms
        age = ticks.diff(t_ms, self.table[row + _SINCE])
        return age >= self.table[_FROZEN_MS]

    def moved(self, role, t_ms):
        """Take note that the meter's own energy register moved, as read at the tick `t_ms`: the meter lives."""
        self.table[_HEADER + role * _WIDTH + _MOVED_MS] = t_ms or 1

    def freeze(self, role):
        """Refuse the role's value until it moves: something else has shown that it stands still wrongly."""
        self.table[_HEADER + role * _WIDTH + _STATE] = _FROZEN

    def refused_pu(self, role):
        """Return the value that was last refused."""
        return self.table[_HEADER + role * _WIDTH + _REFUSED]

    def count(self, role, cause):
        """Return how many samples of a role were refused for a cause since start, 30 bits."""
        return self.table[_HEADER + role * _WIDTH + _COUNTS + cause]
