"""Is the grid there, who carries the site when it is not, and what battery and genset give meanwhile.

One table holds every state and transition, each with its reason; the first row that fits is taken. Stepped about once a
second from the background, with plain integers; the control tick reads the first two cells, see control.share.

The grid is lost when any source that has a say (voltage and frequency at the grid meter, the PCS's own word, the genset
controller's mains sensing) denies it for `lost_s`; it is back when none denies it and one vouches for it for
`stable_s`. Where nobody knows, what was known holds. The genset controller has a say once it has seen the mains.

Without grid the PCS forms it (its set point is not followed, the board watches), or the genset does while it carries:
then the battery takes the load less what the genset is to give, so that the genset keeps its lowest load and its best
one as far as the battery can take the rest. Resynchronising is the PCS's or the genset controller's work: the board
waits for it, and keeps the set point at what brings no step.
"""

from array import array

import micropython
from micropython import const

from firmware.control import reasons
from firmware.control.share import FORM, SHARE, TRACK, ZERO, aim
from firmware.core.types import cell

_MASK = const(0x3FFFFFFF)

# States.
BEGIN = const(0)
ON_GRID = const(1)
FORMING = const(2)  # the PCS forms the grid
SHARING = const(3)  # the genset does, the battery helps
DARK = const(4)  # nobody does
RETURNING = const(5)  # the grid is back, and the site not yet on it
NAMES = ("begin", "on_grid", "forming", "sharing", "dark", "returning")

# Facts, as numbers of bits.
_LOST_CARRIED = const(0)  # no grid, and the genset carries
_LOST_FORMED = const(1)  # no grid, and the PCS can form one
_LOST = const(2)
_SEEN = const(3)
_BACK = const(4)
_GENSET = const(5)
_PCS = const(6)  # no genset carries, and the PCS can form
_NOBODY = const(7)
_COUPLED = const(8)
_TIME_GENSET = const(9)
_TIME = const(10)

# state, fact, next state, reason
_TABLE = bytes((
    BEGIN, _LOST_CARRIED, SHARING, reasons.ISLAND_GENSET,
    BEGIN, _LOST_FORMED, FORMING, reasons.ISLAND_BATTERY,
    BEGIN, _LOST, DARK, reasons.ISLAND_DARK,
    BEGIN, _SEEN, ON_GRID, reasons.GRID_THERE,
    BEGIN, _TIME, ON_GRID, reasons.GRID_ASSUMED,
    ON_GRID, _LOST_CARRIED, SHARING, reasons.ISLAND_GENSET,
    ON_GRID, _LOST_FORMED, FORMING, reasons.ISLAND_BATTERY,
    ON_GRID, _LOST, DARK, reasons.ISLAND_DARK,
    FORMING, _BACK, RETURNING, reasons.GRID_BACK,
    FORMING, _GENSET, SHARING, reasons.ISLAND_GENSET,
    FORMING, _NOBODY, DARK, reasons.ISLAND_DARK,
    SHARING, _BACK, RETURNING, reasons.GRID_BACK,
    SHARING, _PCS, FORMING, reasons.ISLAND_BATTERY,
    SHARING, _NOBODY, DARK, reasons.ISLAND_DARK,
    DARK, _BACK, RETURNING, reasons.GRID_BACK,
    DARK, _GENSET, SHARING, reasons.ISLAND_GENSET,
    DARK, _PCS, FORMING, reasons.ISLAND_BATTERY,
    RETURNING, _LOST_CARRIED, SHARING, reasons.ISLAND_GENSET,
    RETURNING, _LOST_FORMED, FORMING, reasons.ISLAND_BATTERY,
    RETURNING, _LOST, DARK, reasons.ISLAND_DARK,
    RETURNING, _COUPLED, ON_GRID, reasons.GRID_THERE,
    RETURNING, _TIME_GENSET, SHARING, reasons.RESYNC_LATE,
    RETURNING, _TIME, FORMING, reasons.RESYNC_LATE,
))
_ROW = const(4)
_ROWS_END = const(92)  # tests compare it with the table

# What holds for the supervisor and whoever else asks, as bits of Island.bits.
GRID_LOST = const(1)
ISLAND = const(2)  # the PCS forms the grid: the set point is not followed
GENSET_RUNS = const(4)  # the genset forms the grid, the battery follows
IS_DARK = const(8)
UNSERVED = const(16)  # battery and genset together give less than the load wants
GENSET_FAILED = const(32)
LOW_FUEL = const(64)

_BEGIN_S = const(10)  # that a start waits for somebody who knows
_FORMS_S = const(10)  # in which a PCS that has a word is to say that it forms the grid
_LONG_S = const(100_000_000)

# Cells of Island.
_RULE = const(0)
_TARGET = const(1)  # what the genset is to give, pu
_STATE = const(2)
_REASON = const(3)
_IN_STATE_MS = const(4)
_IN_STATE_S = const(5)
_DENIED_MS = const(6)
_VOUCHED_MS = const(7)
_LOST_MS = const(8)
_LOST_S = const(9)  # since the grid was last there
_SPARE = const(10)  # takes the export cap's place in the wind limit
_UNSERVED_PU = const(11)
_BITS = const(12)
_MAINS_SEEN = const(13)
_CHANGES = const(14)
_ALONE = const(15)
_ISLANDED = const(16)  # the PCS's own word
_FLOWS = const(17)
_CELLS = const(18)


class Island:
    """One site's island: `settings` are site.json's, `genset` its control.genset.Genset or None.

    `export_pu` is the site's export cap, `no_grid` true for a site that has none.
    """

    def __init__(self, settings, genset, export_pu, no_grid=False):
        self._set = settings
        self._forms = settings["former"] == "pcs"
        self.genset = genset
        self._export_pu = export_pu
        self._no_grid = no_grid
        self.cells = array("i", [0] * _CELLS)
        self.cells[_SPARE] = export_pu
        self.cells[_REASON] = reasons.START

    state = cell(_STATE)
    reason = cell(_REASON)
    rule = cell(_RULE)
    target_pu = cell(_TARGET)
    bits = cell(_BITS)
    unserved_pu = cell(_UNSERVED_PU)
    spare_pu = cell(_SPARE)  # what production may exceed load and charging by: the export cap, or less than nothing
    lost_s = cell(_LOST_S)
    changes = cell(_CHANGES)
    alone = cell(_ALONE)  # 1: the battery cannot carry the load

    @micropython.native
    def sense(self, dt_ms, voltage, mains, islanded, flows=False):
        """Take what the sources say of the grid, 1 there, 0 not, -1 no word; `islanded` 1, 0 or -1 by the PCS.

        `flows` tells whether the grid meter shows power.
        """
        c, s = self.cells, self._set
        if mains > 0:
            c[_MAINS_SEEN] = 1
        if not c[_MAINS_SEEN]:
            mains = -1
        if self._no_grid:
            voltage = mains = 0
        c[_ISLANDED] = islanded
        c[_FLOWS] = 1 if flows else 0
        waits = c[_STATE] != ON_GRID and c[_STATE] != BEGIN
        # While the site is an island, the PCS's word says only that it is one.
        denied = voltage == 0 or mains == 0 or islanded > 0 and not waits
        vouched = not denied and (voltage > 0 or mains > 0 or voltage < 0 and mains < 0 and islanded == 0)
        c[_DENIED_MS] = min(c[_DENIED_MS] + dt_ms, s["lost_s"] * 1000) if denied else 0
        c[_VOUCHED_MS] = min(c[_VOUCHED_MS] + dt_ms, s["stable_s"] * 1000) if vouched else 0

    @micropython.native
    def step(self, dt_ms, pcs_able, soc_permille, base_pu, low_pu, high_pu):
        """Go on by 1 .. 60,000 ms, behind sense().

        `pcs_able` tells whether the PCS answers without a fault, `soc_permille` is -1 where unknown, `base_pu` is the
        load less wind and PV, `low_pu` and `high_pu` what the battery may be charged and discharged with now.
        """
        c, genset = self.cells, self.genset
        self._pass_time(dt_ms)
        # A PCS that follows while there is no grid follows a genset that runs, warm or not.
        carried = genset is not None and (genset.carries or genset.runs and c[_ISLANDED] == 0)
        can_form = self._forms and pcs_able and soc_permille != 0 and (carried or not self._says_no())
        c[_ALONE] = 0 if can_form else 1
        facts = self._facts(carried, can_form)
        state = c[_STATE]
        at = 0
        while at < _ROWS_END:
            if _TABLE[at] == state and facts >> _TABLE[at + 1] & 1:
                c[_STATE], c[_REASON] = _TABLE[at + 2], _TABLE[at + 3]
                c[_IN_STATE_MS] = c[_IN_STATE_S] = 0
                if c[_STATE] == ON_GRID:
                    c[_LOST_MS] = c[_LOST_S] = 0
                elif _TABLE[at + 3] == reasons.RESYNC_LATE:
                    c[_VOUCHED_MS] = 0  # and once more from the beginning
                c[_CHANGES] = (c[_CHANGES] + 1) & _MASK
                break
            at += _ROW
        self._decide(dt_ms, carried, can_form, base_pu, low_pu, high_pu)

    def _says_no(self):
        """Return whether the PCS, which has been given its time, says that it forms no grid."""
        c = self.cells
        if c[_ISLANDED] != 0:
            return False
        return c[_STATE] == DARK or c[_STATE] == FORMING and c[_IN_STATE_S] >= _FORMS_S

    @micropython.native
    def _pass_time(self, dt_ms):
        c = self.cells
        c[_IN_STATE_MS] += dt_ms
        whole_s = c[_IN_STATE_MS] // 1000
        c[_IN_STATE_MS] -= whole_s * 1000
        c[_IN_STATE_S] = min(c[_IN_STATE_S] + whole_s, _LONG_S)
        if c[_STATE] == ON_GRID or c[_STATE] == BEGIN:
            c[_LOST_MS] = c[_LOST_S] = 0
            return
        c[_LOST_MS] += dt_ms
        whole_s = c[_LOST_MS] // 1000
        c[_LOST_MS] -= whole_s * 1000
        c[_LOST_S] = min(max(c[_LOST_S] + whole_s, 1), _LONG_S)

    @micropython.native
    def _facts(self, carried, can_form):
        c, s = self.cells, self._set
        follows = c[_ISLANDED] == 0 and not carried  # the grid then, for no genset is there to follow
        facts = 1 << _GENSET if carried else 1 << _PCS if can_form else 1 << _NOBODY
        if c[_DENIED_MS] >= s["lost_s"] * 1000:
            facts |= 1 << _LOST | (1 << _LOST_CARRIED if carried else 1 << _LOST_FORMED if can_form else 0)
        if c[_VOUCHED_MS]:
            facts |= 1 << _SEEN
        if c[_VOUCHED_MS] >= s["stable_s"] * 1000 or c[_VOUCHED_MS] and follows:
            facts |= 1 << _BACK
        over = c[_IN_STATE_S] >= (_BEGIN_S if c[_STATE] == BEGIN else s["resync_s"])
        if follows or c[_FLOWS] or c[_ISLANDED] < 0 and over:
            facts |= 1 << _COUPLED
        if over:
            facts |= 1 << _TIME | (1 << _TIME_GENSET if carried else 0)
        return facts

    @micropython.native
    def _decide(self, dt_ms, carried, can_form, base_pu, low_pu, high_pu):
        """Work out rule, the genset's target, what production may be, and what stays unserved."""
        c = self.cells
        state = c[_STATE]
        rule = TRACK
        unserved_pu = 0
        c[_SPARE] = self._export_pu
        if state == DARK:
            rule = ZERO
            unserved_pu = max(base_pu, 0)
            c[_SPARE] = 0
        elif state == FORMING or state == SHARING or state == RETURNING:
            rule = SHARE if carried else FORM if can_form else ZERO
            most_pu = max(high_pu, 0) if can_form or carried else 0
            lowest_pu = 0
            if carried:
                most_pu += self.genset.rating_pu
                lowest_pu = self.genset.min_pu
            unserved_pu = max(base_pu - most_pu, 0)
            c[_SPARE] = 0 - lowest_pu
        c[_RULE] = rule
        target_pu = 0
        if rule == SHARE:
            charges = self.genset.charges and state != RETURNING  # the grid is not to take over the charging at once
            target_pu = aim(c[_TARGET], dt_ms, self.genset, charges, base_pu, low_pu, high_pu)
        c[_TARGET] = target_pu
        c[_UNSERVED_PU] = unserved_pu
        self._tell(rule, unserved_pu)

    @micropython.native
    def _tell(self, rule, unserved_pu):
        c, genset = self.cells, self.genset
        bits = 0
        if c[_STATE] != ON_GRID and c[_STATE] != BEGIN:
            bits = GRID_LOST
            if rule == FORM:
                bits |= ISLAND
            elif rule == SHARE:
                bits |= GENSET_RUNS
            else:
                bits |= IS_DARK
        if unserved_pu:
            bits |= UNSERVED
        if genset is not None:
            if genset.failed:
                bits |= GENSET_FAILED
            if genset.wants.low_on_fuel:
                bits |= LOW_FUEL
        c[_BITS] = bits
