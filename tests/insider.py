"""What somebody who holds the board's keys can do to a month: change records and sign everything behind them anew."""

import hashlib

import cbor2

from tests.evidence_writer import QUARTER_MS, checkpoint, seal, to_be_signed
from tests.month import month
from tests.tamper import Case, parts


class MonthCase(Case):
    """The month in a folder, with keys, checkpoint and events; `judge` verifies what is there."""

    def __init__(self, folder):
        made = month()
        self.folder, self.month, self.device = folder, made, made.device
        self.records, self.anchor, self.events = made.records(), made.checkpoint(), made.events()
        self.keys = folder / "keys.json"
        self.set_keys(made.keys())

    def judge(self, records=None, anchor=True, events=None, **options):
        """Verify records against an anchor, with the lines of the event log beside them."""
        lines = self.events if events is None else events
        (self.folder / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        return super().judge(records, anchor, **options)

    def seq_of(self, day, quarter=48):
        """Find the number of the interval at a quarter hour of a day."""
        start_ms = 1_715_904_000_000 + (day * 96 + quarter) * QUARTER_MS
        return next(seq for seq, record in enumerate(self.month.board.records)
                    if record[9] == start_ms and record[2] == 1)

    def kept(self, name, records, signer=None):
        """Write a checkpoint over some records as somebody may have kept it; its path."""
        path = self.folder / name
        path.write_bytes(checkpoint(signer or self.signer_at(len(records)), records))
        return path

    def signer_at(self, seq):
        """Tell whose keys sign the record of a number."""
        change = next(seq for seq, record in enumerate(self.month.board.records) if record[2] == 3)
        return self.device if seq <= change else self.month.successor

    def rewritten(self, changes, drop=(), first=None):
        """Change payloads (number: function), drop records, sign all anew from there: (records, their checkpoint)."""
        first = min((*changes, *drop)) if first is None else first
        out = list(self.records[:first])
        prev = _hash(out[-1]) if out else bytes(32)
        for number in range(first, len(self.records)):
            if number in drop:
                continue
            content = cbor2.loads(parts(self.records[number])[2])
            if number in changes:
                changes[number](content)
            content |= {3: len(out), 5: prev}
            out.append(seal(self.signer_at(number), cbor2.dumps(content)))
            prev = _hash(out[-1])
        return out, checkpoint(self.month.successor, out)

    def insider(self, changes, drop=(), **options):
        """Judge what an insider has made of the month."""
        records, anchor = self.rewritten(changes, drop)
        return self.judge(records, anchor, **options)


def _hash(record):

    protected, _, payload, _ = parts(record)
    return hashlib.sha256(to_be_signed(protected, payload)).digest()


