"""The fast scenarios of the table of laws: every law on the same load, behind a meter of 20 ms, 200 ms and 1 s.

A meter that is not in step with the control is half a refresh old on average, and nothing is gained by asking it more
often than it refreshes: so the control period is the meter's, and 20 ms lie between what is read and the command at the
PCS, as on the 20 ms site. The target is handed to every law alike. Ours is the firmware's own code on CPython; buses,
jitter and lost frames are in the figures through `simulate`, not here.
"""

from dataclasses import dataclass, replace

from host_tools.bench import delay_bound, rivals, tracking
from host_tools.bench.periodic_law import PeriodicLaw

WAYS = {20: rivals.Way(20, 10, 20), 200: rivals.Way(200, 100, 20), 1000: rivals.Way(1000, 500, 20)}
_GRID_AGE_MS = {20: 5, 200: 20, 1000: 100}  # as ours sees it: that meter is not in step with the load's either
_REFRESH_MS = {20: 10, 200: 200, 1000: 1000}  # of the meter; that of the 20 ms site refreshes within 10 ms
NAMES = {"none": "no battery", "greedy_1s": "greedy, once a second", "greedy": "greedy, each sample",
         "pid": "PID of the OpenEMS form, 1 s", "balance": "grid + battery, ages mixed", "pi": "grid-meter PI",
         "lead": "plain feed-forward with lead", "ours": "ours", "bound": "bound"}
KEYS = {meter_ms: [key for key in NAMES if key != "greedy" or meter_ms < 1000] for meter_ms in WAYS}
PERIODS_S = (1, 2, 5, 10)
_COUNTED = 30
_SEED = 1
_SHOWN_S = {"gpt3": 40, "periodic": 12}
_SHOWN_PERIOD_S = 2
_THIN = 4  # the bound of the trapezoid is on a grid of 20 ms


@dataclass
class Result:
    """What the laws leave of one scenario behind one meter: fractions by law, and curves to look at."""

    fractions: dict  # law: {"rms": ...}
    step_ms: int
    load: list
    target: list
    grids: dict  # law: W, as long as `load`


def laws(meter_ms):
    """Return {key: (law, Way)}, all but the bound."""
    way = WAYS[meter_ms]
    each_second = replace(way, cycle_ms=rivals.OPENEMS_CYCLE_MS)
    made = {"none": (rivals.nothing, way), "greedy_1s": (rivals.greedy, each_second), "greedy": (rivals.greedy, way),
            "pid": (rivals.OpenEmsPid(), each_second), "balance": (rivals.balance, way),
            "pi": (rivals.GridPi(way), way), "lead": (rivals.Metered(tracking.FeedForward(meter_ms)), way),
            "ours": (PeriodicLaw(meter_ms, way.delay_ms, refresh_ms=_REFRESH_MS[meter_ms]).with_grid,
                     replace(way, grid_age_ms=_GRID_AGE_MS[meter_ms]))}
    return {key: made[key] for key in KEYS[meter_ms] if key in made}


def gpt3(meter_ms, duration_s=None):
    """Return the Result of the GPT-3 run, or of its first seconds."""
    load = tracking.gpt3_w()[0]
    if duration_s:
        load = load[:duration_s * 1000 // tracking.STEP_MS]
    target = tracking.baseline_w(load)
    way = WAYS[meter_ms]
    tried = laws(meter_ms) | {"bound": (delay_bound.fitted(load, target, way, tracking.SKIP_S), way)}
    second = 1000 // tracking.STEP_MS
    first = tracking.SKIP_S * second
    steepest = max(range(first, len(load) - second, second // 10), key=lambda i: abs(load[i + second] - load[i]))
    span = _SHOWN_S["gpt3"] * second
    shown = slice(max(steepest - span // 2, 0), max(steepest - span // 2, 0) + span, _THIN)
    found, grids = {}, {}
    for key, (law, its_way) in tried.items():
        grid = rivals.follow(law, load, target, its_way)
        found[key] = tracking.fractions(grid, load, target, tracking.SKIP_S)
        grids[key] = grid[shown]
    return Result(found, _THIN * tracking.STEP_MS, load[shown], target[shown], grids)


def periodic(meter_ms, periods_s=PERIODS_S):
    """Return the Result of the trapezoid loads: of each fraction the worst of the periods."""
    worst, shown = {}, None
    for period_s in periods_s:
        found = trapezoid(meter_ms, period_s)
        for key, row in found.fractions.items():
            worst[key] = {name: max(row[name], worst.get(key, row)[name]) for name in row}
        if shown is None or period_s == _SHOWN_PERIOD_S:
            shown = found
    return replace(shown, fractions=worst)


def trapezoid(meter_ms, period_s):
    """Return the Result of the trapezoid load of this period."""
    count = tracking.SKIP_PERIODS + _COUNTED
    load = tracking.trapezoid_w(period_s, count, _SEED)
    target, skip_s, step_ms = tracking.mean_w(load), tracking.SKIP_PERIODS * period_s, _THIN * tracking.STEP_MS
    found, grids = {}, {}
    for key, (law, way) in laws(meter_ms).items():
        grid = rivals.follow(law, load, target, way)
        found[key] = tracking.fractions(grid, load, target, skip_s)
        grids[key] = grid[::_THIN]
    load, target = load[::_THIN], target[::_THIN]
    foreseen = delay_bound.foreseen_w(period_s, count, _SEED, WAYS[meter_ms].delay_ms, len(load), step_ms)
    grids["bound"] = [p - f + t for p, f, t in zip(load, foreseen, target)]
    found["bound"] = tracking.fractions(grids["bound"], load, target, skip_s, step_ms)
    shown = slice(-_SHOWN_S["periodic"] * 1000 // step_ms, None)
    return Result(found, step_ms, load[shown], target[shown], {key: grid[shown] for key, grid in grids.items()})
