"""Follow time from record to record: no hole that no record states, no time twice.

UTC must continue to the millisecond where both records know it; the board's own running time where they do
not, and roughly - a clock that is kept on time drifts - where they do. A restart is stated by a gap record of
its own; a gap of unknown length ends what can be compared.
"""

from host_tools.evidence import utc
from host_tools.evidence.fields import GAP, REASONS

RESTART = 1
CLOCK_STEP = 2
_DRIFT_FLOOR_MS = 1000
_DRIFT_PER_MILLE = 1


class Continuity:
    """Remember where the last record ended, in UTC and in the board's running time."""

    def __init__(self, findings):
        self.findings = findings
        self.first_ms = None
        self.last_ms = None
        self.gaps = 0
        self.reset()

    def reset(self):
        """Forget the last record: the next one starts afresh."""
        self.boot = None
        self.end_ms = None
        self.end_uptime_ms = None
        self.knew_utc = False
        self.stepped = False

    def check(self, unit, record, previous):
        """Compare one record with the end of the one before it, and remember its own end."""
        is_gap = record[2] == GAP
        reason = record[38] if is_gap else None  # a key change lasts no time and states no gap
        if self.boot is not None:
            self._check_boot(unit, record[4], reason)
            self._check_utc(unit, record[9], reason)
            self._check_uptime(unit, record, reason)
        if is_gap:
            self.gaps += 1
            self.findings.add("GAP_STATED", _gap_words(record, reason), unit)
        self._remember(record, reason)

    def _check_boot(self, unit, boot, reason):
        if boot == self.boot:
            if reason == RESTART:
                what = f"a restart is stated, the boot counter is still {boot}"
                self.findings.add("BOOT_NOT_COUNTED", what, unit)
            return
        if boot < self.boot:
            self.findings.add("BOOT_WENT_BACK", f"boot counter {boot} after {self.boot}", unit)
        elif reason != RESTART:
            what = f"boot counter {boot} after {self.boot}, without a gap record"
            self.findings.add("BOOT_UNSTATED", what, unit)
        if reason != RESTART:
            self.end_ms = self.end_uptime_ms = None

    def _check_utc(self, unit, start_ms, reason):
        if start_ms is None or self.end_ms is None or start_ms == self.end_ms:
            return
        if start_ms > self.end_ms:
            missing_s = (start_ms - self.end_ms) / 1000
            what = f"{missing_s:g} s from {utc.show(self.end_ms)} on are in no record"
            self.findings.add("TIME_GAP", what, unit)
        elif reason != CLOCK_STEP and not self.stepped:
            what = f"it starts at {utc.show(start_ms)}, the one before ends at {utc.show(self.end_ms)}"
            self.findings.add("TIME_OVERLAP", what, unit)

    def _check_uptime(self, unit, record, reason):
        if self.end_uptime_ms is None or reason == RESTART or record[4] != self.boot:
            return
        off_ms = record[11] - self.end_uptime_ms
        if off_ms == 0:
            return
        known = record[9] is not None
        limit_ms = _DRIFT_FLOOR_MS + self.length_ms * _DRIFT_PER_MILLE // 1000
        if not known and not self.knew_utc or abs(off_ms) > limit_ms and known != self.knew_utc:
            what = f"running time {record[11]} ms, expected {self.end_uptime_ms} ms"
            self.findings.add("UPTIME_GAP", what, unit)
        elif abs(off_ms) > limit_ms:
            what = f"running time is {off_ms} ms off UTC since the record before"
            self.findings.add("UPTIME_DRIFT", what, unit)

    def _remember(self, record, reason):
        start_ms, length_ms, uptime_ms = record[9], record[10], record[11]
        self.boot = record[4]
        self.knew_utc = start_ms is not None
        self.length_ms = length_ms or 0
        self.end_ms = None if start_ms is None or length_ms is None else start_ms + length_ms
        # A gap states the running time at its end; UTC may go back behind a stated clock step.
        self.end_uptime_ms = uptime_ms + self.length_ms if reason is None else uptime_ms
        self.stepped = reason == CLOCK_STEP
        if self.end_ms is not None:
            self.first_ms = start_ms if self.first_ms is None else min(self.first_ms, start_ms)
            self.last_ms = self.end_ms if self.last_ms is None else max(self.last_ms, self.end_ms)


def _gap_words(record, reason):
    length = "of unknown length" if record[10] is None else f"of {record[10] / 1000:g} s"
    return f"a gap {length} from {utc.show(record[9])} on ({REASONS[reason]})"
