"""Write a table as CSV with its description beside it, or as Parquet with the description inside.

The description of a CSV is a CSV on the Web metadata file, NAME.csv-metadata.json: the label, the provenance, and
unit and meaning of each column. A null is an empty cell. Numbers are written in full, never with an exponent.
"""

import csv
import io
import json
from dataclasses import dataclass

from host_tools.errors import ToolError, unreadable

_DATATYPES = {"text": "string", "time": "dateTime", "int": "integer", "bool": "boolean"}
_SQL = {"text": "VARCHAR", "time": "TIMESTAMPTZ", "int": "BIGINT", "bool": "BOOLEAN"}


@dataclass(frozen=True)
class Column:
    """One column: name, kind (text, time, int, bool, or decimal places such as .3), unit and meaning."""

    name: str
    kind: str
    about: str

    @property
    def datatype(self):
        """Return the W3C datatype."""
        return _DATATYPES.get(self.kind, "decimal")

    @property
    def sql(self):
        """Return the type for Parquet."""
        return _SQL.get(self.kind) or f"DECIMAL(38,{self.kind[1:]})"


@dataclass(frozen=True)
class Table:
    """A kind of table: file name, columns, what it is and what it is not."""

    file: str
    columns: tuple
    label: str


def fixed(numerator, denominator, places):
    """Write numerator / denominator rounded down to so many decimals, exactly; None where there is no value."""
    if numerator is None or not denominator:
        return None
    value = numerator * 10**places // denominator
    sign, value = ("-" if value < 0 else ""), abs(value)
    return f"{sign}{value // 10**places}.{value % 10**places:0{places}d}"


def write_csv(folder, table, rows, provenance):
    """Write the table and its description; return the paths."""
    path = folder / table.file
    beside = folder / (table.file + "-metadata.json")
    _write(path, to_csv(table, rows))
    _write(beside, json.dumps(description(table, provenance), indent=1) + "\n")
    return [path, beside]


def to_csv(table, rows):
    """Return the text of the CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value):
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    return value


def description(table, provenance):
    """Return the description as CSV on the Web has it, with the provenance under a key of our own."""
    columns = [{"name": column.name, "titles": column.name, "datatype": column.datatype,
                "dc:description": column.about} for column in table.columns]
    return {"@context": "http://www.w3.org/ns/csvw", "url": table.file, "dc:description": table.label,
            "tableSchema": {"columns": columns}, "notes": [{"label": table.label, **provenance}]}


def write_parquet(folder, table, csv_path, provenance):
    """Write a CSV's rows as Parquet, label and provenance among its key-value metadata; return the path."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise ToolError("Parquet needs the package duckdb", "Run `make setup`, or export the CSV.") from error
    path = folder / (table.file.removesuffix(".csv") + ".parquet")
    columns = ", ".join(f"{_quoted(column.name)}: {_quoted(column.sql)}" for column in table.columns)
    about = {"label": table.label, "provenance": json.dumps(provenance),
             "columns": json.dumps({column.name: column.about for column in table.columns})}
    notes = ", ".join(f"{name}: {_quoted(text)}" for name, text in about.items())
    session = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        session.execute(
            f"COPY (SELECT * FROM read_csv({_quoted(str(csv_path))}, header = true, auto_detect = false, "
            f"delim = ',', quote = '\"', escape = '\"', nullstr = '', columns = {{{columns}}})) "
            f"TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{notes}}})")
    except duckdb.Error as error:
        raise ToolError(f"{path}: {error}", "Check the path and that you may write there.") from error
    finally:
        session.close()
    return path


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def _write(path, text):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise unreadable(path, "export", error) from error


write_text = _write
