"""`report`: one HTML file that shows runs and judges their records."""

from pathlib import Path

from host_tools.errors import OK, unreadable
from host_tools.report.page import page
from host_tools.report.run_data import RunData

HELP = """Write one HTML file about one or more run folders: curves, quarter hours, carbon, verdicts.
The file stands by itself: nothing is fetched, it can be sent, printed and kept."""
EXAMPLE = "python3 -m host_tools report build/demo/gpt3 build/demo/edge -o build/demo/report.html"


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_FOLDER", help="folder made by simulate or pull")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE",
                        help="HTML file to write (default: report.html in the first folder)")
    parser.add_argument("--keys", type=Path, metavar="FILE",
                        help="public keys of the boards (default: keys.json in each folder)")


def run(args):
    """Write the report; return the exit code."""
    runs = [RunData(folder, args.keys) for folder in args.runs]
    out = args.out or args.runs[0] / "report.html"
    text = page(runs)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise unreadable(out, "report", error) from error
    print(f"report: {out.resolve()}")
    return OK
