"""records.csv: one row a record, the figures of the records and what became of checking them."""

from host_tools.evidence import utc
from host_tools.evidence.fields import CLOCKS, FLAGS, QUALITIES
from host_tools.export.table import Column, Table, fixed

_WH = (
    ("load_wh", "Wh that the load took"), ("wind_wh", "Wh from wind"), ("pv_wh", "Wh from PV"),
    ("diesel_wh", "Wh from the genset"), ("grid_import_wh", "Wh imported from the grid"),
    ("bess_discharge_wh", "Wh out of the battery, AC"), ("bess_charge_wh", "Wh into the battery, AC"),
    ("grid_export_wh", "Wh exported to the grid"), ("aux_wh", "Wh that plants drew for themselves"),
    ("resid_wh", "Wh, signed: sources less uses"),
    ("mix_wind_wh", "Wh of the load straight from wind"), ("mix_pv_wh", "Wh of the load straight from PV"),
    ("mix_diesel_wh", "Wh of the load straight from the genset"),
    ("mix_grid_wh", "Wh of the load straight from the grid"),
    ("mix_bess_wh", "Wh of the load out of the battery"),
)
TABLE = Table("records.csv", (
    Column("site", "text", "site, as the record names it"), Column("dev", "text", "device (board)"),
    Column("seq", "int", "number of the record"),
    Column("t_start", "time", "start, UTC, inclusive; empty where the board did not know the time"),
    Column("t_end", "time", "end, UTC, exclusive"),
    *(Column(name, "int", about) for name, about in _WH),
    Column("c_direct_g", ".6", "g CO2e of the load, combustion only"),
    Column("c_lifecycle_g", ".6", "g CO2e of the load, building and fuel supply included"),
    Column("ef_direct_g_per_kwh", ".3", "g/kWh: c_direct_g over load_wh, rounded down; never average this column"),
    Column("ef_lifecycle_g_per_kwh", ".3", "g/kWh: c_lifecycle_g over load_wh, rounded down; never average it"),
    Column("pool_wh", "int", "Wh that can still be taken from the battery, at the end"),
    Column("pool_c_direct_g", ".6", "g CO2e, direct, stored with it"),
    Column("fuel_l", ".3", "litres of fuel metered; empty where none is metered"),
    Column("coverage_pct", ".2", "% of control periods with every measurement, rounded down"),
    Column("quality", "text", "valid, estimated, questionable; gap or key change for such a record"),
    Column("clock", "text", "what the board knew of UTC"),
    Column("substituted_wh", "int", "Wh that come from substitute values"),
    Column("flags", "text", "flags of the record, by |"),
    Column("sig_ok", "bool", "the signature holds, by a key that is valid for it"),
    Column("chain_ok", "bool", "it names the hash of the record before it; empty: that one is not in the file"),
    Column("balance_ok", "bool", "sources = uses + residual, which is within 10 % of the sources and 100 Wh"),
    Column("witnessed", "bool", "covered by a witness's cosigned tree, as a witness file or a later record states"),
    Column("record_sha256", "text", "SHA-256 of the record's bytes in records.cbor"),
), "Quarter-hour figures read from the signed records of an Evenkeel board. Not the evidence itself: that is "
   "records.cbor, verified with the board's public key. Not a bill, not a certificate. A row with sig_ok false "
   "carries no figures, since nothing in such a record can be relied on.")

_KINDS = {2: "gap", 3: "key change"}
_FUEL_ML = 42


def rows(reading):
    """Return the rows: the records that hold in order, then those refused."""
    witnessed = reading.witnessed_size()
    found = [_row(reading, entry, witnessed) for entry in reading.entries]
    blank = [None] * (len(TABLE.columns) - 8)
    for seq, sha256 in reading.refused:
        seq = seq if type(seq) is int else None
        found.append([reading.site, reading.device, seq, *blank, False, False, None, False, sha256.hex()])
    return found


def _row(reading, entry, witnessed):
    record = entry.record
    head = [reading.site, reading.device, record[3], moment(record[9]), moment(entry.end_ms)]
    checks = [True, entry.follows, balanced(record), record[3] < witnessed, entry.sha256.hex()]
    if not entry.is_interval:
        pool = record.get(28) or [None] * 3
        middle = [None] * 19 + [pool[0], fixed(pool[1], 10**6, 6), None, None, _KINDS.get(record[2], "other"),
                                CLOCKS[record[12]], None, None]
        return head + middle + checks
    load, charge, export, aux = record[24]
    energies = [load, *record[23], charge, export, aux, record[25], *record[26]]
    carbon = [fixed(record[key][0], 10**6, 6) for key in (35, 36)]
    factors = [fixed(record[key][0] // load, 1000, 3) if load else None for key in (35, 36)]
    flags = "|".join(word for bit, word in FLAGS.items() if record[19] >> bit & 1) or None
    return [*head, *energies, *carbon, *factors, record[28][0], fixed(record[28][1], 10**6, 6),
            fixed(record.get(_FUEL_ML), 1000, 3), fixed(100 * record[16], record[15], 2),
            QUALITIES[record[18]], CLOCKS[record[12]], record[20], flags, *checks]


def balanced(record):
    """Tell whether an interval's sums agree and its residual is small; None for any other record."""
    if 23 not in record:
        return None
    supplied, residual = sum(record[23]), record[25]
    return supplied == sum(record[24]) + residual and (abs(residual) - 100) * 10 <= supplied


def moment(time_ms):
    """Write UTC, or None."""
    return None if time_ms is None else utc.show(time_ms)
