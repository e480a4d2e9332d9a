"""The charts of a run: power and battery over time, the hardest minute, energy and carbon per quarter hour."""

from math import nan

from host_tools.evidence.fields import SOURCES
from host_tools.report.figure import Figure
from host_tools.report.plot import Bars, Line, Panel, number, scaled
from host_tools.report.trace import hardest_minute, thin

_BINS = 900
_NOT_STEERING = ("", "start")
_POWERS = (("wind_available_w", "Wind available", "wind faint"), ("wind_w", "Wind", "wind"),
           ("pv_w", "PV", "pv"), ("genset_w", "Genset", "genset"), ("load_w", "Load", "load"),
           ("target_w", "Grid target", "target"), ("grid_w", "Grid", "grid"))
_STORAGE = (("setpoint_w", "Set point", "setpoint"), ("bess_w", "Battery", "bess"))
_SOURCE_NAMES = {"wind": "Wind", "pv": "PV", "genset": "Genset", "grid_import": "Grid import",
                 "bess_discharge": "Battery discharge"}
_SOURCE_STYLES = dict(zip(SOURCES, ("wind", "pv", "genset", "grid", "bess")))
_KG_UG = 1e9


def charts(run):
    """Return the figures that a run has the data for."""
    found = []
    if run.trace is not None:
        found.append(_whole(run))
        found += _hardest(run)
    if _placed(run):
        found += [_energy(run), _carbon(run)]
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
                  seconds=last_s - first_s < 7200)


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


def _placed(run):
    """Return [(start_ms, end_ms, record)]; an unknown start is reckoned by uptime within the same boot."""
    offsets = {record[4]: record[9] - record[11] for record in run.records if record[9] is not None}
    placed = []
    for record in run.intervals:
        start_ms = record[9] if record[9] is not None else record[11] + offsets.get(record[4], 0)
        placed.append((start_ms, start_ms + record[10], record))
    return placed


def _span(run, placed):
    first_ms, last_ms = placed[0][0], max(end for _, end, _ in placed)
    begins = run.start_ms is not None and run.end_ms is not None and first_ms >= run.start_ms - 1
    if begins and last_ms <= run.end_ms + 1:
        first_ms, last_ms = run.start_ms, run.end_ms
    return first_ms, last_ms, [((start - first_ms) / (last_ms - first_ms), (end - first_ms) / (last_ms - first_ms))
                               for start, end, _ in placed]


def _energy(run):
    placed = _placed(run)
    first_ms, last_ms, edges = _span(run, placed)
    records = [record for _, _, record in placed]
    divisor, prefix = scaled(max(sum(record[23]) for record in records))
    marks, base = [], [0.0] * len(records)
    for index, name in enumerate(SOURCES):
        values = [record[23][index] / divisor for record in records]
        if any(values):
            marks.append(Bars(_SOURCE_NAMES[name], _SOURCE_STYLES[name], values, base, edges))
            base = [below + value for below, value in zip(base, values)]
    below = [0.0] * len(records)
    for index, name, style in ((1, "Battery charge", "bess pale"), (2, "Grid export", "grid pale")):
        values = [-record[24][index] / divisor for record in records]
        if any(values):
            marks.append(Bars(name, style, values, below, edges))
            below = [above + value for above, value in zip(below, values)]
    marks.append(Line("Load", "load", [record[24][0] / divisor for record in records], edges=edges))
    note = ("From the signed records: what came in stands above zero, what went into the battery or out to the "
            "grid below it; the line is the load.")
    return Figure("Energy by source, per quarter hour", note, first_ms, last_ms,
                  [Panel(prefix + "Wh", marks, 260)])


def _carbon(run):
    placed = _placed(run)
    first_ms, last_ms, edges = _span(run, placed)
    records = [record for _, _, record in placed]
    loads = [Line(name, style, [_intensity(record, key) for record in records], edges=edges)
             for name, style, key in (("Load, direct", "direct", 35), ("Load, life cycle", "lifecycle", 36))]
    stored = Bars("Carbon in the battery, direct", "bess", [record[28][1] / _KG_UG for record in records],
                  [0.0] * len(records), edges)
    panels = [Panel("g/kWh", loads, 200), Panel("kg", [stored], 110)]
    soc = [None if record[31] is None else record[31] / 10 for record in records]
    if any(value is not None for value in soc):
        panels.append(Panel("%", [Line("State of charge", "soc", soc, edges=edges)], 90, 0, 100,
                            ticks=[0, 50, 100]))
    note = ("From the signed records. Energy that comes out of the battery carries the carbon that it was "
            "charged with; what the battery loses makes the rest of it heavier.")
    return Figure("Carbon of the load and of the battery, per quarter hour", note, first_ms, last_ms, panels)


def _intensity(record, key):
    load_wh = record[24][0]
    return record[key][0] / load_wh / 1000 if load_wh else None
