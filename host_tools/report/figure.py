"""Put panels into a figure: caption, legend, time axis, and the values a pointer reads out."""

import json
from html import escape

from host_tools.report.plot import Bars, Steps, day_ticks, render_panel, time_ticks


class Figure:
    """Panels over one stretch of time. `note` may hold plain text only."""

    def __init__(self, title, note, first_ms, last_ms, panels, seconds=False, days=False):
        self.title = title
        self.note = note
        self.first_ms = first_ms
        self.last_ms = last_ms
        self.panels = panels
        self.seconds = seconds
        self.days = days

    def render(self):
        """Write the figure as HTML."""
        places = (day_ticks if self.days else time_ticks)(self.first_ms, self.last_ms)
        ticks = "".join(f'<span style="left:{100 * place:.2f}%"{"" if keep else " class=odd"}>{label}</span>'
                        for place, label, keep in places)
        return (f'<figure class="chart" tabindex="0"><figcaption><h3>{escape(self.title)}</h3>'
                f'<p>{escape(self.note)}</p></figcaption>{self._legend()}'
                f'{"".join(render_panel(panel) for panel in self.panels)}'
                f'<div class="x">{ticks}</div><div class="readout" aria-live="polite"></div>'
                f'<script type="application/json">{self._values()}</script></figure>')

    def _legend(self):
        seen = {}
        for panel in self.panels:
            for mark in panel.marks:
                kind = "box" if isinstance(mark, (Bars, Steps)) else "stroke"
                seen.setdefault(mark.name, f'<li><i class="key {kind} {mark.style}"></i>{escape(mark.name)}</li>')
        return f'<ul class="legend">{"".join(seen.values())}</ul>'

    def _values(self):
        """Write what the pointer reads: rows of name, unit, lowest, highest; places if they are not equal."""
        rows, edges = [], None
        for panel in self.panels:
            for mark in panel.marks:
                if isinstance(mark, Steps):
                    rows.append([mark.name, panel.unit, _short(mark.values), None])
                    continue
                edges = mark.edges or edges
                if isinstance(mark, Bars):
                    rows.append([mark.name, panel.unit, _short(map(abs, mark.values)), None])
                elif mark.lows is None:
                    rows.append([mark.name, panel.unit, _short(mark.means), None])
                else:
                    rows.append([mark.name, panel.unit, _short(mark.lows), _short(mark.highs)])
        values = {"from": self.first_ms, "to": self.last_ms, "seconds": self.seconds, "days": self.days, "rows": rows}
        if edges:
            values["edges"] = [[round(left, 5), round(right, 5)] for left, right in edges]
        return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")


def _short(values):
    return [None if value is None else float(f"{value:.4g}") for value in values]
