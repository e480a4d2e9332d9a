"""Put the report together: one HTML file with its style and scripts inside, and nothing fetched from anywhere."""

from html import escape
from pathlib import Path

from host_tools.evidence import utc
from host_tools.evidence.origin import ON_SITE_CLEAN
from host_tools.report import carbon_flow, curves, days, lookup, stack, tables, tracking
from host_tools.report.figures_of_merit import coverage_percent, interval_count
from host_tools.report.flows import Flows
from host_tools.report.limits import limits_of
from host_tools.report.plot import number
from host_tools.report.say import energy, exact, intensity, percent, thousands
from host_tools.report.series import Series
from host_tools.report.verdicts import badge, verdicts

_HERE = Path(__file__).parent
_NOTHING_FETCHED = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'none'"


def page(runs):
    """Write the whole document."""
    body = "".join(_section(run, index) for index, run in enumerate(runs))
    index = ""
    if len(runs) > 1:
        items = "".join(f'<li><a href="#run{i}">{escape(run.name)}</a></li>' for i, run in enumerate(runs))
        index = f'<nav aria-label="Sites"><ol>{items}</ol></nav>'
    title = "Evenkeel report: " + ", ".join(run.name.split(":")[0] for run in runs)
    style, *scripts = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "script.js", "lookup.js"))
    code = "".join(f"<script>{script}</script>" for script in scripts)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FETCHED}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><style>{style}</style></head><body>'
            f'<header class="top"><b>Evenkeel</b><span>energy and carbon of a computing load, read from signed records'
            f'</span></header>{index}<main>{body}</main>'
            f'<footer>Made by <code>python3 -m host_tools report</code>. The normative evidence is records.cbor; this '
            f'page is a reading of it, and <code>verify</code> gives the same sums.</footer>{code}</body></html>\n')


def _section(run, index):
    reading = run.reading
    parts = [_headline(run)]
    series = Series(reading.entries)
    if series.placed:
        flows = Flows(reading.entries)
        parts += [_key_figures(run, flows), lookup.section(reading, index), "<h3>Is the evidence good?</h3>",
                  verdicts(run), carbon_flow.section(reading.totals, flows, index), _charts(reading, series),
                  days.section(series, reading.totals)]
    else:
        parts += ['<p class="missing">There is no interval in this range.</p><h3>Is the evidence good?</h3>',
                  verdicts(run)]
    limits = "".join(f"<li>{escape(sentence)}</li>" for sentence in limits_of(run))
    parts += [tables.unusual(run), tracking.section(run),
              f'<h3>What this cannot say</h3><ul class="limits">{limits}</ul>', tables.inputs(run),
              f'<h3>What made these records</h3>{tables.facts(run)}', tables.record_list(run),
              f'<details class="long"><summary><h3>Events ({len(run.events)})</h3></summary>{tables.events(run)}'
              '</details>']
    return f'<section class="run" id="run{index}">{"".join(parts)}</section>'


def _charts(reading, series):
    known_utc = any(entry.record[9] is not None for entry in reading.intervals)
    stored = curves.storage(series)
    return (f'<p class="aside">{escape(stack.summary(reading.totals))}</p>{stack.figure(series, known_utc)}'
            f'{curves.factor(series).render()}{"" if stored is None else stored.render()}')


def _headline(run):
    reading, period = run.reading, "time unknown"
    if reading.start_ms is not None:
        period = f"{utc.show(reading.start_ms)} to {utc.show(reading.end_ms)}"
    shown = "".join(f"<span>{name} {badge(getattr(run.verdict, name))}</span>"
                    for name in ("integrity", "completeness", "plausibility"))
    banner = ""
    if run.synthetic:
        banner = ('<div class="synthetic" role="note"><b>Synthetic input</b> At least one input of this run is '
                  'made up, because the measured one was not to be had. Its figures say nothing about a real site.'
                  '</div>')
    return (f'<h2>{escape(run.name)}</h2><p class="period"><span>{period}</span>{shown}</p>'
            f'{banner}')


def _key_figures(run, flows):
    """Write the few numbers worth a glance."""
    totals = run.reading.totals
    load_wh = totals.uses_wh[0]
    cards = [_figure("The load took", exact(load_wh, energy(load_wh), "uses_wh.load"),
                     f"{energy(sum(totals.sources_wh[:4]))} came from wind, sun, genset and grid")]
    direct, lifecycle = totals.direct_ug[0], totals.lifecycle_ug[0]
    if load_wh:
        cards.append(_figure("Its carbon, direct", f"{exact(direct, intensity(direct, load_wh), 'direct_intensity')} "
                             "g/kWh", f"{intensity(lifecycle, load_wh)} g/kWh over the life cycle"))
    cards += _work(run)
    origin = flows.load_by_origin[0]
    clean, stored = sum(origin[k] for k in ON_SITE_CLEAN), flows.matrix[0][4][0]
    if sum(origin):
        cards.append(_figure("From own wind and sun", f"{percent(clean, sum(origin))} %",
                             f"of the load; {percent(stored, sum(origin))} % of it out of the battery"))
    intervals, gaps = interval_count(run)
    covered = coverage_percent(run)
    words = f"{gaps} gap{'s' * (gaps != 1)} stated" + ("" if covered is None else f", {covered:.2f} % measured")
    cards.append(_figure("Signed quarter hours", exact(intervals, thousands(intervals, 1, 0), "intervals"), words))
    expected, there = run.reading.expected_quarters()
    if expected:
        cards.append(_figure("Of the range covered", f"{percent(there, expected)} %",
                             f"{thousands(there, 1, 0)} of {thousands(expected, 1, 0)} quarter hours, each in full"))
    return f'<div class="keys">{"".join(cards)}</div>'


def _work(run):
    """Write the carbon of a unit of computing work, over the intervals in which the site counted any."""
    records = [record for record in run.intervals if record[43]]
    done = sum(record[43] for record in records)
    if not done:
        return []
    direct, lifecycle = (sum(record[key][0] for record in records) / done / 1e6 for key in (35, 36))
    unit = (run.site.get("site") or {}).get("work_unit")
    name = f"Carbon of a unit of work ({unit}), direct" if unit else "Carbon of a unit of work, direct"
    return [_figure(name, f"{number(direct)} g",
                    f"{number(lifecycle)} g over the life cycle; {thousands(done, 1, 0)} done")]


def _figure(name, value, words):
    return f'<div class="key"><span>{escape(name)}</span><b>{value}</b><small>{escape(words)}</small></div>'


