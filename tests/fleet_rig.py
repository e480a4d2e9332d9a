"""Archives of many boards for the tests of `fleet`, and a Dask cluster of two workers, each a process of its own.

The boards are few and different; the rest are links to these, since making seven million signatures would take an hour
and each folder is verified from its bytes all the same.
"""

import contextlib
import json
import os
import subprocess
import sys
import time

from tests.evidence_writer import Device, checkpoint, day, keys_document

DIFFERENT = 4


def archive_of(folder, boards, records):
    """Make an archive of so many boards' folders; (archive, key file)."""
    devices = [Device(n, "site", f"cab-{n}") for n in range(1, DIFFERENT + 1)]
    keys = folder / "keys.json"
    keys.write_text(json.dumps(keys_document(*devices)))
    made = []
    for n, device in enumerate(devices[:boards]):
        raw = day(records, n, device).sealed()
        place = _place(folder, n)
        (place / "records.cbor").write_bytes(b"".join(raw[:-1] if n == 1 else raw))  # one board's end is cut off
        (place / "checkpoint.txt").write_bytes(checkpoint(device, raw))
        made.append(place)
    for n in range(DIFFERENT, boards):
        place = _place(folder, n)
        for name in ("records.cbor", "checkpoint.txt"):
            os.link(made[n % DIFFERENT] / name, place / name)
    return folder / "archive", keys


def _place(folder, n):
    place = folder / "archive" / "site" / f"board-{n:04}"
    place.mkdir(parents=True)
    return place


@contextlib.contextmanager
def cluster(folder):
    """Start a scheduler and two workers; the scheduler's address."""
    file = folder / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1",
             "--no-dashboard", "--scheduler-file", str(file)]
    processes = [subprocess.Popen(start, stderr=subprocess.DEVNULL)]
    try:
        for _ in range(2400):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        work = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
        processes += [subprocess.Popen(work, stderr=subprocess.DEVNULL) for _ in range(2)]
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(240)
