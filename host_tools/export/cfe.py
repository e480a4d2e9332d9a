"""cfe_hourly.csv: carbon-free energy hour by hour."""

from host_tools.evidence.origin import ON_SITE_CLEAN
from host_tools.export.periods import hour_of, periods
from host_tools.export.records import moment
from host_tools.export.table import Column, Table, fixed

_GRID = 3
TABLE = Table("cfe_hourly.csv", (
    Column("hour_start", "time", "UTC; an hour that the range or a gap cuts has only what was recorded"),
    Column("load_wh", "int", "Wh"),
    Column("cfe_wh", "int", "Wh of the load from wind and PV of the site, through the battery too, and the carbon-free "
           "share of the grid where one is stated; rounded down"),
    Column("cfe_score", ".4", "min(load, cfe) over load, rounded down; over a range divide the sums, never average"),
    Column("grid_cfe_used", ".3", "carbon-free share of the grid, as --grid-cfe-permille states; 0: none claimed"),
    Column("lb_gco2", ".6", "g CO2e of the load, direct, by the grid factor of the records (location based)"),
    Column("mb_gco2", ".6", "g CO2e, market based: only where the grid factor is that of a residual mix, else empty"),
), "Hourly carbon-free energy read from signed records. Not a 24/7 CFE certificate: contracts and certificates are not "
   "in the records.")


def rows(reading, options):
    """Return a row for each hour of UTC that has an interval."""
    found = []
    for period in periods(reading, hour_of):
        energy = period.load_by_origin[0]
        cfe_wh = sum(energy[k] for k in ON_SITE_CLEAN) + energy[_GRID] * options.grid_cfe_permille // 1000
        covered_wh = min(cfe_wh, period.load_wh)
        grams = fixed(period.carbon_ug[0], 10**6, 6)
        found.append([moment(period.start_ms), period.load_wh, cfe_wh, fixed(covered_wh, period.load_wh, 4),
                      fixed(options.grid_cfe_permille, 1000, 3), grams,
                      grams if period.kinds <= {"residual"} else None])
    return found
