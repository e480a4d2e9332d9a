"""Run the verifier on journals that a test has tampered with."""

import json

import cbor2

from host_tools.evidence import keys
from host_tools.evidence.findings import CODES
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify
from tests.evidence_writer import checkpoint, keys_document

HOLDS = ("PASS", "PASS", "PASS")


class Case:
    """A journal, its keys and its end anchor in a folder; `judge` verifies what is there."""

    def __init__(self, folder, board, others=()):
        self.folder, self.board, self.device = folder, board, board.device
        self.records = board.sealed()
        self.anchor = checkpoint(self.device, self.records)
        self.keys = folder / "keys.json"
        self.set_keys(keys_document(self.device, *others))

    def set_keys(self, document):
        """Write another key file."""
        self.keys.write_text(json.dumps(document))
        self.registry = keys.load(self.keys)

    def judge(self, records=None, anchor=True, **options):
        """Verify records (a list or bytes) against the anchor of the journal, other bytes, or none."""
        records = self.records if records is None else records
        path = self.folder / "records.cbor"
        path.write_bytes(records if isinstance(records, bytes) else b"".join(records))
        if anchor is not False:
            options["checkpoint"] = self.folder / "anchor.txt"
            options["checkpoint"].write_bytes(self.anchor if anchor is True else anchor)
        result = verify(open_source(str(path)), self.registry, Options(**options))
        assert all(code in CODES for code in result.counts)
        return result


def verdicts(result):
    """Give integrity, completeness, plausibility."""
    return result.integrity, result.completeness, result.plausibility


def found(result):
    """List (code, number) of the errors, notes left out."""
    return [(item.code, item.seq) for item in result.findings if CODES[item.code][1]]


def parts(record):
    """Take a record apart: protected, unprotected, payload, signature."""
    return cbor2.loads(record).value
