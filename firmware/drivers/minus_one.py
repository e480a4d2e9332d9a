"""The -1 of an analyser that has no reading: its registers, and when it is one.

In site power units a watt may be nothing, so that -1 W cannot be told from 0: it is told by the raw registers.
"""

import micropython

from firmware.drivers.ratio import F32, F32_LOW_FIRST, S16, S32, S32_LOW_FIRST, U32, read

NO_PU = 0x20000001  # as no Ratio reads


def registers(kind, magnitude):
    """Return the bytes of -magnitude, a whole number, in registers of a kind; None where the kind has no sign."""
    if kind == S16:
        return (0x10000 - magnitude).to_bytes(2, "big")
    if kind in (S32, S32_LOW_FIRST):
        words = (0x100000000 - magnitude).to_bytes(4, "big")
    elif kind in (F32, F32_LOW_FIRST):
        exponent = 0
        while magnitude >> exponent + 1:
            exponent += 1
        mantissa = (magnitude << 23 - exponent) & 0x7FFFFF
        words = (0x80000000 | exponent + 127 << 23 | mantissa).to_bytes(4, "big")
    else:
        return None
    return words[2:] + words[:2] if kind > U32 and kind != F32 else words


class MinusOne:
    """Knows the raw -1 and the -1 W of one table row; `values_pu` are the two as they read, to look for in an answer.

    What reads as -1 site power unit is left to whoever judges values: there it can be seen.
    """

    def __init__(self, row, cells):
        self.refused = 0
        self._run = 0
        self._after = 0  # count of the reading when the run began
        self._far_pu = None  # until guard() is called, nothing is refused
        self._times = 0
        kind, num, den = row[1], row[2], row[3]
        magnitudes = [1] if den % num or den == num else [1, den // num]
        patterns = [p for p in [registers(kind, m) for m in magnitudes] if p]
        self._patterns = [p for p in patterns if read(cells, p, 0) != -1]
        found = [read(cells, p, 0) & 0x3FFFFFFF for p in self._patterns]
        self.values_pu = (found + [NO_PU, NO_PU])[:2]

    def guard(self, far_pu, times):
        """Refuse it after a value beyond `far_pu`; the `times`-th in a row is believed, 0 for never. Start-up only."""
        self._far_pu = far_pu
        self._times = times

    @micropython.native
    def refuses(self, buf, at, last):
        """Return True when what stands at buf[at] is such a -1, not to be believed after the Reading `last`."""
        far_pu = self._far_pu
        if far_pu is None or -far_pu <= last.value <= far_pu:
            return False
        for pattern in self._patterns:
            i = 0
            while i < len(pattern) and buf[at + i] == pattern[i]:
                i += 1
            if i == len(pattern):
                return self._count(last.count)
        return False

    @micropython.native
    def _count(self, after):
        if after != self._after:
            self._after = after
            self._run = 0
        self._run += 1
        if self._run == self._times:
            return False
        self.refused += 1
        return True
