"""Generate damaged journals from a seed, judge them, and hold the judgement to its promises.

An input is one piece of a journal: a genuine record, a record with bytes changed, cut, spliced or repeated, one with
other content and a valid signature, or plain noise. Some hundreds make a journal. Run by hand for a long campaign:
python3 -m tests.verify_fuzz COUNT SEED
"""

import json
import pathlib
import random
import sys
import tempfile
import time

import cbor2

from host_tools.evidence import keys
from host_tools.evidence.findings import CODES
from host_tools.evidence.source import Source, units_of_bytes
from host_tools.evidence.verifier import Options, verify
from tests.evidence_writer import Board, Device, checkpoint, key_parts, keys_document, row, seal
from tests.tamper import parts

PIECES = 250
_HEADS = bytes.fromhex("0017181a1b3b405f7f9fbff6f7fbff")
VERDICTS = {"PASS", "FAIL", "UNKNOWN"}


class Memory(Source):
    """A journal in memory."""

    def __init__(self, data):
        super().__init__([])
        self.data = data

    def units(self):
        """Yield what stands there."""
        return units_of_bytes(self.data)


class Campaign:
    """One seeded run; `inputs` counts the pieces that were judged, `codes` the findings by code."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.device, self.successor, self.stranger = Device(1), Device(7), Device(9, "south", "cab-2")
        board = Board(self.device, seed)
        for _ in range(20):
            board.interval()
        board.gap(900_000)
        board.interval(400_000)
        board.gap(500_000, reason=2)
        board.change_keys(self.successor)
        for _ in range(30):
            board.interval()
        self.records = board.sealed()
        foreign = Board(self.stranger, seed)
        foreign.interval()
        self.foreign = foreign.sealed()
        self.payloads = [parts(record)[2] for record in self.records]
        rows = keys_document(self.device, self.stranger)["keys"]
        rows.append(row(self.device, self.successor.record_key, "record", revoked_s=1_900_000_000))
        path = folder / "fuzz_keys.json"
        path.write_text(json.dumps({"version": 1, "keys": rows}))
        self.registry = keys.load(path)
        self.anchor = folder / "fuzz_anchor.txt"
        self.note = checkpoint(self.successor, self.records)
        self.inputs = 0
        self.codes = {}

    def run(self, count):
        """Judge `count` inputs."""
        end = self.inputs + count
        while self.inputs < end:
            self.journal()

    def journal(self):
        """Make one journal of pieces and judge it: typed findings and verdicts, never a pass for what was changed."""
        rand = self.random
        pieces = list(self.records) if rand.random() < 0.5 else []
        while len(pieces) < PIECES:
            pieces.insert(rand.randrange(len(pieces) + 1), self.piece())
        self.anchor.write_bytes(self.bent(self.note) if rand.random() < 0.2 else self.note)
        options = Options(checkpoint=self.anchor if rand.random() < 0.8 else None, fast=rand.random() < 0.2,
                          from_ms=rand.choice((None, 0, 1_715_904_000_000)))
        result = verify(Memory(b"".join(pieces)), self.registry, options)
        assert {result.integrity, result.completeness, result.plausibility} <= VERDICTS
        assert set(result.counts) <= set(CODES) and all(item.as_json() for item in result.findings)
        assert result.exit_code == 1 and result.integrity != "PASS", sorted(result.counts)
        for code, number in result.counts.items():
            self.codes[code] = self.codes.get(code, 0) + number
        self.inputs += PIECES

    def piece(self):
        """Make one input."""
        rand = self.random
        record = rand.choice(self.records)
        kind = rand.random()
        if kind < 0.60:
            return self.bent(record)
        if kind < 0.72:
            return self.resigned()
        if kind < 0.82:
            other = rand.choice(self.records)
            return record[: rand.randrange(len(record))] + other[rand.randrange(len(other)) :]
        if kind < 0.90:
            return rand.randbytes(rand.randrange(200))
        return rand.choice((record, self.foreign[0], record + record, record[: rand.randrange(len(record))]))

    def bent(self, data):
        """Change some bytes of something."""
        rand = self.random
        out = bytearray(data)
        for _ in range(rand.choice((1, 1, 1, 2, 5))):
            at = rand.randrange(len(out))
            kind = rand.random()
            if kind < 0.4:
                out[at] ^= 1 << rand.randrange(8)
            elif kind < 0.7:
                out[at] = rand.choice(_HEADS)
            elif kind < 0.85:
                out[at : at + rand.randrange(4)] = rand.randbytes(rand.randrange(4))
            else:
                del out[at : at + rand.randrange(1, 40)]
        return bytes(out)

    def resigned(self):
        """Sign other content with the board's own key: bent bytes, or a value of a field exchanged."""
        rand = self.random
        payload = rand.choice(self.payloads)
        if rand.random() < 0.3:
            payload = self.bent(payload)
        else:
            content = cbor2.loads(payload)
            place, key = content, rand.choice(list(content))
            while type(place[key]) is list and place[key] and rand.random() < 0.8:
                place, key = place[key], rand.randrange(len(place[key]))
            place[key] = self.value()
            payload = cbor2.dumps(content)
        return seal(rand.choice((self.device, self.device, self.successor)), payload)

    def value(self):
        """Make a value of any kind."""
        rand = self.random
        return rand.choice((None, 0, 1, -1, 23, 24, 255, 256, 2**32, 2**63, 2**64 - 1, -(2**63), 1.5, True, b"",
                            b"x" * 32, "", "text", [], [0] * 5, [[0] * 6], {1: 2}, rand.getrandbits(64),
                            rand.getrandbits(20), key_parts(self.successor.record_key)))


def main(count, seed, folder):
    """Run a campaign and say how far it has come."""
    campaign = Campaign(seed, folder)
    begin = time.monotonic()
    while campaign.inputs < count:
        campaign.run(min(250_000, count - campaign.inputs))
        print(f"{campaign.inputs} inputs, {time.monotonic() - begin:.0f} s, {len(campaign.codes)} codes", flush=True)
    print(dict(sorted(campaign.codes.items())))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(name))
