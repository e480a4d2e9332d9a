"""Figures over many boards: one Parquet file a board of what its records say, and DuckDB over all of them."""

from pathlib import Path

from host_tools.errors import OK, ToolError
from host_tools.evidence.reading import Reading
from host_tools.export import records
from host_tools.export.table import write_csv, write_parquet

FILE = "records.parquet"
_MAKE = "fleet tabulate ARCHIVE --keys keys.json"
_ENERGIES = ("load_wh", "wind_wh", "pv_wh", "diesel_wh", "grid_import_wh", "bess_discharge_wh", "bess_charge_wh",
             "grid_export_wh", "aux_wh", "resid_wh")
_MIX = ("wind", "pv", "diesel", "grid", "bess")
BY = {
    "site": "site",
    "device": "site, dev",
    "hour": "time_bucket(INTERVAL 1 HOUR, t_start) AS hour",
    "day": "time_bucket(INTERVAL 1 DAY, t_start) AS day",
    "month": "date_trunc('month', t_start) AS month",
}
_WHOLE = "sig_ok AND chain_ok AND load_wh IS NOT NULL"


def tabulate(path, key_path):
    """Write one board's records.parquet beside its records; return {"file", "holds"} or {"error", "advice"}."""
    try:
        reading = Reading(Path(path), key_path)
        about = reading.provenance()
        made = write_csv(Path(path), records.TABLE, records.rows(reading), about)
        file = write_parquet(Path(path), records.TABLE, made[0], about)
        for name in made:  # the Parquet file holds the same, label and provenance included
            Path(name).unlink()
    except ToolError as error:
        return {"error": error.message, "advice": error.advice, "holds": False}
    return {"file": str(file), "holds": reading.result.exit_code == OK}


def figures(folder, by, from_utc=None, to_utc=None):
    """Return (column names, rows) of energies and carbon over all boards below a folder.

    `by` is a list of BY's words and "source". Factors come from summed carbon over summed energy, never from a mean.
    """
    import duckdb

    files = [str(path) for path in sorted(Path(folder).rglob(FILE))]
    if not files:
        raise ToolError(f"{folder}: no {FILE} below it", f"Make them with: {_MAKE}")
    groups = ", ".join(BY[word] for word in by if word != "source")
    session = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", "TimeZone": "UTC"})
    try:
        times = "".join(f" AND t_start {sign} TIMESTAMP '{text.rstrip('Z')}'"
                        for sign, text in ((">=", from_utc), ("<", to_utc)) if text)
        listed = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
        session.execute(f"CREATE VIEW kept AS SELECT * FROM read_parquet([{listed}]) WHERE {_WHOLE}{times}")
        found = session.execute(_by_source(groups) if "source" in by else _plain(groups))
        return [column[0] for column in found.description], found.fetchall()
    except duckdb.Error as error:
        raise ToolError(f"{folder}: {error}", f"Make them anew with: {_MAKE}") from error
    finally:
        session.close()


def _plain(groups):
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in _ENERGIES)
    columns = f"{groups}, " if groups else ""
    return (f"SELECT {columns}count(*) AS records, {sums}, sum(c_direct_g) AS c_direct_g, "
            f"sum(c_lifecycle_g) AS c_lifecycle_g, "
            f"round(1000 * sum(c_direct_g) / nullif(sum(load_wh), 0), 3) AS ef_direct_g_per_kwh, "
            f"round(1000 * sum(c_lifecycle_g) / nullif(sum(load_wh), 0), 3) AS ef_lifecycle_g_per_kwh "
            f"FROM kept{_grouped(groups)}")


def _by_source(groups):
    """Return what of each source went into the load, one row a source."""
    columns = f"{groups}, " if groups else ""
    parts = " UNION ALL ".join(
        f"SELECT {columns}'{name}' AS source, sum(mix_{name}_wh)::BIGINT AS load_wh FROM kept{_grouped(groups, False)}"
        for name in _MIX)
    return f"SELECT * FROM ({parts}) ORDER BY ALL"


def _grouped(groups, ordered=True):
    return (" GROUP BY ALL" if groups else "") + (" ORDER BY ALL" if groups and ordered else "")
