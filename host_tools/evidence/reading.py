"""Read a journal for people: the records that hold, in order, with the verdict on the whole and a range in it."""

import base64
import hashlib

from host_tools.errors import ToolError
from host_tools.evidence import keys, utc
from host_tools.evidence.cose import Damage
from host_tools.evidence.fields import FIELDS, INTERVAL, NAMES
from host_tools.evidence.naming import Decoded
from host_tools.evidence.origin import Origins
from host_tools.evidence.progress import progress
from host_tools.evidence.source import Source, open_source
from host_tools.evidence.totals import Totals
from host_tools.evidence.verifier import Options, device_of, verify

QUARTER_MS = 900_000
_ANCHOR_DOUBTS = ("ROOT_DIFFERS", "TAIL_CUT", "HISTORY_FORKED")
_WITNESS_DOUBTS = ("WITNESS_DIFFERS", "WITNESS_AHEAD", "WITNESS_BACK")


_KEYS = range(max(NAMES) + 1)
_OF_KIND = {kind: frozenset(key for key, *_ in fields) for kind, fields in FIELDS.items()}


class Row(list):
    """A record's fields at their keys, as in its dict, in a fraction of the memory: a year of them is kept at once."""

    __slots__ = ()

    def __init__(self, record, before=None):
        values = map(record.get, _KEYS)
        # what is as in the row before is not kept a second time
        super().__init__(values if before is None else [old if new == old else new for new, old in zip(values, before)])

    def __contains__(self, key):
        return key in _OF_KIND[self[2]]

    def get(self, key):
        """Return the value of a key, None where the kind has no such key."""
        return self[key]


class Entry:
    """One record that stands in its place and is validly signed; `flow` only of an interval."""

    __slots__ = ("record", "sha256", "follows", "flow")

    def __init__(self, record, sha256, follows, flow):
        self.record = record
        self.sha256 = sha256
        self.follows = follows  # it names the hash of the record before, which holds too; None: that one is not here
        self.flow = flow

    @property
    def is_interval(self):
        """Tell an interval from a gap or a change of keys."""
        return self.record[2] == INTERVAL

    @property
    def end_ms(self):
        """Return the UTC milliseconds at which it ends, or None."""
        start_ms, length_ms = self.record[9], self.record.get(10)
        return None if start_ms is None or length_ms is None else start_ms + length_ms


class _Noted(Source):
    """A source that notes the hash of every frame it hands out."""

    def __init__(self, source):
        super().__init__(source.files, source.checkpoint, source.events)
        self.hashes = {}

    def units(self):
        """Yield what the source yields."""
        for item in super().units():
            frame = item.frame if isinstance(item, Damage) else item
            if frame is not None:
                self.hashes[item.file, item.offset] = hashlib.sha256(frame.raw).digest()
            yield item


class _Collector:
    """Take every record that the verifier accepts, as one of its checks."""

    def __init__(self, source):
        self.source = source
        self.entries = []
        self.places = set()
        self._origins = Origins()
        self._last = None

    def check(self, unit, record, previous):
        """Keep one record; `previous` is the one in front of it, None behind a break."""
        place = unit.file, unit.offset
        before = self._last if previous is not None else bytes(32)
        follows = record[5] == before and unit.problem is None
        if not self.entries and record[3]:
            follows = None
        self.places.add(place)
        row = Row(record, self.entries[-1].record if self.entries else None)
        self.entries.append(Entry(row, self.source.hashes[place], follows, self._origins.take(record)))
        self._last = unit.signed_hash


class Reading:
    """The entries of a journal within a range, the verifier's Result on all of it, and its signed end."""

    def __init__(self, path, key_file, from_ms=None, to_ms=None, **options):
        _check_range(from_ms, to_ms)
        self.from_ms, self.to_ms = from_ms, to_ms
        self.registry = keys.load(key_file)
        source = _Noted(open_source(str(path)))
        collector = _Collector(source)
        given = Options(from_ms=from_ms, to_ms=to_ms, checks=[collector.check], progress=progress(), **options)
        self.result = verify(source, self.registry, given)
        self.site, self.device = device_of(source, self.registry)
        self.all = collector.entries
        self.refused = [] if len(source.hashes) == len(self.all) else _refused(source, collector.places)
        self.entries = [entry for entry in self.all if _within(entry, from_ms, to_ms)]
        self.intervals = [entry for entry in self.entries if entry.is_interval]
        self.without_utc = sum(entry.is_interval and entry.record[9] is None for entry in self.all)
        self.totals = Totals()
        for entry in self.entries:
            self.totals.add(entry.record)
        self.anchor = self._anchor()

    def _anchor(self):
        """Return the signed end that the records were compared with and equal; None if there is none such."""
        if any(code in self.result.counts for code in _ANCHOR_DOUBTS):
            return None
        given = self.result.checkpoints
        own = [anchor for anchor in given if str(anchor.name) == self.result.checkpoint]
        return (own or given[-1:] or [None])[0]

    def witnessed_size(self):
        """Return how many records others have seen: by a kept or cosigned checkpoint, or as a later record states."""
        if any(code in self.result.counts for code in (*_ANCHOR_DOUBTS, *_WITNESS_DOUBTS)):
            return 0
        kept = [anchor.size for anchor in self.result.checkpoints
                if anchor.witnesses or str(anchor.name) != self.result.checkpoint]
        told = [entry.record[41][0] for entry in self.all if entry.record.get(41)]
        return max(kept + told, default=0)

    @property
    def owner(self):
        """Return site/device."""
        return f"{self.site}/{self.device}"

    @property
    def start_ms(self):
        """Return the UTC milliseconds of the first thing known in the range, or None."""
        return min((entry.record[9] for entry in self.entries if entry.record[9] is not None), default=None)

    @property
    def end_ms(self):
        """Return the UTC milliseconds of the last thing known in the range, or None."""
        return max((entry.end_ms for entry in self.entries if entry.end_ms is not None), default=None)

    def expected_quarters(self):
        """Return (quarter hours in the range, those that records cover in full); (None, None) without UTC."""
        first_ms = self.start_ms if self.from_ms is None else self.from_ms
        last_ms = self.end_ms if self.to_ms is None else self.to_ms
        if first_ms is None or last_ms is None:
            return None, None
        covered = {}
        for entry in self.intervals:
            if entry.record[9] is not None:
                quarter = entry.record[9] // QUARTER_MS
                covered[quarter] = covered.get(quarter, 0) + entry.record[10]
        expected = -(-last_ms // QUARTER_MS) - first_ms // QUARTER_MS
        return expected, sum(length_ms >= QUARTER_MS for length_ms in covered.values())

    def provenance(self):
        """Say what the figures rest on, so that a choice of records shows: names with units to plain values."""
        result, expected = self.result, self.expected_quarters()
        seqs = [entry.record[3] for entry in self.entries]
        return {
            "device": self.owner,
            "from_utc": None if self.start_ms is None else utc.show(self.start_ms),
            "to_utc": None if self.end_ms is None else utc.show(self.end_ms),
            "first_seq": min(seqs, default=None), "last_seq": max(seqs, default=None),
            "records": len(self.entries), "intervals": len(self.intervals),
            "gaps": self.totals.gaps, "key_changes": self.totals.key_changes, "refused_records": len(self.refused),
            "intervals_without_utc": self.without_utc,
            "quarter_hours_in_range": expected[0], "quarter_hours_covered": expected[1],
            "integrity": result.integrity, "completeness": result.completeness,
            "plausibility": result.plausibility, "holds": result.exit_code == 0,
            "finding_counts": result.counts,
            "journal_records": result.records, "journal_next_seq": result.next_seq,
            "root_sha256_base64": None if self.anchor is None else base64.b64encode(self.anchor.root).decode(),
            "root_records": None if self.anchor is None else self.anchor.size,
        }


def _check_range(from_ms, to_ms):
    for name, value in (("--from", from_ms), ("--to", to_ms)):
        if value is not None and value % QUARTER_MS:
            raise ToolError(f"{name} {utc.show(value)} is no full quarter hour",
                            "Give times such as 2024-05-17T15:30:00Z: a record is never cut.")
    if None not in (from_ms, to_ms) and from_ms >= to_ms:
        raise ToolError("--from is not before --to", "Give a range that is at least one quarter hour long.")


def _within(entry, from_ms, to_ms):
    """Tell whether a record lies in the range; one without UTC lies in no range but the whole."""
    if from_ms is None and to_ms is None:
        return True
    start_ms, end_ms = entry.record[9], entry.end_ms
    if start_ms is None:
        return False
    after = from_ms is None or start_ms >= from_ms or (end_ms is not None and end_ms > from_ms)
    return after and (to_ms is None or start_ms < to_ms)


def _refused(source, accepted):
    """Return [(claimed seq or None, SHA-256)] of the frames that the verifier did not accept."""
    found = []
    for item in source.units():
        place = item.file, item.offset
        if place in source.hashes and place not in accepted:
            unit = Decoded(item)
            found.append((unit.record.get(3) if type(unit.record) is dict else None, source.hashes[place]))
    return found
