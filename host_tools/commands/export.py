"""Export figures of a journal as tables for others, each with what it rests on and what it is not."""

import json
from pathlib import Path

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError, read_bytes
from host_tools.evidence import utc
from host_tools.evidence.reading import Reading
from host_tools.export import cbam, certificates, cfe, kpi, records, storage
from host_tools.export.table import write_csv, write_parquet, write_text

HELP = """Export the records that hold, as tables for others. File names and columns are fixed:
  records-csv       records.csv: one row a record, with what became of checking it
  records-parquet   the same as records.parquet
  storage-records   storage_records.csv and allocated_storage_records.csv, in EnergyTag's columns
  gc-json           gc_like.json: energy by source and interval, like granular certificates
  cbam              cbam_like_indirect.csv: electricity and indirect emissions by month
  dc-kpi            dc_kpi.csv: indicators of Delegated Regulation (EU) 2024/1364
  cfe-hourly        cfe_hourly.csv: carbon-free energy by the hour
Every file says what it is not, which records it was made of, and what `verify` found: inside where the format has
room, else beside it in FILE-metadata.json. OCMF is not offered: only a board could sign it.
Exit code 0 if everything holds, 1 if the files were written but the journal does not hold, 2 if nothing was."""
EXAMPLE = "python3 -m host_tools export build/day --keys build/day/keys.json --format records-csv --out build/tables"

_SUMS = (("goo_kwh", "renewable energy by cancelled guarantees of origin"),
         ("ppa_kwh", "renewable energy by power purchase agreements"), ("reused_kwh", "heat that was reused"))


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("path", metavar="PATH", type=Path, help="records.cbor, a run folder or a journal folder")
    parser.add_argument("--keys", required=True, metavar="F", help="public keys: keys.json")
    parser.add_argument("--format", required=True, choices=sorted(_WRITERS), help="which table")
    parser.add_argument("--from", dest="from_utc", metavar="UTC", help="start of the range, a full quarter hour")
    parser.add_argument("--to", dest="to_utc", metavar="UTC", help="end of the range, not in it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder (default: export in the folder of PATH)")
    parser.add_argument("--checkpoint", metavar="F", help="signed end anchor; for a folder: the one in it")
    parser.add_argument("--witness", metavar="F", action="append", default=[],
                        help="a checkpoint of this board that somebody else kept; may be repeated")
    parser.add_argument("--site", metavar="F", help="site.json, for name, ratings and location (default: beside it)")
    parser.add_argument("--zone", metavar="TEXT", help="gc-json: market zone, such as SE3")
    parser.add_argument("--load-is", choices=("site", "it"), default="site",
                        help="dc-kpi: what the load's meter counts (default site: EIT stays empty)")
    for name, what in _SUMS:
        parser.add_argument("--" + name.replace("_", "-"), type=_thousandths, metavar="KWH",
                            help=f"dc-kpi: kWh, {what}; as stated by you")
    parser.add_argument("--water-m3", type=_thousandths, metavar="M3", help="dc-kpi: m3 of water taken in")
    parser.add_argument("--grid-cfe-permille", type=int, default=0, metavar="N",
                        help="cfe-hourly: carbon-free share of the grid, 0 to 1000 (default 0: none claimed)")


def _thousandths(text):
    """Read a number of kWh or m3 as whole Wh or litres."""
    value = round(float(text) * 1000)
    if not 0 <= value < 2**63:
        raise ValueError(text)
    return value


class Stated:
    """What the exporter states beyond the records; all of it is repeated in the export."""

    def __init__(self, args):
        site = _site(args)
        self.site_name = (site.get("site") or {}).get("name")
        self.location = (site.get("site") or {}).get("location")
        self.ratings = site.get("ratings") or {}
        self.zone, self.load_is = args.zone, args.load_is
        self.goo_wh, self.ppa_wh, self.reused_wh = args.goo_kwh, args.ppa_kwh, args.reused_kwh
        self.water_l, self.grid_cfe_permille = args.water_m3, args.grid_cfe_permille
        if not 0 <= self.grid_cfe_permille <= 1000:
            raise ToolError(f"--grid-cfe-permille {self.grid_cfe_permille} is not allowed", "Give 0 to 1000.")

    def stated(self):
        """Return what was stated, by name with unit."""
        return {"load_is": self.load_is, "goo_wh": self.goo_wh, "ppa_wh": self.ppa_wh, "reused_wh": self.reused_wh,
                "water_l": self.water_l, "grid_cfe_permille": self.grid_cfe_permille, "market_zone": self.zone}


def _site(args):
    """Read the site description that was given or lies beside the records; {} if there is none."""
    beside = [args.path / part for part in ("run/site.json", "site.json")] if args.path.is_dir() else []
    path = args.site or next(filter(Path.is_file, beside), None)
    if path is None:
        return {}
    try:
        site = json.loads(read_bytes(path, "site description"))
    except ValueError as error:
        raise ToolError(f"{path}: not JSON ({error})", "Give the site.json of the board.") from error
    if type(site) is not dict:
        raise ToolError(f"{path}: not a site description", "Give the site.json of the board.")
    return site


def run(args):
    """Export; the exit code."""
    times = [None if text is None else utc.parse(text) for text in (args.from_utc, args.to_utc)]
    reading = Reading(args.path, args.keys, *times, checkpoint=args.checkpoint, witnesses=args.witness,
                      site=args.site)
    options = Stated(args)
    if not reading.entries and not reading.refused:
        raise ToolError("there is no record in the range", "Run `verify` to see which time the records cover.")
    out = args.out or (args.path if args.path.is_dir() else args.path.parent) / "export"
    for path in _WRITERS[args.format](out, reading, options):
        print(f"export: {path}")
    holds = reading.result.exit_code == OK
    if not holds:
        print(f"export: the journal does not hold: integrity {reading.result.integrity}, completeness "
              f"{reading.result.completeness}, plausibility {reading.result.plausibility}; every file says so")
    return OK if holds else DOES_NOT_HOLD


def _about(reading, options):
    return reading.provenance() | {"stated_by_the_exporter": options.stated()}


def _records_csv(out, reading, options):
    return write_csv(out, records.TABLE, records.rows(reading), _about(reading, options))


def _records_parquet(out, reading, options):
    made = _records_csv(out, reading, options)
    return [write_parquet(out, records.TABLE, made[0], _about(reading, options))]


def _storage(out, reading, options):
    about = _about(reading, options)
    return (write_csv(out, storage.RECORDS, storage.record_rows(reading), about)
            + write_csv(out, storage.ALLOCATED, storage.allocated_rows(reading), about))


def _certificates(out, reading, options):
    path = out / certificates.FILE
    write_text(path, json.dumps(certificates.document(reading, options, reading.provenance()), indent=1) + "\n")
    return [path]


def _cbam(out, reading, options):
    about = _about(reading, options)
    return write_csv(out, cbam.TABLE, cbam.rows(reading, about), about)


def _kpi(out, reading, options):
    return write_csv(out, kpi.table(options), kpi.rows(reading, options), _about(reading, options))


def _cfe(out, reading, options):
    return write_csv(out, cfe.TABLE, cfe.rows(reading, options), _about(reading, options))


_WRITERS = {"records-csv": _records_csv, "records-parquet": _records_parquet, "storage-records": _storage,
            "gc-json": _certificates, "cbam": _cbam, "dc-kpi": _kpi, "cfe-hourly": _cfe}
