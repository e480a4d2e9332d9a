"""cbam_like_indirect.csv: electricity of the load and its emissions by month and source, in CBAM's words."""

from host_tools.evidence.origin import ON_SITE_CLEAN
from host_tools.export.periods import month_of, periods
from host_tools.export.records import moment
from host_tools.export.table import Column, Table, fixed

_GENSET = 2
_OUTSIDE = (3, 4, 5)  # grid; stored before the first record; discharged beyond what was stored
TABLE = Table("cbam_like_indirect.csv", (
    Column("periodStart", "time", "UTC, inclusive: a calendar month, cut to the range"),
    Column("periodEnd", "time", "UTC, exclusive"),
    Column("typeOfDetermination", "text", "actual data, or estimated where a factor or an energy is not measured"),
    Column("sourceOfEmissionFactor", "text", "01 Other: the operator's own factor table"),
    Column("sourceOfEmissionFactorValue", "text", "SHA-256 of the factor table that the records name"),
    Column("sourceOfElectricity", "text", "SOE01 direct technical link: wind and PV of the site, through its battery "
           "too; SOE03 received from the grid, with what was stored before the first record; the genset is direct "
           "(scope 1) and no indirect emission. SOE02 (power purchase agreement) is never claimed"),
    Column("electricityConsumedMwh", ".6", "MWh that went into the load, the residual in it"),
    Column("emissionFactorTonnesCo2PerMwh", ".9", "emissions over electricity of the row, direct, rounded down"),
    Column("indirectEmissionsTonnesCo2", ".12", "t CO2e, direct track; in the genset's row direct emissions"),
    Column("electricityConsumedMwhPerTonnesGood", ".6", "empty: a data centre makes no good that CBAM covers"),
    Column("evidenceRoot", "text", "RFC 6962 root (base64) and number of the records that it covers"),
    Column("verifierNote", "text", "what was verified, and what this is not"),
), "CBAM-LIKE evidence of indirect emissions. Not a CBAM report or declaration: electricity of a data centre is not a "
   "CBAM good, and no accredited verifier has seen it.")
_ROWS = (("SOE01", ON_SITE_CLEAN), ("SOE03", _OUTSIDE), ("scope 1 (genset on site, direct, not indirect)", (_GENSET,)))


def rows(reading, provenance):
    """Return a row for each month and source of electricity that the load had."""
    note = _note(provenance)
    root = provenance["root_sha256_base64"]
    root = None if root is None else f"{root} of {provenance['root_records']} records"
    found = []
    for period in periods(reading, month_of):
        start_ms = max(period.start_ms, reading.start_ms)
        for name, origins in _ROWS:
            energy_wh = sum(period.load_by_origin[0][origin] for origin in origins)
            carbon_ug = sum(period.load_by_origin[1][origin] for origin in origins)
            if energy_wh or carbon_ug:
                found.append([moment(start_ms), moment(period.end_ms), _determination(period, name), "01 Other",
                              " ".join(sorted(period.tables)), name, fixed(energy_wh, 10**6, 6),
                              fixed(carbon_ug, energy_wh * 10**6, 9), fixed(carbon_ug, 10**12, 12), None, root, note])
    return found


def _determination(period, name):
    estimated = period.substituted_wh or (name == "SOE03" and period.kinds - {"measured"})
    return "Estimated incl. default" if estimated else "Actual data"


def _note(provenance):
    return (f"CBAM-like, not a CBAM declaration; integrity {provenance['integrity']}, completeness "
            f"{provenance['completeness']}, plausibility {provenance['plausibility']}; records "
            f"{provenance['first_seq']} to {provenance['last_seq']}; {provenance['quarter_hours_covered']} of "
            f"{provenance['quarter_hours_in_range']} quarter hours covered; {provenance['gaps']} gaps stated")
