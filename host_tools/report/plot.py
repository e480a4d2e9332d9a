"""Draw panels: SVG that stretches with the page, and labels in HTML beside it that do not.

A panel's SVG is 1000 wide and 100 high and is stretched to its place; lines keep their width. So one file
serves a phone, a screen and paper without a script.
"""

from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

from host_tools.evidence import utc

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_MS = 86_400_000
_WIDTH = 1000
_HEIGHT = 100
_STEPS = (1, 2, 2.5, 5, 10)
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)


@dataclass
class Line:
    """One value over equal stretches of the panel's time: mean, with lowest and highest as a band."""

    name: str
    style: str
    means: list
    lows: list = None
    highs: list = None
    edges: list = None  # per value (from, to) in 0..1 of the width; None: equal stretches


@dataclass
class Bars:
    """One part of a stack: value and base per stretch; edges as in Line."""

    name: str
    style: str
    values: list
    bases: list
    edges: list


@dataclass
class Steps:
    """One part of a stack without gaps, over equal stretches: its value, and its top, that is with what is below it.

    Drawn from zero to its top, so the uppermost part comes first.
    """

    name: str
    style: str
    values: list
    tops: list


@dataclass
class Panel:
    """One plot with its own y axis."""

    unit: str
    marks: list
    height_px: int = 200
    low: float = None
    high: float = None
    zero: bool = True
    label: str = ""
    ticks: list = field(default_factory=list)


def scaled(watts_max):
    """Return (divisor, prefix) in which a power or an energy up to watts_max reads well."""
    for divisor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if watts_max >= divisor:
            return divisor, prefix
    return 1.0, ""


def nice_ticks(low, high, count=5):
    """Return round numbers within low..high, about `count` of them."""
    span = (high - low) or abs(high) or 1.0
    raw = span / max(count - 1, 1)
    base = 10.0 ** floor(log10(raw))
    step = next(base * step for step in _STEPS if base * step >= raw * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def time_ticks(first_ms, last_ms, count=7):
    """Return [(place 0..1, label, keep on a phone)] at round times of the clock."""
    span_s = (last_ms - first_ms) / 1000
    step_s = next((step for step in _TIME_STEPS_S if span_s / step <= count), _TIME_STEPS_S[-1])
    step_ms = 1000 * step_s
    while (last_ms - first_ms) / step_ms > count:
        step_ms *= 2
    begin = ceil(first_ms / step_ms)
    ticks = range(begin, floor(last_ms / step_ms) + 1)
    return [((tick * step_ms - first_ms) / (last_ms - first_ms), clock(tick * step_ms, step_s < 60), tick % 2 == 0)
            for tick in ticks]


def day_ticks(first_ms, last_ms, count=9):
    """Return [(place 0..1, label such as 4 Mar, keep on a phone)] at full days of UTC, every so many days."""
    days = (last_ms - first_ms) / _DAY_MS
    step = next((step for step in (1, 2, 3, 7, 14, 28, 61) if days / step <= count), 122)
    first = ceil(first_ms / _DAY_MS)
    ticks = range(first, floor(last_ms / _DAY_MS) + 1, step)
    return [((tick * _DAY_MS - first_ms) / (last_ms - first_ms), _day_label(tick * _DAY_MS), i % 2 == 0)
            for i, tick in enumerate(ticks)]


def _day_label(time_ms):
    text = utc.show(time_ms)
    return f"{int(text[8:10])} {MONTHS[int(text[5:7]) - 1]}"


def clock(time_ms, seconds=False):
    """Write the time of day of UTC milliseconds."""
    total_s = time_ms // 1000
    text = f"{total_s // 3600 % 24:02.0f}:{total_s // 60 % 60:02.0f}"
    return text + (f":{total_s % 60:02.0f}" if seconds else "")


def number(value, digits=3):
    """Write a value with `digits` significant digits, never with an exponent, thousands apart."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:,.{places}f}".replace(",", "\u202f").replace("-", "−")
    return text


def render_panel(panel):
    """Write one panel as HTML."""
    values = _extremes(panel)
    low = min(values, default=0.0) if panel.low is None else panel.low
    high = max(values, default=1.0) if panel.high is None else panel.high
    if panel.zero:
        low, high = min(low, 0.0), max(high, 0.0)
    low, high = _padded(low, high, panel)
    ticks = panel.ticks or nice_ticks(low, high, 5 if panel.height_px >= 150 else 3)
    y = _vertical(low, high)
    shapes = [f'<line class="{"zero" if tick == 0 and low < 0 else "rule"}" x1="0" x2="{_WIDTH}" '
              f'y1="{y(tick):.2f}" y2="{y(tick):.2f}"/>' for tick in ticks]
    shapes += [shape for mark in panel.marks for shape in _draw(mark, y)]
    labels = "".join(f'<span style="bottom:{100 * (tick - low) / (high - low):.2f}%">{_tick(tick, ticks)}</span>'
                     for tick in ticks)
    names = ", ".join(dict.fromkeys(mark.name for mark in panel.marks))
    title = escape(f"{panel.label or names}, in {panel.unit}")
    return (f'<div class="panel" style="height:{panel.height_px}px"><div class="y"><b>{escape(panel.unit)}</b>'
            f'{labels}</div><div class="plot"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" '
            f'role="img" aria-label="{title}">{"".join(shapes)}</svg><i class="cursor"></i></div></div>')


def _padded(low, high, panel):
    """Leave a little room above and below, but none behind zero or a fixed end."""
    span = (high - low) or abs(high) or 1.0
    if panel.low is None and low != 0:
        low -= 0.04 * span
    if panel.high is None and high != 0 or high == low:
        high += 0.04 * span
    return low, high


def _extremes(panel):
    found = []
    for mark in panel.marks:
        if isinstance(mark, Bars):
            found += [base + value for base, value in zip(mark.bases, mark.values)] + mark.bases
        elif isinstance(mark, Steps):
            found += [top for top in mark.tops if top is not None]
        else:
            for values in (mark.means, mark.lows, mark.highs):
                found += [value for value in values or () if value is not None]
    return found


def _vertical(low, high):
    return lambda value: _HEIGHT * (high - value) / (high - low)


def _tick(value, ticks):
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(value)
    places = 0
    while places < 9 and abs(step * 10**places - round(step * 10**places)) > 1e-6 * step * 10**places:
        places += 1
    return f"{value:,.{places}f}".replace(",", "\u202f").replace("-", "−")


def _draw(mark, y):
    if isinstance(mark, Bars):
        return [_bars(mark, y)]
    if isinstance(mark, Steps):
        return [_steps(mark, y)]
    edges = mark.edges or _equal(len(mark.means))
    shapes = []
    if mark.lows is not None:
        shapes += [f'<path class="band {mark.style}" d="{path}"/>' for path in _bands(mark, edges, y)]
    path = _path(mark, edges, y)
    if mark.style == "load" and mark.edges:  # over a stack: a light edge keeps it apart from any colour
        shapes.append(f'<path class="casing" d="{path}"/>')
    shapes.append(f'<path class="line {mark.style}" d="{path}"/>')
    return shapes


def _equal(count):
    return [(i / count, (i + 1) / count) for i in range(count)]


def _path(mark, edges, y):
    """Join the means; over the given edges of records as steps."""
    words, pen = [], False
    for (left, right), value in zip(edges, mark.means):
        if value is None:
            pen = False
            continue
        points = [(left, value), (right, value)] if mark.edges else [((left + right) / 2, value)]
        for x, each in points:
            words.append(f"{'L' if pen else 'M'}{_WIDTH * x:.1f} {y(each):.2f}")
            pen = True
    return "".join(words)


def _bands(mark, edges, y):
    """Give one closed path for each stretch without a hole."""
    run = []
    for (left, right), low, high in zip(edges, mark.lows, mark.highs):
        if low is None:
            if len(run) > 1:
                yield _band(run, y)
            run = []
        else:
            run.append((_WIDTH * (left + right) / 2, low, high))
    if len(run) > 1:
        yield _band(run, y)


def _band(run, y):
    there = "L".join(f"{x:.1f} {y(high):.2f}" for x, _, high in run)
    back = "L".join(f"{x:.1f} {y(low):.2f}" for x, low, _ in reversed(run))
    return f"M{there}L{back}Z"


def _steps(mark, y):
    """Write one area for each stretch without a hole; equal neighbours are one step."""
    width, words, open_at, last = _WIDTH / len(mark.tops), [], None, None
    for i, top in enumerate([*mark.tops, None]):
        if top == last:
            continue
        x = f"{i * width:.2f}".rstrip("0").rstrip(".")
        if last is not None:
            words.append(f"H{x}")
        if top is None:
            words.append(f"V{y(0):.1f}H{open_at}Z")
        elif last is None:
            open_at = x
            words.append(f"M{x} {y(0):.1f}V{y(top):.1f}")
        else:
            words.append(f"V{y(top):.1f}")
        last = top
    return f'<path class="area {mark.style}" d="{"".join(words)}"/>'


def stack(parts, divisor=1, sign=1):
    """Make Steps of [(name, style, values)], the first at the bottom; a hole in one is a hole in all."""
    marks, below = [], None
    for name, style, values in parts:
        if not any(values):
            continue
        below = below or [None if value is None else 0.0 for value in values]
        below = [None if value is None else base + sign * value / divisor for value, base in zip(values, below)]
        marks.append(Steps(name, style, [None if value is None else value / divisor for value in values], below))
    return marks[::-1]


def _bars(mark, y):
    words = []
    for (left, right), base, value in zip(mark.edges, mark.bases, mark.values):
        if value:
            gap = (right - left) * 0.08
            x0, x1 = _WIDTH * (left + gap), _WIDTH * (right - gap)
            words.append(f"M{x0:.1f} {y(base):.2f}V{y(base + value):.2f}H{x1:.1f}V{y(base):.2f}Z")
    return f'<path class="bar {mark.style}" d="{"".join(words)}"/>'
