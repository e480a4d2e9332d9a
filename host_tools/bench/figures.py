"""What a measure gives: figures by name, each with its unit and the way it was measured; and which were asked for."""

import json
from dataclasses import dataclass

from host_tools.errors import ToolError


@dataclass(frozen=True)
class Figure:
    """One figure of bench.json."""

    value: int | float
    unit: str
    how: str


@dataclass(frozen=True)
class Measure:
    """One run of something, and the figures that it gives; `run` returns {name: Figure}.

    One that takes `hours` runs only where it is asked for by name.
    """

    name: str
    figures: tuple
    run: object
    hours: float = 0.0


def choose(measures, only):
    """Return (measures to run, names of the figures wanted); a name is a figure's or a measure's."""
    if not only:
        short = [measure for measure in measures if not measure.hours]
        return short, {figure for measure in short for figure in measure.figures}
    known = {measure.name: measure.figures for measure in measures}
    known |= {figure: (figure,) for measure in measures for figure in measure.figures}
    for name in only:
        if name not in known:
            raise ToolError(f"there is no benchmark {name!r}", f"The names are: {', '.join(sorted(known))}.")
    wanted = {figure for name in only for figure in known[name]}
    return [measure for measure in measures if wanted & set(measure.figures)], wanted


def table(figures):
    """Return the figures as lines of text."""
    width = max(map(len, figures), default=0)
    values = {name: _shown(figure.value) for name, figure in figures.items()}
    space = max(map(len, values.values()), default=0)
    return [f"{name:{width}}  {values[name]:>{space}}  {figure.unit}" for name, figure in figures.items()]


def _shown(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def write(figures, path):
    """Write bench.json."""
    document = {name: {"value": figure.value, "unit": figure.unit, "how": figure.how}
                for name, figure in figures.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
