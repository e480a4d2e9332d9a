"""The section on where energy and carbon went: three Sankey diagrams and the same numbers as tables."""

from html import escape

from host_tools.evidence.fields import MIX
from host_tools.evidence.fields import SOURCES as SOURCE_KEYS
from host_tools.report import sankey
from host_tools.report.flows import ENERGY, SOURCES
from host_tools.report.say import energy, exact, kg, kwh, mass, thousands

_TABS = (("Energy", "energy"), ("Carbon, direct", "direct"), ("Carbon, life cycle", "lifecycle"))
_HEADS = ("Load", "Into the battery", "Export", "Auxiliaries")
_USE_KEYS = ("load", "bess_charge", "grid_export", "aux")


def section(totals, flows, index):
    """Write the section; the tabs need no script, and paper has all three."""
    radios = "".join(f'<label><input type="radio" name="flow{index}" value="{key}"{" checked" * (key == "lifecycle")}>'
                     f'{name}</label>' for name, key in _TABS)
    panes = "".join(f'<div class="pane {key}"><h4>{name}</h4>{sankey.draw(flows, quantity, show)}'
                    f'{_table(totals, flows, quantity)}</div>'
                    for quantity, ((name, key), show) in enumerate(zip(_TABS, (energy, mass, mass))))
    return ('<section class="flow"><h3>Where it came from, and where it went</h3>'
            '<p>Each source is split over the uses of the same quarter hour. What goes into the battery keeps its '
            'carbon; what comes out carries the mixture that is in there. Losses take no carbon away.</p>'
            f'<div class="tabs" role="radiogroup" aria-label="What flows">{radios}</div>{panes}</section>')


def _table(totals, flows, quantity):
    write = kwh if quantity == ENERGY else kg
    track = ("energy", "direct", "lifecycle")[quantity]
    unit = "kWh" if quantity == ENERGY else "kg CO₂e"
    head = "".join(f"<th scope=col>{name}<small>{unit}</small></th>" for name in (*_HEADS, "Together"))
    body = []
    for k, (name, row) in enumerate(zip(SOURCES, flows.matrix[quantity])):
        if any(row):
            names = [f"flow.{track}.{k}.{use}" for use in range(4)]
            if quantity == ENERGY:
                names[0] = f"load_mix_wh.{MIX[k]}"
            cells = "".join(f"<td>{write(value, each)}</td>" for value, each in zip(row, names))
            figure = f"sources_wh.{SOURCE_KEYS[k]}" if quantity == ENERGY else f"lump.{track}.{k}"
            body.append(f"<tr><th scope=row>{name}</th>{cells}<td>{write(sum(row), figure)}</td></tr>")
    body.append(_sums(totals, quantity, write))
    extra = ", ".join(f"{escape(name.lower())} {exact(amount, thousands(amount, *_scale(quantity)), f'pool.{track}')} "
                      f"{unit}" for side in flows.battery(quantity) for name, amount in side)
    return (f'<details class="numbers"><summary>The same as a table</summary><div class="wide"><table class="matrix">'
            f'<thead><tr><th></th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
            f'<p class="small">Battery, besides: {extra}.</p></details>')


def _scale(quantity):
    return (1000, 3) if quantity == ENERGY else (10**9, 3)


def _sums(totals, quantity, write):
    """Write what the uses add up to: as metered, with the residual; or the carbon that the records state."""
    if quantity == ENERGY:
        cells = [write(value, f"uses_wh.{key}") for value, key in zip(totals.uses_wh, _USE_KEYS)]
        cells.append(f"{write(sum(totals.uses_wh), 'uses_sum')}; residual {write(totals.residual_wh, 'residual_wh')}")
        name = "As metered"
    else:
        carbon = (totals.direct_ug, totals.lifecycle_ug)[quantity - 1]
        key = ("carbon_direct_ug", "carbon_lifecycle_ug")[quantity - 1]
        cells = [write(value, f"{key}.{use}") for value, use in zip(carbon, _USE_KEYS)]
        cells.append(write(sum(carbon[:4]), "carbon_sum"))
        name = "As signed"
    return f'<tr class="sum"><th scope=row>{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
