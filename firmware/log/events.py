"""What happened, for people and programs: one JSON line an event, kept on flash in two files that take turns."""

import json

PATH = "events.jsonl"
_OLD = "events.old.jsonl"
_LIMIT_BYTES = 65_536
_WAITING = 64


class Events:
    """Collects events in memory and writes them from the background; `report` hands each line to whoever watches."""

    def __init__(self, files, utc, report):
        self._files = files
        self._utc = utc
        self._report = report
        self._waiting = []
        self.dropped = 0  # events that found no room while the flash was busy or refused

    def note(self, source, code, text):
        """Note one event. May allocate: not for the control tick."""
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
            return
        utc = self._utc
        known = utc.trust != 0
        utc_ms = str(utc.quarter * 900_000 + utc.ms) if known else "null"
        line = '{"utc_ms": %s, "uptime_ms": %d, "source": %s, "code": %s, "text": %s}' % (
            utc_ms, utc.up_s * 1000 + utc.up_ms, json.dumps(source), json.dumps(code), json.dumps(text))
        self._report("E", line)
        self._waiting.append(line)

    def waiting(self):
        """Return the number of events not yet on flash."""
        return len(self._waiting)

    def flush(self):
        """Write what waits, one line a slice; a generator."""
        while self._waiting:
            if (self._files.size(PATH) or 0) >= _LIMIT_BYTES:
                self._files.rename(PATH, _OLD)
                yield
            self._files.append(PATH, (self._waiting[0] + "\n").encode())
            self._waiting.pop(0)
            yield
