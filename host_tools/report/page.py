"""Put the report together: one HTML file with its style and script inside, and nothing fetched from anywhere."""

from html import escape
from pathlib import Path

from host_tools.evidence import utc
from host_tools.report import tables
from host_tools.report.charts import charts
from host_tools.report.figures_of_merit import (
    comparisons,
    coverage_percent,
    interval_count,
    largest_ramp,
    worst_lateness,
)
from host_tools.report.limits import limits_of
from host_tools.report.plot import number, scaled
from host_tools.report.verdicts import badge, verdicts

_HERE = Path(__file__).parent


def page(runs):
    """Write the whole document."""
    body = "".join(_section(run, index) for index, run in enumerate(runs))
    index = ""
    if len(runs) > 1:
        items = "".join(f'<li><a href="#run{i}">{escape(run.name)}</a></li>' for i, run in enumerate(runs))
        index = f'<nav><ol>{items}</ol></nav>'
    title = "Evenkeel report: " + ", ".join(run.name.split(":")[0] for run in runs)
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><style>{style}</style></head><body>'
            f'<header class="top"><b>Evenkeel</b><span>battery behind a computing load, '
            f'signed carbon record</span></header>{index}<main>{body}</main>'
            f'<footer>Made from run folders by <code>python3 -m host_tools report</code>. The normative evidence is '
            f'records.cbor; this page is a reading of it.</footer><script>{script}</script></body></html>\n')


def _section(run, index):
    figures = "".join(figure.render() for figure in charts(run))
    missing = "" if run.trace is not None else '<p class="missing">There is no trace.csv: no curves over time.</p>'
    limits = "".join(f"<li>{escape(sentence)}</li>" for sentence in limits_of(run))
    return (f'<section id="run{index}">{_headline(run)}{_key_figures(run)}'
            f'<h3>Is the evidence good?</h3>{verdicts(run)}'
            f'<h3>With and without the battery</h3>{tables.comparison(run)}'
            f'{missing}{figures}'
            f'<h3>What this cannot say</h3><ul class="limits">{limits}</ul>'
            f'<h3>Where the inputs come from</h3>{tables.inputs(run)}'
            f'<h3>The run</h3>{_facts(run)}'
            f'<details open class="long"><summary><h3>The records</h3></summary>{_unreadable(run)}'
            f'{tables.records(run)}</details>'
            f'<details class="long"><summary><h3>Events ({len(run.events)})</h3></summary>{tables.events(run)}'
            f'</details></section>')


def _headline(run):
    period = "time unknown"
    if run.start_ms is not None:
        period = f"{utc.show(run.start_ms)} to {utc.show(run.end_ms)}"
    shown = ""
    if run.verdict is not None:
        shown = "".join(f"<span>{name} {badge(getattr(run.verdict, name))}</span>"
                        for name in ("integrity", "completeness"))
    banner = ""
    if run.synthetic:
        banner = ('<div class="synthetic" role="note"><b>Synthetic input</b> At least one input of this run is '
                  'made up, because the measured one was not to be had. Its figures say nothing about a real site.'
                  '</div>')
    return f'<h2>{escape(run.name)}</h2><p class="period">{period}{shown}</p>{banner}'


def _key_figures(run):
    """Write the few numbers worth a glance."""
    cards = []
    control = run.summary.get("control") or {}
    alone, controlled = control.get("without_battery_minus_target"), control.get("grid_minus_target")
    if alone and controlled:
        cards.append(_pair("Grid off its target (RMS)", alone["rms_w"], controlled["rms_w"]))
    ramp = largest_ramp(run)
    if ramp:
        cards.append(_pair(f"Largest change at the grid in {ramp[0]:g} s", ramp[1], ramp[2]))
    use = [row for row in comparisons(run) if row.name.startswith("Own")]
    cards += [_figure(row.name, row.controlled, f"{row.alone} without the battery: {row.change}") for row in use]
    load_wh = sum(record[24][0] for record in run.intervals)
    if load_wh:
        direct, lifecycle = (sum(record[key][0] for record in run.intervals) / load_wh / 1000 for key in (35, 36))
        cards.append(_figure("Carbon of the load, direct", f"{number(direct)} g/kWh", f"{number(lifecycle)} g/kWh "
                             "over the life cycle"))
    intervals, gaps = interval_count(run)
    covered = coverage_percent(run)
    words = f"{gaps} gap{'s' * (gaps != 1)} stated" + ("" if covered is None else f", {covered:.2f} % measured")
    cards.append(_figure("Signed records", str(intervals), words))
    return f'<div class="keys">{"".join(cards)}</div>'


def _pair(name, alone_w, controlled_w):
    divisor, prefix = scaled(controlled_w)
    value = f"{number(controlled_w / divisor)} {prefix}W"
    divisor, prefix = scaled(alone_w)
    return _figure(name, value, f"{number(alone_w / divisor)} {prefix}W without the battery")


def _figure(name, value, words):
    return f'<div class="key"><span>{escape(name)}</span><b>{value}</b><small>{escape(words)}</small></div>'


def _facts(run):
    entry = run.summary.get("run") or {}
    vm = entry.get("vm") or {}
    facts = []
    if vm:
        machine = vm.get("version") or vm.get("kind", "")
        facts.append(("Firmware ran in", f"{machine}, {entry.get('mode', '')} time"))
    if run.records:
        last = run.records[-1]
        facts += [(name, f"SHA-256 {last[key].hex()}")
                  for name, key in (("Firmware", 6), ("Site description", 7), ("Factor table", 8))]
        late, missed, late_max_us, ticks = worst_lateness(run)
        facts.append(("Control tick", f"{ticks} runs, {late} late, worst {number(late_max_us / 1000)} ms, "
                      f"{missed} missed"))
    if "wall_s" in run.summary:
        facts.append(("Computed in", f"{run.summary['wall_s']:.0f} s"))
    for fault in run.summary.get("injected") or ():
        facts.append(("Injected fault", ", ".join(f"{key} {value}" for key, value in fault.items())))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts)
    return f'<dl class="facts">{rows}</dl>'


def _unreadable(run):
    if not run.unreadable:
        return ""
    return f'<p class="missing">{run.unreadable} stretches of the file are no readable records.</p>'
