"""Battery wear: cycles counted from the state of charge, at its turning points."""

from array import array

from micropython import const

from firmware.core.types import cell

_TURN_PERMILLE = const(20)  # the state of charge has turned when it is so far behind its last extreme
_WRAP = const(0x3FFFFFFF)


class Wear:
    """Counts half cycles by depth. A full cycle is one of 1,000 permille down and up again."""

    def __init__(self):
        self._turn = self._extreme = None
        self._up = False
        self.cells = array("i", (0, 0, 0, 0, 0))  # what control.learned keeps

    half_cycles = cell(0)
    permille = cell(1)  # of full cycles: the sum of all depths, halved
    deep_permille = cell(2)  # the same with each depth squared: one deep cycle wears more than many shallow ones
    _rest = cell(3)
    _deep_rest = cell(4)

    def add(self, soc_permille):
        """Take the state of charge now, 0 .. 1000."""
        if self._turn is None:
            self._turn = self._extreme = soc_permille
        elif (soc_permille > self._extreme) == self._up and soc_permille != self._extreme:
            self._extreme = soc_permille
        elif abs(soc_permille - self._extreme) >= _TURN_PERMILLE:
            self._end_half(abs(self._extreme - self._turn))
            self._turn = self._extreme
            self._extreme = soc_permille
            self._up = not self._up

    def told(self):
        """Return (half cycles, full ones, thousandths of one, full ones by depth, thousandths of one)."""
        return (self.half_cycles,) + divmod(self.permille, 1000) + divmod(self.deep_permille, 1000)

    def _end_half(self, depth):
        if depth < _TURN_PERMILLE:  # only the way had to be found
            return
        self.half_cycles = (self.half_cycles + 1) & _WRAP
        self._rest += depth
        self._deep_rest += depth * depth
        self.permille = (self.permille + self._rest // 2) & _WRAP
        self.deep_permille = (self.deep_permille + self._deep_rest // 2000) & _WRAP
        self._rest %= 2
        self._deep_rest %= 2000
