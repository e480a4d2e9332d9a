"""Print records, one line or one JSON object each; damage is shown in its place."""

import json

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError
from host_tools.evidence import utc
from host_tools.evidence.fields import INTERVAL, KEY_CHANGE, REASONS
from host_tools.evidence.naming import Decoded, named
from host_tools.evidence.source import open_source

HELP = """Print the records of a journal without judging them: no signature is checked (that is `verify`).
Reading goes on behind damage. Exit code 0, or 1 if some bytes were no readable record."""
EXAMPLE = "python3 -m host_tools decode build/day/records.cbor --seq 17 --json"


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("path", metavar="PATH", help="records.cbor, a run folder or a journal folder")
    parser.add_argument("--seq", type=int, metavar="N", help="only the record with this number")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, every field by name")


def run(args):
    """Print; the exit code."""
    damaged = shown = 0
    for item in open_source(args.path).units():
        unit = Decoded(item)
        damaged += unit.problem is not None
        if args.seq is not None and not (unit.readable and unit.record[3] == args.seq):
            continue
        shown += 1
        print(json.dumps(named(unit)) if args.json else line(unit))
    if args.seq is not None and not shown:
        advice = "Run decode without --seq to see what there is."
        raise ToolError(f"there is no readable record {args.seq}", advice)
    return DOES_NOT_HOLD if damaged else OK


def line(unit):
    """Write one unit as one line."""
    damage = ""
    if unit.problem:
        place = f"{unit.file} " if unit.file else ""
        damage = f"  ! {unit.problem[0]} at {place}byte {unit.offset}: {unit.problem[1]}"
    if not unit.readable:
        return f"{'-':>7}{damage}"
    record = unit.record
    words = _interval_words(record) if record[2] == INTERVAL else _gap_words(record)
    return f"{record[3]:>7}  {utc.show(record[9]):<20}  {words}{damage}"


def _interval_words(record):
    load_wh, carbon_ug = record[24][0], record[35][0]
    intensity = f"{carbon_ug / load_wh / 1000:.1f}" if load_wh else "-"
    flags = ",".join(str(bit) for bit in range(32) if record[19] >> bit & 1) or "-"
    work = f"  work {record[43]}" if record[43] is not None else ""
    if record[43]:
        work += f" at {carbon_ug / record[43] / 1e6:.4g} g"
    return (f"interval  {record[10] / 1000:>5g} s  load {load_wh / 1000:>12.3f} kWh  "
            f"direct {intensity:>6} g/kWh  quality {record[18]}  flags {flags}{work}")


def _gap_words(record):
    if record[2] == KEY_CHANGE:
        return f"key change  records {record[46][0].hex()}, checkpoints {record[47][0].hex()} from the next on"
    length = "unknown" if record[10] is None else f"{record[10] / 1000:g} s"
    return f"gap       {length} ({REASONS[record[38]]})"
