"""Gather what a journal or a run folder holds: the records that hold, the verdicts, trace, events, summary."""

import json
from pathlib import Path

from host_tools.errors import ToolError, read_bytes
from host_tools.evidence import utc
from host_tools.evidence.reading import Reading
from host_tools.report import trace

_EVENTS_MAX = 100_000


class RunData:
    """One journal; what is not beside it is None or empty, and the report says so."""

    def __init__(self, path, key_file=None, from_ms=None, to_ms=None, **options):
        self.path = Path(path)
        if not self.path.exists():
            raise ToolError(f"{path}: no such file or folder", "Name a records.cbor, a run folder or a journal folder.")
        self.folder = self.path if self.path.is_dir() else self.path.parent
        self.summary = self._json("summary.json") or {}
        self.site = self._json("run/site.json") or self._json("site.json") or {}
        self.keys = Path(key_file) if key_file else self.folder / "keys.json"
        self.own_keys = key_file is None
        if not self.keys.is_file():
            raise ToolError(f"there is no {self.keys}, so no signature can be checked",
                            "Give the board's public keys with --keys.")
        beside = {name: self._beside(file) for name, file in (("site", "site.json"), ("factors", "factors.csv"))}
        given = beside | {name: value for name, value in options.items() if value}
        self.reading = Reading(self.path, self.keys, from_ms, to_ms, **given)
        self.verdict = self.reading.result
        self.whole = from_ms is None and to_ms is None
        self.trace = self._trace() if self.whole else None
        self.events = self._in_range(_events(self.folder / "events.jsonl"))

    def _beside(self, file):
        """Find a file that the records name by hash, where it lies in the folder."""
        return next((path for path in (self.folder / "run" / file, self.folder / file) if path.is_file()), None)

    def _json(self, name):
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return json.loads(read_bytes(path, name))
        except ValueError as error:
            raise ToolError(f"{path}: not JSON ({error})", "Fetch it again, or take it away.") from error

    def _trace(self):
        path = self.folder / "trace.csv"
        found = trace.load(path) if path.is_file() else None
        return found if found is not None and len(found) > 1 else None

    def _in_range(self, events):
        low_ms, high_ms = self.reading.from_ms, self.reading.to_ms
        return [event for event in events if self.whole or (
            isinstance(event.get("utc_ms"), int) and (low_ms is None or event["utc_ms"] >= low_ms)
            and (high_ms is None or event["utc_ms"] < high_ms))]

    @property
    def records(self):
        """Return the records in the range, in order."""
        return [entry.record for entry in self.reading.entries]

    @property
    def intervals(self):
        """Return the interval records in the range."""
        return [entry.record for entry in self.reading.intervals]

    @property
    def name(self):
        """Return the name of the site, in words if it has one."""
        site = self.summary.get("site") or self.site.get("site") or {}
        return site.get("name") or self.reading.owner

    @property
    def synthetic(self):
        """Tell whether an input was made up."""
        return bool(self.summary.get("synthetic"))

    @property
    def start_ms(self):
        """Return the UTC milliseconds of the run's start, or None."""
        text = self.summary.get("run", {}).get("start_utc")
        return utc.parse(text) if text and self.whole else self.reading.start_ms

    @property
    def end_ms(self):
        """Return the UTC milliseconds of the run's end, or None."""
        duration_s = self.summary.get("run", {}).get("duration_s")
        if self.whole and self.start_ms is not None and duration_s:
            return self.start_ms + round(1000 * duration_s)
        return self.reading.end_ms

    def profiles(self):
        """Return the device profiles of the site."""
        return {device.get("profile") for device in self.site.get("devices", ())}


def _events(path):
    """Return the events that can be read; a cut last line is passed over."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[:_EVENTS_MAX]:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            found.append(event)
    return found
