"""The host's verifier against bare P-256 verifications, on the journal of an independent board, one core."""

import importlib
import json
import tempfile
import time
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.errors import ToolError
from host_tools.evidence import keys
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify

_RECORDS = 4000
_ROUNDS = 5


class Journal:
    """A generated journal in a folder, with its keys and end anchor."""

    def __init__(self, folder, records):
        writer = importlib.import_module("tests.evidence_writer")
        board = writer.day(records)
        sealed = board.sealed()
        self.path = folder / "records.cbor"
        self.path.write_bytes(b"".join(sealed))
        self.anchor = folder / "checkpoint.txt"
        self.anchor.write_bytes(writer.checkpoint(board.device, sealed))
        (folder / "keys.json").write_text(json.dumps(writer.keys_document(board.device)))
        self.registry = keys.load(folder / "keys.json")
        self._key = board.device.record_key.public_key()
        self._ecdsa = writer.SHA256
        self._signatures = [(_der(frame.signature), frame.signed) for frame in open_source(self.path).units()]

    def bare(self):
        """Verify every signature and do nothing else."""
        check = self._key.verify
        for signature, signed in self._signatures:
            check(signature, signed, self._ecdsa)

    def verified(self, **options):
        """Verify the journal as `verify` does."""
        options = Options(checkpoint=self.anchor, **options)
        result = verify(open_source(self.path), self.registry, options)
        if result.exit_code:
            raise ToolError(f"the generated journal does not verify: {result.counts}",
                            "See tests/evidence_writer.py.")


def _der(signature):
    utils = importlib.import_module("cryptography.hazmat.primitives.asymmetric.utils")
    return utils.encode_dss_signature(*(int.from_bytes(signature[i:i + 32], "big") for i in (0, 32)))


def _spent_s(function, **options):
    begin = time.process_time()
    function(**options)
    return time.process_time() - begin


def measure(records=_RECORDS, rounds=_ROUNDS):
    """Return both ratios, how many times as long the bare verifications take as the verifier, and the fast mode."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        journal = Journal(Path(folder), records)
        # taken in turn, so that a change of the processor's speed meets all of them
        times = [(_spent_s(journal.bare), _spent_s(journal.verified, plausibility=False), _spent_s(journal.verified),
                  _spent_s(journal.verified, fast=True)) for _ in range(rounds)]
    bare_s, plain_s, full_s, fast_s = (sorted(column)[rounds // 2] for column in zip(*times))
    how = (f"{records} records written by tests/evidence_writer.py, one core, medians of {rounds} rounds in turn, "
           f"processor time: `cryptography` P-256 alone {1e6 * bare_s / records:.1f} us a record, ")
    return {
        "verify_vs_openssl_ratio": Figure(
            round(bare_s / plain_s, 4), "ratio",
            how + f"signature, chain, checkpoint and strict decoding {1e6 * plain_s / records:.1f}"),
        "verify_full_vs_openssl_ratio": Figure(
            round(bare_s / full_s, 4), "ratio", how + f"with all plausibility {1e6 * full_s / records:.1f}"),
        "verify_fast_records_per_s": Figure(
            round(records / fast_s), "records/s", "the same journal with --fast: chain, strict decoding, checkpoint, "
            f"and the signatures that vouch for them, {1e6 * fast_s / records:.1f} us a record, one core")}


_FIGURES = ("verify_vs_openssl_ratio", "verify_full_vs_openssl_ratio", "verify_fast_records_per_s")
MEASURES = (Measure("verifier", _FIGURES, measure),)
