"""Many board-years give the same verdicts here and on a Dask cluster. EVENKEEL_SOAK=1: two hundred of them."""

import json
import os
import subprocess
import sys

from tests.fleet_rig import DIFFERENT, archive_of, cluster

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_BOARDS, _RECORDS = (200, 35_040) if _SOAK else (10, 300)


def _verify(*arguments):
    done = subprocess.run([sys.executable, "-m", "host_tools", "fleet", "verify", *map(str, arguments), "--json"],
                          capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


def test_verdicts_are_the_same_here_and_on_a_cluster_of_two(tmp_path):
    folder, keys = archive_of(tmp_path, _BOARDS, _RECORDS)
    with cluster(tmp_path) as address:
        there = _verify(folder, "--keys", keys, "--scheduler", address)
    here = _verify(folder, "--keys", keys, "--workers", 2)
    assert here == there and here[0] == 1 and len(here[1]) == _BOARDS
    cut = {name for name, result in here[1].items() if result["completeness"] == "FAIL"}
    assert len(cut) == (_BOARDS - 1 + DIFFERENT - 1) // DIFFERENT
    assert all(result["holds"] == (name not in cut) for name, result in here[1].items())
