"""The site power unit: how many watts one integer count stands for, so that the control path stays in 31 bits."""

_FULL_SCALE_PU = 1 << 19
_STEPS = (1, 2, 5)


def choose_unit_w(rating_w):
    """Return the watts of one site power unit for the largest rating of a site, 1 .. 5,000 W.

    1.5 times `rating_w` (1 .. 1,000,000,000 W) fits 2**19 units, so a power times a factor up to 2047, or the sum of
    two powers times 1,000 ms, is still a small integer on a 32-bit board. Every unit divides 3,600,000 W*ms evenly.
    """
    decade = 1
    while True:
        for step in _STEPS:
            unit_w = step * decade
            if rating_w * 3 <= 2 * unit_w * _FULL_SCALE_PU:
                return unit_w
        decade *= 10


def to_pu(power_w, unit_w):
    """Return `power_w` in site power units, rounded to nearest, halves away from zero. Start-up only: may allocate."""
    if power_w < 0:
        return -((-power_w * 2 + unit_w) // (2 * unit_w))
    return (power_w * 2 + unit_w) // (2 * unit_w)
