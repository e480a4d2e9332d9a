"""Gather what a run folder holds: summary, trace, records, events, and the verdicts on the records."""

import json
from pathlib import Path

from host_tools.errors import ToolError, read_bytes
from host_tools.evidence import keys, utc
from host_tools.evidence.fields import INTERVAL
from host_tools.evidence.naming import Decoded
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify
from host_tools.report import trace

_EVENTS_MAX = 100_000


class RunData:
    """One run folder; what is not there is None or empty, and the report says so."""

    def __init__(self, folder, key_file=None):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ToolError(f"{folder}: no such folder", "Name run folders as `simulate --out` makes them.")
        self.summary = self._json("summary.json") or {}
        self.site = self._json("run/site.json") or self._json("site.json") or {}
        self.trace = self._trace()
        self.records, self.unreadable = _records(self.folder)
        self.events = _events(self.folder / "events.jsonl")
        self.keys = Path(key_file) if key_file else self.folder / "keys.json"
        self.own_keys = key_file is None
        self.verdict, self.no_verdict = self._judge()

    def _json(self, name):
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return json.loads(read_bytes(path, name))
        except ValueError as error:
            raise ToolError(f"{path}: not JSON ({error})", "Run the simulation again.") from error

    def _trace(self):
        path = self.folder / "trace.csv"
        found = trace.load(path) if path.is_file() else None
        return found if found is not None and len(found) > 1 else None

    def _judge(self):
        """Verify the records against the keys, and against site and factors where they lie in the folder."""
        if not self.keys.is_file():
            return None, f"there is no {self.keys.name} in the folder, so no signature can be checked"
        beside = {name: next((path for path in (self.folder / "run" / file, self.folder / file)
                              if path.is_file()), None)
                  for name, file in (("site", "site.json"), ("factors", "factors.csv"))}
        return verify(open_source(str(self.folder)), keys.load(self.keys), Options(**beside)), None

    @property
    def intervals(self):
        """Return the interval records."""
        return [record for record in self.records if record[2] == INTERVAL]

    @property
    def name(self):
        """Return the name of the site, in words if it has one."""
        site = self.summary.get("site") or self.site.get("site") or {}
        return site.get("name") or site.get("id") or self.folder.name

    @property
    def synthetic(self):
        """Tell whether an input was made up."""
        return bool(self.summary.get("synthetic"))

    @property
    def start_ms(self):
        """Return the UTC milliseconds of the run's start, or None."""
        text = self.summary.get("run", {}).get("start_utc")
        if text:
            return utc.parse(text)
        return next((record[9] for record in self.records if record[9] is not None), None)

    @property
    def end_ms(self):
        """Return the UTC milliseconds of the run's end, or None."""
        duration_s = self.summary.get("run", {}).get("duration_s")
        if self.start_ms is not None and duration_s:
            return self.start_ms + round(1000 * duration_s)
        ends = [record[9] + record[10] for record in self.records if None not in (record[9], record[10])]
        return max(ends, default=None)

    def profiles(self):
        """Return the device profiles of the site."""
        return {device.get("profile") for device in self.site.get("devices", ())}


def _records(folder):
    """Return (readable records in file order, number of unreadable stretches)."""
    found, unreadable = [], 0
    for item in open_source(str(folder)).units():
        unit = Decoded(item)
        if unit.readable:
            found.append(unit.record)
        else:
            unreadable += 1
    return found, unreadable


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
