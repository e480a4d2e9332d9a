"""`simulate`: the firmware against the simulated site, in virtual or in real time."""

from pathlib import Path

from host_tools.errors import OK, ToolError
from host_tools.plant.simulation import Simulation

HELP = "run the firmware on the simulated site"
EXAMPLE = ("python3 -m host_tools simulate --site host_tools/sites/edge.json --load load.csv --wind wind.csv "
           "--duration 86400 --out build/day")


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("--site", required=True, type=Path, metavar="S", help="site.json of the site")
    parser.add_argument("--load", required=True, type=Path, metavar="F", help="CSV or CSV.gz: time_s,power_w")
    parser.add_argument("--load-scale", type=float, default=1.0, metavar="K", help="factor on the load")
    parser.add_argument("--wind", type=Path, metavar="F", help="available wind power: time_s,power_w")
    parser.add_argument("--wind-scale", type=float, default=1.0, metavar="K", help="factor on the wind")
    parser.add_argument("--pv", type=Path, metavar="F", help="available PV power: time_s,power_w")
    parser.add_argument("--carbon", type=Path, metavar="F",
                        help="grid factors: time_s,direct_mg_per_kwh,lifecycle_mg_per_kwh; time 0 is --start")
    parser.add_argument("--carbon-ahead", type=Path, metavar="F",
                        help="the same as somebody foresees them: each hour the board is told those of 24 hours")
    parser.add_argument("--work", type=Path, metavar="F",
                        help="useful computing work that goes with the load: time_s,work_per_s")
    parser.add_argument("--events", type=Path, metavar="F",
                        help="faults: time_s,device,event,value; the events are listed in host_tools/plant/faults.py")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of all chance (default 1)")
    parser.add_argument("--trace-step", type=float, default=1.0, metavar="S",
                        help="seconds between trace rows")
    parser.add_argument("--start", default="2024-01-01T00:00:00Z", metavar="UTC", help="UTC at time 0")
    parser.add_argument("--duration", type=int, metavar="S", help="seconds (default: as the load file)")
    parser.add_argument("--mode", choices=("virtual", "wire"), default="virtual",
                        help="virtual time, or real time with Modbus RTU servers on ptys, and with the uplink")
    parser.add_argument("--vm", choices=("cpython", "micropython", "qemu"), default="micropython",
                        help="what runs the firmware (default micropython)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results")


def run(args):
    """Run the simulation; return the exit code."""
    check(args)
    simulation = Simulation(args)
    print(f"simulate: results in {simulation.carry_out()}")
    return OK


def check(args):
    """Refuse what cannot be served, and flags out of range."""
    if args.carbon_ahead and args.mode == "wire":
        raise ToolError("--carbon-ahead travels with virtual time, and in real time nobody tells the board",
                        "Use --mode virtual.")
    if not 0.001 <= args.trace_step <= 3600:
        raise ToolError(f"--trace-step {args.trace_step:g} is not allowed", "Give 0.001 to 3600 seconds.")
    if args.vm == "qemu" and args.mode == "virtual":
        raise ToolError("the emulated board does not run in virtual time",
                        "Use --mode wire, or --vm micropython for virtual time.")
    for name in ("load_scale", "wind_scale"):
        if not 0 <= getattr(args, name) <= 1e9:
            raise ToolError(f"--{name.replace('_', '-')} {getattr(args, name):g} is not allowed",
                            "Give a factor from 0 to 1e9.")
