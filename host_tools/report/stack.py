"""The stack of sources over the load line: by quarter hour in strips of a week, by day where it is longer."""

from html import escape

from host_tools.evidence import utc
from host_tools.evidence.reading import QUARTER_MS
from host_tools.report.figure import Figure
from host_tools.report.plot import MONTHS, Line, Panel, nice_ticks, render_panel, scaled, stack
from host_tools.report.say import energy
from host_tools.report.series import DAY_MS, WEEK_MS, monday

_PARTS = (("Wind", "wind", 0), ("PV", "pv", 1), ("Genset", "genset", 2), ("Battery out", "bess", 4),
          ("Grid import", "grid", 3))
_WORDS = ("wind", "PV", "genset power", "battery power", "grid power")
_BELOW = (("Battery in", "bess pale", 1), ("Export", "grid pale", 2))
_STRIPS_DAYS = 45
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NOTE = ("What came in stands above zero, what went into the battery or out to the grid below it; the line is the "
         "load. From the signed records.")


def figure(series, known_utc):
    """Write the figure for what the series reaches over."""
    if series.days > _STRIPS_DAYS:
        return _by_day(series)
    if series.days > 2:
        first_ms = monday(series.first_ms)
        weeks = -(-(series.last_ms - first_ms) // WEEK_MS)
        spans = [(first_ms + i * WEEK_MS, WEEK_MS) for i in range(weeks)]
        if weeks <= 2:  # less than two weeks need not begin on a Monday
            first_ms = series.first_ms - series.first_ms % DAY_MS
            spans = [(at, WEEK_MS) for at in range(first_ms, series.last_ms, WEEK_MS)]
    else:
        first_ms = series.first_ms - series.first_ms % QUARTER_MS
        spans = [(first_ms, -(-(series.last_ms - first_ms) // QUARTER_MS) * QUARTER_MS)]
    rows = [(at, length // QUARTER_MS, series.bins(at, QUARTER_MS, length // QUARTER_MS)) for at, length in spans]
    return _strips(rows, known_utc)


def _strips(rows, known_utc):
    """Write strips under each other, all to one scale."""
    every = [here for _, _, bins in rows for here in bins if here is not None]
    high = max(max(sum(here.sources_wh), here.uses_wh[0]) for here in every)
    low = -max(here.uses_wh[1] + here.uses_wh[2] for here in every)
    divisor, prefix = scaled(high)
    panels = [_marks(bins, divisor) for _, _, bins in rows]
    some = (nice_ticks(low / divisor, high / divisor, count) for count in range(3, 12))
    ticks = next((ticks for ticks in some if len(ticks) > 2), None)
    height = 132 if len(rows) > 1 else 260
    strips = []
    for (at, count, _), marks in zip(rows, panels):
        panel = Panel(prefix + "Wh", marks, height, low=1.03 * low / divisor, high=1.03 * high / divisor,
                      label=f"Energy by source from {utc.show(at)}", ticks=ticks)
        strips.append(f'<div class="strip" tabindex="0" role="group" aria-label="Quarter hours from {utc.show(at)}" '
                      f'data-from="{at}" data-step="{QUARTER_MS}" data-bins="{count}">{render_panel(panel)}'
                      f'<div class="x">{_days(at, count)}</div></div>')
    hint = ('<span class="screen"> Point at a quarter hour, or use the arrow keys, to read it; click it, or press '
            'Enter, to ask about it.</span>' if known_utc else "")
    return ('<figure class="strips"><figcaption><h3>Energy by source, per quarter hour</h3>'
            f'<p>{escape(_NOTE)}{hint}</p>'
            f'</figcaption>{_legend(panels)}<div class="readout" aria-live="polite"></div>{"".join(strips)}</figure>')


def _marks(bins, divisor):
    def values(name, index):
        return [None if here is None else getattr(here, name)[index] for here in bins]

    marks = stack([(name, style, values("sources_wh", index)) for name, style, index in _PARTS], divisor)
    marks += stack([(name, style, values("uses_wh", index)) for name, style, index in _BELOW], divisor, -1)
    load = [None if here is None else here.uses_wh[0] / divisor for here in bins]
    count = len(bins)
    return [*marks, Line("Load", "load", load, edges=[(i / count, (i + 1) / count) for i in range(count)])]


def _legend(panels):
    names = {mark.name: mark for marks in panels for mark in marks}
    order = [name for name, *_ in _PARTS + _BELOW] + ["Load"]
    items = [f'<li><i class="key {"stroke" if name == "Load" else "box"} {names[name].style}"></i>{name}</li>'
             for name in order if name in names]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _days(first_ms, count):
    """Write the labels below a strip: days, or hours where it is not longer than two days."""
    if count > 192:
        days = count * QUARTER_MS // DAY_MS
        return "".join(f'<span class="day{" odd" if i % 2 else ""}" style="left:{100 * (i + .5) / days:.2f}%">'
                       f'{day_name(first_ms + i * DAY_MS)}</span>' for i in range(days))
    hours = [i for i in range(count + 1) if (first_ms + i * QUARTER_MS) % (DAY_MS // 8) == 0]
    return "".join(f'<span{" class=odd" if k % 2 else ""} style="left:{100 * i / count:.2f}%">'
                   f'{utc.show(first_ms + i * QUARTER_MS)[11:16]}</span>' for k, i in enumerate(hours))


def day_name(time_ms):
    """Write a day such as Mon 4 Mar."""
    text = utc.show(time_ms)
    return f"{_WEEKDAYS[(time_ms // DAY_MS + 3) % 7]} {int(text[8:10])} {MONTHS[int(text[5:7]) - 1]}"


def _by_day(series):
    first_ms, bins = series.cover(DAY_MS)
    divisor, prefix = scaled(max(sum(here.sources_wh) for here in bins if here is not None))
    panel = Panel(prefix + "Wh", _marks(bins, divisor), 320, label="Energy by source, by day")
    return Figure("Energy by source, per day", _NOTE + " Days of UTC; the quarter hours are in the look-up.", first_ms,
                  first_ms + len(bins) * DAY_MS, [panel], days=True).render()


def summary(totals):
    """Say the sums in one sentence, for those who do not see the charts."""
    parts = ", ".join(f"{energy(totals.sources_wh[index])} of {word}" for word, (_, _, index) in zip(_WORDS, _PARTS)
                      if totals.sources_wh[index])
    return f"In the range came {parts or 'nothing'}; the load took {energy(totals.uses_wh[0])}."
