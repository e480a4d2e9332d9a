"""What the grid meter says of the feed-forward: does the swing get less by it, and by how much of it would it most?

The model in control.lead is as good as what is known of delays, and a meter that samples at its own pace is up to a
refresh older than anybody knows. What does not depend on any delay is how large the swings are, of the load (L), of the
battery (B) and of the grid (A): the law of cosines tells from the three how much of the battery's swing is in step,
(L^2 + B^2 - A^2) / 2 B^2 of it being what leaves the least. In the fast and the middle band this takes the place of
what the model says, as long as all meters are fresh and the swing is one that can be seen. Where the PCS is done long
before the next period the battery moves in steps, and where in a step the grid meter samples is chance: there it only
takes back what would leave more than no battery. A repetitive term that is at work is judged instead of the bands.

A battery that is told to do nothing tells nothing: a sixteenth of the load's swing is always left to it. What swings at
the grid beside the load (U) would be taken for harm: it is what is there beyond the load's own while the battery hardly
moves, and is left out from then on.

Behind each tick, in the background, on the cells of control.tracker and its own. A cell that may be below zero gets its
sign back by ((x & MASK) ^ HALF) - HALF.
"""

from array import array

import micropython
from micropython import const

from firmware.control.lead import count_turns
from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

# As in core.types.
_GRID = const(1)
_LOAD_STATE = const(7)
_LOAD_AGE_MS = const(14)
_GRID_AGE_MS = const(15)
_FRESH = const(1)
_ALL_FRESH = const(25)

# As in control.tracker and control.lead.
_TARGET_PU = const(17)
_AWAY_PU = const(18)
_SAMPLED_MS = const(35)
_AGES_MS = const(41)
_AGES = const(42)
_EXPECTED = const(58)
_BANDS = const(70)
_BAND = const(6)
_TURNS = const(89)
_NEAREST = const(91)  # these as control.aliased has them
_DOUBTED = const(96)
_OFF_PU = const(97)
_SAW_PU = const(98)
_PAIRED = const(102)  # 1: the last tick has laid load and grid to one instant,
_ERROR_PU = const(103)  # where the grid showed so much more
_LEFT_PU = const(104)  # than the net load less the battery
_SWINGING = const(4096)

# Own cells, and a row of them for each of two bands.
_BITS = const(0)  # 2 ** so many ticks are weighed
_SHIFT = const(1)  # from power units to levels
_LEAST = const(2)  # sum of squares from which a swing is judged
_TRUST = const(3)  # share of the repetitive term that is let through, 0 .. 256,
_TRUSTS = const(4)  # and its running sum
_FACTOR = const(5)  # a share is this many quarters of the best one
_SAMPLE_MS = const(6)  # when the load was sampled
_SINCE = const(7)  # ticks since then
_LEAST_SINCE = const(8)  # from one sample to the next, of so many
_SAMPLES = const(9)
_ROWS = const(10)
_SENT_LOW = const(0)  # what the band's filter takes from the battery's power, and from the grid's;
_GRID_LOW = const(1)
_B2 = const(2)  # running sums of the squares of what it leaves, in levels
_A2 = const(3)
_L2 = const(4)
_U2 = const(5)
_SHARES = const(6)  # and of the share that was let through, 0 .. 256
_SHARE = const(7)
_ROW = const(8)
_END = const(26)
_GRID_PU = const(26)  # what the grid meter showed last,
_GRID_SINCE = const(27)  # for so many ticks,
_SHOWN_PU = const(28)  # and the net load that it showed by it when it was new
_CELLS = const(29)
_NEVER = 0x1FFFFFFF

_LEVEL_MAX = const(2047)  # three sums of its square over 128 ticks stay a 32-bit integer
_LEAST_LEVEL = 4
_WINDOW_MS = 6000
_WHOLE = const(256)
_HALF_OPEN = const(0x8000)
_BEST = const(5)  # a quarter more leaves hardly more swing than the best, and never adds to it
_HARMLESS = 7  # twice the best leaves as much as there is without a battery
_NEARLY = const(146)
_FINE = const(230)
_PROBE = const(8)  # a 256th of the load's square: a sixteenth of its swing
_ENOUGH = 6  # samples that tell how often the meter has new ones
_FOOT = const(4)  # as a square: a quarter of the swing


@micropython.viper
def compare(seen: ptr32, trk: ptr32, snap: ptr32, gate: int) -> int:
    """Take in what the last tick saw, and set what of each band's swing is of use; return the same for the term.

    `gate`, 0 .. 256: how far the term takes the feed-forward's place. Where it does, it is judged, not those.
    """
    count_samples(seen, trk[_SAMPLED_MS])
    count_ages(trk, snap)
    if trk[_PAIRED]:
        trk[_PAIRED] = 0
        pair(seen, trk, snap[_GRID])
    if snap[_ALL_FRESH] == 0 or trk[_DOUBTED]:
        return seen[_TRUST]
    bits = seen[_BITS]
    away = ((trk[_AWAY_PU] & _MASK) ^ _HALF) - _HALF
    sent = ((trk[_EXPECTED] & _MASK) ^ _HALF) - _HALF
    grid = (((snap[_GRID] - trk[_TARGET_PU]) & _MASK) ^ _HALF) - _HALF
    at = _BANDS
    row = _ROWS
    while row < _END:
        sent = int(take(seen, row + _SENT_LOW, sent, trk[at]))
        grid = int(take(seen, row + _GRID_LOW, grid, trk[at]))
        low = ((trk[at + 2] & _MASK) ^ _HALF) - _HALF
        add_square(seen, row + _L2, away - low)
        away = low
        if gate * seen[_TRUST] < _HALF_OPEN:
            let_through(seen, trk, row, at)
        share = seen[row + _SHARE] if trk[_TURNS] > _SWINGING else _WHOLE
        seen[row + _SHARES] += share - (seen[row + _SHARES] >> bits)
        at += _BAND
        row += _ROW
    trust = seen[_TRUST]
    if gate:
        row = _ROWS if seen[_ROWS + _L2] > seen[_ROWS + _ROW + _L2] else _ROWS + _ROW
        trust = int(best(seen, row, seen[_TRUSTS] >> bits))
        seen[_TRUST] = trust
    seen[_TRUSTS] += trust - (seen[_TRUSTS] >> bits)
    return trust


@micropython.viper
def count_ages(trk: ptr32, snap: ptr32):
    """Add up how old the load was in the ticks, for control.tracker.retune(), and count the turns of the battery."""
    age_ms = snap[_LOAD_AGE_MS] if snap[_LOAD_STATE] == _FRESH else snap[_GRID_AGE_MS]
    trk[_AGES_MS] += age_ms & 0xFFFF
    trk[_AGES] += 1
    count_turns(trk)


@micropython.viper
def count_samples(seen: ptr32, sampled_ms: int):
    """Count the ticks from one sample of the load to the next, where the meter says which is new."""
    seen[_SINCE] = (seen[_SINCE] & 0xFFFF) + 1
    if sampled_ms != seen[_SAMPLE_MS]:
        seen[_SAMPLE_MS] = sampled_ms
        seen[_SAMPLES] += 1
        if seen[_SINCE] < seen[_LEAST_SINCE] or seen[_SAMPLES] == 1:
            seen[_LEAST_SINCE] = seen[_SINCE]
        seen[_SINCE] = 0


@micropython.viper
def pair(seen: ptr32, trk: ptr32, grid_pu: int):
    """Keep for control.aliased, of this second, the two samples of load and grid that lie nearest to each other.

    What a slow grid meter shows is of when it was new, and so is what the battery gave then.
    """
    left_pu = ((trk[_LEFT_PU] & _MASK) ^ _HALF) - _HALF
    saw_pu = left_pu + (((trk[_EXPECTED] & _MASK) ^ _HALF) - _HALF)
    since = (seen[_GRID_SINCE] & 0xFFFF) + 1
    if grid_pu != seen[_GRID_PU] or since > seen[_LEAST_SINCE]:  # or it is new, and happens to be the same
        seen[_GRID_PU] = grid_pu
        seen[_SHOWN_PU] = saw_pu + (((trk[_ERROR_PU] & _MASK) ^ _HALF) - _HALF)
        since = 0
    seen[_GRID_SINCE] = since
    since += seen[_SINCE]
    if since < trk[_NEAREST]:
        trk[_NEAREST] = since
        trk[_OFF_PU] = (((seen[_SHOWN_PU] & _MASK) ^ _HALF) - _HALF) - saw_pu
        trk[_SAW_PU] = saw_pu


def sample_ticks(seen):
    """Return how many ticks lie between two new samples of the load, 1 or more; 0: not known. Background."""
    if seen[_SAMPLES] < _ENOUGH:
        return 0
    seen[_SAMPLES] = 0
    return seen[_LEAST_SINCE]


@micropython.viper
def take(seen: ptr32, at: int, value: int, share: int) -> int:
    """Take a power into the filter at a cell, and the square of what that leaves into its sum; return the filter's."""
    low = ((seen[at] & _MASK) ^ _HALF) - _HALF
    low += ((value - low) * share + 512) >> 10
    seen[at] = low
    add_square(seen, at + _B2, value - low)
    return low


@micropython.viper
def add_square(seen: ptr32, at: int, value: int):
    """Take the square of a power, in levels, into the running sum at a cell."""
    shift = seen[_SHIFT]
    value = value + (1 << shift - 1) >> shift
    if value < 0:
        value = 0 - value
    if value > _LEVEL_MAX:
        value = _LEVEL_MAX
    seen[at] += value * value - (seen[at] >> seen[_BITS])


@micropython.viper
def let_through(seen: ptr32, trk: ptr32, row: int, at: int):
    """Set how much of a band's feed-forward lead.weigh() lets through: a quarter more than it is told, if it swings."""
    share = int(best(seen, row, seen[row + _SHARES] >> seen[_BITS]))
    if row > _ROWS and seen[row + _L2] < seen[_ROWS + _L2] >> _FOOT and share < seen[_ROWS + _SHARE]:
        share = seen[_ROWS + _SHARE]  # what is in the middle band is the foot of what is in the fast one
    seen[row + _SHARE] = share
    use = trk[at + 5]
    if share < _WHOLE:
        use = (use >> 8) * (share * 4 // 5)
    if seen[_FACTOR] == _BEST or use < ((trk[at + 4] & _MASK) ^ _HALF) - _HALF:
        trk[at + 4] = use


@micropython.viper
def best(seen: ptr32, row: int, mean: int) -> int:
    """Return the share of the whole to let through, 0 .. 256, `mean` having been of late.

    Where the best is more than half, all of it does no harm, and as little as plain feed-forward leaves is left.
    """
    load = seen[row + _L2]
    bess = seen[row + _B2]
    beyond = seen[row + _A2] - load
    if load < seen[_LEAST]:
        return _WHOLE
    if bess < load >> _PROBE:
        seen[row + _U2] = beyond if beyond > 0 else 0
        mean += (mean >> 2) + 2
        return mean if mean < _WHOLE else _WHOLE
    step = bess - beyond + seen[row + _U2]  # twice what of the battery is in step with the load
    if step <= 0:
        return 0
    if bess < 0x8000:
        step = 0x7FFFFF if step > 0x7FFFFF else step
        share = (step << 7) // bess
    else:
        share = step // (bess >> 7)
    if share > _FINE:
        mean += 2  # what is done comes from another band: let this one do its part
    share = mean * (share if share < 1024 else 1024) >> 8
    return share * seen[_FACTOR] >> 2 if share < _NEARLY else _WHOLE


def tune(seen, facts):
    """Take what is known of the ways (control.tuning)."""
    steps = max(facts.period_ms, facts.load_refresh_ms) > 2 * facts.lag_ms
    seen[_FACTOR] = _HARMLESS if steps else _BEST


def cells(bess_pu, facts):
    """Return the cells that compare() works on, for a battery of this rating, > 0, and what is known of the ways."""
    bits = 7
    while bits > 4 and facts.period_ms << bits > _WINDOW_MS:
        bits -= 1
    shift = 1
    while bess_pu >> shift > 2047:
        shift += 1
    made = array("i", [0] * _CELLS)
    made[_BITS], made[_SHIFT], made[_LEAST] = bits, shift, _LEAST_LEVEL * _LEAST_LEVEL << bits
    made[_GRID_PU] = _NEVER
    made[_TRUSTS], made[_TRUST] = _WHOLE << bits, _WHOLE
    for row in range(_ROWS, _END, _ROW):
        made[row + _SHARES], made[row + _SHARE] = _WHOLE << bits, _WHOLE
    tune(made, facts)
    return made
