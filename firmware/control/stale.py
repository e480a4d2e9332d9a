"""What takes the place of an input that is silent: the owner's policy for each, chosen in site.json.

form    the one silent meter is formed from all the others; with more of them silent the battery goes to zero
hold    its last value counts for control.hold_s more, then it counts as in worst
worst   it may be anything from zero to its rating, and the battery does only what keeps both caps whatever it is
zero    the battery goes to zero while it is silent
stop    the battery goes to zero and stays there until somebody acknowledges; no latch outlives a restart

For the state of charge form, worst and zero are the same: neither charge nor discharge. The tick runs the viper
functions, and only while a meter is silent; Stale owns the cells they work on.
"""

from array import array

import micropython
from micropython import const

from firmware.control.limits import load_known
from firmware.core.types import BESS, ROLES, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

FORM = const(0)
HOLD = const(1)
WORST = const(2)
ZERO = const(3)
STOP = const(4)
POLICIES = const(("form", "hold", "worst", "zero", "stop"))

# As in control.states.
_IF_STOPPED = const(5)
_IF_BLIND = const(9)
_IF_ZEROED = const(10)
_IF_WORST = const(16)
_IF_HELD = const(17)
_IF_FORMED = const(18)
_SLOT = const(27)

# As in core.types.
_LOAD = const(0)
_GRID = const(1)
_BESS = const(2)
_ROLES = const(6)
_STATE = const(7)
_ABSENT = const(0)
_FRESH = const(1)
_COUNT = const(2)
_READING_CELLS = const(4)

# As in control.limits.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)
_IMPORT_CAP_PU = const(5)
_EXPORT_CAP_PU = const(6)
_IMPORT_CAP = const(6)  # these of control.reasons
_EXPORT_CAP = const(7)

# As in control.supervisor.
_SEEN = const(5)
_INPUTS = const(11)
_LATCH = const(13)

# Cells of Stale.
_OPEN = const(0)  # bits of the roles that count as worst
_HOLD_MS = const(1)
_SWING_PU = const(2)  # how far the trim may be off without the grid meter
_POLICY = const(3)  # from here on one a role
_RATED = const(9)
_HELD_COUNT = const(15)  # count of the reading that is held
_HELD_MS = const(21)
_LEAST_PU = const(27)
_MOST_PU = const(28)


@micropython.viper
def _held(stale: ptr32, table: ptr32, role: int, dt_ms: int) -> int:
    """Return 1 while the last value of a silent role may still count."""
    count = table[role * _READING_CELLS + _COUNT]
    if count == 0:
        return 0
    if count != stale[_HELD_COUNT + role]:
        stale[_HELD_COUNT + role] = count
        stale[_HELD_MS + role] = 0
    elif stale[_HELD_MS + role] < stale[_HOLD_MS]:
        stale[_HELD_MS + role] += dt_ms
    return 1 if stale[_HELD_MS + role] < stale[_HOLD_MS] else 0


@micropython.viper
def substitute(stale: ptr32, sup: ptr32, snap: ptr32, table: ptr32, dt_ms: int) -> int:
    """Put what its policy says in the place of each silent meter, and tell the supervisor; return if the load is known.

    `table` has the readings as rows; where one role alone is silent, the snapshot has what the others leave for it.
    """
    silent = 0
    forms = 0
    opened = 0
    kind = 0  # the gravest policy in force, and the first role that it is in force for
    which = 0
    role = 0
    while role < _ROLES:
        state = snap[_STATE + role]
        if state != _FRESH and state != _ABSENT:
            silent += 1
            policy = stale[_POLICY + role]
            if role == _BESS:  # then the PCS is lost, and nothing else matters
                policy = 0 - 1
            elif policy == FORM:
                forms += 1
            elif policy == HOLD and int(_held(stale, table, role, dt_ms)):
                snap[role] = table[role * _READING_CELLS]
            elif policy <= WORST:
                policy = WORST
                opened |= 1 << role
            if policy > kind or silent == 1:
                kind = policy
                which = role if role < _BESS else role - 1
        role += 1
    stale[_OPEN] = opened
    inputs = int(_conclude(sup, kind, which, forms, silent))
    sup[_INPUTS] = inputs
    if opened:
        return 0
    return 1 if inputs >= 1 << _IF_HELD else int(load_known(snap))


@micropython.viper
def _conclude(sup: ptr32, kind: int, which: int, forms: int, silent: int) -> int:
    """Return the bit, and the slot of the input, of what `silent` meters come to, `forms` of them to be formed."""
    which <<= _SLOT
    if kind == STOP and sup[_SEEN]:
        if sup[_LATCH] == 0:  # the first one is named
            sup[_LATCH] = 1 << _IF_STOPPED | which
        return 0
    if kind >= ZERO:
        return 1 << _IF_ZEROED | which
    if forms and silent > 1:
        return 1 << _IF_BLIND
    if kind == WORST:
        return 1 << _IF_WORST | which
    if kind == HOLD:
        return 1 << _IF_HELD | which
    return 1 << _IF_FORMED | which if forms else 0


@micropython.viper
def _span(stale: ptr32, snap: ptr32, trim_pu: int):
    """Work out between what and what the net load lies, with the trim."""
    opened = stale[_OPEN]
    swing_pu = stale[_SWING_PU] if opened & 1 << _GRID else 0
    least_pu = trim_pu - swing_pu
    most_pu = trim_pu + swing_pu
    role = 0
    while role < _ROLES:
        if role != _GRID and role != _BESS:
            low_pu = ((snap[role] & _MASK) ^ _HALF) - _HALF
            high_pu = low_pu
            if opened & 1 << role:
                low_pu = 0
                high_pu = stale[_RATED + role]
            if role == _LOAD:
                least_pu += low_pu
                most_pu += high_pu
            else:
                least_pu -= high_pu
                most_pu -= low_pu
        role += 1
    stale[_LEAST_PU] = least_pu
    stale[_MOST_PU] = most_pu


@micropython.viper
def guard(stale: ptr32, lim: ptr32, snap: ptr32, trim_pu: int):
    """Narrow the window to what keeps both caps whatever the silent meters would show; what is sure may raise it."""
    if stale[_OPEN] == 0:
        return
    _span(stale, snap, trim_pu)
    least_pu = ((stale[_LEAST_PU] & _MASK) ^ _HALF) - _HALF
    most_pu = ((stale[_MOST_PU] & _MASK) ^ _HALF) - _HALF
    low_pu = ((lim[_LOW_PU] & _MASK) ^ _HALF) - _HALF
    high_pu = ((lim[_HIGH_PU] & _MASK) ^ _HALF) - _HALF
    need_pu = most_pu - lim[_IMPORT_CAP_PU]
    if need_pu > 0:
        need_pu = least_pu - lim[_IMPORT_CAP_PU]
        if need_pu < 0:
            need_pu = 0
    if need_pu > low_pu:
        low_pu = need_pu if need_pu < high_pu else high_pu
        lim[_LOW_REASON] = _IMPORT_CAP
    may_pu = least_pu + lim[_EXPORT_CAP_PU]
    if may_pu < 0:
        may_pu = most_pu + lim[_EXPORT_CAP_PU]
        if may_pu > 0:
            may_pu = 0
    if may_pu < high_pu:
        high_pu = may_pu if may_pu > low_pu else low_pu
        lim[_HIGH_REASON] = _EXPORT_CAP
    lim[_LOW_PU] = low_pu
    lim[_HIGH_PU] = high_pu


class Stale:
    """`policies` are a role each, `rated_pu` the ratings by role; `hold_ms` how long a last value counts."""

    def __init__(self, policies, rated_pu, hold_ms):
        self.cells = array("i", [0, hold_ms, rated_pu[BESS] // 20] + list(policies) + list(rated_pu)
                           + [0] * (2 * ROLES + 2))

    def update(self, sup, snap, table, dt_ms):
        """Put policies in place of what is silent, as the control tick does; return if the load is known."""
        return 1 if snap.all_fresh else substitute(self.cells, sup.cells, snap.cells, table, dt_ms)

    def guard(self, limits, snap, trim_pu):
        """Narrow the window as the control tick does where the load is not known."""
        guard(self.cells, limits.cells, snap.cells, trim_pu)
