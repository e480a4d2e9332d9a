"""Collect findings in steady memory and draw the verdicts from them."""

from host_tools.evidence.findings import AREAS, CODES, Finding

PASS = "PASS"
FAIL = "FAIL"
UNKNOWN = "UNKNOWN"
KEPT_PER_CODE = 1000
"""A journal with more findings of one code keeps the first thousand; all are counted."""


class Findings:
    """The findings of one run: the first ones of each code, and the count of all."""

    def __init__(self):
        self.kept = []
        self.counts = {}

    def add(self, code, what, unit=None, seq=None, seqs=None):
        """Add a finding about a unit of the file (or about none); `seq` overrides the unit's number."""
        count = self.counts.get(code, 0) + 1
        self.counts[code] = count
        if count > KEPT_PER_CODE:
            return
        if unit is None:
            self.kept.append(Finding(code, what, seq, seqs=seqs))
        else:
            number = unit.seq if seq is None else seq
            self.kept.append(Finding(code, what, number, unit.offset, unit.file, seqs))

    def ordered(self):
        """Give the kept findings by area, then by where they stand."""
        order = list(AREAS)
        return sorted(self.kept, key=lambda f: (
            order.index(CODES[f.code][0]), f.file or "", -1 if f.offset is None else f.offset))

    def verdict(self, area):
        """Draw PASS, FAIL or UNKNOWN for "I", "C" or "P" from all findings."""
        effects = [effect for code in self.counts for effect in CODES[code][1].split()]
        if area + "F" in effects:
            return FAIL
        return UNKNOWN if area + "U" in effects else PASS

    def notes(self, area):
        """Count the notes listed under an area."""
        return sum(n for code, n in self.counts.items() if CODES[code][0] == area and not CODES[code][1])
