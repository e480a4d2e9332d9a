"""Check that what a record says about time, coverage and quality is consistent with itself."""

from operator import itemgetter

from host_tools.evidence.fields import CLOCKS, INTERVAL, ROLES

QUARTER_MS = 900_000
_COVERAGE_NOTE_PERMILLE = 950
_UNDERFLOW = 1 << 8
_DEFAULT = 1 << 11
_CHANGES = 1 << 1 | 1 << 12 | 1 << 13
_PARTIAL = 1 << 16
_STALE = 1 << 10
_REBOOT = 1 << 1
_EXCHANGED = 1 << 3
_WH_PER_ML = 5  # half of what diesel holds, about 10 Wh a ml: no genset is better
_FUEL_FLOOR_WH = 1_000  # the meters of fuel and of energy do not step together
_AGE_TOLERANCE_S = 1
_first = itemgetter(0)


class Consistency:
    """Check every record; keeps boot and hashes of the last interval."""

    def __init__(self, findings):
        self.findings = findings
        self.before = None
        self.roles = []  # those that were in order
        self.serials = []

    def check(self, unit, record, previous):
        """Check one record; a gap record has nothing to contradict."""
        if record[2] != INTERVAL:
            return
        start_ms, length_ms, flags = record[9], record[10], record[19]
        if (record[12] == 0) != (start_ms is None):
            words = "unknown" if start_ms is None else "known"
            self.findings.add("CLOCK_FIELDS", f"clock state {record[12]} with a start time that is {words}", unit)
        partial = bool(flags & _PARTIAL)
        if partial != (length_ms != QUARTER_MS):
            what = f"{length_ms} ms long and {'' if partial else 'not '}marked partial"
            self.findings.add("NOT_ALIGNED", what, unit)
        elif start_ms is not None and start_ms % QUARTER_MS + length_ms > QUARTER_MS:
            self.findings.add("NOT_ALIGNED", "it reaches over a quarter hour of UTC", unit)
        self._check_ticks(unit, record[15], record[16], record[37])
        self._check_quality(unit, record)
        if bool(flags & _UNDERFLOW) != (record[23][4] > record[27][0]):
            words = "no more than was stored" if flags & _UNDERFLOW else "more than was stored"
            what = f"pool underflow flag {int(bool(flags & _UNDERFLOW))}, but {words} was discharged"
            self.findings.add("FLAG_CONTENT", what, unit)
        if bool(flags & _DEFAULT) != (record[34][2] == 2):
            what = f"factor default flag {int(bool(flags & _DEFAULT))}, grid factor of kind {record[34][2]}"
            self.findings.add("FLAG_CONTENT", what, unit)
        if flags & _DEFAULT or flags & _STALE or record[12] != 2:
            self._note_weak(unit, record, flags)
        if record[44] != self.serials:
            self._check_serials(unit, record)
        if record[34][0] is not None and start_ms is not None:
            self._check_age(unit, record[34], start_ms // 1000)
        if (record[42] is None) != (record[45] is None):
            what = f"fuel {record[42]} ml, its factors {record[45]}"
            self.findings.add("FUEL_FIELDS", what, unit)
        elif record[42] is not None and record[23][2] > record[42] * _WH_PER_ML + _FUEL_FLOOR_WH:
            self.findings.add("FUEL_ENERGY", f"{record[23][2]} Wh from {record[42]} ml of fuel", unit)
        self._check_change(unit, record, previous)

    def _note_weak(self, unit, record, flags):
        """Note what makes the evidence weaker without being wrong."""
        if flags & _STALE:
            self.findings.add("FACTOR_STALE", f"it was {record[34][1]} s old", unit)
        if flags & _DEFAULT:
            self.findings.add("FACTOR_DEFAULT", f"{record[32][3]} mg/kWh direct, of kind default", unit)
        if record[12] in (0, 3):
            self.findings.add("CLOCK_UNSURE", f"clock {CLOCKS[record[12]]}, set {record[13]} s before", unit)

    def _check_serials(self, unit, record):
        """Compare serial numbers with those last seen; one that is not known says nothing."""
        stated = record[19] & (_EXCHANGED | _REBOOT)  # over a restart the board does not compare them itself
        known = dict(map(tuple, self.serials))
        for role, serial in record[44]:
            before = known.get(role)
            if serial is not None and before is not None and serial != before:
                what = f"the meter of {ROLES[role]} is {serial!r}, before it was {before!r}"
                self.findings.add("METER_EXCHANGED" if stated else "SERIAL_CHANGED", what, unit)
            known[role] = before if serial is None else serial
        if [row[0] for row in record[44]] != [row[0] for row in record[22]]:
            self.findings.add("METERS_ORDER", "serial numbers are not listed in the order of the meters", unit)
        self.serials = [list(row) for row in known.items()]

    def _check_age(self, unit, factor, start_s):
        valid_from_s, age_s, _ = factor
        if age_s is None or abs(start_s - valid_from_s - age_s) > _AGE_TOLERANCE_S:
            what = f"valid from {valid_from_s} s of UTC, {age_s} s old at {start_s} s"
            self.findings.add("FACTOR_AGE", what, unit)

    def _check_ticks(self, unit, expected, valid, ticks):
        if valid > expected or ticks[1] > ticks[0]:
            what = f"{valid} valid of {expected} periods, {ticks[1]} late of {ticks[0]} runs"
            self.findings.add("TICKS_INCONSISTENT", what, unit)
        elif valid * 1000 < expected * _COVERAGE_NOTE_PERMILLE:
            self.findings.add("LOW_COVERAGE", f"{valid} of {expected} periods had every measurement", unit)

    def _check_quality(self, unit, record):
        if record[20] and (record[21] == 0 or record[18] == 0):
            what = f"{record[20]} Wh from substitute values, method {record[21]}, quality {record[18]}"
            self.findings.add("SUBSTITUTE_HIDDEN", what, unit)
        roles = list(map(_first, record[22]))
        rows = list(map(_first, record[39]))
        if rows != roles or roles != self.roles:
            if rows != roles or roles != sorted(set(roles)):
                self.findings.add("METERS_ORDER", f"roles {roles}, of registers {rows}", unit)
            else:
                self.roles = roles

    def _check_change(self, unit, record, previous):
        """Compare with the interval before, over gaps in between; the first of a board has no change."""
        now = (record[4], record[7], record[6])
        before = self.before if previous is not None else None
        self.before = now
        if before is None:
            if unit.seq:
                return
            before = now
        if before == now and not record[19] & _CHANGES:
            return
        for name, old, new in zip(("site.json", "the firmware"), before[1:], now[1:]):
            if old != new:
                self.findings.add("SET_UP_CHANGED", f"{name} is {new.hex()[:16]}..., before {old.hex()[:16]}...", unit)
        for bit, name, old, new in zip((1, 12, 13), ("boot", "configuration", "firmware"), before, now):
            if bool(record[19] & 1 << bit) != (old != new):
                words = "is another one without" if old != new else "is the same in spite of"
                self.findings.add("FLAG_CHANGE", f"the {name} {words} the flag", unit)
