"""What a slow meter cannot show: does the grid meter see the swing that the load's meter shows?

A load that swings faster than its meter refreshes looks like one that swings slowly, and whoever follows that makes it
worse. Nothing in those samples tells. The grid meter samples at other instants: less what the battery gives it has to
show the same swing. How much of it that is, is weighed once a second over a minute; where it is less than half,
the feed-forward is held to its slow mean, and no period is looked for. An unmetered load beside is not taken for this:
it is not in step with the metered one. Two meters that sample at the same instants are no help.

Nor does it tell of a swing of four to eight ticks: when within a tick each meter was new nobody knows, and a true one
may look out of step by a quarter of it. One faster than that is not worth following, whatever it is.

Background. It works on the cells of control.tracker; what it sets there lead.weigh() obeys until the next second.
"""

from micropython import const

_TARGET_PU = const(17)  # these of control.tracker
_RAW = const(29)  # slope of the net load from its last two samples, per tick
_BANDS = const(70)
_BANDS_END = const(88)
_BAND = const(6)
_TURNS = const(89)
_NEAREST = const(91)  # ticks between a sample of the load and one of the grid, the least since the last look; or NONE
_MEAN = const(92)  # of the net load, times 64
_SEEN = const(93)  # and of the one that the grid meter shows
_SHOWN = const(94)  # running sums: of the size of the swing,
_CONFIRMED = const(95)  # and of what the grid meter shows in its direction
_DOUBTED = const(96)
_OFF_PU = const(97)  # then the grid meter showed so much beyond what it should,
_SAW_PU = const(98)  # and this was the net load
_SWUNG = const(115)  # running sums of the swing alone,
_MOVED = const(116)  # and of how far the load moves from tick to tick

NONE = const(0x1FFFFFFF)
_BITS = const(6)
_USUAL = const(4)  # a step counts as so many mean swings at most
_SLOW = const(82)  # the slow band: _BANDS + 2 * _BAND
_AWAY_MAX = const(0xC0000)
_MANY_TURNS = const(0x4000)  # more than lead.weigh() asks for
_MEAN_MS = const(60_000)
EVENTS = (("CLEAR", "the grid meter shows the load's swing again: it is followed"),
          ("ALIASED", "the grid meter does not show the swing that the load's meter shows: it is not followed"))


def look(cells, prior_pu, period_ms):
    """Weigh what the last tick has seen; return 1 while the load's meter is not to be followed, else 0.

    `prior_pu`, > 0: a swing below it is not judged.
    """
    doubted = cells[_DOUBTED]
    if cells[_NEAREST] != NONE:
        cells[_NEAREST] = NONE
        doubted = _weigh(cells, prior_pu)
    if doubted:
        _hold(cells, max(period_ms * 1024 // _MEAN_MS, 1))
    elif cells[_SLOW]:
        _let_go(cells)
    cells[_DOUBTED] = doubted
    return doubted


def _weigh(cells, prior_pu):
    net_pu, off_pu = cells[_SAW_PU], cells[_OFF_PU]
    if not cells[_SHOWN]:
        cells[_MEAN], cells[_SEEN] = net_pu << _BITS, net_pu + off_pu << _BITS
        cells[_SHOWN] = cells[_CONFIRMED] = prior_pu << _BITS + 3  # until the means stand
    swing_pu = net_pu - (cells[_MEAN] >> _BITS)
    seen_pu = net_pu + off_pu - (cells[_SEEN] >> _BITS)
    cells[_MEAN] += swing_pu
    cells[_SEEN] += seen_pu
    if swing_pu < 0:
        swing_pu, seen_pu = -swing_pu, -seen_pu
    shown = cells[_SHOWN]
    most_pu = (shown >> _BITS) * _USUAL
    shown += min(swing_pu, most_pu) + prior_pu - (shown >> _BITS)
    confirmed = cells[_CONFIRMED]
    confirmed += max(min(seen_pu, most_pu), -most_pu) + prior_pu - (confirmed >> _BITS)
    cells[_SHOWN], cells[_CONFIRMED] = shown, confirmed
    swung, moved = cells[_SWUNG], cells[_MOVED]
    cells[_SWUNG] = swung = swung + swing_pu - (swung >> _BITS)
    cells[_MOVED] = moved = moved + abs(cells[_RAW]) - (moved >> _BITS)
    if swung * 4 < moved * 5 < swung * 7:  # of one of 8 and of 4 ticks, roughly
        return 0
    return 1 if confirmed * 16 < shown * (11 if cells[_DOUBTED] else 8) else 0


def _hold(cells, share):
    """Let the bands hold all but the slow mean back, until the next second."""
    if not cells[_SLOW]:
        cells[_SLOW] = share
        low_pu = max(min((cells[_MEAN] >> _BITS) - cells[_TARGET_PU], _AWAY_MAX), -_AWAY_MAX)
        cells[_SLOW + 1] = cells[_SLOW + 2] = cells[_SLOW + 3] = low_pu
    cells[_TURNS] = _MANY_TURNS
    for at in range(_BANDS, _BANDS_END, _BAND):
        cells[at + 4] = -cells[at + 5]


def _let_go(cells):
    cells[_SLOW] = cells[_SLOW + 1] = cells[_SLOW + 2] = cells[_SLOW + 3] = 0
    for at in range(_BANDS, _BANDS_END, _BAND):
        cells[at + 4] = cells[at + 5]
