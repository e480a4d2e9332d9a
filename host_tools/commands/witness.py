"""`witness`: cosign a board's checkpoint, if it goes on from all that this witness has seen of the board."""

import time

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError, read_bytes
from host_tools.evidence import checkpoint, keys, proofs, witness_state
from host_tools.evidence.source import open_source
from host_tools.evidence.tlog_proof import leaves_of
from host_tools.evidence.witness_request import Request

HELP = """Be a witness: keep the size and root of the last tree of every board, refuse any checkpoint that does not go
on from it, cosign the others (C2SP tlog-cosignature v1). PATH holds the records with their checkpoint, from which the
proof is made, or is a request with the proof in it (`prove --old`). A witness should belong to somebody else than the
board. Exit code 0 cosigned, 1 refused, 2 unusable input."""
EXAMPLE = """python3 -m host_tools witness --state my_witness --init witness.example/w1
  python3 -m host_tools witness build/day --keys keys.json --state my_witness --out witnessed.txt"""


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a run or journal folder, records.cbor, or a request")
    parser.add_argument("--state", required=True, metavar="FOLDER", help="the witness's key and memory")
    parser.add_argument("--keys", metavar="FILE", help="public keys of the boards: keys.json")
    parser.add_argument("--checkpoint", metavar="F", help="the board's checkpoint; for a folder: the one in it")
    parser.add_argument("--out", metavar="FILE", help="where the cosigned checkpoint goes; a copy stays")
    parser.add_argument("--init", metavar="NAME", help="make a new witness of this name and print its public key")


def run(args):
    """Cosign or refuse; the exit code."""
    if args.init:
        print(witness_state.make(args.state, args.init))
        return OK
    if args.path is None:
        print(witness_state.State(args.state).vkey())
        return OK
    if args.keys is None:
        raise ToolError("--keys is missing", "Give the public keys of the boards: --keys keys.json.")
    with witness_state.locked(args.state):
        return _judge(args, witness_state.State(args.state), keys.load(args.keys))


def _judge(args, state, registry):
    try:
        note, anchor, proof = _offered(args, state, registry)
        state.admit(anchor, proof)
    except checkpoint.CheckpointError as error:
        return _refuse(error)
    except witness_state.Refused as error:
        return _refuse(error)
    before = state.seen(anchor.origin)[0]
    cosigned = state.cosign(anchor, note, int(time.time()))
    if args.out:
        witness_state.replace(args.out, cosigned)
    print(f"cosigned: {anchor.origin}, {anchor.size} records (seen before: {before}), as {state.name}")
    return OK


def _refuse(error):
    print(f"refused: {error.code}: {error.what}")
    print("Keep both checkpoints and the records: they show what happened. Nothing was remembered or cosigned.")
    return DOES_NOT_HOLD


def _offered(args, state, registry):
    """Read what is offered: (the note's bytes, its Checkpoint, the proof that it goes on from what was seen)."""
    if Request.is_one(args.path):
        request = Request.read(read_bytes(args.path, "request"))
        anchor = checkpoint.read(request.note, registry, args.path)
        state.expect(anchor, request.old_size)
        return request.note, anchor, request.hashes
    source = open_source(args.path)
    path = args.checkpoint or source.checkpoint
    if path is None:
        raise ToolError("there is no checkpoint", "Name the board's checkpoint with --checkpoint.")
    note = read_bytes(path, "checkpoint")
    anchor = checkpoint.read(note, registry, path)
    leaves = leaves_of(source)[: anchor.size]
    if len(leaves) < anchor.size or proofs.root(leaves) != anchor.root:
        raise witness_state.Refused("ROOT_DIFFERS", f"{path} is not over the records in {args.path}")
    seen = state.seen(anchor.origin)[0]
    return note, anchor, proofs.consistency(leaves, seen)
