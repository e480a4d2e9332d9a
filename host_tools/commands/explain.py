"""Explain a finding code, or one record in words: what it was, and what `verify` says of it."""

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError
from host_tools.evidence.findings import CODES, area, severity
from host_tools.evidence.naming import Decoded
from host_tools.evidence.reading import Reading
from host_tools.evidence.source import open_source
from host_tools.evidence.words import in_words
from host_tools.report.answer import COLUMNS, row_of, sentences

HELP = """Explain a finding code of `verify`, or one record of a journal in plain words. Without arguments: all codes.
With --keys the whole journal is verified first, and the answer says whether the record holds, was it wind or not,
and what was found about it; without, it is only what the record states.
Exit code 0, or 1 if the record does not hold, or 2 if there is none of that number."""
EXAMPLE = ("python3 -m host_tools explain SEQ_GAP\n"
           "  python3 -m host_tools explain 17 build/day --keys build/day/keys.json")


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("what", metavar="CODE|SEQ", nargs="?", help="a finding code, or the number of a record")
    parser.add_argument("path", metavar="PATH", nargs="?", help="records.cbor, a run folder or a journal folder")
    parser.add_argument("--keys", metavar="F", help="public keys: keys.json")
    parser.add_argument("--seq", type=int, metavar="N", help="the number, where PATH comes first")


def run(args):
    """Explain; the exit code."""
    seq, path = _number_and_path(args)
    if seq is not None:
        return _record(seq, path, args.keys)
    if args.what is None:
        print("\n".join(f"{code:<22}{area(code):<14}{severity(code):<7}{CODES[code][2]}" for code in CODES))
    elif args.what in CODES:
        print(_code_in_words(args.what))
    else:
        raise ToolError(f"{args.what!r} is no finding code",
                        "Give a code as `verify` prints it, or SEQ PATH; without arguments: all codes.")
    return OK


def _number_and_path(args):
    """Return (number, path) of the record that is asked about; (None, None) for a code."""
    if args.seq is not None:
        return args.seq, args.path or args.what
    if args.path is None:
        return None, None
    if not (args.what.isascii() and args.what.isdecimal()):
        raise ToolError(f"{args.what!r} is no number of a record", "Write it as: explain 17 build/day --keys F.")
    return int(args.what), args.path


def _record(seq, path, key_file):
    """Print what there is to say about a record; the exit code."""
    if key_file is None:
        print(in_words(_find(path, seq)))
        return OK
    reading = Reading(path, key_file)
    entry = next((entry for entry in reading.all if entry.record[3] == seq), None)
    findings = [finding for finding in reading.result.findings if seq in finding.seqs]
    if entry is None and not findings:
        raise ToolError(f"there is no record {seq} in {path}", "Run `decode` to see what there is.")
    lines = [] if entry is None else _answer(entry) + in_words(_find(path, seq)).split("\n")[:-1] + [""]
    wrong = [finding for finding in findings if severity(finding.code) == "error"]
    lines.append(_verdict(seq, entry, wrong))
    for finding in findings:
        lines.append(f"{finding.code} ({severity(finding.code)}): {finding.what}. {CODES[finding.code][3]}")
    lines.append(f"The journal as a whole: integrity {reading.result.integrity}, completeness "
                 f"{reading.result.completeness}, plausibility {reading.result.plausibility}.")
    print("\n".join(lines))
    return DOES_NOT_HOLD if entry is None or wrong else OK


def _answer(entry):
    """Say the short answer of an interval whose time is known."""
    if not entry.is_interval or entry.record[9] is None:
        return []
    return [*sentences(dict(zip(COLUMNS, row_of(entry))))[:4], ""]


def _verdict(seq, entry, wrong):
    if entry is None:
        return f"Record {seq} cannot be relied on: nothing of it is used."
    if wrong:
        return f"Record {seq} is signed by the board, but does not hold."
    follows = ", follows from the record before" if entry.follows else ""
    return f"Record {seq} holds: signed by the board's key{follows}, its figures agree with each other."


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
