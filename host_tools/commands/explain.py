"""Explain a finding code, or one record in words."""

from host_tools.errors import OK, ToolError
from host_tools.evidence.findings import CODES, area, severity
from host_tools.evidence.naming import Decoded
from host_tools.evidence.source import open_source
from host_tools.evidence.words import in_words

HELP = """Explain a finding code of `verify`, or one record of a journal in plain words.
Without arguments: all codes."""
EXAMPLE = "python3 -m host_tools explain SEQ_GAP\n  python3 -m host_tools explain build/day --seq 17"


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("what", metavar="CODE|PATH", nargs="?", help="a finding code, or a journal")
    parser.add_argument("--seq", type=int, metavar="N", help="the number of the record to explain")


def run(args):
    """Explain; the exit code."""
    if args.what is None:
        print("\n".join(f"{code:<22}{area(code):<14}{severity(code):<7}{CODES[code][2]}" for code in CODES))
    elif args.seq is not None:
        print(in_words(_find(args.what, args.seq)))
    elif args.what in CODES:
        print(_code_in_words(args.what))
    else:
        advice = "Give a code as `verify` prints it, or a PATH with --seq N; without arguments: all codes."
        raise ToolError(f"{args.what!r} is no finding code", advice)
    return OK


def _find(path, seq):
    """Find the first readable record of a number."""
    for item in open_source(path).units():
        unit = Decoded(item)
        if unit.readable and unit.record[3] == seq:
            return unit
    raise ToolError(f"there is no readable record {seq} in {path}", "Run `decode` to see what there is.")


def _code_in_words(code):
    effects = CODES[code][1].split()
    does = {"F": "fails", "U": "leaves unknown"}
    names = {"I": "integrity", "C": "completeness", "P": "plausibility"}
    said = " and ".join(f"{does[effect[1]]} {names[effect[0]]}" for effect in effects)
    return f"{code}: {CODES[code][2]}\nIt {said or 'is a note and fails nothing'}.\n{CODES[code][3]}"
