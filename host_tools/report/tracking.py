"""How well the load was followed: what summary and trace of a run say; nothing where there is neither."""

from host_tools.report import tables
from host_tools.report.charts import charts
from host_tools.report.figures_of_merit import comparisons


def section(run):
    """Write the section."""
    rows = comparisons(run) if run.whole else []
    figures = "".join(figure.render() for figure in charts(run))
    if not rows and not figures:
        return ('<h3>How well the load was followed</h3><p class="missing">There is no summary.json and no trace.csv, '
                'so this cannot be said: the records carry quarter hours only.</p>')
    missing = "" if run.trace is not None else '<p class="missing">There is no trace.csv: no curves over time.</p>'
    return ('<section class="tracking"><h3>How well the load was followed</h3>'
            '<p class="small">From the simulation, not from signed records.</p>'
            f'{tables.comparison(run)}{missing}{figures}</section>')
