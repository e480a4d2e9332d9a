"""The tracker through `simulate`: the GPT-3 run, and held frequencies, at the delays of the definitions.

From a sample to the command at the PCS it is to take 30 ms at a period of 20 ms, and 150 ms at 100 ms. What the meter's
age and the buses take of that was measured; the simulated PCS waits for the rest as its dead time.
"""

import csv
import json
import math
import tempfile
from array import array
from pathlib import Path

from host_tools.bench import sampled_site, simulated, tracking
from host_tools.bench.figures import Figure, Measure
from host_tools.bench.sampled_site import swing
from host_tools.bench.tracker_law import TrackerLaw
from host_tools.datasets import gpt3_load
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "hyperscale.json"
DELAYS_MS = {20: 30, 100: 150}  # control period: sample to command
_WAY_MS = 16  # of it, measured: generic_fast's refresh (9 ms old with this seed), its answer, tick, set point's frame
_TRACE_S = 0.01
GPT3_NAMES = ("rms", "p99", "ramp", "band")
SWEEP_HZ = (0.01, 0.03, 0.1, 0.3, 0.6, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 11, 12, 13.3, 14.1, 15, 16,
            17.3, 18.5, 20)  # up to 0.8 of the Nyquist frequency of 20 ms
_SWEEP_NAMES = ("sweep_max_gain", "sweep_max_over_plain", "sweep_generated_max_gain")
_GENERATED = 100
_METERS = ((20, 10), (200, 200), (1000, 1000), (1000, 200))
_HELD_S, _HELD_PERIODS = 60, 4
_MEAN_W, _SWING_W = 77e6, 10e6
_LOAD_STEP_S = 0.0025
_SWEEP_TRACE_S = 0.005


def site(period_ms, **control):
    """Return the hyperscale site as a dict with another control period, and what else differs in its control."""
    made = json.loads(_SITE.read_bytes())
    made["control"].update(period_ms=period_ms, **control)
    made["pcs"]["dead_ms"] = DELAYS_MS[period_ms] - _WAY_MS
    return made


def traced(folder, made, load, trace_s, duration_s=0):
    """Run a site on a load; return (columns of the trace by name, summary)."""
    summary = simulated.run(folder, made, [(0, "pcs", "dead_ms", made["pcs"]["dead_ms"])], "--load", load,
                            "--trace-step", trace_s, *(["--duration", duration_s] if duration_s else []))
    found = {name: array("d") for name in ("load_w", "grid_w", "target_w", "setpoint_w", "bess_w")}
    with open(folder / "run" / "trace.csv", newline="") as file:
        for row in csv.DictReader(file):
            for name, values in found.items():
                values.append(float(row[name] or "nan"))
    return found, summary


def gpt3(period_ms, duration_s=0):
    """Return the figures of the GPT-3 run, fractions of the load's own, against the baseline of the definitions."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        load = gpt3_load(Path(name) / "inputs")
        found, summary = traced(Path(name), site(period_ms), load.path, _TRACE_S, duration_s)
    step_ms = round(1000 * _TRACE_S)
    target = tracking.baseline_w(found["load_w"], step_ms)
    values = tracking.fractions(found["grid_w"], found["load_w"], target, tracking.SKIP_S, step_ms)
    source = "synthetic load (the measurement could not be had)" if load.synthetic else "MLPerf GPT-3 run x 206.5"
    how = (f"simulate, hyperscale site, control period {period_ms} ms, {DELAYS_MS[period_ms]} ms from sample to "
           f"command ({_WAY_MS} ms on the buses, the rest the PCS's dead time), PCS lag 50 ms, "
           f"{summary['run']['vm']['version']}, "
           f"{summary['run']['duration_s']} s of the {source}, first {tracking.SKIP_S} s left out, every {step_ms} ms; "
           "grid less baseline (30 s, 1 MW/s) over load less baseline: ")
    words = {"rms": "RMS", "p99": "99th percentile", "ramp": "largest change over 1 s, grid over load",
             "band": "power between 0.1 and 2 Hz"}
    return {f"gpt3_{period_ms}ms_{name}": Figure(round(values[name], 4), "fraction", how + words[name])
            for name in GPT3_NAMES}


def write_held(path, frequencies):
    """Write a load that holds each frequency for a while around one mean; return (frequency, from, to) in s of each."""
    held, begin_s = [], 0.0
    with open(path, "w", encoding="ascii") as file:
        file.write("time_s,power_w\n")
        for hz in frequencies:
            end_s = begin_s + math.ceil(max(_HELD_S, _HELD_PERIODS / hz))
            for i in range(round((end_s - begin_s) / _LOAD_STEP_S)):
                t_s = i * _LOAD_STEP_S
                file.write(f"{begin_s + t_s:.4f},{_MEAN_W + _SWING_W * math.sin(2 * math.pi * hz * t_s):.0f}\n")
            held.append((hz, begin_s, end_s))
            begin_s = end_s
        file.write(f"{begin_s:.4f},{_MEAN_W:.0f}\n")
    return held


def gain_of(law, hz, period_ms):
    """Return what a law leaves of a held frequency in the plant of tracking.run(), of the load's own."""
    step_s = tracking.STEP_MS / 1000
    end_s = max(_HELD_S, _HELD_PERIODS / hz)
    load = [_MEAN_W + _SWING_W * math.sin(2 * math.pi * hz * i * step_s) for i in range(round(end_s / step_s))]
    grid = tracking.run(law, load, [_MEAN_W] * len(load), period_ms, DELAYS_MS[period_ms])
    return swing(grid, hz, end_s, step_s) / swing(load, hz, end_s, step_s)


def sweep(period_ms=20, frequencies=SWEEP_HZ):
    """Return [(frequency, gain of ours, gain of plain feed-forward with lead)]: the first through `simulate`."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        folder = Path(name)
        held = write_held(folder / "load.csv", frequencies)
        steady = site(period_ms, baseline_s=3600, baseline_ramp_w_per_s=1, homing_permille=0)
        found, _ = traced(folder, steady, folder / "load.csv", _SWEEP_TRACE_S)
    gains = []
    for hz, _, end_s in held:
        ours, own = (swing(found[name], hz, end_s, _SWEEP_TRACE_S) for name in ("grid_w", "load_w"))
        gains.append((hz, ours / own, gain_of(tracking.FeedForward(period_ms), hz, period_ms)))
    return gains


def _sweep():
    gains = sweep()
    for hz, ours, plain in gains:
        print(f"sweep: {hz:6.2f} Hz  ours {ours:.3f}  plain feed-forward with lead {plain:.3f}")
    how = (f"simulate, hyperscale site at 20 ms, {DELAYS_MS[20]} ms from sample to command, constant target, "
           f"{len(gains)} frequencies from 0.01 to 20 Hz held one after the other for the longer of 60 s and four "
           "periods, sine of 10 MW around 77 MW, fitted over the last whole periods of at least 30 s: ")
    hz, worst, _ = max(gains, key=lambda row: row[1])
    ratio, at_hz = max((gain_of(TrackerLaw(20, DELAYS_MS[20]), hz, 20) / plain, hz)
                       for hz, _, plain in gains if plain < 1)
    gain = f"largest swing of the grid over the load's, at {hz} Hz"
    over = ("the same frequencies, the firmware's tracker without its periodic term in the plant of "
            f"host_tools/bench/tracking.py, {DELAYS_MS[20]} ms from sample to command without jitter: largest gain "
            f"over that of plain feed-forward with lead for the lag, where that attenuates, at {at_hz} Hz")
    return {"sweep_max_gain": Figure(round(worst, 4), "ratio", how + gain),
            "sweep_max_over_plain": Figure(round(ratio, 4), "ratio", over)} | _generated(_GENERATED)


def _generated(count):
    worst = 0
    for period_ms, refresh_ms in _METERS:
        for hz, _, ours, plain in sampled_site.generated(count, period_ms, refresh_ms, 1):
            worst = max(worst, ours)
            if ours > 1:
                print(f"sweep: {period_ms} ms, meters of {refresh_ms} ms: {hz:.4f} Hz  {ours:.3f}, plain {plain:.3f}")
    how = (f"{count} generated frequencies each, 0.01 Hz to 0.8 of Nyquist, phases of the meters too, in the "
           f"plant of host_tools/bench/sampled_site.py; (control period, refresh of the meters) in ms: {_METERS}")
    return {"sweep_generated_max_gain": Figure(round(worst, 4), "ratio", how)}


def _gpt3(period_ms):
    names = tuple(f"gpt3_{period_ms}ms_{name}" for name in GPT3_NAMES)
    return Measure(f"gpt3_{period_ms}ms", names, lambda: gpt3(period_ms))


MEASURES = (_gpt3(100), _gpt3(20), Measure("sweep", _SWEEP_NAMES, _sweep))
