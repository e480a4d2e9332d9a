"""Find the command, read its arguments, run it; turn every expected error into two lines and an exit code."""

import argparse
import importlib
import os
import sys

from host_tools.errors import INTERRUPTED, OK, READER_GONE, UNUSABLE, ToolError

# name: what it does. The module is host_tools.commands.NAME; nothing is imported before it is needed.
COMMANDS = {
    "decode": "print the records of a journal",
    "verify": "judge a journal: integrity, completeness, plausibility",
    "prove": "write a proof of one record that verifies offline",
    "witness": "cosign checkpoints that go on from what was seen",
    "keys": "show and change the registry of public keys",
    "explain": "explain a finding code or one record in words",
    "provision": "make a device's secret and its public keys",
    "demo": "run both reference sites, verify them, write a report",
    "report": "write one HTML file about journals or run folders",
    "export": "write figures as tables for others",
    "simulate": "run the firmware on the simulated site",
    "dataset": "prepare load, wind and carbon inputs from public measurements",
    "commission": "check the wiring of a site and measure its PCS, on the board itself",
    "flash": "put the firmware on a board",
    "schema": "print the JSON Schema of site.json",
    "listen": "receive records from a broker, verify, store, acknowledge",
    "pull": "fetch the evidence of a board over its cable and judge it",
    "status": "say what a board does now, and why, over its cable",
    "fleet": "look after many boards: status, verdicts, figures, reports",
    "serve": "show the boards on a web page",
    "command": "ask something of a board through a broker, signed",
    "operator": "make the key that boards believe",
    "bench": "measure; prints a table and writes build/bench.json",
}
_PROGRAM = "python3 -m host_tools"


def main(argv):
    """Run one command line; its exit code."""
    try:
        return _run(argv)
    except ToolError as error:
        _debug()
        print(f"error: {error.message}\n{error.advice}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; keep the interpreter from complaining when it flushes at exit. Not OK: what was not
        # said to the end, a verdict above all, must not pass for good in a script.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except ModuleNotFoundError:
        raise
    except Exception as error:
        _debug()
        print(f"error: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        print("Set EVENKEEL_DEBUG=1 and run it again to see where; please report it.", file=sys.stderr)
        return UNUSABLE


def _debug():
    """Show where it happened, only to those who ask for it."""
    if os.environ.get("EVENKEEL_DEBUG") == "1":
        raise


def _run(argv):
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return OK if argv else UNUSABLE
    name = argv[0]
    if name not in COMMANDS:
        raise ToolError(f"there is no command {name!r}", f"The commands are: {', '.join(COMMANDS)}.")
    module = importlib.import_module("host_tools.commands." + name.replace("-", "_"))
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} {name}", description=module.HELP, epilog="example:\n  " + module.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    module.add_arguments(parser)
    code = module.run(parser.parse_args(argv[1:]))
    sys.stdout.flush()
    return code


def _overview():
    width = max(map(len, COMMANDS)) + 2
    lines = [f"usage: {_PROGRAM} COMMAND ...", "", "commands:"]
    lines += [f"  {name:{width}}{text}" for name, text in COMMANDS.items()]
    lines += ["", f"example:\n  {_PROGRAM} verify build/day --keys build/day/keys.json"]
    lines += ["", f"{_PROGRAM} COMMAND --help shows what a command takes."]
    return "\n".join(lines)
