"""What the slow reads say of the fast ones, once a second: life, registers, refusals. Background only.

The meters of `field`, the ledger's `registers` and the clock `utc` are handed in by main: this layer knows neither of
the other two, only which of their words concerns the truth.
"""

from firmware.core import ticks
from firmware.core.types import (
    ABSENT,
    BESS,
    FLAG_IMPLAUSIBLE,
    FLAG_METER_EXCHANGED,
    FRESH,
    METER_DISCONNECTED,
    METER_EXCHANGED,
    METER_GOOD,
    METER_OUT_OF_RANGE,
    METER_READ_ERROR,
    METER_SUBSTITUTE,
    METER_TIMED_OUT,
    ROLE_NAMES,
    ROLES,
)
from firmware.site.refusals import Refusals

_LIVELY = ("frequency_mhz", "voltage_l1_mv")


_NOTHING = (0, 0, 0, 0, 0)


class Hearing:
    """Carries slow reads to `truth` and `registers`, and tells both of their refusals as events."""

    def __init__(self, field, truth, registers, snapshot, utc, unit_w):
        self._field = field
        self._truth = truth
        self._registers = registers
        self._snapshot = snapshot
        self._utc = utc
        self._unit_w = unit_w
        self._refusals = Refusals(truth, unit_w)
        self._heard = [0] * ROLES  # slow reads
        self._recorded = {}  # per role its counts when the last record was made
        self._serials = {}  # and its serial number
        self._rows = None  # of the record, as they were last
        self._up_ms = 0

    def listen(self, kept, lost, note):
        """Hear every meter's last slow read; `kept` and `lost` are the intervals cut so far, note() takes events."""
        self._registers.sync(kept, lost)
        utc = self._utc
        up_ms = utc.up_s * 1000 + utc.up_ms
        for role in range(ROLES):
            state = self._snapshot.state[role]
            if state != ABSENT and state != FRESH:
                self._registers.pass_stale(role, up_ms - self._up_ms)
            meter = self._field.meters[role]
            if meter is not None and meter.slow.count != self._heard[role]:
                self._heard[role] = meter.slow.count
                self._hear(role, meter, up_ms)
            self._tell(role, self._field.pcs if role == BESS else meter, note)
        self._up_ms = up_ms
        news = self._registers.news
        while news:
            role, code, text = news.pop(0)
            note("TRUTH", code, "%s: %s" % (ROLE_NAMES[role], text))

    def _hear(self, role, meter, up_ms):
        values = meter.values()
        lively = [values[name] for name in _LIVELY if name in values]
        if lively:
            self._truth.heard(role, bool(lively[0]), meter.slow.t_ms)
        import_wh, export_wh = values.get("import_wh"), values.get("export_wh")
        # Where everything is zero, nothing was read; a register of 0 is one while the voltage lives.
        if not import_wh and not export_wh and (import_wh is export_wh is None or lively and not lively[0]):
            return
        age_ms = ticks.diff(self._snapshot.now_ms, meter.slow.t_ms)
        power_w = self._snapshot.power_pu[role] * self._unit_w
        if self._registers.take(role, import_wh, export_wh, up_ms - age_ms, age_ms, power_w):
            self._truth.moved(role, meter.slow.t_ms)
        elif self._registers.stand_still(role) and self._truth.still(role):
            self._truth.freeze(role)

    def _tell(self, role, source, note):
        if source is not None:
            minus_one = getattr(source, "minus_one", None)
            minus_ones = minus_one.refused if minus_one else 0
            blank = getattr(source, "blank", 0)
            for code, text in self._refusals.look(role, source.invalid - blank, minus_ones, blank):
                note("TRUTH", code, text)

    def finish(self, interval, kept, lost):
        """Put into the interval how its meters answered, how many values were refused, and its registers."""
        self._registers.sync(kept, lost)
        self._registers.finish(interval)
        exchanged = self._exchanged(interval)
        interval.meters = []
        for row in self._field.statistics():
            role = row[0]
            row.append(self._refusals.total[role] + self._registers.refused[role])
            before = self._recorded.get(role, _NOTHING)
            found = [role] + [row[i] - before[i] for i in range(1, 5)]
            found.append(_state(found, exchanged, interval.silent, interval.silent_last))
            interval.meters.append(found)
            self._recorded[role] = row
            if row[4] != before[4]:
                interval.flags |= FLAG_IMPLAUSIBLE

    def _exchanged(self, interval):
        """State the serial numbers; return a bit for each role whose device is another one than before."""
        rows = self._field.serials()
        if rows != self._rows:
            self._rows = rows  # the same list as long as nothing changes: log.page then has it encoded
        interval.serials = self._rows
        exchanged = self._registers.exchanged
        for role, serial in interval.serials:
            before = self._serials.get(role)
            if serial and before and before != serial:
                exchanged |= 1 << role
            self._serials[role] = serial or before
        if exchanged:
            interval.flags |= FLAG_METER_EXCHANGED
        return exchanged


def _state(row, exchanged, silent, silent_last):
    """Return the state of a meter in an interval: the first that holds, by what an auditor must know first."""
    role, answers, time_outs, errors, refused = row
    bit = 1 << role
    if exchanged & bit:
        return METER_EXCHANGED
    if not answers and (time_outs or errors):
        return METER_DISCONNECTED
    if silent_last & bit:
        return METER_READ_ERROR if errors > time_outs else METER_TIMED_OUT
    if silent & bit:
        return METER_SUBSTITUTE
    return METER_OUT_OF_RANGE if refused else METER_GOOD
