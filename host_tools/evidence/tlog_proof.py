"""Write, read and check a proof of one record: C2SP tlog-proof v1, with the record itself as its extra data."""

import base64
import binascii

from host_tools.errors import ToolError
from host_tools.evidence import checkpoint, proofs
from host_tools.evidence.cose import Frame
from host_tools.evidence.envelope import Judge
from host_tools.evidence.source import units_of_bytes

MAGIC = b"c2sp.org/tlog-proof@v1\n"
_PROOF_MAX = 63


class Proof:
    """The parts of a proof file: the record's bytes, its number, the hashes, the checkpoint's bytes."""

    def __init__(self, record, index, hashes, note):
        self.record = record
        self.index = index
        self.hashes = hashes
        self.note = note

    def write(self):
        """Give the file's bytes."""
        lines = [f"extra {_b64(self.record)}", f"index {self.index}", *map(_b64, self.hashes)]
        return MAGIC + "\n".join(lines).encode() + b"\n\n" + self.note


class ProofError(Exception):
    """Refuse a proof file: one sentence."""


def read(data):
    """Read a proof file; ProofError if it has not the form."""
    head, blank, note = data[len(MAGIC) :].partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("its proof is not ASCII text") from None
    if not data.startswith(MAGIC) or not blank:
        raise ProofError("it does not have the parts of a proof")
    if len(lines) < 2 or not lines[0].startswith("extra "):
        raise ProofError("it does not carry the record; `prove` puts it into the line `extra`")
    record = _bytes(lines[0][6:])
    index = lines[1].removeprefix("index ")
    if not lines[1].startswith("index ") or not index.isdecimal() or len(index) > 18 or str(int(index)) != index:
        raise ProofError("its line `index` is no number")
    hashes = [_bytes(line) for line in lines[2:]]
    if len(hashes) > _PROOF_MAX or any(len(node) != proofs.HASH_SIZE for node in hashes):
        raise ProofError("a line of it is no hash")
    return Proof(record, int(index), hashes, note)


def leaves_of(source):
    """Hash all records of a source as leaves; ToolError where something stands between them."""
    leaves = []
    for item in source.units():
        if type(item) is not Frame:
            place = f"byte {item.offset}" + (f" of {item.file}" if item.file else "")
            raise ToolError(f"{place}: {item.what}", "Fetch a whole copy of the records; `verify` lists what is wrong.")
        leaves.append(proofs.leaf_hash(item.raw))
    return leaves


def check(findings, data, registry):
    """Check a proof file against known keys: (Checkpoint or None, the record's Unit or None); findings say the rest."""
    try:
        proof = read(data)
    except ProofError as error:
        findings.add("PROOF_BROKEN", str(error))
        return None, None
    try:
        anchor = checkpoint.read(proof.note, registry, "the proof")
    except checkpoint.CheckpointError as error:
        findings.add(error.code, error.what)
        findings.add("PROOF_BROKEN", "its checkpoint cannot be relied on", seq=proof.index)
        return None, None
    leaf = proofs.leaf_hash(proof.record)
    if proofs.root_of_inclusion(leaf, proof.index, anchor.size, proof.hashes) != anchor.root:
        findings.add("PROOF_ROOT", f"the record is not number {proof.index} of the tree of {anchor.size} records",
                     seq=proof.index)
    if not anchor.witnesses:
        findings.add("WITNESS_UNKNOWN", "no witness in the key file has cosigned the proof's checkpoint")
    return anchor, _check_record(findings, proof, registry, tuple(anchor.origin.split("/")))


def _check_record(findings, proof, registry, device):
    items = list(units_of_bytes(proof.record))
    if len(items) != 1:
        findings.add("PROOF_BROKEN", f"its extra data is {len(items)} records, not one", seq=proof.index)
        return None
    unit = Judge(registry.copy(), device).judge(items[0])
    if unit.problem:
        findings.add(*unit.problem, unit, seq=proof.index)
    elif unit.seq != proof.index:
        findings.add("PROOF_BROKEN", f"its record is number {unit.seq}, not {proof.index}", seq=proof.index)
    return unit


def _b64(data):
    return base64.b64encode(data).decode()


def _bytes(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("a line that should be base64 is not") from None
    if _b64(data) != text:
        raise ProofError("a line is not canonical base64")
    return data
