"""Energy by the meters' own registers: they correct the integrated counters, so that sums follow the register exactly.

Power is integrated in the tick as ever; at each slow read, in the background, a role's counter is corrected by what its
register gained more than the integral. So an interval ends with both: the register's word up to its last reading, and
the integral from there to the cut. Where the two contradict each other by more than class and resolution explain, the
correction is taken back and the integral stands, flagged. What wind, PV and genset draw shares one counter, and what
a load gives has none: there the registers are stated, and nothing is corrected.
"""

from firmware.core.types import BESS, FLAG_IMPLAUSIBLE, FLAG_REGISTER_BACK, GENSET, GRID, LOAD, PV, ROLES, WIND
from firmware.ledger import register
from firmware.ledger.energy import (
    CHARGE_WH,
    COUNTERS,
    DISCHARGE_WH,
    EXPORT_WH,
    GENSET_WH,
    IMPORT_WH,
    LOAD_WH,
    PV_WH,
    WIND_WH,
)

# How the energy of a role was formed, as in the record.
INTEGRATED = 0  # no register, or no reading of one
BY_REGISTER = 1  # from end to end of the interval
PARTLY = 2  # the register began, or began anew, inside it
CONTRADICTED = 3  # by integration, although there is a register

_PLUS = {LOAD: LOAD_WH, GRID: IMPORT_WH, BESS: DISCHARGE_WH, WIND: WIND_WH, PV: PV_WH, GENSET: GENSET_WH}
_MINUS = {GRID: EXPORT_WH, BESS: CHARGE_WH}
_MASK = 0x1FFFFFFF  # of the totals of Energy
_HALF = 0x10000000
_MS_PER_H = 3_600_000
_WORDS = ("import", "export")
_QUIET = 30  # readings believed in a row, after which the next refusal is told again


class _Direction:
    """One direction of one role: its register, its counter, and what was added to the counter in this interval."""

    def __init__(self, rated_w, counter):
        self.register = register.Register(rated_w)
        self.counter = counter
        self.applied_wh = 0
        self.owed_wh = 0  # of the interval before: a counter never falls below zero
        self.told = False
        self.refusal = register.STILL  # the last one told, until readings have been believed for a while
        self.quiet = 0  # readings believed since


class Registers:
    """The registers of all roles; `energy` is the Energy they correct, `rated_w` the ratings by role."""

    def __init__(self, energy, rated_w):
        self._energy = energy
        self._rated_w = rated_w
        self._rows = [None] * ROLES
        self._seen = [energy.total(counter) for counter in range(COUNTERS)]
        self._integral_wh = [0] * COUNTERS  # of power alone, since start
        self._closed = []  # one list of rows a closed interval that has not been written
        self._kept = self._lost = 0
        self._flags = 0
        self._renewed = 0  # a bit for each role whose register began anew after refused readings
        self.exchanged = 0  # the same of the interval that finish() has written last
        self.refused = [0] * ROLES  # readings, since start
        self.news = []  # (role, code, sentence) that nobody has told yet

    def take(self, role, plus_wh, minus_wh, up_ms, age_ms=0, power_w=0):
        """Take one slow read: the registers of the role's positive and negative direction in Wh, None where none.

        It was sampled at the uptime `up_ms`, `age_ms` before the last tick, which found `power_w`. Returns True when a
        register moved as the power says.
        """
        if self._rows[role] is None:
            self._rows[role] = [_Direction(self._rated_w[role], counters.get(role)) for counters in (_PLUS, _MINUS)]
        self._catch_up()
        moved = False
        for i, wh in enumerate((plus_wh, minus_wh)):
            if wh is not None:
                since_wh = max(power_w if i == 0 else -power_w, 0) * age_ms // _MS_PER_H
                code = self._take(role, i, wh, up_ms, since_wh)
                moved = moved or code == register.MOVED and self._rows[role][i].register.agrees
        return moved

    def pass_stale(self, role, ms):
        """Let time pass in which the role's power was not measured."""
        for direction in self._rows[role] or ():
            direction.register.pass_stale(ms)

    def stand_still(self, role):
        """Return True when a register of the role should have moved, by the power, and has not."""
        self._catch_up()
        return any(d.counter is not None and d.register.stands_still(self._integral_wh[d.counter])
                   for d in self._rows[role] or ())

    def sync(self, kept, lost):
        """Close the interval when the tick has cut one: `kept` waits to be written, `lost` found no room."""
        self._catch_up()
        while self._kept != kept:
            self._kept += 1
            self._closed.append((self._close(), self._flags, self._renewed))
            self._flags = self._renewed = 0
        if self._lost != lost:
            self._lost = lost
            self._close()

    def finish(self, interval):
        """Write the oldest closed interval's registers and flags into the Interval that is to be recorded."""
        rows, flags, self.exchanged = self._closed.pop(0) if self._closed else (self._close(), 0, 0)
        interval.flags |= flags
        energies = _energies(interval)
        for row in rows:
            if row[1] == CONTRADICTED:
                for i in range(2):
                    if row[6 + i] is not None:
                        row[6 + i] = row[3 + 2 * i] - row[2 + 2 * i] - energies[i][row[0]]
        interval.registers = rows

    # ---- inside

    def _catch_up(self):
        """Bring the integrals up to what the tick has added to the counters."""
        for counter in range(COUNTERS):
            total = self._energy.total(counter)
            self._integral_wh[counter] += ((total - self._seen[counter] & _MASK) ^ _HALF) - _HALF
            self._seen[counter] = total

    def _take(self, role, i, wh, up_ms, since_wh):
        direction = self._rows[role][i]
        done_wh = 0 if direction.counter is None else self._integral_wh[direction.counter] - since_wh
        before_wh = direction.register.wh
        code = direction.register.take(wh, up_ms, done_wh)
        if code >= register.GLITCH:
            self._refused(role, i, code, wh, before_wh)
            return code
        direction.quiet += 1
        if direction.quiet == _QUIET:
            direction.refusal = register.STILL
        if direction.counter is not None:
            self._settle(role, i, direction, done_wh)
        return code

    def _refused(self, role, i, code, wh, before_wh):
        self.refused[role] += 1
        self._flags |= FLAG_IMPLAUSIBLE
        if wh < before_wh:
            self._flags |= FLAG_REGISTER_BACK
        direction = self._rows[role][i]
        direction.quiet = 0
        if code == direction.refusal:
            return
        direction.refusal = code
        if code == register.RENEWED:
            self._renewed |= 1 << role
        name = ("", "", "", "REGISTER_GLITCH", "REGISTER_BACK", "REGISTER_RENEWED")[code]
        self.news.append((role, name, "%s register %d Wh after %d Wh" % (_WORDS[i], wh, before_wh)))

    def _settle(self, role, i, direction, done_wh):
        """Bring the counter to the register's word, or back to the integral where the two contradict each other."""
        found = direction.register
        still = found.stands_still(done_wh)
        wrong = still or not found.holds()
        found.differs = wrong
        if wrong and not direction.told:
            direction.told = True
            text = "%s register gained %d Wh, the power %d Wh: the power is used"
            text %= _WORDS[i], found.gained_wh, found.integral_wh
            if still:
                text = "%s register stands at %d Wh in spite of the power, which is used" % (_WORDS[i], found.wh)
            self.news.append((role, "REGISTER_STILL" if still else "REGISTER_DIFFERS", text))
        want_wh = direction.owed_wh + (0 if wrong else found.difference_wh())
        added_wh = self._energy.correct(direction.counter, want_wh - direction.applied_wh)
        direction.applied_wh += added_wh
        self._seen[direction.counter] = self._seen[direction.counter] + added_wh & _MASK

    def _close(self):
        rows = []
        for role in range(ROLES):
            if self._rows[role] is not None:
                rows.append(self._row(role))
            elif self._rated_w[role]:
                rows.append([role, INTEGRATED] + [None] * 6)
        return rows

    def _row(self, role):
        row = [role, INTEGRATED]
        differences = []
        for direction in self._rows[role]:
            found = direction.register
            row += [found.start_wh, found.wh]
            differences.append(None if found.wh is None or direction.counter is None else direction.applied_wh)
            if direction.counter is not None and found.wh is not None:
                row[1] = max(row[1], _method(found))
            if found.differs:
                self._flags |= FLAG_IMPLAUSIBLE
            direction.owed_wh += (0 if found.differs else found.difference_wh()) - direction.applied_wh
            direction.applied_wh = 0
            direction.told = False
            found.end_interval()
            found.begin_interval()
        return row + differences


def _method(found):
    if found.differs:
        return CONTRADICTED
    if not found.readings and not found.renewed:
        return INTEGRATED
    return PARTLY if found.renewed else BY_REGISTER


def _energies(interval):
    """Return the energies of the record's positive and negative direction, by role."""
    wind, pv, genset, grid_in, discharge = interval.sources_wh
    load, charge, grid_out, _ = interval.uses_wh
    return ({LOAD: load, GRID: grid_in, BESS: discharge, WIND: wind, PV: pv, GENSET: genset},
            {GRID: grid_out, BESS: charge})
