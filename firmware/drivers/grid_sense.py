"""Whether the grid is there, by the meter at the connection: its frequency and voltage, which are read every 2 s.

A meter that has neither says nothing. One that has shown a value and answers without one, as some do without voltage,
denies the grid. One that is silent says nothing either, unless it is known to be fed by the line that it measures.
"""

import micropython

THERE = 1
NOT_THERE = 0
NO_WORD = -1

_NAMES = ("frequency_mhz", "voltage_l1_mv")
_PATIENCE = 6  # looks, one a second, without a whole round of slow reads: three rounds


class GridSense:
    """Looks at the slow reads of `meter`; `settings` are the island's of site.json."""

    def __init__(self, meter, settings):
        self._meter = meter
        off = settings["voltage_mv"] * settings["voltage_band_permille"] // 1000
        band = settings["frequency_band_mhz"]
        self._low_mhz, self._high_mhz = settings["frequency_mhz"] - band, settings["frequency_mhz"] + band
        self._low_mv, self._high_mv = settings["voltage_mv"] - off, settings["voltage_mv"] + off
        self._if_silent = NOT_THERE if settings["meter_silent"] == "lost" else NO_WORD
        self._seen = [False, False]  # of the two: it has had a value
        self._count = 0
        self._looks = 0
        self._word = NO_WORD

    @micropython.native
    def look(self):
        """Return THERE, NOT_THERE or NO_WORD; once a second."""
        if self._meter is None:
            return NO_WORD
        count = self._meter.slow.count
        if count != self._count:
            self._count = count
            self._looks = 0
            self._word = self._judge()
        elif self._looks < _PATIENCE:
            self._looks += 1
        elif self._count:
            self._word = self._if_silent
        return self._word

    def _judge(self):
        """Return the word of a new round of the meter."""
        values = self._meter.values()
        found = [values.get(name) for name in _NAMES]
        for i in range(2):
            if found[i] is not None:
                self._seen[i] = True
            elif self._seen[i]:
                return NOT_THERE
        return self.within(found[0], found[1])

    @micropython.native
    def within(self, frequency_mhz, voltage_mv):
        """Return the word of two values, None or -1 where there is none: each that there is must lie in its band."""
        word = NO_WORD
        for value, low, high in ((frequency_mhz, self._low_mhz, self._high_mhz),
                                 (voltage_mv, self._low_mv, self._high_mv)):
            if value is not None and value >= 0:
                if value < low or value > high:
                    return NOT_THERE
                word = THERE
        return word
