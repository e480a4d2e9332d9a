"""The tables of a run: comparison, inputs, records, events."""

from html import escape

from host_tools.evidence import utc
from host_tools.evidence.fields import FLAGS, INTERVAL, QUALITIES, REASONS, ROLES, SOURCES
from host_tools.report.figures_of_merit import comparisons
from host_tools.report.plot import clock

_RECORDS_MAX = 400
_EVENTS_MAX = 200
_SOURCE_HEADS = ("Wind", "PV", "Genset", "Import", "Battery out")


def comparison(run):
    """Write the table of with and without the battery."""
    rows = comparisons(run)
    if not rows:
        return "<p class=missing>There is no summary.json with control figures, so nothing can be compared.</p>"
    body = "".join(
        f"<tr><th scope=row>{escape(row.name)}</th><td>{row.alone}</td><td>{row.controlled}</td>"
        f"<td class={_tone(row.better)}>{row.change}</td></tr>" for row in rows)
    note = (run.summary.get("energy") or {}).get("direct_renewable_use") or {}
    how = f"<p class=small>Own use: {escape(note['how'])}.</p>" if note.get("how") else ""
    return _table(("", "Without battery", "With battery", "Change"), body, "figures") + how


def _tone(better):
    return "same" if better is None else "better" if better else "worse"


def inputs(run):
    """Write where the inputs come from and what was done to them."""
    parts = []
    for entry in run.summary.get("inputs", ()):
        story = entry.get("story") or {}
        scale = f", times {entry['scale']:g}" if entry.get("scale", 1) != 1 else ""
        done = "".join(f"<li>{escape(sentence)}</li>" for sentence in story.get("done", ()))
        made_up = "<b class=made-up>synthetic</b> " if entry.get("synthetic") else ""
        file = str(entry.get("file", "")).rsplit("/", 1)[-1]
        parts.append(f"<dt>{escape(str(entry.get('role', '')).capitalize())}</dt><dd>{made_up}"
                     f"{escape(story.get('origin', 'origin not stated'))}{scale}<br>"
                     f"<span class=small>{escape(file)}, SHA-256 {escape(str(entry.get('sha256', ''))[:16])}…</span>"
                     f"{f'<ul>{done}</ul>' if done else ''}</dd>")
    return f"<dl class=inputs>{''.join(parts)}</dl>" if parts else "<p class=missing>No inputs are stated.</p>"


def records(run):
    """Write one row a record; of a long journal the first and the last."""
    used = [index for index in range(len(SOURCES)) if any(record[23][index] for record in run.intervals)]
    shown, left_out = run.records, 0
    if len(shown) > _RECORDS_MAX:
        left_out = len(shown) - _RECORDS_MAX
        shown = shown[:_RECORDS_MAX // 2] + [None] + shown[-_RECORDS_MAX // 2:]
    heads = ("No.", "From (UTC)", "Load", *(_SOURCE_HEADS[index] for index in used), "Charge", "Export",
             "Residual", "Complete", "Direct", "Life cycle", "SoC", "Remarks")
    units = ("", "", "kWh", *("kWh" for _ in used), "kWh", "kWh", "kWh", "%", "g/kWh", "g/kWh", "%", "")
    body, day = [], None
    for record in shown:
        if record is None:
            body.append(f"<tr class=gap><td colspan={len(heads)}>… {left_out} records are left out here; "
                        "they count in all sums …</td></tr>")
            continue
        start_day = utc.show(record[9])[:10]
        start = "unknown" if record[9] is None else clock(record[9], record[9] % 60_000 != 0)
        if record[9] is not None and start_day != day:
            start, day = f"{start_day} {start}", start_day
        body.append(_interval(record, start, used) if record[2] == INTERVAL else _gap(record, start, len(heads)))
    head = "".join(f"<th scope=col>{name}<small>{unit}</small></th>" for name, unit in zip(heads, units))
    return (f"<div class=wide><table class=records><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
            "</div>")


def _interval(record, start, used):
    load_wh = record[24][0]
    cells = [load_wh, *(record[23][index] for index in used), record[24][1], record[24][2], record[25]]
    energies = "".join(f"<td>{_kwh(value)}</td>" for value in cells)
    complete = f"{100 * record[16] / record[15]:.1f}" if record[15] else "–"
    carbon = "".join(f"<td>{f'{record[key][0] / load_wh / 1000:.1f}' if load_wh else '–'}</td>" for key in (35, 36))
    soc = "–" if record[31] is None else f"{record[31] / 10:.1f}"
    return (f"<tr><td>{record[3]}</td><td class=time>{start}</td>{energies}<td>{complete}</td>{carbon}<td>{soc}</td>"
            f"<td class=words>{escape(remarks(record))}</td></tr>")


def _gap(record, start, columns):
    length = "of unknown length" if record[10] is None else f"of {record[10] / 1000:g} s"
    return (f"<tr class=gap><td>{record[3]}</td><td class=time>{start}</td><td colspan={columns - 2}>The board states "
            f"a gap {length}: {REASONS[record[38]]}</td></tr>")


def remarks(record):
    """Say in words what is not ordinary about an interval."""
    words = [name for bit, name in FLAGS.items() if record[19] >> bit & 1]
    if record[18]:
        words.insert(0, QUALITIES[record[18]])
    if record[19] >> 16 & 1:
        words = [f"{record[10] / 1000:g} s only" if word == FLAGS[16] else word for word in words]
    words += [f"{row[4]} value{'s' * (row[4] != 1)} of {ROLES[row[0]]} refused" for row in record[22] if row[4]]
    words += [f"energy of {ROLES[row[0]]} by power, its register contradicts" for row in record[39] if row[1] == 3]
    return ", ".join(words)


def _kwh(energy_wh):
    return f"{round(energy_wh / 1000, 1) + 0.0:,.1f}".replace(",", "\u202f").replace("-", "−")


def events(run):
    """Write what the board noted while it ran."""
    if not run.events:
        return "<p class=missing>No events were noted.</p>"
    body = []
    for event in run.events[:_EVENTS_MAX]:
        known = isinstance(event.get("utc_ms"), int)
        time = utc.show(event["utc_ms"]) if known else f"{event.get('uptime_ms', 0) / 1000:.1f} s after start"
        body.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in (
            time, event.get("source", ""), event.get("code", ""), event.get("text", ""))) + "</tr>")
    more = len(run.events) - _EVENTS_MAX
    tail = f"<p class=small>{more} more are in events.jsonl.</p>" if more > 0 else ""
    return "<div class=wide>" + _table(("When", "Who", "What", "In words"), "".join(body), "events") + "</div>" + tail


def _table(heads, body, style):
    head = "".join(f"<th scope=col>{name}</th>" for name in heads)
    return f"<table class={style}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
