"""Reads firmware/control/STATES.md: what people are told, as rows. Knows nothing of the code."""

from functools import cache
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "firmware" / "control" / "STATES.md"
SLOTS = ("load", "grid", "wind", "pv", "genset", "soc")


class Row:
    """One row of the table of states."""

    def __init__(self, cells):
        self.condition, self.state, self.reason, self.battery, sent, self.words = cells
        self.sent = frozenset(sent.split(", "))

    def reason_of(self, slot):
        """Return the reason where the input `slot` is meant."""
        return self.reason.replace("INPUT", slot)


@cache
def rows():
    """Return the rows of the table, the one that decides first in front."""
    lines = PATH.read_text(encoding="utf-8").split("## The table")[1].split("## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [Row(row) for row in cells[1:]]


def decide(conditions, dry):
    """Return (state, reason or "own", battery, sent) for a set of (condition, slot or "")."""
    for row in rows():
        slots = [slot for condition, slot in conditions if condition == row.condition]
        if not slots and row.condition != "all_well":
            continue
        reason = row.reason_of(slots[0] if slots else "")
        return ("dry_run", reason, row.battery, frozenset()) if dry else (row.state, reason, row.battery, row.sent)
    raise AssertionError("the table has no last row")
