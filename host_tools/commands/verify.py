"""Judge a journal and print the verdicts, the findings with advice, and the totals."""

import json
import sys

from host_tools.errors import ToolError
from host_tools.evidence import keys, proof_report, utc
from host_tools.evidence.progress import progress
from host_tools.evidence.report_text import render
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify

HELP = """Judge a journal: integrity (are the records unaltered?) and completeness (are they all there?), each
PASS, FAIL or UNKNOWN, and whether the figures are plausible.
Exit code 0 only if everything holds, 1 if not, 2 if the input cannot be used. With --fast, plausibility is not
judged and stays UNKNOWN; the exit code then speaks of integrity and completeness alone."""
EXAMPLE = "python3 -m host_tools verify build/day --keys build/day/keys.json --from 2024-05-17T00:00:00Z"


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("path", metavar="PATH", help="records.cbor, a run folder, a journal folder, or N.tlog-proof")
    parser.add_argument("--keys", required=True, metavar="FILE", help="public keys: keys.json")
    parser.add_argument("--from", dest="from_utc", metavar="UTC", help="start of the range to be covered")
    parser.add_argument("--to", dest="to_utc", metavar="UTC", help="end of the range to be covered")
    parser.add_argument("--checkpoint", metavar="F", help="signed end anchor; for a folder: the one in it")
    parser.add_argument("--witness", metavar="F", action="append", default=[],
                        help="a checkpoint of this board that somebody else kept; may be repeated")
    parser.add_argument("--factors", metavar="F", help="the factor table (factors.csv)")
    parser.add_argument("--site", metavar="F", help="the site description (site.json)")
    parser.add_argument("--firmware", metavar="F", help="the folder of the firmware's sources")
    parser.add_argument("--fast", action="store_true",
                        help="rely on the chain: check signatures only where it begins, breaks, ends or is anchored, "
                             "and no plausibility; the output says so")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(args):
    """Verify; the exit code."""
    options = Options(
        from_ms=_time(args.from_utc), to_ms=_time(args.to_utc), checkpoint=args.checkpoint,
        witnesses=args.witness, fast=args.fast, factors=args.factors, site=args.site, firmware=args.firmware,
        progress=progress())
    if args.fast and (args.site or args.factors or args.firmware):
        raise ToolError("--fast compares no figures with files", "Leave out those files, or --fast.")
    if None not in (options.from_ms, options.to_ms) and options.from_ms >= options.to_ms:
        raise ToolError("--from is not before --to", "Give a range that is at least one quarter hour long.")
    if proof_report.is_proof(args.path):
        return proof_report.run(args.path, keys.load(args.keys), args.json)
    result = verify(open_source(args.path), keys.load(args.keys), options)
    if args.json:
        print(json.dumps(as_json(result), indent=1))
    else:
        print(render(result, sys.stdout.isatty(), args.checkpoint is None))
    return result.exit_code


def _time(text):
    return None if text is None else utc.parse(text)


def as_json(result):
    """Give the machine-readable verdict."""
    return {
        "version": 1,
        "integrity": result.integrity,
        "completeness": result.completeness,
        "plausibility": result.plausibility,
        "mode": "fast" if result.fast else "full",
        "signatures_checked": result.signatures,
        "holds": result.exit_code == 0,
        "exit_code": result.exit_code,
        "records": result.records,
        "unproven_records": result.unproven,
        "first_seq": result.first_seq,
        "next_seq": result.next_seq,
        "start_utc": None if result.start_ms is None else utc.show(result.start_ms),
        "end_utc": None if result.end_ms is None else utc.show(result.end_ms),
        "checkpoint": result.checkpoint,
        "anchor_records": result.anchor_size,
        "finding_counts": result.counts,
        "findings": [finding.as_json() for finding in result.findings],
        "totals": result.totals.as_json(),
    }
