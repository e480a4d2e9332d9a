"""`bench`: measure, print a table, write bench.json."""

import sys
from pathlib import Path

from host_tools.bench import (
    board_measures,
    bus_measures,
    control_measures,
    decade_measures,
    edge_caps,
    edge_measures,
    edge_simulated,
    figures,
    fleet_measures,
    host_measures,
    listen_measures,
    nowcast_measures,
    periodic_measures,
    tracking_measures,
    uplink_measures,
)
from host_tools.errors import DOES_NOT_HOLD, OK, ToolError

HELP = """Measure the firmware on the emulated board, the verifier and the control; print a table and write
bench.json: name -> {"value", "unit", "how"}. Exit code 1 if a measure failed; the others are written all the same."""
EXAMPLE = "python3 -m host_tools bench --only control_tick sign_total_instructions"
_MEASURES = (*board_measures.MEASURES, *bus_measures.MEASURES, *host_measures.MEASURES, *decade_measures.MEASURES,
             *tracking_measures.MEASURES, *periodic_measures.MEASURES, *control_measures.MEASURES,
             *nowcast_measures.MEASURES, *edge_measures.MEASURES, *edge_caps.MEASURES,
             *edge_simulated.MEASURES, *listen_measures.MEASURES, *fleet_measures.MEASURES, *uplink_measures.MEASURES)


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these figures or measures only")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), metavar="FILE",
                        help="where the figures go (default build/bench.json)")


def run(args):
    """Measure; return the exit code."""
    measures, wanted = figures.choose(_MEASURES, args.only)
    found, failed = {}, []
    for number, measure in enumerate(measures, 1):
        print(f"bench: {number} of {len(measures)}, {measure.name}", file=sys.stderr, flush=True)
        try:
            found |= {name: figure for name, figure in measure.run().items() if name in wanted}
        except ToolError as error:
            failed.append(measure.name)
            print(f"bench: {measure.name} failed: {error.message}\n{error.advice}", file=sys.stderr, flush=True)
    print("\n".join(figures.table(found)))
    figures.write(found, args.out)
    print(f"bench: figures in {args.out}")
    for measure in _MEASURES:
        if measure.hours and not args.only:
            print(f"bench: left out, as it takes {measure.hours} h: --only {measure.name}")
    if failed:
        print(f"bench: failed: {', '.join(failed)}")
    return DOES_NOT_HOLD if failed else OK
