"""Follow the records in their order: hash chain, tree and anchors, then time, content and totals."""

from host_tools.evidence.continuity import Continuity
from host_tools.evidence.fields import INTERVAL, KEY_CHANGE
from host_tools.evidence.tree import Tree

_ZEROS = bytes(32)


class Chain:
    """Take the records in their places; `checks` judge the content, `totals` add it up."""

    def __init__(self, findings, anchors, checks, totals, witnessed=None, registry=None):
        self.findings = findings
        self.anchors = anchors
        self.checks = checks
        self.totals = totals
        self.witnessed = witnessed
        self._registry = registry
        self.continuity = Continuity(findings)
        self.tree = Tree()
        self.tainted = False
        self.last = None
        self.previous = None
        self.unproven = 0
        self._kid = None
        self._retired = set()
        self._changes = []  # (number, kid of the checkpoint key from then on)

    def begin(self, first):
        """Start at a record number; without the records from 0 on there is no root to compare."""
        if first:
            self.tree = None
        elif self.anchors.next_size == 0:
            self.anchors.compare(0, self.tree.root())

    def accept(self, unit):
        """Take a validly signed record that stands in its place."""
        if unit.problem:
            self.findings.add(*unit.problem, unit)
            self.unproven += 1
            self.tainted = True
        self._check_prev(unit)
        if unit.kid != self._kid:
            self._check_key(unit)
        record = unit.record
        if self.witnessed is not None and record is not None and record[2] == INTERVAL:
            self.witnessed.check(unit, record, None if self.tainted else self.tree)
        self._grow(unit)
        if record is None:
            self._forget()
            self.last = unit
            return
        if record[2] == KEY_CHANGE:
            self._retired.add(self._kid)
            self._kid = record[46][0]
            self._changes.append((unit.seq, record[47][0]))
        self.continuity.check(unit, record, self.previous)
        for check in self.checks:
            check(unit, record, self.previous)
        self.totals.add(record)
        self.last = unit
        self.previous = record

    def refuse(self, unit):
        """Take note that a record that was taken on trust was not signed by its board."""
        unit.problem = ("BAD_SIGNATURE", "the signature does not fit the record")
        self.findings.add(*unit.problem, unit)
        self.unproven += 1
        self.tainted = True

    def replace(self, unit, number):
        """Take note of a unit that stands in the place of a record but cannot be relied on."""
        self.unproven += 1
        self.tainted = True
        if unit.raw is None:
            self.tree = None
        else:
            self._grow(unit)
        self._forget()

    def disturb(self):
        """Take note that records are missing or out of place here: nothing follows from the last one."""
        self.tree = None
        self._forget()

    def _forget(self):
        self.last = None
        self.previous = None
        self.continuity.reset()

    def _grow(self, unit):
        tree = self.tree
        if tree is not None:
            tree.append(unit.raw)
            if tree.size == self.anchors.next_size:
                self.anchors.compare(tree.size, None if self.tainted else tree.root())
        unit.raw = None

    def _check_key(self, unit):
        """Look at a record that another key signed than the one that was in use."""
        key = self._registry.find(unit.kid) if self._registry else None
        anew = key is not None and key.not_before_s is not None  # the registry says since when: the old key was lost
        if self._changes and (unit.kid in self._retired or not anew):
            what = f"it is signed with {unit.kid.hex()}, the last change of keys names {self._kid.hex()}"
            self.findings.add("KEY_RETIRED", what, unit)
            return
        if self._kid is not None:
            self.findings.add("KEY_CHANGED", f"from here on {unit.kid.hex()} signs, before {self._kid.hex()}", unit)
        self._kid = unit.kid

    def _check_prev(self, unit):
        if unit.record is None:
            return
        if unit.seq == 0:
            if unit.record[5] != _ZEROS:
                self.findings.add("PREV_MISMATCH", "record 0 names a record before it", unit)
        elif self.last is None or self.last.problem:
            return  # nothing follows from a record that was refused itself
        elif unit.record[5] != self.last.signed_hash:
            what = f"the previous hash is not that of record {self.last.seq}"
            self.findings.add("PREV_MISMATCH", what, unit)

    def finish(self, count, proven):
        """Judge the end: the number behind the last unit, and behind the last valid record."""
        self.anchors.finish(count, proven, self._changes)
