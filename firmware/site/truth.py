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

from firmware.core import ticks
from firmware.core.types import BESS, LOAD, READING_CELLS, ROLES, Reading
from firmware.site import doubt


class Truth:
    """Owns the drivers' rows and the believed ones; `readings` and `rated_pu` are indexed by role, None where absent.

    `believed` holds Readings like those of the drivers, by role: whoever reads them moves them into one array, in role
    order, and that array goes into judge(table, array, now_ms).
    """

    def __init__(self, readings, rated_pu, control):
        self.table = table = array("i", [0] * (doubt.HEADER + doubt.WIDTH * ROLES))
        table[doubt.STALE_MS] = control["stale_ms"]
        table[doubt.FROZEN_MS] = control["frozen_ms"]
        table[doubt.END] = READING_CELLS * (1 + max(role for role in range(ROLES) if readings[role] is not None))
        self.believed = [None] * ROLES
        for role in range(ROLES):
            if readings[role] is not None:
                readings[role].move(table, role * READING_CELLS)
                self.believed[role] = Reading()
                self._rate(role, max(rated_pu[role], 1), control["step_permille"])

    def _rate(self, role, rated_pu, step_permille):
        row = doubt.HEADER + role * doubt.WIDTH
        table = self.table
        table[row + doubt.RATED] = rated_pu
        high_pu = (rated_pu * 3 + 1) // 2
        table[row + doubt.BELOW] = 0 if role == LOAD else high_pu
        table[row + doubt.SPAN] = table[row + doubt.BELOW] + high_pu
        table[row + doubt.STEP_PU] = max(rated_pu * step_permille // 1000, 1)
        table[row + doubt.TWO_STEPS] = 2 * table[row + doubt.STEP_PU]
        table[row + doubt.LIFE] = doubt.LIFE_EXEMPT if role == BESS else doubt.LIFE_NONE

    def heard(self, role, alive, t_ms):
        """Take note of a meter's voltage or frequency, read at the tick `t_ms`: whether it lives."""
        row = doubt.HEADER + role * doubt.WIDTH
        table = self.table
        before = table[row + doubt.STATE] == doubt.ZEROS and ticks.diff(t_ms, table[row + doubt.SINCE]) <= 0
        if table[row + doubt.LIFE] != doubt.LIFE_EXEMPT:
            life = doubt.LIFE_ALIVE if alive else doubt.LIFE_DEAD
            table[row + doubt.LIFE] = doubt.LIFE_ASKED if before else life

    def still(self, role):
        """Return True while the role's value has stayed the same for control.frozen_ms, without being 0."""
        row = doubt.HEADER + role * doubt.WIDTH
        state = self.table[row + doubt.STATE]
        if state != doubt.SAME:
            return state == doubt.AWAY or state == doubt.FROZEN
        t_ms = self.believed[role].t_ms
        age = ticks.diff(t_ms, self.table[row + doubt.SINCE])
        return age >= self.table[doubt.FROZEN_MS]

    def moved(self, role, t_ms):
        """Take note that the meter's own energy register moved, as read at the tick `t_ms`: the meter lives."""
        self.table[doubt.HEADER + role * doubt.WIDTH + doubt.MOVED_MS] = t_ms or 1

    def freeze(self, role):
        """Refuse the role's value until it moves: something else has shown that it stands still wrongly."""
        self.table[doubt.HEADER + role * doubt.WIDTH + doubt.STATE] = doubt.FROZEN

    def refused_pu(self, role):
        """Return the value that was last refused."""
        return self.table[doubt.HEADER + role * doubt.WIDTH + doubt.REFUSED]

    def count(self, role, cause):
        """Return how many samples of a role were refused for a cause since start, 30 bits."""
        return self.table[doubt.HEADER + role * doubt.WIDTH + doubt.COUNTS + cause]
