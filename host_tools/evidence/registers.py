"""Check the meters' energy registers: that they go on from record to record, and that the energies follow them."""

from host_tools.evidence.fields import FORMED, INTERVAL, ROLES

BY_REGISTER, PARTLY, CONTRADICTED = 1, 2, 3
_WORDS = ("import", "export")
# Where a role's positive and negative energy stand: (field, index), None where it has none of its own.
_ENERGY = (((24, 0), None), ((23, 3), (24, 2)), ((23, 4), (24, 1)), ((23, 0), None), ((23, 1), None), ((23, 2), None))
_SHORT_MS = 60_000  # below, the time between two readings is too much of the interval
_LIMIT_PERCENT = 10
_LIMIT_WH = 1_000
_UNREAD_TICKS = 4
_LONG_TICK_MS = 10_000  # from here on a control period may have four ticks, and registers are read by the period
_NOTHING = [None] * 6
_UNKNOWN = (None, None)
_NEITHER = [None, None]


class Registers:
    """Keeps where each register ended in the last interval."""

    def __init__(self, findings):
        self.findings = findings
        self.boot = None
        self.ends = {}

    def check(self, unit, record, previous):
        """Check one record; a gap record has no registers, and they go on behind it."""
        if previous is None:
            self.boot, self.ends = None, {}
        if record[2] != INTERVAL:
            return
        same_boot = self.boot == record[4]
        self.boot = record[4]
        doubtful = 0
        for row in record[39]:
            role = row[0]
            if row[2:] != _NOTHING or role in self.ends:
                ends, self.ends[role] = self.ends.get(role, _UNKNOWN), (row[3], row[5])
                before = ends if same_boot else _UNKNOWN
                if ends != before:
                    self._check_restart(unit, row, ends)
                self._check_one(unit, record, row, 0, before[0])
                if row[4:6] != _NEITHER or row[7] is not None or before[1] is not None:
                    self._check_one(unit, record, row, 1, before[1])
            doubtful |= row[1] == CONTRADICTED
        for row in record[22]:
            doubtful |= row[4]
        if doubtful:
            self._check_flags(unit, record)

    def _check_restart(self, unit, row, ends):
        """Note what a register has counted while the board did not run; it does not compare the two itself."""
        for i in (0, 1):
            start_wh = row[2 + 2 * i]
            if None not in (start_wh, ends[i]) and start_wh != ends[i]:
                what = f"{_name(row, i)} at {ends[i]} Wh before the restart, at {start_wh} Wh after it"
                self.findings.add("REGISTER_UNSEEN", what, unit)

    def _check_one(self, unit, record, row, i, before_wh):
        """Check one register of a role; `before_wh` is where it ended in the record before, if that is known."""
        start_wh, end_wh, difference_wh = row[2 + 2 * i], row[3 + 2 * i], row[6 + i]
        place = _ENERGY[row[0]][i]
        if (start_wh is None) != (end_wh is None) or difference_wh is not None and (end_wh is None or place is None):
            what = f"{_name(row, i)} from {start_wh} to {end_wh} Wh, difference {difference_wh} Wh"
            self.findings.add("REGISTER_FIELDS", what, unit)
            return
        if before_wh is not None and start_wh != before_wh:
            what = f"{_name(row, i)} starts at {start_wh} Wh, the record before ends at {before_wh} Wh"
            self.findings.add("REGISTER_CHAIN", what, unit)
        if end_wh is None:
            return
        if end_wh < start_wh and not record[19] >> 5 & 1:
            what = f"{_name(row, i)} from {start_wh} to {end_wh} Wh without the flag"
            self.findings.add("REGISTER_BACK", what, unit)
        if place is not None and difference_wh is not None and row[1] in (BY_REGISTER, CONTRADICTED):
            gained_wh = end_wh - start_wh
            energy_wh = record[place[0]][place[1]]
            if row[1] == CONTRADICTED or abs(gained_wh - energy_wh) > _LIMIT_WH:
                self._check_energy(unit, record, row[1], _name(row, i), gained_wh, energy_wh, difference_wh)

    def _check_energy(self, unit, record, formed, name, gained_wh, energy_wh, difference_wh):
        what = f"{name} gained {gained_wh} Wh, the energy is {energy_wh} Wh by {FORMED[formed]}"
        if formed == CONTRADICTED and gained_wh - energy_wh != difference_wh:
            self.findings.add("REGISTER_ENERGY", f"{what}, the difference {difference_wh} Wh", unit)
        off_wh = abs(gained_wh - energy_wh)
        if formed != BY_REGISTER or record[10] < _SHORT_MS:
            return
        # A reading is some control periods old: what may have flowed since is no contradiction where they are long.
        ticks = max(record[15], 1)
        unread = _UNREAD_TICKS * (4 if record[10] >= ticks * _LONG_TICK_MS else 1)
        unread_wh = max(sum(record[23]), sum(record[24])) * unread // ticks
        if off_wh * 100 > max(gained_wh, energy_wh) * _LIMIT_PERCENT and off_wh > unread_wh:
            self.findings.add("REGISTER_ENERGY", what, unit)

    def _check_flags(self, unit, record):
        contradicted = [ROLES[row[0]] for row in record[39] if row[1] == CONTRADICTED]
        refused = sum([row[4] for row in record[22]])
        if (contradicted or refused) and not record[19] >> 6 & 1:
            what = f"no flag of an implausible value, but {refused} values were refused"
            if contradicted:
                what += f" and the registers of {', '.join(contradicted)} contradict the power"
            self.findings.add("FLAG_CONTENT", what, unit)
        for name in contradicted:
            self.findings.add("REGISTER_DIFFERS", f"{name}: integrated power was used", unit)


def _name(row, i):
    return f"{ROLES[row[0]]} {_WORDS[i]} register"
