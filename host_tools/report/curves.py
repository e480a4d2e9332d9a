"""Curves from the records: carbon factor over time, stored energy with its origin, state of charge."""

from host_tools.evidence.reading import QUARTER_MS
from host_tools.report.figure import Figure
from host_tools.report.plot import Line, Panel, scaled, stack
from host_tools.report.series import DAY_MS, HOUR_MS

_STEP_WORDS = {QUARTER_MS: "quarter hour", HOUR_MS: "hour", 3 * HOUR_MS: "three hours", DAY_MS: "day"}
_ORIGINS = (("Wind", "wind", 0), ("PV", "pv", 1), ("Genset", "genset", 2), ("Grid", "grid", 3),
            ("Stored before the first record", "before", 4))


def factor(series):
    """Draw g/kWh of the load in both tracks, and the grid's factor."""
    step_ms = series.step()
    first_ms, bins = series.cover(step_ms)
    lines = []
    for track, name, style in ((0, "Load, direct", "direct"), (1, "Load, life cycle", "lifecycle")):
        values = _each(bins, lambda here, track=track: here.intensity(track))
        ends = [(None, None) if here is None else here.extremes(track) for here in bins]
        lows, highs = ([pair[i] for pair in ends] for i in (0, 1))
        banded = step_ms > QUARTER_MS
        lines.append(Line(name, style, values, lows if banded else None, highs if banded else None))
    grid = _each(bins, lambda here: here.last.record[32][3] / 1000)
    lines.append(Line("Grid factor, direct", "target", grid))
    note = (f"Per {_STEP_WORDS.get(step_ms, 'week')}: carbon of the load over energy of the load, both summed; never a "
            "mean of factors." + (" Bands reach from the lowest to the highest quarter hour." if banded else ""))
    return _figure("Carbon factor of the load", note, first_ms, step_ms, bins, [Panel("g/kWh", lines, 240)])


def storage(series):
    """Draw the stored energy by origin, what carbon it carries, and the state of charge."""
    step_ms = series.step()
    first_ms, bins = series.cover(step_ms)
    largest = max(here.last.record[28][0] for here in bins if here is not None)
    if not largest:
        return None
    divisor, prefix = scaled(largest)
    parts = [(name, style, _each(bins, lambda here, k=k: here.last.flow.stored[0][k])) for name, style, k in _ORIGINS]
    panels = [Panel(prefix + "Wh", stack(parts, divisor), 190, label="Stored energy by origin")]
    carried = [Line(f"Stored, {name}", style, _each(bins, lambda here, k=k: _carried(here, k)))
               for name, style, k in (("direct", "direct", 1), ("life cycle", "lifecycle", 2))]
    panels.append(Panel("g/kWh", carried, 120, label="Carbon of stored energy"))
    soc = _each(bins, lambda here: None if here.last.record[31] is None else here.last.record[31] / 10)
    if any(value is not None for value in soc):
        panels.append(Panel("%", [Line("State of charge", "soc", soc)], 80, 0, 100, ticks=[0, 50, 100]))
    note = ("What can still be taken out of the battery, at the end of each " + _STEP_WORDS.get(step_ms, "week") +
            ", by where it was charged from. Energy and carbon stored are signed; the origin is reckoned from the "
            "signed flows, as a mixture. What the battery loses makes the rest of it heavier in carbon.")
    return _figure("Stored energy and its origin", note, first_ms, step_ms, bins, panels)


def _carried(here, track):
    pool = here.last.record[28]
    return pool[track] / pool[0] / 1000 if pool[0] else None


def _each(bins, value):
    return [None if here is None else value(here) for here in bins]


def _figure(title, note, first_ms, step_ms, bins, panels):
    return Figure(title, note, first_ms, first_ms + len(bins) * step_ms, panels,
                  days=len(bins) * step_ms > 3 * DAY_MS)
