"""Thirty days of the cabinet in virtual time, with a grid, engine starts and a PCS that fail at random.

All of it under EVENKEEL_SOAK=1, else the first hours of another draw. Inputs are made here: no data is needed. The
month runs at a control period of 5 s, a fifth of the work of 1 s, and a day of another draw at the cabinet's own 1 s.
EVENKEEL_SOAK_HOURS takes so many hours of the month.
"""

import json
import math
import os
import random

import pytest

from host_tools.cli import main
from host_tools.plant.vm import Vm, _machine
from tests.simulation_rig import Rig, summary, trace

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_MONTH_H = int(os.environ.get("EVENKEEL_SOAK_HOURS", "720"))
_RUNS = ((1, _MONTH_H, 5000), (2, 24, 1000)) if _SOAK else ((7, 3, 1000),)  # seed, hours, control period in ms
_GAP_H, _LOSS_H = (14, 3) if _SOAK else (0.5, 0.5)  # means: between two losses of the grid, and of one
_START_S = 45  # from the loss of everything to a genset that carries, where its first start succeeds
_TRY_S = 100  # a start that fails, and the pause behind it
_LOCK_S = 130  # and the one behind the last try
_TRIES = 3
_STEP_S = 20


class HeapVm(Vm):
    """The real firmware, which tells its heap besides."""

    def command(self, mode, run_folder, stage, until_ms):
        """Return (argument list, environment) that start it."""
        machine, environment = _machine("micropython", stage)
        return [*machine, "-c", f"from tests.heap_watch import run; run({str(run_folder)!r})"], environment


def _load(rng, hours):
    """Return the load file: a day's course, and a new level each few minutes."""
    rows = ["time_s,power_w"]
    for t_s in range(0, hours * 3600 + 300, 300):
        day = 5000 - 1500 * math.cos(t_s / 43_200 * math.pi)
        rows.append(f"{t_s},{day * rng.uniform(0.7, 1.4):.0f}")
    return "\n".join(rows) + "\n"


def _sun(rng, hours):
    """Return the PV file: half a sine a day, under clouds; the short run begins at ten in the morning."""
    rows = ["time_s,power_w"]
    for t_s in range(0, hours * 3600 + 600, 600):
        hour = (t_s / 3600 + (0 if _SOAK else 10)) % 24
        rows.append(f"{t_s},{max(0, 8000 * math.sin((hour - 6) / 12 * math.pi)) * rng.uniform(0.2, 1):.0f}")
    return "\n".join(rows) + "\n"


def _draw(rng, hours):
    """Return the events (time_s, device, event, value) in order: what fails when; the tank is filled each day."""
    end_s = hours * 3600
    events = [(0, "pcs", "soc_permille", 450)]
    t_s = 600.0
    while t_s < end_s - 900:
        t_s += rng.expovariate(1 / (_GAP_H * 3600))
        last_s = 60 + rng.expovariate(1 / (_LOSS_H * 3600))
        if rng.random() < 0.5:
            events.append((round(t_s), "genset_control", "start_failures", rng.choice([1, 1, 2, 3, 4])))
        events.append((round(t_s), "grid", "fail", 1))
        if rng.random() < 0.5:
            fault_s = t_s + rng.uniform(0, last_s)
            events.append((round(fault_s), "pcs", "fault", 1))
            events.append((round(fault_s + rng.uniform(60, 1800)), "pcs", "fault", 0))
        t_s += last_s
        events.append((round(t_s), "grid", "fail", 0))
        t_s += 600
    events += [(t, "genset_control", "fuel_permille", 900) for t in range(0, end_s, 86_400)]
    return sorted(event for event in events if event[0] < end_s)


def _excused_s(events, begin_s):
    """Return how long the site may be dark from a time on: until the genset comes, after the starts that fail."""
    owed = [value for t_s, _, event, value in events if event == "start_failures" and t_s <= begin_s]
    failures = owed[-1] if owed else 0
    return _START_S + failures * _TRY_S + failures // _TRIES * _LOCK_S


def _spans(events, device, event, end_s):
    """Return [(from, to)] in which an event held."""
    found, since = [], None
    for t_s, who, what, value in events:
        if (who, what) == (device, event):
            if value and since is None:
                since = t_s
            elif not value and since is not None:
                found.append((since, t_s))
                since = None
    return found + ([(since, end_s)] if since is not None else [])


@pytest.mark.timeout(0 if _SOAK else 280)
@pytest.mark.parametrize("seed, hours, period_ms", _RUNS)
def test_a_month_of_failures_breaks_no_limit_and_loses_nothing(tmp_path, monkeypatch, capsys, seed, hours, period_ms):
    rng = random.Random(seed)
    events = _draw(rng, hours)
    rig = Rig(tmp_path, monkeypatch)
    lines = "".join(f"{t_s},{device},{event},{value}\n" for t_s, device, event, value in events)
    slow = {"control__stale_ms": 5 * period_ms // 2, "control__frozen_ms": 10 * period_ms,
            "pcs": {"reversion_s": period_ms // 250}} if period_ms > 1000 else {}
    site = rig.site("cabinet", control__period_ms=period_ms, **slow)
    out = rig.run("--site", site, "--load", rig.file("load.csv", _load(rng, hours)),
                  "--pv", rig.file("pv.csv", _sun(rng, hours)), "--events",
                  rig.file("events.csv", "time_s,device,event,value\n" + lines), "--seed", str(seed),
                  "--duration", str(hours * 3600), "--trace-step", str(_STEP_S), "--vm", "micropython", vm=HeapVm)
    with open(site, encoding="utf-8") as file:
        config = json.load(file)
    _judge_limits(trace(out), config, events)
    _judge_unserved(summary(out), events, hours, period_ms)
    _judge_heap(summary(out)["messages"], hours)
    _judge_records(out, capsys, hours)


def _judge_limits(rows, config, events):
    """No set point beyond the rating or past the charge's window, no import beyond its cap."""
    ratings, limits = config["ratings"], config["limits"]
    changes = [t_s for t_s, device, _, _ in events if device != "genset_control"]
    for row in rows:
        assert abs(row["setpoint_w"]) <= ratings["bess_w"]
        assert row["genset_w"] <= ratings["genset_w"] + 1
        if row["soc_permille"] < limits["soc_min_permille"] - 5:
            assert row["setpoint_w"] <= 0
        if row["soc_permille"] > limits["soc_max_permille"] + 5:
            assert row["setpoint_w"] >= 0
        if not any(0 <= row["time_s"] - t_s <= 120 for t_s in changes):
            assert -400 <= row["grid_w"] <= limits["grid_import_w"]
        assert 0 < row["soc_permille"] <= limits["soc_max_permille"] + 10


def _judge_unserved(result, events, hours, period_ms):
    """Load is unserved while the PCS fails and until the genset comes: never else."""
    assert result["island"]["islanded_s"] > 1800 and result["genset"]["starts"]
    assert result["genset"]["failed_starts"] or _SOAK and hours < 48  # so few hours may have drawn none
    late_s = 15 + 4 * (period_ms // 1000 - 1)  # a fault is seen, or seen to be over, within a few periods
    faults = _spans(events, "pcs", "fault", hours * 3600)
    for span in result["island"]["shed"]:
        begin_s, end_s = span["from_s"], span["to_s"]
        during = [fault for fault in faults if fault[0] - 1 <= begin_s <= fault[1] + late_s]
        assert during, f"{span}: the PCS was well"
        assert end_s - begin_s <= _excused_s(events, begin_s) + late_s - 15, span
        assert end_s <= during[0][1] + late_s, span


def _judge_heap(messages, hours):
    """What is in use behind a collection is at the end what it was after the first hour."""
    used = [int(text.split()[1]) for text in messages if text.startswith("heap ")]
    assert len(used) >= hours - 1
    assert max(used) <= used[0] * 1.02 + 2048, used


def _judge_records(out, capsys, hours):
    """Every quarter hour has its record, and the chain holds."""
    capsys.readouterr()
    code = main(["verify", str(out), "--keys", str(out / "keys.json"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == 0 and report["holds"], report["findings"]
    assert report["totals"]["intervals"] == report["records"] == hours * 4 and report["totals"]["gaps"] == 0
