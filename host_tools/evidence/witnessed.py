"""Compare the witnessed tree that a record names with the records before it, and its time with the record's clock."""

from host_tools.evidence import utc
from host_tools.evidence.tree import root_of

_KEPT = 4096  # sizes whose tree is remembered: more than 42 days of quarter hours
_TOLERANCE_MS = 3_600_000


class Witnessed:
    """Remember the latest trees, and check each witnessed one when it first appears."""

    def __init__(self, findings):
        self.findings = findings
        self._trees = [(None, ())] * _KEPT  # (size, peaks), each at its size modulo the number kept
        self._last = None

    def check(self, unit, record, tree):
        """Check one interval; `tree` is that of the records in front of it, None where it is not known."""
        if tree is not None:
            self._trees[tree.size % _KEPT] = (tree.size, tuple(tree.peaks))
        named = record[41]
        if named is None or named == self._last:
            return
        size, root, time_s = named
        if self._last is not None and size < self._last[0]:
            what = f"it names a witnessed tree of {size} records, before it was one of {self._last[0]}"
            self.findings.add("WITNESS_BACK", what, unit)
        self._last = named
        if size > unit.seq:
            what = f"a witness has seen {size} records of this board, this is only number {unit.seq}"
            self.findings.add("WITNESS_AHEAD", what, unit)
        elif tree is not None:
            self._compare(unit, size, root)
        if record[9] is not None and record[9] + record[10] + _TOLERANCE_MS < time_s * 1000:
            end, signed = utc.show(record[9] + record[10]), utc.show(time_s * 1000)
            what = f"it ends at {end}, the witness that it names signed at {signed}"
            self.findings.add("CLOCK_WITNESS", what, unit)

    def _compare(self, unit, size, root):
        known, peaks = self._trees[size % _KEPT]
        if known == size and root_of(peaks) != root:
            what = f"the witnessed tree of {size} records that it names is not that of the first {size} records here"
            self.findings.add("WITNESS_DIFFERS", what, unit)
