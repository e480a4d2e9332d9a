"""dc_kpi.csv: the indicators of Delegated Regulation (EU) 2024/1364 as far as the records carry them."""

from host_tools.evidence.origin import ON_SITE_CLEAN
from host_tools.export.periods import periods
from host_tools.export.table import Column, Table, fixed

_COLUMNS = (
    Column("EDC_kWh", ".3", "kWh: load, auxiliaries and losses of the battery in the range"),
    Column("EIT_kWh", ".3", "kWh of IT equipment: the load, where --load-is it says that its meter counts only that"),
    Column("ERES_TOT_kWh", ".3", "kWh, renewable: the parts that are known, added"),
    Column("ERES_GOO_kWh", ".3", "kWh by guarantees of origin, as --goo-kwh states; empty: not stated"),
    Column("ERES_PPA_kWh", ".3", "kWh by power purchase agreements, as --ppa-kwh states; empty: not stated"),
    Column("ERES_OS_kWh", ".3", "kWh of wind and PV of the site into load and auxiliaries, through the battery too"),
    Column("PUE", ".4", "EDC over EIT, rounded down; empty without EIT"),
    Column("REF", ".4", "ERES_TOT over EDC, rounded down"),
)
_FED = (Column("ERF", ".4", "reused heat, as --reused-kwh states, over EDC"),
        Column("WUE", ".6", "m3 of water, as --water-m3 states, over MWh of IT equipment (litres a kWh)"))
_LABEL = ("Indicators in the names of Delegated Regulation (EU) 2024/1364. Not the report of a data centre: whether "
          "guarantees of origin for the same energy were cancelled is not in the records, nor whether the load's "
          "meter sees all of it. Figures that the exporter states are not signed by the board.")


def table(options):
    """Return the table; ERF and WUE only where they were fed."""
    fed = [column for column, value in zip(_FED, (options.reused_wh, options.water_l)) if value is not None]
    return Table("dc_kpi.csv", (*_COLUMNS, *fed), _LABEL)


def rows(reading, options):
    """Return the one row of the range; none if no interval lies in it."""
    found = periods(reading, lambda time_ms: 0)
    if not found:
        return []
    period = found[0]
    placed = [entry.record for entry in reading.intervals if entry.record[9] is not None]
    stored_wh = placed[-1][28][0] - placed[0][27][0]
    edc = period.load_wh + period.aux_wh + period.charged_wh - period.discharged_wh - stored_wh
    eit = period.load_wh if options.load_is == "it" else None
    onsite = sum(period.load_by_origin[0][k] + period.aux_by_origin[k] for k in ON_SITE_CLEAN)
    total = onsite + (options.goo_wh or 0) + (options.ppa_wh or 0)
    kwh = [fixed(value, 1000, 3) for value in (edc, eit, total, options.goo_wh, options.ppa_wh, onsite)]
    row = [*kwh, None if eit is None else fixed(edc, eit, 4), fixed(total, edc, 4)]
    if options.reused_wh is not None:
        row.append(fixed(options.reused_wh, edc, 4))
    if options.water_l is not None:
        row.append(fixed(options.water_l * 1000, eit, 6))
    return [row]
