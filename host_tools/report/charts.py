"""The charts of a trace: power and battery over time, and the hardest minute."""

from math import nan

from host_tools.report.figure import Figure
from host_tools.report.plot import Line, Panel, number, scaled
from host_tools.report.trace import hardest_minute, thin

_BINS = 900
_DAYS_S = 3 * 86_400  # longer, and the axis names days
_NOT_STEERING = ("", "start")
_POWERS = (("wind_available_w", "Wind available", "wind faint"), ("wind_w", "Wind", "wind"),
           ("pv_w", "PV", "pv"), ("genset_w", "Genset", "genset"), ("load_w", "Load", "load"),
           ("target_w", "Grid target", "target"), ("grid_w", "Grid", "grid"))
_STORAGE = (("setpoint_w", "Set point", "setpoint"), ("bess_w", "Battery", "bess"))


def charts(run):
    """Return the figures that a run has the data for."""
    found = []
    if run.trace is not None:
        found.append(_whole(run))
        found += _hardest(run)
    return found


def _whole(run):
    first_s, last_s = run.trace.times_s[0], run.trace.times_s[-1]
    bins = min(_BINS, len(run.trace))
    note = ("Bands reach from the lowest to the highest value behind each point, lines are their mean, "
            "so no spike is lost. Battery: discharge is positive, charge negative. True values of the plant, "
            "not of its meters.")
    return _power_figure(run, run.trace, "Power over the whole run", note, first_s, last_s, bins, True)


def _hardest(run):
    minute = hardest_minute(run.trace)
    if minute is None:
        return []
    first_s, last_s, change_w = minute
    part = run.trace.cut(first_s, last_s)
    bins = min(_BINS, len(part))
    divisor, prefix = scaled(change_w)
    step_s = (part.times_s[-1] - part.times_s[0]) / max(len(part) - 1, 1)
    note = (f"The stretch round the largest change of the load: {number(change_w / divisor)} {prefix}W within "
            f"{max(2.0, step_s):g} s. One point every {step_s:.3g} s.")
    return [_power_figure(run, part, "The hardest minute", note, first_s, last_s, bins, False)]


def _power_figure(run, trace, title, note, first_s, last_s, bins, with_soc):
    begin_ms = run.start_ms or 0
    powers = [row for row in _POWERS if trace.used(row[0]) and _tells(trace, row[0])]
    storage = [row for row in _STORAGE if trace.used(row[0])]
    largest_w = max((abs(value) for name, _, _ in powers + storage for value in trace.columns[name]
                     if value == value), default=1.0)
    divisor, prefix = scaled(largest_w)

    def line(row):
        values = thin(trace.times_s, _column(trace, row[0]), first_s, last_s, bins)
        lows, highs, means = ([None if v is None else v / divisor for v in part] for part in values)
        return Line(row[1], row[2], means, None if lows == highs else lows, None if lows == highs else highs)

    upper = [line(row) for row in powers]
    panels = [Panel(prefix + "W", upper, 260, zero=_near_zero(upper), label="Site")]
    if storage:
        panels.append(Panel(prefix + "W", [line(row) for row in storage], 150, label="Battery"))
    if with_soc and trace.used("soc_permille"):
        lows, highs, means = thin(trace.times_s, trace.columns["soc_permille"], first_s, last_s, bins)
        percent = [None if value is None else value / 10 for value in means]
        panels.append(Panel("%", [Line("State of charge", "soc", percent)], 90, 0, 100, ticks=[0, 50, 100]))
    return Figure(title, note, begin_ms + 1000 * first_s, begin_ms + 1000 * last_s, panels,
                  seconds=last_s - first_s < 7200, days=last_s - first_s > _DAYS_S)


def _column(trace, name):
    """Return a column; the target only while the firmware steers by it."""
    values = trace.columns[name]
    if name != "target_w" or "mode" not in trace.columns:
        return values
    return [value if mode not in _NOT_STEERING else nan for value, mode in zip(values, trace.columns["mode"])]


def _tells(trace, name):
    """Leave available wind out where nothing is curtailed, and a target out where it never moves from zero."""
    if name != "wind_available_w":
        return True
    pairs = zip(trace.columns[name], trace.columns["wind_w"])
    return any(available - used > 0.005 * max(available, 1.0) for available, used in pairs)


def _near_zero(lines):
    values = [value for line in lines for part in (line.means, line.lows, line.highs) if part for value in part
              if value is not None]
    return not values or min(values) < 0.4 * max(values)
