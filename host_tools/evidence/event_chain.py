"""Follow the event log beside the records: each line names the hash of all before it, each record count and head.

Lines and records are read side by side, so memory stays flat. head = SHA-256(head before || line without newline).
"""

import hashlib
import json

from host_tools.errors import unreadable

_LINE_MAX = 1 << 16
_HASH_DIGITS = 64


class Line:
    """One line of the log: its number, the hash before it and after it."""

    __slots__ = ("seq", "before", "after")

    def __init__(self, seq, before, raw):
        self.seq = seq
        self.before = before
        self.after = hashlib.sha256(before + raw).digest()


class EventChain:
    """Check key 40 of every record against the one before and, where there are lines, against these."""

    def __init__(self, findings, files=()):
        self.findings = findings
        self.files = files
        self.last = None  # [count, head] of the last record
        self.count = None  # lines up to here are followed; None before the first
        self.head = None
        self.lines = self._lines() if files else None
        self.silent = not files  # nothing more to compare with
        self.stated = 0  # the most events that a record states

    def check(self, unit, record, previous):
        """Check one record of any kind."""
        named = record[40]
        if named == self.last:
            return
        count, head = named
        if self.last is not None and count < self.last[0]:
            self.findings.add("EVENT_COUNT", f"{count} events, {self.last[0]} in the record before", unit)
        elif self.last is not None and count == self.last[0]:
            what = f"another head than the record before, over the same {count} events"
            self.findings.add("EVENT_HEAD", what, unit)
        elif count == 0 and any(head):
            self.findings.add("EVENT_HEAD", "a head although there is no event", unit)
        self.last = named
        self.stated = max(self.stated, count)
        if not self.silent:
            self._compare(unit, count, head)

    def _compare(self, unit, count, head):
        while self.count is None or self.count < count:
            if not self._step():
                break
        if self.count == count and self.head != head:
            what = f"its head over {count} events is not that of the lines in the event log"
            self.findings.add("EVENT_HEAD", what, unit)

    def finish(self):
        """Follow the lines behind the last record, and report those that records state and the log lacks."""
        if not self.files:
            return
        newer = 0
        while self._step():
            newer += self.count > self.stated
        if self.count is not None and self.count < self.stated:
            what = f"events {self.count} to {self.stated - 1} are in no line of the event log"
            self.findings.add("EVENT_MISSING", what)
        elif newer:
            self.findings.add("EVENT_NEWER", f"{newer} events are newer than the last record")

    def _step(self):
        """Follow one line; False at the end."""
        line = next(self.lines, None)
        if line is None:
            self.silent = True
            return False
        if self.count is None:
            if line.seq:
                self.findings.add("EVENT_EXCERPT", f"the log starts with event {line.seq}")
            elif any(line.before):
                self.findings.add("EVENT_CHAIN", "event 0 names events before it")
        elif line.seq > self.count:
            self.findings.add("EVENT_MISSING", f"events {self.count} to {line.seq - 1} are in no line of the event log")
        elif line.seq < self.count:
            what = f"event {line.seq} stands where event {self.count} belongs"
            self.findings.add("EVENT_CHAIN", what)
        elif line.before != self.head:
            self.findings.add("EVENT_CHAIN", f"event {line.seq} does not follow from the one before it")
        self.count, self.head = line.seq + 1, line.after
        return True

    def _lines(self):
        """Yield the lines of all files that have a place in the chain."""
        odd = []
        for path in self.files:
            try:
                with open(path, "rb") as file:
                    while raw := file.readline(_LINE_MAX):
                        line = _read(raw)
                        if line is not None:
                            yield line
                        elif len(odd) < 2:
                            odd.append(raw)
            except OSError as error:
                raise unreadable(path, "events", error) from error
        if self.count is None:
            self.findings.add("EVENT_UNCHAINED", "the event log has no line with a place in the chain")
        elif odd:
            shown = odd[0][:60].decode("utf-8", "replace").strip()
            self.findings.add("EVENT_BROKEN", f"a line that is no event: {shown!r}")


def _read(raw):
    """Read a line; None if it is none of the board's."""
    if not raw.endswith(b"\n"):
        return None
    try:
        found = json.loads(raw)
        seq, before = found["seq"], found["prev"]
        if type(seq) is not int or seq < 0 or len(before) != _HASH_DIGITS:
            return None
        return Line(seq, bytes.fromhex(before), raw[:-1])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
