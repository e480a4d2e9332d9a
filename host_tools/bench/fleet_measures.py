"""What a Dask cluster of two workers verifies per core, beside `verify` alone on one core, on the same boards."""

import importlib
import tempfile
import time
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.fleet import archive, work

_BOARDS = 12
_RECORDS = 8760  # a quarter of a year
_WORKERS = 2
_ROUNDS = 2


def measure(boards=_BOARDS, records=_RECORDS):
    """Return the ratio of the throughputs per core, both by the wall."""
    rig = importlib.import_module("tests.fleet_rig")
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name, rig.cluster(Path(name)) as address:
        folder, keys = rig.archive_of(Path(name), boards, records)
        places = archive.places(folder)
        list(work.for_each(work.judge, places[:_WORKERS], (str(keys), None, None), address))  # the workers' imports
        alone_s, there_s = [], []
        for _ in range(_ROUNDS):
            begin_s = time.monotonic()
            here = [work.judge(place.path, str(keys)) for place in places]
            alone_s.append(time.monotonic() - begin_s)
            begin_s = time.monotonic()
            there = [result for _, result in work.for_each(work.judge, places, (str(keys), None, None), address)]
            there_s.append(time.monotonic() - begin_s)
    assert here == there
    ratio = min(alone_s) / (min(there_s) * _WORKERS)
    total = boards * records
    return {"fleet_vs_verify_ratio": Figure(
        round(ratio, 3), "ratio",
        f"{boards} boards x {records} records: `verify` alone {total / min(alone_s):.0f} records/s on one core, a Dask "
        f"cluster of {_WORKERS} workers {total / min(there_s) / _WORKERS:.0f} records/s per worker, best of {_ROUNDS}; "
        f"scheduler and workers share the machine")}


MEASURES = (Measure("fleet", ("fleet_vs_verify_ratio",), measure),)
