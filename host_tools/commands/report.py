"""`report`: one HTML file that shows what journals say, for a range, and judges them."""

from pathlib import Path

from host_tools.errors import DOES_NOT_HOLD, OK, unreadable
from host_tools.evidence import utc
from host_tools.report.page import page
from host_tools.report.run_data import RunData

HELP = """Write one HTML file about a journal, or several: verdicts with findings and advice, where energy and carbon
came from and went, quarter hours, carbon factor, stored energy with its origin, and an answer for any quarter hour.
The file stands by itself: nothing is fetched, it can be sent, kept, and printed (also as PDF).
Exit code 0 if every journal holds, 1 if the report was written but one does not hold, 2 if nothing was written."""
EXAMPLE = ("python3 -m host_tools report build/day --keys build/day/keys.json --from 2026-03-01 --to 2026-04-01 "
           "--out march.html")


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH",
                        help="records.cbor, a run folder or a journal folder")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE",
                        help="HTML file to write (default: report.html in the first folder)")
    parser.add_argument("--keys", type=Path, metavar="FILE",
                        help="public keys of the boards (default: keys.json beside the records)")
    parser.add_argument("--from", dest="from_utc", metavar="UTC", help="start of the range, a full quarter hour")
    parser.add_argument("--to", dest="to_utc", metavar="UTC", help="end of the range, not in it")
    parser.add_argument("--checkpoint", metavar="F", help="signed end anchor; for a folder: the one in it")
    parser.add_argument("--witness", metavar="F", dest="witnesses", action="append", default=[],
                        help="a checkpoint of this board that somebody else kept; may be repeated")


def run(args):
    """Write the report; return the exit code."""
    times = [None if text is None else utc.parse(text) for text in (args.from_utc, args.to_utc)]
    runs = [RunData(path, args.keys, *times, checkpoint=args.checkpoint, witnesses=args.witnesses)
            for path in args.paths]
    out = args.out or runs[0].folder / "report.html"
    text = page(runs)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise unreadable(out, "report", error) from error
    print(f"report: {out.resolve()}")
    held = all(run_.verdict.exit_code == OK for run_ in runs)
    if not held:
        print("report: not everything holds; the report says what and why")
    return OK if held else DOES_NOT_HOLD
