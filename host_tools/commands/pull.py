"""Fetch the evidence of a board over its cable and judge it."""

import sys
from pathlib import Path

from host_tools.cable.port import open_board
from host_tools.cable.pull import Pull, judge_of
from host_tools.errors import DOES_NOT_HOLD, OK
from host_tools.evidence import keys
from host_tools.evidence.progress import Pace
from host_tools.evidence.report_text import render
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify

HELP = """Fetch records, checkpoint and events of a board over its serial port or USB, and verify them as they come.
The firmware goes on meanwhile. Start it again whenever it was interrupted: only what is missing is fetched.
Exit code 0 if everything holds (without --keys: if everything came), 1 if not, 2 if the board does not answer."""
EXAMPLE = "python3 -m host_tools pull --port /dev/ttyACM0 --out build/cab-1 --keys keys.json"


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("--port", required=True, metavar="P", help="serial port of the board, as mpremote takes it")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for journal and events")
    parser.add_argument("--keys", metavar="FILE", help="public keys of the board, to verify")


def run(args):
    """Pull; the exit code."""
    registry = keys.load(args.keys) if args.keys else None
    board = open_board(args.port)
    try:
        print(f"pull: {'the firmware runs and goes on' if board.runs else 'MicroPython without the firmware'}",
              file=sys.stderr, flush=True)
        pull = Pull(board, args.out, judge_of(registry), _Progress())
        pull.run()
    finally:
        board.close()
    print(f"pull: {pull.records} records in {args.out}, {pull.added} bytes came, {pull.kept} were there")
    for path, code, what in pull.problems:
        print(f"pull: {path}: {code}: {what}")
    if registry is None:
        return DOES_NOT_HOLD if pull.problems else OK
    result = verify(open_source(args.out), registry, Options())
    print(render(result, sys.stdout.isatty(), True))
    return result.exit_code


class _Progress:
    """Show how far it is, on a terminal, once it takes longer than two seconds."""

    def __init__(self):
        self._pace = Pace()

    def __call__(self, done, total, records):
        if sys.stderr.isatty() and self._pace.due():
            print(f"\rpull: {100 * done // max(total, 1)} %, {records} records", end="\r", file=sys.stderr, flush=True)
