"""The few numbers that say what the battery did: with it, and without it."""

from dataclasses import dataclass

from host_tools.evidence.fields import GAP, INTERVAL
from host_tools.report.plot import number, scaled


@dataclass
class Comparison:
    """One figure with and without the battery, in words and units."""

    name: str
    alone: str
    controlled: str
    change: str
    better: bool = None


def comparisons(run):
    """Return what summary.json allows to compare."""
    rows = []
    control = run.summary.get("control") or {}
    alone, controlled = control.get("without_battery_minus_target"), control.get("grid_minus_target")
    if alone and controlled:
        for key, name in (("rms_w", "Grid off its target, RMS"), ("p99_w", "Grid off its target, 99th percentile"),
                          ("max_w", "Grid off its target, largest")):
            rows.append(_powers(name, alone[key], controlled[key], "W"))
    rows += _ramps(control.get("ramps") or {})
    use = (run.summary.get("energy") or {}).get("direct_renewable_use")
    if use:
        rows.append(_energies(use))
    return rows


def largest_ramp(run):
    """Return (window in s, without battery in W, with in W) over 2 s, or the longest window there is."""
    ramps = (run.summary.get("control") or {}).get("ramps") or {}
    if not ramps:
        return None
    window = "2_s" if "2_s" in ramps else max(ramps, key=lambda name: float(name[:-2]))
    row = ramps[window]
    return float(window[:-2]), row["without_battery"]["change_w"], row["grid"]["change_w"]


def _ramps(ramps):
    rows = []
    for window, row in sorted(ramps.items(), key=lambda item: float(item[0][:-2])):
        rows.append(_powers(f"Largest change at the grid within {float(window[:-2]):g} s",
                            row["without_battery"]["change_w"], row["grid"]["change_w"], "W"))
    return rows


def _powers(name, alone, controlled, unit):
    divisor, prefix = scaled(max(abs(alone), abs(controlled)))
    change = "–" if not alone else f"{number(100 * (controlled / alone - 1), 2)} %"
    if alone and controlled > alone:
        change = "+" + change
    return Comparison(name, f"{number(alone / divisor)} {prefix}{unit}",
                      f"{number(controlled / divisor)} {prefix}{unit}", change,
                      None if controlled == alone else controlled < alone)


def _energies(use):
    divisor, prefix = scaled(max(use["with_storage_wh"], use["without_storage_wh"]))
    gain = use["gain_percent"]
    return Comparison("Own wind and sun used on site",
                      f"{number(use['without_storage_wh'] / divisor)} {prefix}Wh",
                      f"{number(use['with_storage_wh'] / divisor)} {prefix}Wh",
                      f"{'+' if gain > 0 else ''}{number(gain, 2)} %", gain > 0 if gain else None)


def interval_count(run):
    """Return (interval records, gap records)."""
    kinds = [record[2] for record in run.records]
    return kinds.count(INTERVAL), kinds.count(GAP)


def coverage_percent(run):
    """Return the share of control periods in which every measurement was fresh, or None."""
    expected = sum(record[15] for record in run.intervals)
    return 100 * sum(record[16] for record in run.intervals) / expected if expected else None


def worst_lateness(run):
    """Return (late, missed, worst lateness in us, runs) of the control tick over all records."""
    ticks = [record[37] for record in run.intervals]
    return (sum(row[1] for row in ticks), sum(row[3] for row in ticks),
            max((row[2] for row in ticks), default=0), sum(row[0] for row in ticks))
