"""`commission`: find the devices, check clamps and roles, measure the PCS and its fall-back, on the board itself."""

import json
import signal
import sys
from pathlib import Path

from firmware.core.errors import ConfigError
from firmware.site import config as site_config
from firmware.site.commission_plan import STEPS, Plan
from host_tools.commissioning import outcome
from host_tools.commissioning.advice import advice
from host_tools.commissioning.listener import Listener, table
from host_tools.errors import DOES_NOT_HOLD, INTERRUPTED, OK, ToolError, read_bytes
from host_tools.toolchain import paths

HELP = """Commission a site: the board finds its devices, checks direction, phase and role of every meter by small steps
of the PCS, measures the PCS's delay, ramp, dead band and limits, and when and to what it falls back by itself. Every
step has a limit, and whatever happens the PCS ends at zero. --dry-run prints the steps and touches nothing.
Exit code: 0 all well, 1 findings, 2 bad input, 130 interrupted."""
EXAMPLE = ("python3 -m host_tools commission --board UNIX --site host_tools/sites/edge.json --out build/commission\n"
           "  python3 -m host_tools commission --board NAME --port /dev/ttyACM0 --site site.json --dry-run")


def add_arguments(parser):
    """Declare the command line."""
    add = parser.add_argument
    add("--board", required=True, metavar="NAME", help="folder in boards/; UNIX and QEMU_MPS2_AN385 are simulated")
    add("--site", required=True, type=Path, metavar="SITE", help="site.json of the site")
    add("--port", metavar="P", help="serial port of a real board, as mpremote takes it")
    add("--steps", metavar="LIST", help=f"some of {','.join(STEPS[1:])} (default: all); find always comes first")
    add("--scan", metavar="UNITS", help="also ask these unit addresses who they are: all, or 1-32,100")
    add("--step-permille", type=int, default=50, metavar="N", help="power step, of the BESS rating (default 50)")
    add("--max-permille", type=int, default=200, metavar="N", help="most power ever asked for (default 200)")
    add("--reversion-limit", type=int, default=0, metavar="S",
        help="longest wait for the fall-back (default: three times pcs.reversion_s and 60 s)")
    add("--apply", action="store_true", help="write the proposed corrections into the copy of site.json too")
    add("--dry-run", action="store_true", help="print what would be done, and touch nothing")
    add("--out", type=Path, default=Path("build/commission"), metavar="DIR", help="folder for the results")
    add("--json", action="store_true", help="print the results as JSON")
    add("--load", type=Path, metavar="F", help="simulated site: load, time_s,power_w (default: half its rating)")
    add("--load-scale", type=float, default=1.0, metavar="K", help="simulated site: factor on the load")
    add("--wind", type=Path, metavar="F", help="simulated site: available wind power")
    add("--pv", type=Path, metavar="F", help="simulated site: available PV power")
    add("--events", type=Path, metavar="F", help="simulated site: faults, time_s,device,event,value")
    add("--seed", type=int, default=1, metavar="N", help="simulated site: seed of all chance")
    add("--start", default="2024-01-01T00:00:00Z", metavar="UTC", help="simulated site: UTC at time 0")
    add("--vm", choices=("cpython", "micropython"), default="micropython", help="what runs the firmware on UNIX")


def run(args, prepare=None):
    """Commission; the exit code. `prepare(session)` may change a simulated site before it begins."""
    options = options_of(args)
    site_bytes = read_bytes(args.site, "site")
    try:
        config, _ = site_config.load(site_bytes)
        plan = Plan(config, options)
    except ConfigError as error:
        raise ToolError(f"{args.site}: {error.detail}", "Correct it; see host_tools/sites for examples.") from error
    if args.dry_run:
        print_plan(plan, args.json)
        return OK
    out = args.out.resolve()
    listener = Listener()
    session = _session(args, site_bytes, options, listener)
    if prepare is not None:
        prepare(session)
    stopper = _Stopper(session)
    try:
        session.run(out)
    finally:
        stopper.close()
    listener.raise_fatal()
    if listener.end is None:
        raise ToolError("the board ended without saying how the PCS stands", "Check at the PCS that it is at zero.")
    return _finish(args, out, json.loads(site_bytes), listener, stopper.asked)


def _session(args, site_bytes, options, listener):
    port = _port_of(args.board)
    if port == "unix" and not args.port:
        from host_tools.commissioning.virtual import Session

        return Session(args, site_bytes, options, listener)
    from host_tools.commissioning.board import EmulatedSession, PortSession

    if args.port:
        return PortSession(args, site_bytes, options, listener)
    if port != "qemu":
        raise ToolError("commission needs the board's serial port", "Give --port, for example /dev/ttyACM0.")
    return EmulatedSession(args, site_bytes, options, listener)


def _port_of(board):
    path = paths.BOARDS / board / "board.json"
    if not path.is_file():
        names = ", ".join(sorted(found.parent.name for found in paths.BOARDS.glob("*/board.json")))
        raise ToolError(f"there is no board {board!r}", f"The boards are: {names}.")
    return json.loads(path.read_text())["port"]


def options_of(args):
    """Return the options of the board's procedure. Raises ToolError."""
    steps = [word.strip() for word in args.steps.split(",")] if args.steps else list(STEPS)
    return {"steps": steps, "step_permille": args.step_permille, "max_permille": args.max_permille,
            "reversion_limit_s": args.reversion_limit, "scan": _units(args.scan)}


def _units(text):
    """Return the unit addresses of `all` or `1-32,100`."""
    if not text:
        return []
    if text == "all":
        return list(range(1, 248))
    units = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            units += range(int(first), int(last or first) + 1)
    except ValueError:
        raise ToolError(f"--scan {text!r} is no list of addresses", "Write it as all, or as 1-32,100.") from None
    if not units or min(units) < 1 or max(units) > 247:
        raise ToolError(f"--scan {text!r} is not allowed", "Give addresses from 1 to 247.")
    return units


def print_plan(plan, as_json):
    """Print what would be done, line by line."""
    names = ("step", "what", "power_w", "typical_s", "limit_s")
    if as_json:
        print(json.dumps([dict(zip(names, line)) for line in plan.lines], indent=1))
        return
    print(f"A dry run: nothing is touched. At most {plan.max_w:,} W either way, and no more than state of charge and "
          "grid caps allow when the time comes.")
    for step, what, power_w, typical_s, limit_s in plan.lines:
        power = f"up to {power_w:,} W" if power_w else "no power"
        print(f"{step:10}{power:>20}, about {typical_s:4d} s, at most {limit_s:5d} s: {what}")


class _Stopper:
    """Turns Ctrl-C and SIGTERM into a request to the board; a second one breaks off at once."""

    def __init__(self, session):
        self.asked = False
        self._session = session
        self._before = {}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        except ValueError:
            pass  # not in the main thread: whoever runs us there stops us in his own way

    def _ask(self, _number, _frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("commission: stopping: the PCS goes to zero", file=sys.stderr, flush=True)
        self._session.stop()

    def close(self):
        """Leave the signals as they were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _finish(args, out, config, listener, asked):
    end = listener.end
    new = outcome.site_copy(config, listener.results, end["at_s"], args.apply)
    proposals = outcome.proposals(config, listener.results)
    outcome.write(out / "site.json", new)
    report = {"results": listener.results, "aborts": listener.aborts, "end": end, "applied": args.apply,
              "proposals": [dict(zip(("path", "old", "new"), row)) for row in proposals],
              "commissioning": new.get(outcome.SECTION)}
    (out / "commission.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        _print(args, out, listener, proposals)
    if asked or end["outcome"] in ("stopped", "interrupted"):
        return INTERRUPTED
    well = end["outcome"] == "done" and end["zero"] and not [row for row in listener.results if row["code"] != "OK"]
    return OK if well else DOES_NOT_HOLD


def _print(args, out, listener, proposals):
    end = listener.end
    print("\n".join(table(listener.results)))
    for row in listener.aborts:
        print(f"{row['step'] or 'start'} ended early: {row['code']}: {row['note']}. {advice(row['code'])}")
    for path, old, new in proposals:
        done = "written" if args.apply else "proposed, --apply writes it"
        print(f"site.json: {path}: {old} -> {new} ({done})")
    if end["zero"]:
        power = "" if end["power_w"] is None else f", its power {end['power_w']:,} W"
        print(f"The PCS stands at zero, acknowledged{power}.")
    elif end["commanded"]:
        print("THE PCS HAS NOT ACKNOWLEDGED ZERO: look at it now; it falls back by its own time-out at best.")
    else:
        print("The PCS has not acknowledged anything, and nothing but zero was ever asked of it.")
    print(f"{out / 'site.json'}: the site with what was measured; {out / 'commission.json'}: all results")
