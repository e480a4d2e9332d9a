"""Add intervals up over hours, months or the whole range: always sums of energy and carbon, never of ratios."""

from datetime import UTC, datetime

from host_tools.evidence.fields import FACTOR_KINDS
from host_tools.evidence.origin import ORIGINS

HOUR_MS = 3_600_000


class Period:
    """Sums over some intervals: energy in Wh and carbon in ug of load and auxiliaries by origin, and doubts."""

    def __init__(self, start_ms):
        self.start_ms = start_ms
        self.end_ms = start_ms
        self.load_wh = self.aux_wh = self.loss_wh = 0
        self.load_by_origin = [[0] * len(ORIGINS) for _ in range(3)]  # Wh, ug direct, ug life cycle
        self.aux_by_origin = [0] * len(ORIGINS)
        self.carbon_ug = [0, 0]
        self.charged_wh = self.discharged_wh = self.substituted_wh = 0
        self.kinds, self.tables = set(), set()

    def add(self, entry):
        """Add one interval."""
        record, flow = entry.record, entry.flow
        self.end_ms = max(self.end_ms, entry.end_ms)
        self.load_wh += record[24][0]
        self.aux_wh += record[24][3]
        self.charged_wh += record[24][1]
        self.discharged_wh += record[23][4]
        self.loss_wh += record[29]
        self.substituted_wh += record[20]
        for quantity, sums in enumerate(self.load_by_origin):
            self.load_by_origin[quantity] = list(map(int.__add__, sums, flow.by_origin(quantity, 0)))
        self.aux_by_origin = list(map(int.__add__, self.aux_by_origin, flow.by_origin(0, 3)))
        self.carbon_ug = [self.carbon_ug[0] + record[35][0], self.carbon_ug[1] + record[36][0]]
        if record[23][3]:
            self.kinds.add(FACTOR_KINDS[record[34][2]])
        self.tables.add(record[8].hex())


def periods(reading, start_of):
    """Return the Periods in order; `start_of` gives the start of the period in which a time lies."""
    found = {}
    for entry in reading.intervals:
        if entry.record[9] is not None:
            start_ms = start_of(entry.record[9])
            found.setdefault(start_ms, Period(start_ms)).add(entry)
    return [found[start_ms] for start_ms in sorted(found)]


def hour_of(time_ms):
    """Return the start of the hour of UTC."""
    return time_ms - time_ms % HOUR_MS


def month_of(time_ms):
    """Return the start of the month of UTC."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return int(moment.replace(day=1, hour=0, minute=0, second=0).timestamp()) * 1000
