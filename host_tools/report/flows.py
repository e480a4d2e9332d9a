"""Add up what went where over a range: each source into each use, through the battery, for energy and carbon."""

from host_tools.evidence.origin import ORIGINS

ENERGY, DIRECT, LIFECYCLE = range(3)
SOURCES = ("Wind", "PV", "Genset", "Grid", "Battery")
USES = ("Load", "Battery", "Export", "Auxiliaries")
_BATTERY, _CHARGE = 4, 1


class Flows:
    """Sums over the intervals of a range; [quantity][source][use] and the books of the battery."""

    def __init__(self, entries):
        self.matrix = [[[0] * 4 for _ in range(5)] for _ in range(3)]
        self.load_by_origin = [[0] * len(ORIGINS) for _ in range(3)]
        self.beyond = [0, 0, 0]  # discharged beyond what was stored: Wh, and ug by the substitute factor
        self.uses = [[0] * 4 for _ in range(3)]  # as the records state them: energy without the residual's share
        self.lost_wh = 0
        self.written_off = [0, 0, 0]
        self.start = self.end = None
        for entry in entries:
            if 27 in entry.record:
                self.start = self.start or entry.record[27]
                self.end = entry.record[28]
            if entry.is_interval:
                self._add(entry.record, entry.flow)

    def _add(self, record, flow):
        for quantity in range(3):
            for total, row in zip(self.matrix[quantity], flow.matrix[quantity]):
                for use, value in enumerate(row):
                    total[use] += value
            by_origin = flow.by_origin(quantity, 0)
            self.load_by_origin[quantity] = list(map(int.__add__, self.load_by_origin[quantity], by_origin))
        for total, key in zip(self.uses, (24, 35, 36)):
            total[:] = map(int.__add__, total, record[key][:4])
        excess_wh = max(record[23][4] - record[27][0], 0)
        self.beyond = [self.beyond[0] + excess_wh, self.beyond[1] + excess_wh * record[32][4],
                       self.beyond[2] + excess_wh * record[33][4]]
        self.lost_wh += record[29]
        self.written_off = [0, self.written_off[1] + record[35][4], self.written_off[2] + record[36][4]]

    def battery(self, quantity):
        """Return what went into and out of the battery beyond the matrix, as two lists of (name, amount)."""
        start, end = (0, 0) if self.start is None else (self.start[quantity], self.end[quantity])
        came = [("Stored before", start), ("Beyond what was stored", self.beyond[quantity])]
        went = [("Losses", self.lost_wh if quantity == ENERGY else self.written_off[quantity]), ("Stored after", end)]
        if quantity != ENERGY:
            went[0] = ("Written off", self.written_off[quantity])
        charged = sum(row[_CHARGE] for row in self.matrix[quantity])
        given = sum(self.matrix[quantity][_BATTERY])
        off = charged + sum(amount for _, amount in came) - given - sum(amount for _, amount in went)
        # What is left: corrections at anchors of the state of charge, and the charge's share of the residual.
        (went if off > 0 else came).append(("Corrections", abs(off)))
        return [row for row in came if row[1]], [row for row in went if row[1]]
