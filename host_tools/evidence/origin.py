"""Follow where every Wh and ug came from, through the battery too: derived by the reader, not signed.

The rules are those of the carbon book: sources are split over the uses by largest remainder, and what leaves the
storage leaves it as the mixture that is in there. So energy and carbon keep their origin to the last unit, and each
sum equals the signed figure that it is a part of.
"""

from host_tools.evidence.carbon import split

ORIGINS = ("wind", "pv", "genset", "grid", "before", "substitute")
"""before: stored before the first record, or of unknown origin; substitute: discharged beyond what was stored."""
ON_SITE_CLEAN = (0, 1)
_BATTERY, _SUBSTITUTE = 4, 5
_CHARGE = 1
_TRACKS = ((1, 32, 35), (2, 33, 36))  # index in the pool, key of the factors, key of the carbon


class Flow:
    """What one interval moved: three quantities (Wh, ug direct, ug life cycle), each by source, use and origin."""

    __slots__ = ("matrix", "from_battery", "stored")

    def __init__(self, matrix, from_battery, stored):
        self.matrix = matrix  # [quantity][source][use]
        self.from_battery = from_battery  # [quantity][use][origin]: what of the battery's row was of which origin
        self.stored = stored  # [quantity][origin] at the end of the interval

    def by_origin(self, quantity, use):
        """Return what a use took by origin, straight and through the battery together; Wh or ug."""
        parts = list(self.from_battery[quantity][use])
        for source in range(_BATTERY):
            parts[source] += self.matrix[quantity][source][use]
        return parts


class Origins:
    """Keep the mixture in the storage; feed the records in order, gaps too."""

    def __init__(self):
        self.stored = None

    def take(self, record):
        """Take the next record; return the Flow of an interval, None for any other record."""
        self._match(record[27])
        if 23 not in record:
            self._match(record[28])
            return None
        drawn_wh = min(record[23][4], record[27][0])
        excess_wh = record[23][4] - drawn_wh
        lumps = [(record[23], [drawn_wh, excess_wh], record[24][_CHARGE] - record[29])]
        for index, factors, carbon in _TRACKS:
            out_ug, beyond_ug = record[carbon][5], excess_wh * record[factors][4]
            given = [wh * mg for wh, mg in zip(record[23][:4], record[factors])] + [out_ug + beyond_ug]
            if record[42] is not None and record[45] is not None:  # the genset's, by the litres that it burnt
                given[2] = record[42] * record[45][index - 1]
            lumps.append((given, [out_ug, beyond_ug], record[carbon][_CHARGE]))
        moved = [self._move(quantity, record[24], *each) for quantity, each in enumerate(lumps)]
        self._match(record[28])
        return Flow([row[0] for row in moved], [row[1] for row in moved], [list(part) for part in self.stored])

    def _move(self, quantity, uses, given, drawn, added):
        """Move one quantity: (by source and use, the battery's part by use and origin)."""
        stored = self.stored[quantity]
        total = sum(uses)
        matrix = [split(lump, uses, total) for lump in given]
        out = _share(min(drawn[0], sum(stored)), stored)
        mixture = [*out[:_SUBSTITUTE], out[_SUBSTITUTE] + drawn[1]]
        from_battery = [_share(part, mixture) for part in matrix[_BATTERY]]
        came = list(from_battery[_CHARGE])
        for source in range(_BATTERY):
            came[source] += matrix[source][_CHARGE]
        entered = _share(max(added, 0), came)
        self.stored[quantity] = [have - gone + more for have, gone, more in zip(stored, out, entered)]
        return matrix, from_battery

    def _match(self, pool):
        """Make the mixture sum to what the record says: at the start, at a true-up, behind a break."""
        if self.stored is None:
            self.stored = [[0] * len(ORIGINS) for _ in range(3)]
        for quantity, (amount, parts) in enumerate(zip(pool, self.stored)):
            if sum(parts) == amount:
                continue
            self.stored[quantity] = _share(amount, parts)


def _share(amount, parts):
    """Split an amount in proportion to known parts; of unknown origin where there are none."""
    total = sum(parts)
    return split(amount, parts, total) if total else [0, 0, 0, 0, amount, 0]

