"""The table of laws as text, and as one page with plots that fetches nothing from anywhere."""

from dataclasses import dataclass
from html import escape

from host_tools.report import plot
from host_tools.report.figure import Figure
from host_tools.toolchain import paths

_REPORT = paths.ROOT / "host_tools" / "report"
_STYLES = {"none": "load", "pid": "pv", "pi": "genset", "greedy": "wind", "greedy_1s": "wind", "ours": "bess",
           "bound": "soc"}


@dataclass
class Table:
    """One scenario: what each law leaves. `rows` are (name, values), a value a number or None."""

    title: str
    note: str
    columns: list  # (name, places)
    rows: list
    figure: Figure = None


def text(table):
    """Return the table as lines of text."""
    width = max(len(name) for name, _ in table.rows)
    heads = [name for name, _ in table.columns]
    cells = [[_cell(value, places) for value, (_, places) in zip(values, table.columns)] for _, values in table.rows]
    spaces = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    lines = [table.title, " " * width + "".join(f"  {head:>{space}}" for head, space in zip(heads, spaces))]
    return lines + [f"{name:{width}}" + "".join(f"  {cell:>{space}}" for cell, space in zip(row, spaces))
                    for (name, _), row in zip(table.rows, cells)]


def _cell(value, places):
    return "-" if value is None else f"{value:,.{places}f}"


def curves(title, note, result, names):
    """Return the Figure of a fast scenario: the load with its target, and what the laws {key: name} leave."""
    top = [_line("load", "load", result.load), _line("target", "target", result.target)]
    below = [_line(name, _STYLES[key], [g - t for g, t in zip(result.grids[key], result.target)])
             for key, name in names.items()]
    panels = [plot.Panel("MW", top, zero=False, label="load and target"),
              plot.Panel("MW", below, label="grid less target")]
    return Figure(title, note, 0, len(result.load) * result.step_ms, panels, seconds=True)


def _line(name, style, watts):
    return plot.Line(name, style, [value / 1e6 for value in watts])


def stretch(title, note, found, names, cap_kw):
    """Return the Figure of a stretch of the edge site: import, and energy stored, by law {key: name}."""
    count = len(next(iter(found.values())).grid)
    grid = [plot.Line(name, _STYLES[key], found[key].grid) for key, name in names.items()]
    grid.append(plot.Line("import cap", "target", [cap_kw] * count))
    stored = [plot.Line(name, _STYLES[key], [each / 1000 for each in found[key].stored]) for key, name in names.items()]
    panels = [plot.Panel("kW", grid, label="import, means of 10 minutes"), plot.Panel("MWh", stored, label="stored")]
    return Figure(title, note, 0, 600_000 * count, panels)


def page(tables, intro):
    """Write all tables and their plots as one HTML document."""
    style, script = ((_REPORT / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    body = "".join(f'<section><h2>{escape(table.title)}</h2><p>{escape(table.note)}</p>{_html(table)}'
                   f'{table.figure.render() if table.figure else ""}</section>' for table in tables)
    return ('<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evenkeel: the table of laws</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
            f'content="light dark"><style>{style}</style></head><body><header class="top"><b>Evenkeel</b><span>the '
            f'table of laws</span></header><main><p>{escape(intro)}</p>{body}</main><footer>Made by <code>python3 -m '
            f'host_tools bench --only control_table</code>.</footer><script>{script}</script></body></html>\n')


def _html(table):
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in ["law", *(name for name, _ in table.columns)])
    body = "".join(f'<tr><th scope=row>{escape(name)}</th>' + "".join(
        f"<td>{_cell(value, places)}</td>" for value, (_, places) in zip(values, table.columns)) + "</tr>"
        for name, values in table.rows)
    return f'<div class=wide><table class=figures><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
