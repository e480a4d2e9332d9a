"""Make run folders for the tests of report and demo: signed records of a made-up board, a made-up trace."""

import json
import math

from tests.evidence_writer import START_MS, Board, checkpoint, keys_document

COLUMNS = ("time_s,load_w,wind_available_w,wind_w,pv_available_w,pv_w,genset_w,bess_w,grid_w,setpoint_w,target_w,"
           "soc_permille,mode,reason")
SITE = {
    "version": 1, "site": {"id": "north", "device": "cab-1", "name": "North <site> & sons"},
    "control": {"period_ms": 100}, "ratings": {"bess_w": 4_000_000, "bess_wh": 8_000_000},
    "devices": [{"role": "load", "profile": "generic_fast"}],
}


def board(count=8):
    """Write `count` quarter hours."""
    made = Board()
    for _ in range(count):
        made.interval()
    return made


def summary(duration_s, synthetic=False):
    """Write a summary as `simulate` does."""
    ramps = {"change_w": 30_000_000, "rate_w_per_s": 15_000_000}, {"change_w": 4_000_000, "rate_w_per_s": 2_000_000}
    return {
        "version": 1, "site": SITE["site"], "synthetic": synthetic,
        "run": {"start_utc": "2024-05-17T00:00:00Z", "duration_s": duration_s, "mode": "virtual", "seed": 1,
                "vm": {"kind": "micropython", "version": "MicroPython 1.25.0"}},
        "inputs": [{"role": "load", "file": "some/gpt3_load.csv", "sha256": "ab" * 32, "scale": 2.0,
                    "synthetic": synthetic, "story": {"origin": "a <public> place", "done": ["scaled & cut"]}},
                   {"role": "wind", "file": "wind.csv", "sha256": "cd" * 32, "scale": 1.0, "synthetic": False}],
        "energy": {"direct_renewable_use": {"with_storage_wh": 39_000_000, "without_storage_wh": 31_000_000,
                                            "gain_percent": 25.81, "how": "a < b"}},
        "control": {"grid_minus_target": {"rms_w": 600_000, "p99_w": 1_800_000, "max_w": 4_000_000},
                    "without_battery_minus_target": {"rms_w": 4_000_000, "p99_w": 11_000_000, "max_w": 29_000_000},
                    "ramps": {"2_s": {"load": ramps[0], "without_battery": ramps[0], "grid": ramps[1]}}},
        "injected": [], "wall_s": 12.0,
    }


def trace_rows(count, step_s=1.0, spike_at=None):
    """Write a slow wave of load, with one sample far off where asked."""
    rows = [COLUMNS]
    for index in range(count):
        load_w = 2_000_000 + 300_000 * math.sin(index / 200)
        if index == spike_at:
            load_w += 3_000_000
        wind_w = 1_500_000 + 500_000 * math.cos(index / 900)
        bess_w = 0.5 * (load_w - wind_w)
        mode = "start,start" if index < 3 else "on_grid,baseline"
        rows.append(f"{index * step_s:g},{load_w:.0f},{wind_w + 200_000:.0f},{wind_w:.0f},0,0,0,{bess_w:.0f},"
                    f"{load_w - wind_w - bess_w:.0f},{bess_w:.0f},{'' if index == 0 else 0},{500 + index % 7},{mode}")
    return rows


def make(folder, made=None, synthetic=False, trace=2400, spike_at=None):
    """Fill a run folder; return it."""
    made = made or board()
    folder.mkdir(parents=True, exist_ok=True)
    records = made.sealed()
    (folder / "records.cbor").write_bytes(b"".join(records))
    (folder / "checkpoint.txt").write_bytes(checkpoint(made.device, records))
    (folder / "keys.json").write_text(json.dumps(keys_document(made.device)))
    if made.now_ms is not None:
        (folder / "summary.json").write_text(json.dumps(summary((made.now_ms - START_MS) // 1000, synthetic)))
    (folder / "trace.csv").write_text("\n".join(trace_rows(trace, spike_at=spike_at)) + "\n")
    events = [{"utc_ms": START_MS, "uptime_ms": 5000, "source": "main", "code": "BOOT", "text": "boot <1>"},
              {"utc_ms": None, "uptime_ms": 100, "source": "main", "code": "STOP", "text": "done"}]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events) + '{"cut')
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "vm.log").write_text("")
    return folder
