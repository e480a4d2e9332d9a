"""Draw a flow from sources through the battery into uses: a Sankey diagram as one SVG with text and titles."""

from html import escape

from host_tools.evidence.fields import SOURCES as SOURCE_KEYS
from host_tools.evidence.fields import USES as USE_KEYS
from host_tools.report.flows import ENERGY, SOURCES, USES

_WIDTH, _HEIGHT = 960, 380
_BAR, _GAP, _SLOT = 12, 10, 34
_LEFT, _MIDDLE, _RIGHT = 168, 520, 780
_USES = ((2, "grid"), (0, "load"), (3, "soc"))  # export first, so that it crosses nothing
_STYLES = ("wind", "pv", "genset", "grid")
_TRACKS = ("energy", "direct carbon", "life cycle carbon")


class Node:
    """One bar: its amount, where it stands, and how much of either side is taken."""

    def __init__(self, name, style, amount, figure="", told=None):
        self.name, self.style, self.amount = name, style, amount
        self.figure = figure  # which figure it is, and what is said of it: as metered, without the residual's share
        self.told = amount if told is None else told
        self.y = self.used_in = self.used_out = 0.0


def draw(flows, quantity, show):
    """Write the SVG of one quantity; `show` writes an amount with its unit."""
    links, nodes = _links(flows, quantity)
    if not links:
        return f'<p class="missing">There is no {_TRACKS[quantity]} in this range.</p>'
    left, middle, right = nodes
    per_unit = _place(left, middle, right)
    ribbons = "".join(_ribbon(source, target, amount, per_unit, show) for source, target, amount in links)
    bars = "".join(_bar(node, x, side, per_unit, show) for column, x, side in (
        (left, _LEFT, "end"), (middle, _MIDDLE, "middle"), (right, _RIGHT, "start")) for node in column)
    words = "; ".join(f"{source.name} to {target.name} {show(amount)}" for source, target, amount in links)
    return (f'<div class="wide"><svg class="sankey" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{escape(f"Flow of {_TRACKS[quantity]}: {words}")}">{ribbons}{bars}</svg></div>')


def _links(flows, quantity):
    """Return ([(source node, target node, amount)], the three columns of nodes)."""
    matrix = flows.matrix[quantity]
    came, went = flows.battery(quantity)
    keys = ("sources_wh.{}", "lump.direct.{}", "lump.lifecycle.{}")[quantity]
    left = [Node(name, style, sum(row), keys.format(key))
            for name, style, key, row in zip(SOURCES, _STYLES, SOURCE_KEYS, matrix)]
    before = [Node(name, "bess", amount) for name, amount in came]
    given = sum(matrix[4]) - matrix[4][1]
    battery = Node("Battery", "bess", given + sum(amount for _, amount in went))
    keys = ("uses_wh.{}", "carbon_direct_ug.{}", "carbon_lifecycle_ug.{}")[quantity]
    uses = [Node(USES[use], style, sum(row[use] for row in matrix), keys.format(USE_KEYS[use]),
                 flows.uses[quantity][use]) for use, style in _USES]
    after = [Node(name, "bess", amount) for name, amount in went]
    links = []
    for (use, _), target in zip(_USES, uses):
        links += [(source, target, matrix[k][use]) for k, source in enumerate(left)]
        links.append((battery, target, matrix[4][use]))
    links += [(source, battery, matrix[k][1]) for k, source in enumerate(left)]
    links += [(node, battery, node.amount) for node in before] + [(battery, node, node.amount) for node in after]
    links = [link for link in links if link[2] > 0]
    seen = {id(node) for link in links for node in link[:2]}
    return links, [[node for node in column if id(node) in seen]
                   for column in (left + before, [battery], uses + after)]


def _place(left, middle, right):
    """Give every node its place; return the height of one unit."""
    room = _HEIGHT - 26
    per_unit = min((room - _GAP * (len(column) - 1)) / max(sum(node.amount for node in column), 1)
                   for column in (left, right))
    while True:
        heights = [sum(max(node.amount * per_unit + _GAP, _SLOT) for node in column) for column in (left, right)]
        if max(heights) <= room or per_unit < 1e-18:
            break
        per_unit *= 0.97
    for column in (left, right):
        y = 16.0
        for node in column:
            node.y = y
            y += max(node.amount * per_unit + _GAP, _SLOT)
    for node in middle:
        node.y = _HEIGHT - 12 - max(node.amount * per_unit, 3)
    return per_unit


def _ribbon(source, target, amount, per_unit, show):
    thick = max(amount * per_unit, 0.8)
    x0 = (_MIDDLE if source.name == "Battery" else _LEFT) + _BAR
    x1 = _MIDDLE if target.name == "Battery" else _RIGHT
    y0, y1 = source.y + source.used_out + thick / 2, target.y + target.used_in + thick / 2
    source.used_out += amount * per_unit
    target.used_in += amount * per_unit
    bend = (x0 + x1) / 2
    return (f'<path class="ribbon {source.style}" stroke-width="{thick:.2f}" '
            f'd="M{x0} {y0:.2f}C{bend:.0f} {y0:.2f} {bend:.0f} {y1:.2f} {x1} {y1:.2f}">'
            f"<title>{escape(source.name)} to {escape(target.name)}: {show(amount)}</title></path>")


def _bar(node, x, side, per_unit, show):
    height = max(node.amount * per_unit, 1.5)
    at = {"end": x - 8, "start": x + _BAR + 8, "middle": x + _BAR / 2}[side]
    name = escape(node.name)
    rect = f'<rect class="node {node.style}" x="{x}" y="{node.y:.2f}" width="{_BAR}" height="{height:.2f}"/>'
    if side == "middle":
        return rect + f'<text x="{at}" y="{node.y - 6:.1f}" text-anchor="middle">{name}</text>'
    y = node.y + min(max(height / 2, 8), height + 8)
    figure = f'data-v="{node.told}" data-is="{node.figure or "pool"}"'
    return (f'{rect}<text x="{at}" y="{y - 2:.1f}" text-anchor="{side}"><tspan class="name">{name}</tspan>'
            f'<tspan x="{at}" dy="15" class="amount" {figure}>{show(node.told)}</tspan></text>')


__all__ = ["ENERGY", "draw"]
