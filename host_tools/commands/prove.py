"""`prove`: write a file that proves one record by itself, or a request to a witness."""

import os

from host_tools.errors import OK, ToolError, read_bytes
from host_tools.evidence import checkpoint, keys, proofs
from host_tools.evidence.source import open_source
from host_tools.evidence.tlog_proof import Proof, leaves_of
from host_tools.evidence.witness_request import Request
from host_tools.evidence.witness_state import replace

HELP = """Write a proof that one record is in the tree that the board has signed (C2SP tlog-proof, the record within):
whoever has the key file can check it offline with `verify FILE.tlog-proof --keys keys.json`, without the other records.
With --old, write a request to a witness instead (C2SP tlog-witness add-checkpoint): the proof that nothing before that
size was changed. Take a checkpoint that witnesses have cosigned, and the proof carries their word too."""
EXAMPLE = "python3 -m host_tools prove build/day --seq 17 --keys build/day/keys.json -o 17.tlog-proof"


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("path", metavar="PATH", help="records.cbor, a run folder or a journal folder")
    parser.add_argument("--keys", required=True, metavar="FILE", help="public keys: keys.json")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seq", type=int, metavar="N", help="the number of the record to prove")
    what.add_argument("--old", type=int, metavar="SIZE", help="the size that a witness has seen")
    parser.add_argument("--checkpoint", metavar="F", help="the signed end anchor; for a folder: the one in it")
    parser.add_argument("-o", "--out", metavar="FILE", help="where it goes (default N.tlog-proof, or request.txt)")


def run(args):
    """Write the proof; the exit code."""
    source = open_source(args.path)
    path = args.checkpoint or source.checkpoint
    if path is None:
        raise ToolError("there is no checkpoint", "Name the board's checkpoint with --checkpoint.")
    note = read_bytes(path, "checkpoint")
    try:
        anchor = checkpoint.read(note, keys.load(args.keys), path)
    except checkpoint.CheckpointError as error:
        raise ToolError(f"{error.code}: {error.what}", "Use the checkpoint and the key file of this board.") from error
    leaves = leaves_of(source)[: anchor.size]
    if len(leaves) < anchor.size or proofs.root(leaves) != anchor.root:
        raise ToolError(f"{path} is not over these records", "Run `verify` on them: it says what is wrong.")
    if args.seq is not None:
        return _prove(args, source, anchor, leaves, note)
    if not 0 <= args.old <= anchor.size:
        advice = "Give the size that the witness has seen."
        raise ToolError(f"--old {args.old} is not within the {anchor.size} records", advice)
    return _write(args.out or "request.txt", Request(args.old, proofs.consistency(leaves, args.old), note).write(),
                  f"records 0 to {anchor.size - 1} go on from the first {args.old}")


def _prove(args, source, anchor, leaves, note):
    if not 0 <= args.seq < anchor.size:
        advice = "Take a later checkpoint, or the number of a record that it covers."
        raise ToolError(f"record {args.seq} is not among the {anchor.size} that the checkpoint covers", advice)
    record = next(item.raw for number, item in enumerate(source.units()) if number == args.seq)
    proof = Proof(record, args.seq, proofs.inclusion(leaves, args.seq), note)
    return _write(args.out or f"{args.seq}.tlog-proof", proof.write(),
                  f"record {args.seq} is in the tree of {anchor.size} records of {anchor.origin}")


def _write(path, data, what):
    replace(path, data)
    print(f"{os.path.abspath(path)}: {what}")
    return OK
