"""Watch the store from one thread and keep each board's last minutes; whoever watches the page is told what is new."""

import json
import threading
import time
from collections import defaultdict, deque

from host_tools.evidence import keys
from host_tools.evidence.source import Source
from host_tools.evidence.verifier import Options, verify
from host_tools.fleet import archive, status
from host_tools.listen.store import Store
from host_tools.serve import view

_POINTS = 900
_LOOK_S = 0.5


class Live:
    """The boards of one store as they are known now; `change` counts what was new."""

    def __init__(self, url, key_path=None, cache=None):
        """`cache` is a folder for the archive from which verdicts are made."""
        self._url, self._key_path, self._cache = url, key_path, cache
        self._store = None
        self._points = defaultdict(lambda: deque(maxlen=_POINTS))
        self._seen, self._verdicts = {}, {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.change = 0
        self.trouble = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self):
        """Begin to watch."""
        self._store = Store(self._url)
        self._thread.start()

    def stop(self):
        """End watching."""
        self._stop.set()
        self._thread.join(10)
        self._store.close()

    def _watch(self):
        while not self._stop.wait(_LOOK_S):
            try:
                self._look()
                self.trouble = None
            except Exception as error:  # a store that is gone for a while must not end the page
                self.trouble = f"the store cannot be read just now ({type(error).__name__})"

    def _look(self):
        for row in self._store.boards():
            name = row["site"], row["device"]
            seen = row["status_ms"], row["size"], row["seen_ms"]
            if self._seen.get(name) == seen:
                continue
            with self._lock:
                if row["status"] and self._seen.get(name, (None,))[0] != row["status_ms"]:
                    self._points[name].append(view.point(json.loads(row["status"]), row["status_ms"]))
                self._seen[name] = seen
                self.change += 1

    def fleet(self):
        """Return the fleet table, the worst board first."""
        return [one.as_json() for one in status.statuses(self._store, _now_ms())]

    def _row(self, site, device):
        return next((row for row in self._store.boards() if (row["site"], row["device"]) == (site, device)), None)

    def board(self, site, device):
        """Return what the page shows of one board; None if nobody knows it."""
        row = self._row(site, device)
        if row is None:
            return None
        refused = self._store.quarantine_counts().get((site, device), 0)
        with self._lock:
            points = list(self._points[site, device])
        return view.board(self._store, row, refused, _now_ms()) | {"points": points}

    def verdict(self, site, device):
        """Return what `verify` finds in the board's records, anew when there are more of them; None without keys."""
        row = self._row(site, device)
        if row is None or self._key_path is None:
            return None
        with self._lock:
            kept = self._verdicts.get((site, device))
        if kept is None or kept[0] != row["size"]:
            kept = row["size"], self._judge(row)
            with self._lock:
                self._verdicts[site, device] = kept
        return kept[1]

    def _judge(self, row):
        place, _ = archive.fetch_one(self._store, self._cache, row)
        files = [place / "records.cbor"]
        anchor = place / "checkpoint.txt"
        result = verify(Source(files, anchor if anchor.is_file() else None), keys.load(self._key_path), Options())
        return {"integrity": result.integrity, "completeness": result.completeness,
                "plausibility": result.plausibility, "records": result.records,
                "counts": result.counts, "findings": [finding.as_json() for finding in result.findings[:20]]}


def _now_ms():
    return time.time_ns() // 1_000_000
