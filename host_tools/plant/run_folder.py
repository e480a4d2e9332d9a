"""The folder that a simulated board takes for its flash: filled before the run, read out after it."""

import hashlib
import shutil

from host_tools.errors import ToolError
from host_tools.plant.series import US_PER_S, Series, load_columns

QUARTER_S = 900
RESULTS = ("records.cbor", "checkpoint.txt", "keys.json", "events.jsonl", "trace.csv", "summary.json")
BESIDE = ("operators.json", "uplink.json", "learned.bin")
CARBON = ("time_s", "direct_mg_per_kwh", "lifecycle_mg_per_kwh")
LARGEST_FACTOR = 9_999_999
_ESTIMATED = 1


def fresh(out):
    """Make the output folder and clear what an earlier run left in it; return the run folder in it."""
    out.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)
    run = out / "run"
    if run.exists():
        shutil.rmtree(run)
    run.mkdir()
    return run


def copy_beside(site, run):
    """Copy what lies beside a site.json and belongs to the site: operators, secrets, what was learnt."""
    for name in BESIDE:
        if (site.parent / name).is_file():
            shutil.copyfile(site.parent / name, run / name)


def device_secret(seed, site, device):
    """Return the 32-byte secret of a simulated device: known to everybody, good for simulation only."""
    return hashlib.sha256(f"evenkeel simulated device {seed} {site} {device}".encode()).digest()


def write_factors(path, carbon_path, start_s, duration_s):
    """Write factors.csv: quarter-hour means of a carbon file whose time 0 is the run's start."""
    times_us, columns = load_columns(carbon_path, CARBON)
    for name, column in zip(CARBON[1:], columns):
        if min(column) < 0 or max(column) > LARGEST_FACTOR:
            raise ToolError(f"{carbon_path}: {name} runs from {min(column):g} to {max(column):g}",
                            f"Give emission factors from 0 to {LARGEST_FACTOR} mg/kWh.")
    direct, lifecycle = (Series(times_us, column) for column in columns)
    with open(path, "w", encoding="ascii", newline="\n") as file:
        first_s = start_s - start_s % QUARTER_S
        for valid_s in range(first_s, start_s + duration_s, QUARTER_S):
            begin_us = (valid_s - start_s) * US_PER_S
            means = [series.mean(begin_us, begin_us + QUARTER_S * US_PER_S) for series in (direct, lifecycle)]
            file.write(f"{valid_s:010d},{round(means[0]):07d},{round(means[1]):07d},{_ESTIMATED}\n")


def collect_events(run, out):
    """Join the files of the event log in the run folder to out/events.jsonl; return whether there are any."""
    files = sorted((run / "events").glob("[0-9]*.jsonl"), key=lambda path: int(path.stem))
    if files:
        (out / "events.jsonl").write_bytes(b"".join(file.read_bytes() for file in files))
    return bool(files)


def collect(run, out, events):
    """Gather the results from the run folder into the output folder; return {file: bytes}."""
    journal = run / "journal"
    segments = sorted(journal.glob("*/[0-9]*.cbor"), key=lambda path: int(path.stem))
    with open(out / "records.cbor", "wb") as records:
        for segment in segments:
            records.write(segment.read_bytes())
    for source, name in ((journal / "checkpoint.txt", "checkpoint.txt"), (run / "keys.json", "keys.json")):
        if source.is_file():
            shutil.copyfile(source, out / name)
    if not collect_events(run, out):
        (out / "events.jsonl").write_text("".join(line + "\n" for line in events), encoding="utf-8")
    return {name: (out / name).stat().st_size for name in RESULTS if (out / name).exists()}
