"""`demo`: two runs of the firmware on simulated sites, verified, with a report and ten lines in the end."""

import json
import subprocess
import sys
import time
from pathlib import Path

from host_tools import datasets
from host_tools.errors import DOES_NOT_HOLD, OK, ToolError
from host_tools.report.figures_of_merit import interval_count
from host_tools.report.page import page
from host_tools.report.run_data import RunData
from host_tools.report.side_by_side import run_all
from host_tools.report.ten_lines import ten_lines
from host_tools.toolchain.paths import ROOT

HELP = """Run the firmware in MicroPython on two simulated sites: a GPT-3 training load of the 100 MW class at 100 ms,
and one day of an edge site with wind. Then verify the records of both and write a report.
Exit code 0 only if every verdict is PASS and no quarter hour of the day is missing."""
EXAMPLE = "python3 -m host_tools demo --out build/demo"

_QUARTER_S = 900
_TRAINING_START = "2024-05-17T15:38:00Z"
_DAY_S = 86_400
_QUICK_TRAINING_S = 300
_QUICK_DAY_S = 7_200
_VERDICTS = ("integrity", "completeness", "plausibility")


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("--out", type=Path, default=Path("build/demo"), metavar="DIR",
                        help="folder for inputs, runs and report (default build/demo)")
    parser.add_argument("--quick", action="store_true",
                        help="5 minutes of the training load and 2 hours of the day only")
    parser.add_argument("--vm", choices=("micropython", "cpython"), default="micropython",
                        help="what runs the firmware (default micropython)")


def run(args):
    """Run the demonstration; return the exit code."""
    began_s = time.monotonic()
    out = args.out.resolve()
    print("demo: preparing the inputs", flush=True)
    commands = simulations(out, args.quick, args.vm)
    print("demo: running both sites", flush=True)
    run_all(commands)
    print("demo: verifying the records, writing the report", flush=True)
    verdicts = {name: verify(out / name) for name in commands}
    runs = {name: RunData(out / name) for name in commands}
    report = out / "report.html"
    report.write_text(page(runs.values()), encoding="utf-8", newline="\n")
    expected = (_QUICK_DAY_S if args.quick else _DAY_S) // _QUARTER_S
    lines = ten_lines(runs["hyperscale"], runs["edge"], verdicts, expected, report, time.monotonic() - began_s)
    print("", *lines, sep="\n")
    return judge(verdicts, interval_count(runs["edge"])[0], expected)


def simulations(out, quick, vm):
    """Prepare the inputs; return {name: words of `simulate`}."""
    inputs = out / "inputs"
    sites = ROOT / "host_tools" / "sites"
    training = ["simulate", "--site", sites / "hyperscale.json", "--load", datasets.gpt3_load(inputs).path,
                "--start", _TRAINING_START, "--trace-step", "0.1", "--vm", vm, "--out", out / "hyperscale"]
    if quick:
        training += ["--duration", _QUICK_TRAINING_S]
    day = ["simulate", "--site", sites / "edge.json", "--load", datasets.alibaba_day(inputs).path,
           "--wind", datasets.la_haute_borne_day(inputs).path, "--carbon", datasets.carbon_day(inputs).path,
           "--start", f"{datasets.WINDY_DAY}T00:00:00Z", "--duration", _QUICK_DAY_S if quick else _DAY_S,
           "--vm", vm, "--out", out / "edge"]
    return {"hyperscale": [str(word) for word in training], "edge": [str(word) for word in day]}


def verify(folder):
    """Let `verify` judge a run folder as anybody would; return its JSON."""
    words = ["verify", folder, "--keys", folder / "keys.json", "--json"]
    for flag, name in (("--site", "site.json"), ("--factors", "factors.csv")):
        if (folder / "run" / name).is_file():
            words += [flag, folder / "run" / name]
    done = subprocess.run([sys.executable, "-m", "host_tools", *map(str, words)], cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise ToolError(f"verify said no verdict on {folder}: {done.stderr.strip()}",
                        "Look at the run folder; its vm.log has the firmware's own words.") from None


def judge(verdicts, quarters, expected):
    """Say what does not hold; return the exit code."""
    wrong = [f"{name}: {verdict_name} is {verdict[verdict_name]}" for name, verdict in verdicts.items()
             for verdict_name in _VERDICTS if verdict[verdict_name] != "PASS"]
    if quarters != expected:
        wrong.append(f"edge: {quarters} records of quarter hours, {expected} expected")
    for sentence in wrong:
        print("demo: does not hold: " + sentence, file=sys.stderr)
    return DOES_NOT_HOLD if wrong else OK
