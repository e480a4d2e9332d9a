"""One row a day, or a month where the range is long; every row from summed energy and carbon."""

from html import escape

from host_tools.evidence import utc
from host_tools.evidence.origin import ON_SITE_CLEAN
from host_tools.report.say import exact, intensity, kwh, percent
from host_tools.report.series import DAY_MS
from host_tools.report.stack import day_name

_DAYS_MAX = 62
_SOURCES = (("Wind", 0), ("PV", 1), ("Genset", 2), ("Grid import", 3), ("Battery out", 4))
_USES = (("Battery in", 1), ("Export", 2))
_SOURCE_KEYS = ("wind", "pv", "genset", "grid_import", "bess_discharge")
_USE_KEYS = ("load", "bess_charge", "grid_export", "aux")


class _Row:
    """Sums of a day or a month."""

    def __init__(self):
        self.sources_wh, self.uses_wh, self.carbon_ug = [0] * 5, [0] * 4, [0, 0]
        self.clean_wh = self.mixed_wh = self.ok = self.expected = 0

    def add(self, entry):
        """Add one interval."""
        record = entry.record
        self.sources_wh = list(map(int.__add__, self.sources_wh, record[23]))
        self.uses_wh = list(map(int.__add__, self.uses_wh, record[24]))
        self.carbon_ug = [self.carbon_ug[0] + record[35][0], self.carbon_ug[1] + record[36][0]]
        origin = entry.flow.by_origin(0, 0)
        self.clean_wh += sum(origin[k] for k in ON_SITE_CLEAN)
        self.mixed_wh += sum(origin)
        self.ok += record[16]
        self.expected += record[15]


def section(series, totals):
    """Write the table, with the sum of all below it."""
    by_month = series.days > _DAYS_MAX
    rows, whole = {}, _Row()
    for start_ms, entry in series.placed:
        key = utc.show(start_ms)[:7] if by_month else start_ms - start_ms % DAY_MS
        rows.setdefault(key, _Row()).add(entry)
        whole.add(entry)
    sources = [row for row in _SOURCES if totals.sources_wh[row[1]]]
    uses = [row for row in _USES if totals.uses_wh[row[1]]]
    heads = [("Month" if by_month else "Day", "UTC"), ("Load", "kWh"), *((name, "kWh") for name, _ in sources + uses),
             ("Direct", "g/kWh"), ("Life cycle", "g/kWh"), ("Own wind, sun", "%"), ("Measured", "%")]
    head = "".join(f"<th scope=col>{name}<small>{unit}</small></th>" for name, unit in heads)
    many = " many" if len(heads) > 11 else ""
    body = "".join(_row(key if by_month else day_name(key), row, sources, uses, f"day.{key}.")
                   for key, row in rows.items())
    return (f'<h3>{"Month by month" if by_month else "Day by day"}</h3><div class="wide">'
            f'<table class="records days{many}">'
            f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{_row("All", whole, sources, uses, "")}</tfoot>'
            '</table></div>')


def _row(name, row, sources, uses, prefix):
    load_wh = row.uses_wh[0]
    cells = [kwh(load_wh, f"{prefix}uses_wh.load")]
    cells += [kwh(row.sources_wh[k], f"{prefix}sources_wh.{_SOURCE_KEYS[k]}") for _, k in sources]
    cells += [kwh(row.uses_wh[k], f"{prefix}uses_wh.{_USE_KEYS[k]}") for _, k in uses]
    cells += [exact(carbon_ug, intensity(carbon_ug, load_wh), f"{prefix}{track}_intensity")
              for carbon_ug, track in zip(row.carbon_ug, ("direct", "lifecycle"))]
    cells += [percent(row.clean_wh, row.mixed_wh), percent(row.ok, row.expected)]
    return f"<tr><th scope=row>{escape(str(name))}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
