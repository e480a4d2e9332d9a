"""Exports: exact names, every column against a recomputation that shares no code with the tools, rounding, labels."""

import hashlib
import json
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools import cli
from host_tools.evidence.reading import Reading
from host_tools.export.table import fixed
from tests import made_run
from tests.evidence_writer import START_MS, Device, checkpoint
from tests.export_rig import board, export, iso, plain, records_of, table_of

NAMES = {
    "records.csv": "site,dev,seq,t_start,t_end,load_wh,wind_wh,pv_wh,diesel_wh,grid_import_wh,bess_discharge_wh,"
                   "bess_charge_wh,grid_export_wh,aux_wh,resid_wh,mix_wind_wh,mix_pv_wh,mix_diesel_wh,mix_grid_wh,"
                   "mix_bess_wh,c_direct_g,c_lifecycle_g,ef_direct_g_per_kwh,ef_lifecycle_g_per_kwh,pool_wh,"
                   "pool_c_direct_g,fuel_l,coverage_pct,quality,clock,substituted_wh,flags,sig_ok,chain_ok,balance_ok,"
                   "witnessed,record_sha256",
    "storage_records.csv": "device_id,is_charging,flow_start_datetime,flow_end_datetime,flow_energy,validator_id",
    "allocated_storage_records.csv":
        "device_id,scr_allocation_id,sdr_allocation_id,sdr_proportion,scr_allocation_methodology,gc_allocation_id,"
        "sdgc_allocation_id,efficiency_factor_methodology,efficiency_factor_interval_start,"
        "efficiency_factor_interval_end,storage_efficiency_factor",
    "cbam_like_indirect.csv":
        "periodStart,periodEnd,typeOfDetermination,sourceOfEmissionFactor,sourceOfEmissionFactorValue,"
        "sourceOfElectricity,electricityConsumedMwh,emissionFactorTonnesCo2PerMwh,indirectEmissionsTonnesCo2,"
        "electricityConsumedMwhPerTonnesGood,evidenceRoot,verifierNote",
    "dc_kpi.csv": "EDC_kWh,EIT_kWh,ERES_TOT_kWh,ERES_GOO_kWh,ERES_PPA_kWh,ERES_OS_kWh,PUE,REF",
    "cfe_hourly.csv": "hour_start,load_wh,cfe_wh,cfe_score,grid_cfe_used,lb_gco2,mb_gco2",
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A run folder and its records as plain maps, read by cbor2."""
    folder = made_run.make(tmp_path_factory.mktemp("export") / "run", board())
    return folder, records_of(folder)


@pytest.mark.parametrize("name, files", (
    ("records-csv", ["records.csv"]), ("cbam", ["cbam_like_indirect.csv"]), ("dc-kpi", ["dc_kpi.csv"]),
    ("storage-records", ["storage_records.csv", "allocated_storage_records.csv"]), ("cfe-hourly", ["cfe_hourly.csv"])))
def test_names_labels_and_what_it_rests_on(case, name, files):
    out = export(case[0], name)
    for file in files:
        assert (out / file).read_text().splitlines()[0] == NAMES[file]
        about = json.loads((out / (file + "-metadata.json")).read_text())
        assert [column["name"] for column in about["tableSchema"]["columns"]] == NAMES[file].split(",")
        assert all(len(column["dc:description"]) > 1 for column in about["tableSchema"]["columns"])
        assert "not" in about["dc:description"].lower()
        note = about["notes"][0]
        assert (note["integrity"], note["completeness"], note["holds"]) == ("PASS", "PASS", True)
        assert note["root_records"] == 131 and len(note["root_sha256_base64"]) == 44
        assert (note["first_seq"], note["last_seq"], note["gaps"]) == (0, 130, 1)
        assert (note["quarter_hours_in_range"], note["quarter_hours_covered"]) == (133, 130)


def test_every_column_of_the_records(case):
    rows = table_of(export(case[0], "records-csv") / "records.csv")
    raw = case[1]
    assert len(rows) == len(raw)
    for row, data, record in zip(rows, raw, plain(raw)):
        assert (row["site"], row["dev"], int(row["seq"])) == ("north", "cab-1", record[3])
        assert row["t_start"] == iso(record[9]) and row["t_end"] == iso(record[9] + record[10])
        assert row["record_sha256"] == hashlib.sha256(data).hexdigest()
        assert (row["sig_ok"], row["chain_ok"], row["clock"]) == ("true", "true", "synchronised")
        assert int(row["pool_wh"]) == record[28][0]
        assert Decimal(row["pool_c_direct_g"]) == Decimal(record[28][1]) / 10**6
        if record[2] == 2:
            assert row["quality"] == "gap" and row["load_wh"] == row["c_direct_g"] == row["balance_ok"] == ""
            continue
        wanted = [record[24][0], *record[23], *record[24][1:], record[25], *record[26]]
        assert [int(value) for value in list(row.values())[5:20]] == wanted
        for track, key in (("direct", 35), ("lifecycle", 36)):
            assert Decimal(row[f"c_{track}_g"]) == Decimal(record[key][0]) / 10**6
            exact = Fraction(record[key][0], 1000 * record[24][0])
            assert 0 <= exact - Fraction(row[f"ef_{track}_g_per_kwh"]) < Fraction(1, 1000)
        assert row["coverage_pct"] == "99.98" and row["quality"] == "valid" and row["substituted_wh"] == "0"
        assert ("pool underflow" in row["flags"]) == (record[23][4] > record[27][0])
        assert ("pool true-up" in row["flags"]) == bool(record[19] >> 9 & 1)
        assert (row["balance_ok"], row["fuel_l"]) == ("true", "")


def test_sums_of_the_records_are_the_verifiers(case, capsys):
    rows = table_of(export(case[0], "records-csv") / "records.csv")
    capsys.readouterr()
    cli.main(["verify", str(case[0]), "--keys", str(case[0] / "keys.json"), "--json"])
    totals = json.loads(capsys.readouterr().out)["totals"]

    def total(name):
        return sum(Decimal(row[name]) for row in rows if row[name])

    assert [total(name) for name in ("wind_wh", "pv_wh", "diesel_wh", "grid_import_wh", "bess_discharge_wh")] == \
        list(totals["sources_wh"].values())
    assert [total(name) for name in ("load_wh", "bess_charge_wh", "grid_export_wh", "aux_wh")] == \
        list(totals["uses_wh"].values())
    assert total("c_direct_g") * 10**6 == totals["carbon_direct_ug"]["load"]
    assert total("resid_wh") == totals["residual_wh"]


def test_a_refused_record_has_a_row_and_no_figures(tmp_path):
    folder = made_run.make(tmp_path / "run", made_run.board(6))
    records = records_of(folder)
    records[2] = records[2][:-1] + bytes([records[2][-1] ^ 1])
    (folder / "records.cbor").write_bytes(b"".join(records))
    rows = table_of(export(folder, "records-csv", code=1) / "records.csv")
    bad = [row for row in rows if row["sig_ok"] == "false"]
    assert len(rows) == 6 and len(bad) == 1 and bad[0]["load_wh"] == "" and bad[0]["chain_ok"] == "false"
    follower = next(row for row in rows if int(row["seq"]) == int(bad[0]["seq"]) + 1)
    assert follower["chain_ok"] == "false"
    note = json.loads((folder / "export" / "records.csv-metadata.json").read_text())["notes"][0]
    assert note["integrity"] == "FAIL" and note["holds"] is False and note["refused_records"] == 1


def test_a_witness_covers_what_it_states(tmp_path):
    folder = made_run.make(tmp_path / "run", made_run.board(6))
    kept = tmp_path / "kept.txt"
    kept.write_bytes(checkpoint(Device(), records_of(folder)[:4]))
    rows = table_of(export(folder, "records-csv", "--witness", str(kept)) / "records.csv")
    assert [row["witnessed"] for row in rows] == ["true"] * 4 + ["false"] * 2


def test_parquet_holds_the_same_and_says_what_it_is_not(case):
    out = export(case[0], "records-parquet")
    rows = table_of(out / "records.csv")
    names = NAMES["records.csv"].split(",")
    cells = ", ".join(f"epoch_ms({name})" if name.startswith("t_") else name for name in names)
    with duckdb.connect(":memory:") as session:
        found = session.execute(f"SELECT {cells} FROM '{out}/records.parquet' ORDER BY seq").fetchall()
        about = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{out}/records.parquet')"
        notes = dict(session.execute(about).fetchall())
    assert "Not a bill" in notes["label"] and json.loads(notes["provenance"])["root_records"] == 131
    assert list(json.loads(notes["columns"])) == names and len(found) == len(rows)
    for cells, row in zip(found, rows):
        for name, cell in zip(names, cells):
            if name.startswith("t_"):
                assert iso(cell) == row[name]
            elif type(cell) is bool:
                assert row[name] == str(cell).lower()
            else:
                assert row[name] == ("" if cell is None else str(cell)), name


def test_origins_sum_to_the_signed_figures(case):
    reading = Reading(case[0], case[0] / "keys.json")
    for entry in reading.intervals:
        record, flow = entry.record, entry.flow
        assert [row[0] for row in flow.matrix[0]] == record[26]
        for quantity, key in ((1, 35), (2, 36)):
            assert [sum(column) for column in zip(*flow.matrix[quantity])] == record[key][:4]
        for quantity in range(3):
            assert sum(flow.stored[quantity]) == record[28][quantity] and min(flow.stored[quantity]) >= 0
            for use in range(4):
                assert sum(flow.from_battery[quantity][use]) == flow.matrix[quantity][4][use]


def test_a_range_is_taken_and_stated_and_must_be_quarters(case, capsys):
    begin, end = START_MS + 14 * 86_400_000, START_MS + 14 * 86_400_000 + 8 * 900_000
    out = export(case[0], "records-csv", "--from", iso(begin), "--to", iso(end))
    rows = table_of(out / "records.csv")
    assert [row["t_start"] for row in rows] == [iso(begin + 900_000 * i) for i in range(8)]
    note = json.loads((out / "records.csv-metadata.json").read_text())["notes"][0]
    assert (note["from_utc"], note["to_utc"], note["records"]) == (iso(begin), iso(end), 8)
    assert (note["quarter_hours_in_range"], note["quarter_hours_covered"], note["root_records"]) == (8, 8, 131)
    capsys.readouterr()
    words = ["export", str(case[0]), "--keys", str(case[0] / "keys.json"), "--format", "cbam"]
    assert cli.main([*words, "--from", "2024-05-17T00:07:00Z"]) == 2
    assert "no full quarter hour" in capsys.readouterr().err
    assert cli.main([*words, "--from", "2030-01-01"]) == 2


@settings(deadline=None)
@given(st.integers(-(2**70), 2**70), st.integers(1, 2**70), st.integers(1, 9))
def test_numbers_are_rounded_down_exactly(numerator, denominator, places):
    text = fixed(numerator, denominator, places)
    assert len(text.partition(".")[2]) == places
    assert 0 <= Fraction(numerator, denominator) - Fraction(text) < Fraction(1, 10**places)
