"""Judge what a broker brings: each record by its own signature and encoding, before anything is stored."""

import json
import re

from host_tools.evidence import checkpoint
from host_tools.evidence.cose import frames_in, make_frame
from host_tools.evidence.envelope import Judge

TOPIC = re.compile(r"evenkeel/([^/+#\x00]{1,64})/([^/+#\x00]{1,64})/(records|checkpoint|events|status)")
_STATUS_MAX = 8192
_LINE_MAX = 4096


class Record:
    """One believed record."""

    __slots__ = ("topic", "site", "device", "seq", "start_ms", "prev", "signed_hash", "raw")

    def __init__(self, topic, name, unit):
        fields = unit.record
        self.topic, (self.site, self.device) = topic, name
        self.seq, self.start_ms, self.prev = fields[3], fields[9], fields[5]
        self.signed_hash, self.raw = unit.signed_hash, bytes(unit.raw)

    def columns(self, received_ms):
        """Return the row of the store."""
        names = self.__slots__[1:]
        return {name: getattr(self, name) for name in names} | {"received_ms": received_ms}


class Event:
    """One event line."""

    __slots__ = ("topic", "site", "device", "seq", "raw")

    def __init__(self, topic, name, seq, raw):
        self.topic, (self.site, self.device), self.seq, self.raw = topic, name, seq, raw

    def columns(self):
        """Return the row of the store."""
        return {"site": self.site, "device": self.device, "seq": self.seq, "line": self.raw}


class Refused:
    """What is not believed: why, and the bytes that came."""

    __slots__ = ("topic", "code", "what", "raw")

    def __init__(self, topic, code, what, raw):
        self.topic, self.code, self.what, self.raw = topic, code, what, bytes(raw)


class Arrivals:
    """What one batch of messages brought; `stored` and `repeated` are counted by the store."""

    def __init__(self, registry):
        self.records, self.events, self.refused = [], [], []
        self.status, self.checkpoints = {}, {}
        self.stored = self.repeated = 0
        self._registry = registry
        self._known = registry.devices()
        self._touched = set()

    def boards(self):
        """Return the (site, device) of every board that sent records, whether new or not."""
        return self._touched | {(event.site, event.device) for event in self.events}

    def refuse(self, row, code, what):
        """Set a record or event aside."""
        self.refused.append(Refused(row.topic, code, what, row.raw))

    def refuse_raw(self, name, seq, raw, code, what):
        """Set aside a record that is stored already."""
        self.refused.append(Refused(f"evenkeel/{name[0]}/{name[1]}/records", code, what, raw))

    def take(self, topic, payload, judges):
        """Take one message; `judges` keeps a Judge for each board from batch to batch."""
        found = TOPIC.fullmatch(topic)
        if not found:
            self.refused.append(Refused(topic, "TOPIC_UNKNOWN", "no board sends on this topic", payload))
            return
        name, kind = found.group(1, 2), found.group(3)
        if name not in self._known:
            self.refused.append(Refused(topic, "DEVICE_UNKNOWN", "no key of this device is in the key file", payload))
            return
        getattr(self, "_take_" + kind)(topic, name, payload, judges)

    def _take_records(self, topic, name, payload, judges):
        self._touched.add(name)
        judge = judges.get(name)
        if judge is None:
            judge = judges[name] = Judge(self._registry, name)
        found, end, _ = frames_in(payload)
        for position, cuts in found:
            unit = judge.judge(make_frame(None, position, payload, position, cuts))
            if unit.problem:
                self.refused.append(Refused(topic, *unit.problem, unit.raw))
            else:
                self.records.append(Record(topic, name, unit))
        if end < len(payload):
            what = f"{len(payload) - end} bytes that are no record"
            self.refused.append(Refused(topic, "FRAME_BROKEN", what, payload[end:]))

    def _take_events(self, topic, name, payload, _):
        for line in payload.split(b"\n"):
            if not line:
                continue
            seq = _event_number(line)
            if seq is None:
                self.refused.append(Refused(topic, "EVENT_BROKEN", "a line that is no event with a number", line))
            else:
                self.events.append(Event(topic, name, seq, line))

    def _take_status(self, topic, name, payload, _):
        try:
            said = json.loads(payload) if len(payload) <= _STATUS_MAX else None
        except (ValueError, RecursionError):
            said = None
        if type(said) is dict and type(said.get("online")) is bool:
            self.status[name] = json.dumps(said)
        else:
            self.refused.append(Refused(topic, "STATUS_BROKEN", "no JSON object that says online", payload))

    def _take_checkpoint(self, topic, name, payload, _):
        try:
            anchor = checkpoint.read(payload, self._registry, topic)
            if anchor.origin != "/".join(name):
                raise checkpoint.CheckpointError("CHECKPOINT_DEVICE", f"it is of {anchor.origin}")
        except checkpoint.CheckpointError as error:
            self.refused.append(Refused(topic, error.code, error.what, payload))
            return
        self.checkpoints[name] = (anchor.size, bytes(payload))


def _event_number(line):
    try:
        said = json.loads(line) if len(line) <= _LINE_MAX else None
    except (ValueError, RecursionError):
        return None
    seq = said.get("seq") if type(said) is dict else None
    return seq if type(seq) is int and 0 <= seq < 1 << 63 else None
