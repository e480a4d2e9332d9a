"""The tables of a run: comparison, inputs, records, events."""

from html import escape

from host_tools.evidence import utc
from host_tools.evidence.fields import FLAGS, INTERVAL, QUALITIES, REASONS, ROLES, SOURCES
from host_tools.report.figures_of_merit import comparisons, worst_lateness
from host_tools.report.plot import clock, number
from host_tools.report.say import intensity, percent, thousands

_RECORDS_MAX = 200
_NAMED_MAX = 20
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
    return f"<h3>Where the inputs come from</h3><dl class=inputs>{''.join(parts)}</dl>" if parts else ""


def record_list(run):
    """Write every record of a short journal; of a longer one the look-up and `export` have them."""
    if len(run.records) > _RECORDS_MAX:
        return ('<p class="small">The look-up above has every quarter hour; <code>export --format records-csv</code> '
                "writes them all as a table.</p>")
    return f"<details class=long open><summary><h3>The records</h3></summary>{records(run)}</details>"


def unusual(run):
    """Write what is out of the ordinary, and in which records: gaps, flags, estimates, refused values."""
    groups = {}
    for record in run.records:
        words = _gap_words(record) if record[2] != INTERVAL else remarks(record)
        if words:
            groups.setdefault(words, []).append(record)
    if not groups:
        return "<h3>Out of the ordinary</h3><p>Nothing: no gap, no flag, no substitute value, no refused value.</p>"
    body = "".join(f"<tr><td>{escape(words)}</td><td>{len(found)}</td><td>{_which(found)}</td></tr>"
                   for words, found in groups.items())
    count = sum(map(len, groups.values()))
    return (f"<h3>Out of the ordinary: {count} of {len(run.records)} records</h3><div class=wide>"
            + _table(("What", "Records", "Which"), body, "events") + "</div>")


def _which(records):
    """List records by number, each leading to the look-up; the first of many."""
    parts = []
    for record in records[:_NAMED_MAX]:
        at = "" if record[9] is None else utc.show(record[9])[:16]
        parts.append(f'<a href="#at={at}" title="{at.replace("T", " ")} UTC">{record[3]}</a>' if at else str(record[3]))
    more = len(records) - _NAMED_MAX
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def facts(run):
    """Write which firmware and files the records name, and how punctual the board was."""
    entry = run.summary.get("run") or {}
    vm = entry.get("vm") or {}
    rows = []
    if vm:
        rows.append(("Firmware ran in", f"{vm.get('version') or vm.get('kind', '')}, {entry.get('mode', '')} time"))
    for name, key in (("Firmware", 6), ("Site description", 7), ("Factor table", 8)):
        rows += [(name, f"SHA-256 {value.hex()}") for value in dict.fromkeys(record[key] for record in run.records)]
    if run.intervals:
        late, missed, late_max_us, ticks = worst_lateness(run)
        rows.append(("Control tick", f"{ticks} runs, {late} late, worst {number(late_max_us / 1000)} ms, "
                     f"{missed} missed"))
    if "wall_s" in run.summary:
        rows.append(("Computed in", f"{run.summary['wall_s']:.0f} s"))
    for fault in run.summary.get("injected") or ():
        rows.append(("Injected fault", ", ".join(f"{key} {value}" for key, value in fault.items())))
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows)
    return f'<dl class="facts">{body}</dl>'


def records(run):
    """Write one row a record."""
    used = [index for index in range(len(SOURCES)) if any(record[23][index] for record in run.intervals)]
    heads = ("No.", "From (UTC)", "Load", *(_SOURCE_HEADS[index] for index in used), "Charge", "Export",
             "Residual", "Complete", "Direct", "Life cycle", "SoC", "Remarks")
    units = ("", "", "kWh", *("kWh" for _ in used), "kWh", "kWh", "kWh", "%", "g/kWh", "g/kWh", "%", "")
    body, day = [], None
    for record in run.records:
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
    energies = "".join(f"<td>{thousands(value, 1000, 3)}</td>" for value in cells)
    complete = percent(record[16], record[15])
    carbon = "".join(f"<td>{intensity(record[key][0], load_wh)}</td>" for key in (35, 36))
    soc = "–" if record[31] is None else f"{record[31] / 10:.1f}"
    return (f"<tr><td>{record[3]}</td><td class=time>{start}</td>{energies}<td>{complete}</td>{carbon}<td>{soc}</td>"
            f"<td class=words>{escape(remarks(record))}</td></tr>")


def _gap(record, start, columns):
    return (f"<tr class=gap><td>{record[3]}</td><td class=time>{start}</td><td colspan={columns - 2}>"
            f"{escape(_gap_words(record))}</td></tr>")


def _gap_words(record):
    if 38 not in record:
        return "The board states a change of its keys"
    length = "of unknown length" if record.get(10) is None else f"of {record[10] / 1000:g} s"
    return f"The board states a gap {length}: {REASONS[record[38]]}"


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
