"""What verifying years of one board takes of memory: ten years in one go, beside one year, each in its own process."""

import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.errors import ToolError
from host_tools.toolchain import paths

_YEARS = (1, 10)
# What the process held at most, as the system has counted: not what its parent held before, as ru_maxrss would say.
_VERIFY = """
import sys, time
from host_tools.cli import main
begin = time.process_time()
code = main(["verify", *sys.argv[1:]])
print("spent", time.process_time() - begin)
print(open("/proc/self/status").read())
sys.exit(code)
"""


def verified(folder, *more):
    """Verify a run folder in a process of its own; return (its highest resident memory in bytes, seconds spent)."""
    words = [sys.executable, "-c", _VERIFY, str(folder), "--keys", str(folder / "keys.json"), *more]
    done = subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True)
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    if done.returncode or not found:
        raise ToolError(f"verify ended with {done.returncode}: {done.stdout[:600]}{done.stderr[-600:]}",
                        "See tests/long_run.py.")
    return 1024 * int(found[1]), float(re.search(r"^spent (\S+)$", done.stdout, re.M)[1])


def measure(years=_YEARS, a_year=None):
    """Return the memory of the longer journal, its ratio to that of the shorter one, and the pace."""
    long_run = importlib.import_module("tests.long_run")
    a_year = a_year or long_run.A_YEAR
    peaks = []
    for count in years:
        with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
            long_run.write(Path(folder), count * a_year, seed=count)
            peaks.append(verified(Path(folder)))
    (short, _), (long, spent_s) = peaks
    records = years[1] * a_year
    how = (f"`verify` with every check on {records} records of one board in one file (tests/long_run.py: real "
           f"signatures, a restart a month), VmHWM of its process; on {years[0] * a_year} records {short} bytes")
    return {"verify_decade_peak_bytes": Figure(long, "bytes", how),
            "verify_decade_memory_ratio": Figure(round(long / short, 4), "ratio", f"ten years to one; {how}"),
            "verify_decade_records_per_s": Figure(round(records / spent_s), "records/s",
                                                  f"processor time, start of the program included; {how}")}


MEASURES = (Measure("decade", ("verify_decade_peak_bytes", "verify_decade_memory_ratio",
                               "verify_decade_records_per_s"), measure),)
