"""Check that what a record says about time, coverage and quality is consistent with itself."""

from host_tools.evidence.fields import INTERVAL

QUARTER_MS = 900_000
_COVERAGE_NOTE_PERMILLE = 950


def _flag(record, bit):
    return bool(record[19] & 1 << bit)


class Consistency:
    """Check every record; keeps boot and hashes of the last interval."""

    def __init__(self, findings):
        self.findings = findings
        self.before = None

    def check(self, unit, record, previous):
        """Check one record; a gap record has nothing to contradict."""
        if record[2] != INTERVAL:
            return
        self._check_clock(unit, record)
        self._check_alignment(unit, record)
        self._check_ticks(unit, record)
        self._check_quality(unit, record)
        self._check_flags(unit, record, previous)

    def _check_clock(self, unit, record):
        if (record[12] == 0) != (record[9] is None):
            what = f"clock state {record[12]} with a start time that is " + (
                "unknown" if record[9] is None else "known")
            self.findings.add("CLOCK_FIELDS", what, unit)

    def _check_alignment(self, unit, record):
        start_ms, length_ms = record[9], record[10]
        partial = _flag(record, 16)
        if partial != (length_ms != QUARTER_MS):
            what = f"{length_ms} ms long and {'' if partial else 'not '}marked partial"
            self.findings.add("NOT_ALIGNED", what, unit)
        elif start_ms is not None and start_ms % QUARTER_MS + length_ms > QUARTER_MS:
            self.findings.add("NOT_ALIGNED", "it reaches over a quarter hour of UTC", unit)

    def _check_ticks(self, unit, record):
        expected, valid, ticks = record[15], record[16], record[37]
        if valid > expected or ticks[1] > ticks[0]:
            what = f"{valid} valid of {expected} periods, {ticks[1]} late of {ticks[0]} runs"
            self.findings.add("TICKS_INCONSISTENT", what, unit)
        elif valid * 1000 < expected * _COVERAGE_NOTE_PERMILLE:
            self.findings.add("LOW_COVERAGE", f"{valid} of {expected} periods had every measurement", unit)

    def _check_quality(self, unit, record):
        if record[20] and (record[21] == 0 or record[18] == 0):
            what = f"{record[20]} Wh from substitute values, method {record[21]}, quality {record[18]}"
            self.findings.add("SUBSTITUTE_HIDDEN", what, unit)
        roles = [row[0] for row in record[22]]
        rows = [row[0] for row in record[39]]
        if roles != sorted(set(roles)) or rows != roles:
            self.findings.add("METERS_ORDER", f"roles {roles}, of registers {rows}", unit)

    def _check_flags(self, unit, record, previous):
        underflow = record[23][4] > record[27][0]
        if _flag(record, 8) != underflow:
            words = "more than was stored" if underflow else "no more than was stored"
            what = f"pool underflow flag {int(not underflow)}, but {words} was discharged"
            self.findings.add("FLAG_CONTENT", what, unit)
        default = record[34][2] == 2
        if _flag(record, 11) != default:
            what = f"factor default flag {int(not default)}, grid factor of kind {record[34][2]}"
            self.findings.add("FLAG_CONTENT", what, unit)
        self._check_change(unit, record, previous)

    def _check_change(self, unit, record, previous):
        """Compare with the interval before, over gaps in between; the first of a board has no change."""
        now = (record[4], record[7], record[6])
        before = self.before if previous is not None else None
        self.before = now
        if before is None:
            if unit.seq:
                return
            before = now
        for bit, name, old, new in zip((1, 12, 13), ("boot", "configuration", "firmware"), before, now):
            if _flag(record, bit) != (old != new):
                words = "is another one without" if old != new else "is the same in spite of"
                self.findings.add("FLAG_CHANGE", f"the {name} {words} the flag", unit)
