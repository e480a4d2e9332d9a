"""Follow the records in their order: hash chain, tree and anchors, then time, content and totals."""

from host_tools.evidence.continuity import Continuity
from host_tools.evidence.tree import Tree

_ZEROS = bytes(32)


class Anchors:
    """The signed end anchors: compared when the tree has their size."""

    def __init__(self, findings, checkpoints):
        self.findings = findings
        self.open = sorted(checkpoints, key=lambda anchor: anchor.size)
        self.end_size = self.open[-1].size if self.open else None
        self.next_size = self.open[0].size if self.open else -1

    def compare(self, size, root):
        """Compare all anchors of this size with the root; None leaves them uncompared."""
        while self.open and self.open[0].size == size:
            anchor = self.open.pop(0)
            if root is not None and anchor.root != root:
                what = f"the root of the first {size} records is not the one in {anchor.name}"
                self.findings.add("ROOT_DIFFERS", what, seq=size - 1 if size else None)
        self.next_size = self.open[0].size if self.open else -1

    def finish(self, count, proven):
        """Report what anchors state beyond `count` records, and records they do not state (`proven`)."""
        cut = [anchor for anchor in self.open if anchor.size > count]
        if cut:
            anchor = cut[-1]
            what = f"{anchor.name} states {anchor.size} records, there are {count}"
            missing = list(range(count, min(anchor.size, count + 100)))
            self.findings.add("TAIL_CUT", what, seq=count, seqs=missing)
        elif self.end_size is not None and self.end_size < proven:
            what = f"records {self.end_size} to {proven - 1} are not covered by an end anchor"
            self.findings.add("PAST_ANCHOR", what, seq=self.end_size)


class Chain:
    """Take the records in their places; `checks` judge the content, `totals` add it up."""

    def __init__(self, findings, anchors, checks, totals):
        self.findings = findings
        self.anchors = anchors
        self.checks = checks
        self.totals = totals
        self.continuity = Continuity(findings)
        self.tree = Tree()
        self.tainted = False
        self.last = None
        self.previous = None
        self.unproven = 0

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
        self._grow(unit)
        record = unit.record
        if record is None:
            self._forget()
            self.last = unit
            return
        self.continuity.check(unit, record, self.previous)
        for check in self.checks:
            check(unit, record, self.previous)
        self.totals.add(record)
        self.last = unit
        self.previous = record

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
        self.anchors.finish(count, proven)
