"""The look-up "what was it at 15:00?": a form, the answer in words, and the packed records behind it."""

import json
import re
from html import escape

from host_tools.evidence import utc
from host_tools.evidence.fields import FACTOR_KINDS, FLAGS, QUALITIES, REASONS
from host_tools.evidence.origin import ORIGINS
from host_tools.evidence.reading import QUARTER_MS
from host_tools.report.answer import COLUMNS, NAMES, row_of, sentences
from host_tools.report.columns import LARGEST, pack

_FLOWS = {"load": "Load", "wind": "Wind", "pv": "PV", "genset": "Genset", "import": "Grid import",
          "discharge": "Battery out", "charge": "Battery in", "export": "Export"}
_HEADS = (("From (UTC)", ""), *((name, "kWh") for name in _FLOWS.values()), ("Direct", "g/kWh"),
          ("Life cycle", "g/kWh"), ("Record", ""))
_BUTTONS = ((-86_400_000, "A day earlier", "− 1 day"), (-900_000, "A quarter hour earlier", "− 15 min"),
            (900_000, "A quarter hour later", "+ 15 min"), (86_400_000, "A day later", "+ 1 day"))
_NUMBER_UNIT = re.compile(r"(\d) (%|kWh|kg|mg|g/kWh)")
_AFTERNOON_MS = 15 * 3_600_000


def section(reading, index):
    """Write the section; nothing where no record knows its time, or where figures are beyond a browser's numbers."""
    rows = sorted((row_of(entry) for entry in reading.intervals if entry.record[9] is not None),
                  key=lambda row: row[1])
    if not rows or max(map(max, rows)) > LARGEST:
        return ""
    chosen = _choose(rows)
    said = [_unbroken(text) for text in sentences(dict(zip(COLUMNS, chosen)))]
    first_ms = rows[0][1] - rows[0][1] % QUARTER_MS
    last_ms = rows[-1][1] + rows[-1][2]
    at = chosen[1] - chosen[1] % QUARTER_MS
    heads = "".join(f"<th scope=col>{name}<small>{unit}</small></th>" for name, unit in _HEADS)
    limits = f'aria-describedby="span{index}"'
    buttons = "".join(f'<button type="button" data-step="{step}" aria-label="{label}">{shown}</button>'
                      for step, label, shown in _BUTTONS)
    return (
        f'<section class="lookup" aria-labelledby="ask{index}"><h3 id="ask{index}">What was it at 15:00?</h3>'
        '<form class="asking" onsubmit="return false"><label>Date and time, UTC '
        f'<input type="text" inputmode="numeric" autocomplete="off" size="18" value="{_local(at)}" {limits}></label>'
        f'{buttons}<p class="hint" role="alert"></p></form>'
        f'<div class="answer" aria-live="polite"><p class="short">{escape(said[0])}</p>'
        f'<div class="mix" aria-hidden="true">{_bar(chosen)}</div>'
        f'<div class="long">{"".join(f"<p>{escape(text)}</p>" for text in said[1:])}</div></div>'
        f'<p class="small" id="span{index}">Any quarter hour from {_local(first_ms)} to {_local(last_ms)} UTC.</p>'
        '<p class="missing noscript" hidden>Asking needs a browser of 2023 or newer.</p>'
        '<noscript><p class="missing">Asking about other times needs scripts; nothing is fetched.</p></noscript>'
        '<details class="day"><summary>All quarter hours of this day</summary><div class="wide"><table class="records">'
        f'<thead><tr>{heads}</tr></thead><tbody></tbody></table></div></details>'
        f'<script type="application/json">{_words(reading, rows, first_ms, last_ms)}</script>'
        '</section>')


def _unbroken(text):
    """Keep a number and its unit on one line."""
    return _NUMBER_UNIT.sub("\\1\u00a0\\2", text)


def _choose(rows):
    """Take 15:00 of the first day that has it, else the first quarter hour."""
    return next((row for row in rows if row[1] % 86_400_000 == _AFTERNOON_MS), rows[0])


def _local(time_ms):
    return utc.show(time_ms)[:16].replace("T", " ")


def _bar(chosen):
    row = dict(zip(COLUMNS, chosen))
    parts = []
    for origin in ORIGINS:
        straight, stored = row.get(f"straight_{origin}", 0), row[f"stored_{origin}"]
        if straight or stored:
            through = " through" if stored > straight else ""
            parts.append(f'<i class="{origin}{through}" style="flex-grow:{straight + stored}"></i>')
    return "".join(parts)


def _words(reading, rows, first_ms, last_ms):
    gaps = [[entry.record[9], entry.record[10], REASONS[entry.record[38]]] for entry in reading.entries
            if 38 in entry.record]
    words = {
        "columns": COLUMNS, "count": len(rows), "packed": pack(list(zip(*rows))), "first": first_ms, "last": last_ms,
        "names": NAMES, "origins": ORIGINS, "kinds": FACTOR_KINDS, "qualities": QUALITIES, "flags": FLAGS,
        "flows": _FLOWS, "gaps": gaps}
    return json.dumps(words, separators=(",", ":")).replace("<", "\\u003c")
