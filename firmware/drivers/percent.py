"""Commands in percent of a rating, as SunSpec's percent points hold them."""

import micropython

from firmware.core.errors import BusError
from firmware.drivers.put import Put


class Percent:
    """A register in which 100 % stand for `whole_pu` site power units, under a scale factor of -2 .. 2."""

    def __init__(self, exponent, whole_pu):
        if not -2 <= exponent <= 2:
            raise BusError("SCALE_FACTOR", "percent with a scale factor of %d; -2..2 can hold 0 to 100 %%" % exponent)
        self.whole = 100 * 10 ** -exponent if exponent <= 0 else 100 // 10 ** exponent  # the raw value of 100 %
        self.put = Put(self.whole, whole_pu)
        self._quotient = whole_pu // self.whole
        self._rest = whole_pu % self.whole
        self.near_pu = self._quotient + 2  # how far a value may be from what it was made of

    @micropython.native
    def read(self, raw):
        """Return the site power units of a raw value, -32768 .. 65535; every step stays in 31 bits."""
        return raw * self._quotient + raw * self._rest // self.whole


def rating_pu(power_w, scale):
    """Return a rating in site power units, rounded up: a share of it never comes to more than what was asked."""
    return -(-power_w // scale.unit_w)
