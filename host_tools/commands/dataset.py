"""`dataset`: prepare an input of `simulate` from public measurements."""

from host_tools import datasets
from host_tools.data_sources import SOURCES
from host_tools.errors import OK

HELP = "prepare load, wind, PV and carbon inputs from public measurements"
EXAMPLE = "python3 -m host_tools dataset wind --day 2014-07-06 --out build/inputs"

_MAKERS = {
    "gpt3": lambda args: datasets.gpt3_load(args.out),
    "alibaba": lambda args: datasets.alibaba_day(args.out, args.shape, args.mean_w),
    "wind": lambda args: datasets.la_haute_borne_day(args.out, args.day),
    "carbon": lambda args: datasets.carbon_day(args.out, args.day),
    "pv": lambda args: datasets.pv_days(args.out, args.first, args.days),
}


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("name", nargs="?", choices=sorted(_MAKERS),
                        help="which input (none: list the sources)")
    parser.add_argument("--out", default="build/inputs", metavar="DIR",
                        help="folder for the CSV (default build/inputs)")
    parser.add_argument("--day", default=datasets.WINDY_DAY, metavar="DATE",
                        help="day of the wind or carbon data")
    parser.add_argument("--first", default="2016-07-01", metavar="DATE", help="first day of the PV data")
    parser.add_argument("--days", type=int, default=30, metavar="N", help="days of the PV data (default 30)")
    parser.add_argument("--shape", type=int, default=1, metavar="N", help="Alibaba day: 1, 3, 4 or 5")
    parser.add_argument("--mean-w", type=float, default=datasets.EDGE_LOAD_W, metavar="W",
                        help="mean of the load")


def run(args):
    """Prepare one input, or list where the inputs come from; return the exit code."""
    if args.name is None:
        for name, source in SOURCES.items():
            print(f"{name}: {source.origin}; {source.licence}; {source.file}, SHA-256 {source.sha256}")
        return OK
    prepared = _MAKERS[args.name](args)
    print(f"{prepared.path}: {prepared.origin}")
    for sentence in prepared.done:
        print("  " + sentence)
    return OK
