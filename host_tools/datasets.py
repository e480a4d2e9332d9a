"""Inputs for demonstrations and benchmarks, made from public measurements, every repair of the data stated.

Where a measurement cannot be had, a synthetic one takes its place; its file name begins with `synthetic_`.
Beside each CSV lies a JSON file that says where it comes from and what was done; `simulate` copies it into
its summary.
"""

import csv
import io
import json
import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from host_tools.data_sources import SOURCES, obtain
from host_tools.errors import ToolError

GPT3_SCALE = 206.5
EDGE_LOAD_W = 1_000_000
CABINET_PV_W = 8_000
WINDY_DAY = "2014-07-06"
_TURBINES = 4
_DAY_S = 86_400
_STEP_S = 600


@dataclass
class Prepared:
    """One input file and its story."""

    path: Path
    synthetic: bool
    origin: str
    done: list = field(default_factory=list)


def gpt3_load(out):
    """Write the load of a GPT-3 training run scaled to the 100 MW class (59.5 to 95.0 MW), 57 minutes."""
    data = obtain("gpt3")
    if data is None:
        return _write(out, "synthetic_gpt3_load.csv", "time_s,power_w", _synthetic_training(),
                      ["synthetic: levels and noise of a made-up training run; nothing in it was measured"])
    rows = [(float(t), float(p) * GPT3_SCALE) for t, p in _rows(data, ("time_s", "power_w"))]
    return _write(out, "gpt3_load.csv", "time_s,power_w", rows, [
        f"power of 64 servers (512 H100) times {GPT3_SCALE}: a worst case of about 106,000 GPUs in step, no "
        "measured site",
        "server power only, no cooling and no UPS; nothing faster than 2 s was measured"], "gpt3")


def alibaba_day(out, day=1, mean_w=EDGE_LOAD_W):
    """Write one day of the Alibaba 2018 cluster as a load with this mean; day 1, 3, 4 or 5."""
    name = f"alibaba_{day}"
    if name not in SOURCES:
        raise ToolError(f"there is no Alibaba day {day}", "Take day 1, 3, 4 or 5.")
    data = obtain(name)
    if data is None:
        shape = _synthetic_cpu(day)
        done = ["synthetic: a daily wave with noise; nothing in it was measured"]
        file = f"synthetic_alibaba_day_{day}.csv"
    else:
        shape = [float(row[0]) / 100 for row in _rows(data, ("cpu_util_percent",))]
        done = ["shape only: the trace is mean CPU %, not power; power = (0.4 + 0.6 cpu) over its mean, "
                f"times {mean_w:g} W",
                "the trace has no time stamps: its first sample is put at 00:00 UTC, 10 s apart"]
        file = f"alibaba_day_{day}.csv"
    power = [0.4 + 0.6 * cpu for cpu in shape]
    scale = mean_w * len(power) / sum(power)
    rows = [(10 * i, value * scale) for i, value in enumerate(power) if 10 * i <= _DAY_S]
    return _write(out, file, "time_s,power_w", rows, done, None if data is None else name)


def la_haute_borne_day(out, day=WINDY_DAY):
    """Write one UTC day of 2014 of the La Haute Borne wind farm (4 turbines, 8.2 MW), 00:00 to 24:00."""
    day = _day(day, 2014)
    data = obtain("la_haute_borne")
    if data is None:
        return _write(out, f"synthetic_wind_{day}.csv", "time_s,power_w", _synthetic_wind(),
                      ["synthetic: slow waves of wind; nothing in it was measured"])
    farm, done = _farm_power(data, day)
    done.append("10-minute means taken as samples at their stamps; all finer wind is interpolation")
    return _write(out, f"la_haute_borne_{day}.csv", "time_s,power_w", farm, done, "la_haute_borne")


def pv_days(out, first="2016-07-01", days=30, peak_w=CABINET_PV_W):
    """Write days of a PV plant from local midnight on, scaled so that its highest power of all days is peak_w."""
    first = _day(first, 2016)
    data = obtain("nrel_serf_east")
    if data is None:
        rows = [(900 * i, peak_w * max(0.0, math.sin((i % 96 - 24) / 48 * math.pi))) for i in range(96 * days + 1)]
        return _write(out, f"synthetic_pv_{first}.csv", "time_s,power_w", rows,
                      ["synthetic: the same clear day again and again; nothing in it was measured"])
    samples = [(datetime.fromisoformat(stamp).replace(tzinfo=None), float(power_w))
               for stamp, power_w in _rows(data, ("measured_on", "ac_power")) if power_w]
    begin = datetime.combine(first, datetime.min.time())
    scale = peak_w / max(power_w for _, power_w in samples)
    rows = [(int((stamp - begin).total_seconds()), max(power_w, 0.0) * scale) for stamp, power_w in samples
            if begin <= stamp <= begin + timedelta(days=days)]
    if not rows:
        raise ToolError(f"the PV data has no sample in {days} days from {first}", "Take days from 2016-07-01 on.")
    return _write(out, f"nrel_serf_east_{first}.csv", "time_s,power_w", rows, [
        f"15-minute means taken as samples at their stamps, times {scale:.4g}: a plant of {peak_w:g} W at its best",
        "time 0 is midnight at the plant (UTC - 7 h); what it draws by night is set to 0"], "nrel_serf_east")


def carbon_day(out, day=WINDY_DAY):
    """Write grid emission factors of Sweden for the same calendar day of 2020, hourly means at mid-hour."""
    day = _day(day, None).replace(year=2020)
    tracks = [obtain("carbon_SE_direct"), obtain("carbon_SE_lifecycle")]
    if None in tracks:
        rows = [(3600 * h + 1800, round(40e3 + 8e3 * math.sin(h / 4)), round(36e3 + 7e3 * math.sin(h / 4)))
                for h in range(24)]
        return _write(out, f"synthetic_carbon_{day}.csv", _CARBON_HEADER, rows,
                      ["synthetic: a daily wave; nothing in it was measured"])
    direct, lifecycle = (_hours(data, day) for data in tracks)
    rows = [(3600 * h + 1800, round(1000 * direct[h]), round(1000 * lifecycle[h]))
            for h in sorted(direct.keys() & lifecycle.keys())]
    done = [f"Sweden, {day}: another year and place than load and wind; aligned by calendar only"]
    above = sum(row[1] > row[2] for row in rows)
    if above:
        done.append(f"in {above} of {len(rows)} hours the source's direct factor lies above its lifecycle "
                    "factor (it rates sources of unknown kind differently); kept as published")
    return _write(out, f"carbon_SE_{day}.csv", _CARBON_HEADER, rows, done, "carbon_SE_direct")


_CARBON_HEADER = "time_s,direct_mg_per_kwh,lifecycle_mg_per_kwh"


def _day(text, year):
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = None
    if day is None or year is not None and day.year != year:
        raise ToolError(f"{text!r} is no day of {year or 'the calendar'}", f"Write it as {WINDY_DAY}.")
    return day


def _rows(data, columns):
    """Yield the named columns of a CSV."""
    for row in csv.DictReader(io.StringIO(data.decode())):
        yield [row[name] for name in columns]


def _hours(data, day):
    """Return {hour: g/kWh} of one day."""
    return {int(stamp[11:13]): float(value) for stamp, value in _rows(data, ("UTC time", "carbon_intensity"))
            if stamp.startswith(day.isoformat())}


def _farm_power(data, day):
    """Return ([(s, W)], what was repaired) of one day: sum of the turbines, holes left to interpolation."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    near = {(day + timedelta(days=d)).isoformat() for d in (-1, 0, 1)}
    turbines = defaultdict(dict)
    doubled = missing = negative = 0
    for name, stamp, power_kw in _rows(data, ("Wind_turbine_name", "Date_time", "P_avg")):
        if stamp[:10] not in near:
            continue
        at_s = int((datetime.fromisoformat(stamp) - begin).total_seconds())
        if not 0 <= at_s <= _DAY_S:
            continue
        if not power_kw:
            missing += 1
        elif name in turbines[at_s]:
            doubled += 1
        else:
            turbines[at_s][name] = float(power_kw)
    rows = []
    partial = 0
    for at_s in sorted(turbines):
        powers = turbines[at_s].values()
        if not powers:
            continue
        partial += len(powers) < _TURBINES
        power_w = 1000 * sum(powers) * _TURBINES / len(powers)
        negative += power_w < 0
        rows.append((at_s, max(power_w, 0.0)))
    if not rows:
        raise ToolError(f"the wind data has no sample on {day}", f"Take another day, such as {WINDY_DAY}.")
    holes = _DAY_S // _STEP_S + 1 - len(rows)
    return rows, _repairs(doubled, missing, partial, negative, holes)


def _repairs(doubled, missing, partial, negative, holes):
    said = ((doubled, "values with a double stamp: the first one kept"),
            (missing, "turbine values missing from the source"),
            (partial, "steps with fewer than 4 turbines: scaled up from those that reported"),
            (negative, "steps of own consumption (below 0) set to 0"),
            (holes, "steps without any value: bridged in a straight line"))
    return [f"{count} {what}" for count, what in said if count]


def _synthetic_training():
    rng = random.Random(3)
    level, rows = 90e6, []
    for step in range(1705):
        if rng.random() < 0.02:
            level = rng.choice((61e6, 78e6, 90e6, 93e6))
        rows.append((2.0 * step, min(max(level + rng.gauss(0, 1e6), 59.5e6), 95e6)))
    return rows


def _synthetic_cpu(day):
    rng = random.Random(day)
    wave = (0.36 + 0.14 * math.sin(i / 1375 - 2) + rng.gauss(0, 0.04) for i in range(8640))
    return [min(max(cpu, 0.14), 0.8) for cpu in wave]


def _synthetic_wind():
    return [(_STEP_S * i, 4.1e6 * max(0.0, 0.45 + 0.4 * math.sin(i / 11) + 0.25 * math.sin(i / 2.7)))
            for i in range(_DAY_S // _STEP_S + 1)]


def _write(out, name, header, rows, done, source=None):
    """Write the CSV and its story; return Prepared."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / name
    lines = [",".join((f"{row[0]:g}", *(f"{value:.0f}" for value in row[1:]))) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="ascii")
    origin = f"{SOURCES[source].origin} ({SOURCES[source].licence})" if source else "synthetic"
    prepared = Prepared(path, source is None, origin, done)
    story = {"origin": origin, "synthetic": prepared.synthetic, "done": done}
    path.with_suffix(".json").write_text(json.dumps(story, indent=1) + "\n", encoding="utf-8")
    return prepared
