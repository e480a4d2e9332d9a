"""What happened, for people and programs: one JSON line an event, chained, and kept for seven days at least.

So that a device that cannot make up its mind does not push the week out, a day has a share of the log. What is
beyond it, or finds no room while the flash refuses, is counted and said.
"""

import json

from firmware.core.background import FLASH_US
from firmware.log.event_log import LINE_BYTES, EventLog

_WAITING = 64
_TEXT = 600  # characters of a text that are kept
DAY_BYTES = 65_536  # the share of a day, which may be used up at once
_DAY_S = 86_400
_START_BYTES = 32_768  # of it at a restart: nobody knows how long it took
_KEPT_BYTES = 16_384  # of it for those who speak rarely and matter always
ALWAYS = ("main", "operator", "clock", "config", "journal", "events", "commission")
_LINK_BYTES = 112  # what a line grows by in the chain
_SAY_S = 3600  # between two words on what was dropped
_AGAIN_S = 10  # from a refusal of the flash to the next try


class Events:
    """Collects events in memory and writes them from the background; `report` hands each line to whoever watches."""

    def __init__(self, files, utc, report):
        self.log = EventLog(files)
        self._utc = utc
        self._report = report
        self._boot = 0
        self._waiting = []
        self._share = DAY_BYTES
        self._filled_s = 0
        self._said_s = -_SAY_S
        self.dropped = 0  # events that found no room or were beyond the share, and are not said yet
        self._again_s = 0

    @property
    def count(self):
        """Return the number of events on flash so far, those included that have left it since."""
        return self.log.count

    @property
    def head(self):
        """Return the 32-byte hash after the last event on flash; zeros before the first."""
        return self.log.head

    def open(self, boot, said):
        """Find the end of the log; `said` is [count, head] of the last record, or None. A generator; OSError."""
        self._boot = boot
        yield from self.log.open(said)
        if self.log.count:
            self._share = _START_BYTES
        lost, torn_bytes = self.log.lost, self.log.torn_bytes
        if lost is not None or torn_bytes:
            self.note("events", "EVENTS_LOST", "%s events are missing%s, %d bytes behind the last whole one cut off"
                      % (lost or "no", ", the last one is another" if lost == 0 else "", torn_bytes))

    def note(self, source, code, text):
        """Note one event. May allocate: not for the control tick."""
        utc = self._utc
        utc_ms = str(utc.quarter * 900_000 + utc.ms) if utc.trust else "null"
        line = '{"utc_ms": %s, "uptime_ms": %d, "source": %s, "code": %s, "text": %s}' % (
            utc_ms, utc.up_s * 1000 + utc.up_ms, json.dumps(source), json.dumps(code), _quoted(text))
        self._report("E", line)
        if len(self._waiting) < _WAITING and self._may(source, len(line) + _LINK_BYTES):
            self._waiting.append(line)
        else:
            self.dropped += 1

    def _may(self, source, size):
        """Take `size` bytes from the share, if they are there for this source."""
        gained = (self._utc.up_s - self._filled_s) * DAY_BYTES // _DAY_S
        self._share = min(self._share + gained, DAY_BYTES)
        self._filled_s -= -gained * _DAY_S // DAY_BYTES  # rounded up: never more than a day's share a day
        if self._share - size < (0 if source in ALWAYS else _KEPT_BYTES):
            return False
        self._share -= size
        return True

    def waiting(self):
        """Return the number of events that wait for the flash, 0 for a while after it refused."""
        return len(self._waiting) if self._utc.up_s >= self._again_s else 0

    def flush(self):
        """Write what waits, some lines a slice; a generator. What the flash refuses goes on waiting."""
        self._say_dropped()
        try:
            while self._waiting:
                yield FLASH_US
                gone = self.log.drop_oldest()
                if gone:
                    self.note("events", "EVENTS_GONE", "the first %d events have left the flash, oldest first" % gone)
                yield FLASH_US
                self.log.mend()
                yield
                taken = yield from self.log.append(self._boot, self._waiting)
                del self._waiting[:taken]
                yield
        except (OSError, MemoryError):
            self._again_s = self._utc.up_s + _AGAIN_S

    def _say_dropped(self):
        now_s = self._utc.up_s
        if self.dropped and len(self._waiting) < _WAITING and now_s - self._said_s >= _SAY_S:
            count, self.dropped, self._said_s = self.dropped, 0, now_s
            self.note("events", "EVENTS_DROPPED", "%d events were not kept: beyond a day's share of %d bytes, or the "
                      "flash was busy" % (count, DAY_BYTES))


def _quoted(text):
    """Return a text as JSON, cut so that its line stays below LINE_BYTES."""
    quoted = json.dumps(text[:_TEXT])
    while len(quoted.encode()) > LINE_BYTES - 300:
        text = text[: len(text) * 3 // 4]
        quoted = json.dumps(text)
    return quoted
