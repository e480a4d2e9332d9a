"""From pairs of levels to a response with its error, and from that to what is wrong with a clamp. Pure, integers.

The PCS alternates between two levels in blocks of four, + - - +, and every second block upside down. The difference
of such a block is blind to a load that drifts in a straight line; what the load does besides differs from block to
block, and shows in their scatter. Responses in permille of what the PCS itself did: a grid meter -1000, a load 0.
"""

OK = "OK"
REVERSED = "CT_REVERSED"
ONE_REVERSED = "CT_ONE_PHASE_REVERSED"
TWO_REVERSED = "CT_TWO_PHASES_REVERSED"
WRONG_PHASE = "CT_WRONG_PHASE"
NO_RESPONSE = "NO_RESPONSE"
RATIO = "CT_RATIO"
UNCERTAIN = "UNCERTAIN"

LEVELS = 4
_SIGNS = (1, -1, -1, 1)
_FLOOR = 10  # permille: resolution of meters, losses between them
# Student's t for 99 %, two-sided, in hundredths, from one degree of freedom on: few blocks agree by chance too.
_T99 = (6366, 993, 584, 460, 403, 371, 350, 336, 325, 317, 311, 305, 301, 298, 295)
_T_MANY = 290
_TRIM_FROM = 8  # blocks, of which the lowest and highest eighth are then left out
_STRAY = 60  # permille: more than this off, and significantly, is a wrong ratio

# What a meter shows of the true response, permille, when the clamps of a three-phase meter are wrong.
_TOTALS = ((1000, OK), (500, RATIO), (333, ONE_REVERSED), (0, NO_RESPONSE), (-333, TWO_REVERSED), (-500, WRONG_PHASE),
           (-1000, REVERSED))
# One phase: its own current reversed, or another phase's, 120 degrees off: cos 120 = -1/2; or both.
_PHASES = ((1000, OK), (500, WRONG_PHASE), (0, NO_RESPONSE), (-500, WRONG_PHASE), (-1000, REVERSED))


def sign(block, level):
    """Return which of the two levels this is, 1 the higher, -1 the lower: Thue and Morse's order over the blocks."""
    ones = 0
    while block:
        ones += block & 1
        block >>= 1
    return -_SIGNS[level] if ones & 1 else _SIGNS[level]


def contrast(block, means):
    """Return the sum of four means (or None, where one is missing), each with its level's sign."""
    total = 0
    for level in range(LEVELS):
        if means[level] is None:
            return None
        total += sign(block, level) * means[level]
    return total


def permille(value, of):
    """Return value / of in permille, rounded to nearest; `of` is not 0."""
    if of < 0:
        value, of = -value, -of
    return (2000 * value + of) // (2 * of)


def response(blocks):
    """Return (response, half of its 99 % interval), permille, of one number a block; None for fewer than two.

    From eight blocks on a trimmed mean with its winsorised error: one step of the load spoils one block.
    """
    n = len(blocks)
    if n < 2:
        return None
    ordered = sorted(blocks)
    cut = n // _TRIM_FROM
    kept = ordered[cut:n - cut]
    left = len(kept)
    mean = _divide(sum(kept), left)
    winsorised = [kept[0]] * cut + kept + [kept[-1]] * cut
    total = sum(winsorised)
    # n times the sum of squares about the mean, so that it stays whole.
    spread = n * sum(x * x for x in winsorised) - total * total
    variance = spread * 10_000 // (n * left * (left - 1))
    t = _T99[left - 2] if left - 2 < len(_T99) else _T_MANY
    return mean, root(variance) * t // 10_000 + _FLOOR


def judge(found, expected, phases=False):
    """Return the code for a response (centre, half interval) where `expected` (-1000 or 1000) is right.

    UNCERTAIN as long as the interval reaches into the realm of another code.
    """
    centre, half = found
    factor = centre if expected > 0 else -centre
    table = _PHASES if phases else _TOTALS
    low = _nearest(table, factor - half)
    high = _nearest(table, factor + half)
    if low != high:
        return UNCERTAIN
    if low in (OK, REVERSED) and abs(abs(factor) - 1000) > _STRAY + half:
        return RATIO
    return low


def judge_none(found):
    """Return OK where a response (centre, half interval) is zero, NO where it is not, UNCERTAIN in between."""
    centre, half = found
    if abs(centre) + half <= 250:
        return OK
    if abs(centre) - half >= 150:
        return RATIO
    return UNCERTAIN


def _nearest(table, factor):
    best = table[0]
    for row in table:
        if abs(row[0] - factor) < abs(best[0] - factor):
            best = row
    return best[1]


def _divide(a, b):
    return (2 * a + b) // (2 * b)


def root(n):
    """Return the square root of n >= 0, rounded up."""
    if n <= 0:
        return 0
    x = 1
    while x * x < n:
        x <<= 1
    while True:
        y = (x + n // x) // 2
        if y >= x:
            break
        x = y
    return x if x * x >= n else x + 1
