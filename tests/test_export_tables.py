"""Exports of storage, certificates, hours, months and indicators, against exact fractions and plain sums."""

import hashlib
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.export.storage import Layers
from tests import made_run
from tests.export_rig import board, export, iso, plain, records_of, table_of

GC_NAMES = ("issuance_id,energy_carrier,energy_source,face_value,bundle_quantity,device_id,device_name,"
            "device_technology_type,device_capacity,device_location,production_starting_interval,"
            "production_ending_interval,is_storage,storage_efficiency_factor,emissions_factor_production_device,"
            "emissions_factor_source,dissemination_level,issue_market_zone,hash")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A run folder and its records as plain maps, read by cbor2."""
    folder = made_run.make(tmp_path_factory.mktemp("export") / "run", board())
    return folder, records_of(folder)


def test_storage_flows_and_their_allocation(case):
    out = export(case[0], "storage-records")
    records = [record for record in plain(case[1]) if record[2] == 1]
    flows = table_of(out / "storage_records.csv")
    wanted = [(way, iso(record[9]), str(energy)) for record in records
              for way, energy in (("true", record[24][1]), ("false", record[23][4])) if energy]
    assert [(row["is_charging"], row["flow_start_datetime"], row["flow_energy"]) for row in flows] == wanted
    pairs = table_of(out / "allocated_storage_records.csv")
    for record in records:
        name = f"north/cab-1/bess-{iso(record[9])}"
        parts = [row for row in pairs if row["sdr_allocation_id"] == name]
        drawn = min(record[23][4], record[27][0])
        share = Fraction(drawn, record[23][4]) if record[23][4] else 0
        total = sum(Fraction(row["sdr_proportion"]) for row in parts)
        assert 0 <= share - total <= Fraction(len(parts), 10**9)
        sources = [row["scr_allocation_id"] for row in parts]
        assert all(source < name for source in sources if source.startswith("north"))
        assert [s for s in sources if s.startswith("north")] == sorted(s for s in sources if s.startswith("north"))
    _check_efficiency(pairs, records)


def _check_efficiency(pairs, records):
    months = {}
    for record in records:
        months.setdefault(iso(record[9])[:7], []).append(record)
    assert len(months) == 2
    for row in pairs:
        month = months[row["efficiency_factor_interval_start"][:7]]
        assert row["efficiency_factor_interval_start"] == iso(month[0][9])
        assert row["efficiency_factor_interval_end"] == iso(month[-1][9] + month[-1][10])
        out = sum(record[23][4] for record in month) + month[-1][28][0] - month[0][27][0]
        charged = sum(record[24][1] for record in month)
        if 0 <= out <= charged:
            assert 0 <= Fraction(out, charged) - Fraction(row["storage_efficiency_factor"]) < Fraction(1, 10**6)
        else:
            assert row["storage_efficiency_factor"] == ""
        assert (row["scr_allocation_methodology"], row["gc_allocation_id"]) == ("FIFO", "")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("atm"), st.integers(0, 1000)), max_size=60))
def test_layers_never_lose_a_wh_and_the_oldest_goes_first(steps):
    layers, sum_wh = Layers(), 0
    for number, (what, energy_wh) in enumerate(steps):
        if what == "a":
            layers.add(number, energy_wh)
            sum_wh += energy_wh
        elif what == "t":
            taken = layers.take(energy_wh)
            assert [name for name, _ in taken] == sorted(name for name, _ in taken)
            assert sum(part for _, part in taken) == min(energy_wh, sum_wh)
            sum_wh -= min(energy_wh, sum_wh)
        else:
            layers.match(number, energy_wh)
            sum_wh = energy_wh
        assert layers.sum_wh == sum_wh == sum(part for _, part in layers.layers)
        assert all(part > 0 for _, part in layers.layers)


def test_certificates_round_down_to_whole_wh(case):
    document = json.loads((export(case[0], "gc-json", "--zone", "SE3") / "gc_like.json").read_text())
    assert "NOT an issued certificate" in document["label"] and document["provenance"]["holds"] is True
    bundles = document["certificates"]
    assert all(",".join(bundle) == GC_NAMES for bundle in bundles)
    ids = [bundle["issuance_id"] for bundle in bundles]
    assert len(ids) == len(set(ids))
    hashes = {record[3]: hashlib.sha256(raw).hexdigest() for raw, record in zip(case[1], plain(case[1]))}
    count = 0
    for record in plain(case[1]):
        if record[2] != 1:
            continue
        for index, name in ((0, "wind"), (1, "pv"), (2, "genset"), (4, "bess")):
            here = [b for b in bundles if b["device_id"] == f"north/cab-1/{name}"
                    and b["production_starting_interval"] == iso(record[9])]
            count += len(here)
            _check_bundles(here, record, index, hashes[record[3]])
    assert count == len(bundles)


def _check_bundles(here, record, index, parent):
    energy_wh, uses = record[23][index], record[24]
    exported = Fraction(energy_wh * uses[2], sum(uses))
    exact = {"injected": exported, "self-consumed": energy_wh - exported}
    found = {bundle["dissemination_level"]: bundle["bundle_quantity"] for bundle in here}
    assert found == {level: int(value) for level, value in exact.items() if int(value)}
    for bundle in here:
        assert (bundle["face_value"], bundle["issue_market_zone"], bundle["is_storage"]) == (1, "SE3", index == 4)
        if index < 4:
            assert bundle["emissions_factor_production_device"] == record[33][index] / 1000
        rest = {name: value for name, value in bundle.items() if name != "hash"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":")) + parent
        assert bundle["hash"] == hashlib.sha256(text.encode()).hexdigest()


def _mixture(records):
    """Follow origins with exact fractions: (record, Wh of the load by origin, ug of it by origin)."""
    stored = None
    for record in records:
        pool = [Fraction(value) for value in record[27][:2]]
        if stored is None:
            stored = [[0, 0, 0, 0, pool[0], 0], [0, 0, 0, 0, pool[1], 0]]
        if record[2] == 1:
            uses, total = record[24], sum(record[24])
            drawn = min(record[23][4], record[27][0])
            excess = record[23][4] - drawn
            out = [[part * drawn / pool[0] if pool[0] else 0 for part in stored[0]],
                   [part * record[35][5] / pool[1] if pool[1] else 0 for part in stored[1]]]
            given = [[*record[23][:4], 0, 0], [*(w * f for w, f in zip(record[23][:4], record[32])), 0, 0]]
            for quantity, beyond in ((0, excess), (1, excess * record[32][4])):
                given[quantity] = [a + b for a, b in zip(given[quantity], out[quantity])]
                given[quantity][5] += beyond
            yield record, *([value * Fraction(uses[0], total) for value in row] for row in given)
            for quantity in (0, 1):
                came = [value * Fraction(uses[1], total) for value in given[quantity]]
                scale = Fraction(uses[1] - record[29], 1) / sum(came) if quantity == 0 and sum(came) else 1
                stored[quantity] = [have - gone + more * scale
                                    for have, gone, more in zip(stored[quantity], out[quantity], came)]
        for quantity in (0, 1):
            now, end = sum(stored[quantity]), record[28][quantity]
            stored[quantity] = [part * end / now for part in stored[quantity]] if now else [0, 0, 0, 0, end, 0]


def test_hours_and_months_and_indicators(case):
    moved = list(_mixture(plain(case[1])))
    _check_hours(table_of(export(case[0], "cfe-hourly") / "cfe_hourly.csv"), moved)
    _check_months(table_of(export(case[0], "cbam") / "cbam_like_indirect.csv"), moved)
    stated = ("--load-is", "it", "--goo-kwh", "1.5", "--water-m3", "2")
    row = table_of(export(case[0], "dc-kpi", *stated) / "dc_kpi.csv")[0]
    records = [record for record, _, _ in moved]
    edc = sum(r[24][0] + r[24][3] + r[24][1] - r[23][4] for r in records) - records[-1][28][0] + records[0][27][0]
    load = sum(record[24][0] for record in records)
    assert Fraction(row["EDC_kWh"]) * 1000 == edc and Fraction(row["EIT_kWh"]) * 1000 == load
    assert row["ERES_GOO_kWh"] == "1.500" and row["ERES_PPA_kWh"] == ""
    assert Fraction(row["ERES_TOT_kWh"]) == Fraction(row["ERES_OS_kWh"]) + Fraction(3, 2)
    clean = sum((energy[0] + energy[1]) * (1 + Fraction(r[24][3], r[24][0])) for r, energy, _ in moved)
    assert abs(Fraction(row["ERES_OS_kWh"]) * 1000 - clean) < 3 * len(moved)
    assert 0 <= Fraction(edc, load) - Fraction(row["PUE"]) < Fraction(1, 10**4)
    assert 0 <= Fraction(row["ERES_TOT_kWh"]) * 1000 / edc - Fraction(row["REF"]) < Fraction(1, 10**4)
    assert 0 <= Fraction(2_000_000, load) - Fraction(row["WUE"]) < Fraction(1, 10**6)


def _check_hours(rows, moved):
    hours = {}
    for record, energy, _ in moved:
        hours.setdefault(iso(record[9])[:13], []).append((record, energy))
    assert [row["hour_start"][:13] for row in rows] == sorted(hours)
    for row in rows:
        here = hours[row["hour_start"][:13]]
        load = sum(record[24][0] for record, _ in here)
        clean = sum(energy[0] + energy[1] for _, energy in here)
        assert int(row["load_wh"]) == load and abs(int(row["cfe_wh"]) - clean) <= 3 * 4
        assert Decimal(row["cfe_score"]) == Decimal(min(int(row["cfe_wh"]), load) * 10**4 // load) / 10**4
        assert Decimal(row["lb_gco2"]) * 10**6 == sum(record[35][0] for record, _ in here)
        assert (row["mb_gco2"], row["grid_cfe_used"]) == ("", "0.000")


def _check_months(rows, moved):
    for month in {row["periodStart"][:7] for row in rows}:
        here = [(r, energy, carbon) for r, energy, carbon in moved if iso(r[9])[:7] == month]
        mine = [row for row in rows if row["periodStart"][:7] == month]
        assert [row["sourceOfElectricity"][:5] for row in mine] == ["SOE01", "SOE03", "scope"]
        assert sum(Fraction(row["electricityConsumedMwh"]) for row in mine) * 10**6 == sum(
            sum(record[26]) for record, _, _ in here)
        assert sum(Fraction(row["indirectEmissionsTonnesCo2"]) for row in mine) * 10**12 == sum(
            record[35][0] for record, _, _ in here)
        for row, origins in zip(mine, ((0, 1), (3, 4, 5), (2,))):
            energy_wh = Fraction(row["electricityConsumedMwh"]) * 10**6
            carbon_ug = Fraction(row["indirectEmissionsTonnesCo2"]) * 10**12
            assert abs(energy_wh - sum(e[k] for _, e, _ in here for k in origins)) <= 3 * len(here)
            exact_ug = sum(c[k] for _, _, c in here for k in origins)
            assert abs(carbon_ug - exact_ug) <= max(exact_ug / 10**4, 3 * len(here))
            factor = Fraction(row["emissionFactorTonnesCo2PerMwh"])
            assert 0 <= carbon_ug / energy_wh / 10**6 - factor < Fraction(1, 10**9)
            assert "not a CBAM declaration" in row["verifierNote"] and " of 131 records" in row["evidenceRoot"]
            assert row["electricityConsumedMwhPerTonnesGood"] == ""
