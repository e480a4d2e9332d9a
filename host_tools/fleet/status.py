"""How each board is, from what a listener stored: late, silent, gaps, alarms, clock, firmware; the worst first."""

import json

from host_tools.evidence import utc

QUARTER_MS = 900_000
_LATE_MS = 2 * QUARTER_MS  # a record comes within minutes of its end; after a second one is due, somebody should look
_SILENT_MS = 5 * 60_000  # a status is due each minute
_WORDS = {"silent": 3, "late": 2, "alarm": 2, "set aside": 2, "behind": 1, "clock": 1}


class BoardStatus:
    """One board; `words` say what is not as it should be, and `worst` sorts."""

    def __init__(self, board, now_ms, refused):
        said = json.loads(board["status"]) if board["status"] else {}
        self.site, self.device = board["site"], board["device"]
        self.records, self.refused = board["size"], refused
        self.last_ms = board["last_start_ms"]
        self.seen_s = max(now_ms - max(board["seen_ms"], board["status_ms"] or 0), 0) // 1000
        self.online = bool(said.get("online")) if said else None
        self.mode, self.reason = said.get("mode"), said.get("reason")
        self.clock, self.firmware = said.get("clock"), str(said.get("firmware") or "")[:12]
        self.alarms = [str(word) for word in said.get("alarms") or []]
        self.behind = max(said["size"] - board["size"], 0) if type(said.get("size")) is int else 0
        self.said = said
        self.words = self._words(now_ms)
        self.worst = sum(_WORDS[word] for word in self.words)

    def _words(self, now_ms):
        words = []
        if self.online is False or self.seen_s * 1000 > _SILENT_MS:
            words.append("silent")
        if self.last_ms is None or now_ms - self.last_ms > QUARTER_MS + _LATE_MS:
            words.append("late")
        if self.alarms:
            words.append("alarm")
        if self.refused:
            words.append("set aside")
        if self.behind > 1:
            words.append("behind")
        if self.clock not in (None, "synchronised", "set", "holding", 1, 2, 3):
            words.append("clock")
        return words

    def as_json(self):
        """Return it as a mapping, for programs."""
        names = ("site", "device", "records", "behind", "seen_s", "online", "mode", "reason", "clock", "firmware",
                 "alarms", "refused", "words")
        return {name: getattr(self, name) for name in names} | {
            "last_utc": None if self.last_ms is None else utc.show(self.last_ms)}


def statuses(store, now_ms):
    """Return the BoardStatus of every board in a store, the worst first."""
    refused = store.quarantine_counts()
    found = [BoardStatus(board, now_ms, refused.get((board["site"], board["device"]), 0)) for board in store.boards()]
    return sorted(found, key=lambda one: (-one.worst, one.site, one.device))


def table(found):
    """Return the lines of a table for people."""
    head = ("site", "device", "records", "last quarter hour", "seen", "mode", "what is wrong")
    rows = [head] + [(one.site, one.device, f"{one.records:,}",
                      "-" if one.last_ms is None else utc.show(one.last_ms), _ago(one.seen_s), one.mode or "-",
                      ", ".join(one.words + one.alarms) or "nothing") for one in found]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _ago(seconds):
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
