"""Judge a proof of one record and put the outcome into words or JSON."""

import json
import os

from host_tools.errors import DOES_NOT_HOLD, OK, read_bytes
from host_tools.evidence import tlog_proof, utc
from host_tools.evidence.findings import CODES
from host_tools.evidence.verdict import PASS, UNKNOWN, Findings


def is_proof(path):
    """Tell a proof file from records, by how it begins."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(tlog_proof.MAGIC)) == tlog_proof.MAGIC


def run(path, registry, as_json):
    """Judge a proof file; the exit code: 0 only if the record is signed and in the signed tree."""
    findings = Findings()
    anchor, unit = tlog_proof.check(findings, read_bytes(path, "proof"), registry)
    holds = findings.verdict("I") == PASS
    print(json.dumps(_document(findings, anchor, unit, holds), indent=1) if as_json
          else "\n".join(_lines(findings, anchor, unit, holds)))
    return OK if holds else DOES_NOT_HOLD


def _document(findings, anchor, unit, holds):
    return {
        "version": 1, "integrity": findings.verdict("I"), "completeness": UNKNOWN, "holds": holds,
        "exit_code": OK if holds else DOES_NOT_HOLD, "mode": "proof", "seq": unit and unit.seq,
        "anchor_records": anchor and anchor.size,
        "witnesses": [{"name": name, "time_s": time_s} for name, time_s in (anchor.witnesses if anchor else ())],
        "findings": [finding.as_json() for finding in findings.ordered()],
    }


def _lines(findings, anchor, unit, holds):
    about = "the proof does not hold"
    if holds:
        start = utc.show(unit.record[9])
        about = f"record {unit.seq} of {anchor.origin}, from {start}, is in its signed tree of {anchor.size} records"
    lines = [f"integrity     {findings.verdict('I'):<7} {about}",
             "completeness  UNKNOWN one record says nothing of the others"]
    if anchor:
        lines += [f"witness       {name}, {utc.show(time_s * 1000)}" for name, time_s in anchor.witnesses]
    for finding in findings.ordered():
        lines += [f"  {finding.code}: {finding.what}", f"    -> {CODES[finding.code][3]}"]
    return lines
