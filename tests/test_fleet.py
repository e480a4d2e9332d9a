"""Many boards at once: the archive, the same verdicts here and on a Dask cluster, figures by DuckDB, status."""

import json
from pathlib import Path

import cbor2
import pytest

from host_tools.cli import main
from host_tools.evidence import keys
from host_tools.fleet import archive, figures, status
from host_tools.listen.arrival import Arrivals
from host_tools.listen.store import Store
from tests import fleet_rig
from tests.evidence_writer import Device, checkpoint, day, keys_document

_COUNT = 24


def _boards():
    devices = [Device(n, f"site-{n % 3}", f"cab-{n}") for n in range(1, 8)]
    return [(device, day(_COUNT, n, device)) for n, device in enumerate(devices)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A store with seven boards, one of which lost its last record after its checkpoint."""
    folder = tmp_path_factory.mktemp("fleet")
    written = _boards()
    key_path = folder / "keys.json"
    key_path.write_text(json.dumps(keys_document(*(device for device, _ in written))))
    registry = keys.load(key_path)
    store = Store(f"sqlite:///{folder}/store.db")
    sealed = {}
    for n, (device, board) in enumerate(written):
        raw = sealed[device.device] = board.sealed()
        arrivals = Arrivals(registry)
        topic = f"evenkeel/{device.site}/{device.device}/"
        arrivals.take(topic + "records", b"".join(raw[:-1] if n == 4 else raw), {})
        arrivals.take(topic + "checkpoint", checkpoint(device, raw), {})
        arrivals.take(topic + "events", b'{"seq": 0, "code": "START"}\n', {})
        arrivals.take(topic + "status", json.dumps({"online": n != 2, "size": len(raw), "mode": "auto",
                                                    "alarms": ["load_silent"] if n == 3 else []}).encode(), {})
        store.commit(arrivals)
        assert not arrivals.refused
    yield folder, key_path, store, sealed
    store.close()


def _fetched(fleet):
    folder, _, store, _ = fleet
    archive.fetch(store, folder / "archive")
    return folder / "archive"


def test_archive_is_the_store_byte_for_byte_and_grows_only(fleet):
    folder, key_path, store, sealed = fleet
    place = _fetched(fleet)
    again = archive.fetch(store, place)
    assert sum(again.values()) == 0
    for path in archive.places(place):
        device = path.name.split("/")[1]
        file = Path(path.path) / "records.cbor"
        data = file.read_bytes()
        assert data == b"".join(sealed[device][:-1] if device == "cab-5" else sealed[device])
    file.write_bytes(data[:-7])  # a fetch that was interrupted
    archive.fetch(store, place)
    assert file.read_bytes() == data


def _verdicts(capsys, *arguments):
    code = main(["fleet", "verify", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_verdicts_are_those_of_verify_here_and_on_a_cluster(fleet, capsys, cluster):
    _, key_path, _, _ = fleet
    place = _fetched(fleet)
    code, local = _verdicts(capsys, str(place), "--keys", str(key_path), "--workers", "2")
    code_there, there = _verdicts(capsys, str(place), "--keys", str(key_path), "--scheduler", cluster)
    assert local == there and code == code_there == 1
    assert [name for name, result in local.items() if not result["holds"]] == ["site-2/cab-5"]
    assert "TAIL_CUT" in local["site-2/cab-5"]["finding_counts"]
    for name, result in local.items():
        main(["verify", f"{place}/{name}", "--keys", str(key_path), "--json"])
        assert json.loads(capsys.readouterr().out) == result


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with fleet_rig.cluster(tmp_path_factory.mktemp("dask")) as address:
        yield address


def test_figures_are_the_sums_of_the_records(fleet, capsys):
    folder, key_path, _, sealed = fleet
    place = _fetched(fleet)
    main(["fleet", "tabulate", str(place), "--keys", str(key_path), "--workers", "2"])
    capsys.readouterr()
    wanted = {}
    for device, raw in sealed.items():
        for data in raw[:-1] if device == "cab-5" else raw:
            fields = cbor2.loads(cbor2.loads(data).value[2])
            site = cbor2.loads(cbor2.loads(data).value[0])[15][1]
            sums = wanted.setdefault(site, [0, 0, 0, 0])
            sums[0] += fields[24][0]
            sums[1] += fields[23][0]
            sums[2] += fields[35][0]
            sums[3] += sum(fields[26])
    assert main(["fleet", "figures", str(place), "--by", "site", "--json"]) == 0
    found = {row["site"]: row for row in json.loads(capsys.readouterr().out)}
    assert {site: [row["load_wh"], row["wind_wh"]] for site, row in found.items()} == {
        site: sums[:2] for site, sums in wanted.items()}
    for site, (load_wh, _, direct_ug, _) in wanted.items():
        assert abs(found[site]["c_direct_g"] - direct_ug / 1e6) < 1e-5
        assert found[site]["ef_direct_g_per_kwh"] == pytest.approx(direct_ug / 1e3 / load_wh, abs=1e-3)
    names, rows = figures.figures(place, ["site", "hour"])
    assert sum(row[names.index("load_wh")] for row in rows) == sum(sums[0] for sums in wanted.values())
    names, rows = figures.figures(place, ["source"])
    assert sum(row[names.index("load_wh")] for row in rows) == sum(sums[3] for sums in wanted.values())
    assert {row[names.index("source")] for row in rows} == {"wind", "pv", "diesel", "grid", "bess"}


def test_status_names_what_is_wrong_the_worst_first(fleet, capsys):
    _, _, store, _ = fleet
    now_ms = store.boards()[0]["seen_ms"]
    last_ms = max(board["last_start_ms"] for board in store.boards())
    found = {one.device: one for one in status.statuses(store, last_ms + 900_000)}
    assert found["cab-3"].words == ["silent"] and found["cab-4"].words == ["alarm"]
    assert found["cab-7"].words == []
    late = status.statuses(store, now_ms + 3_600_000)
    assert all({"silent", "late"} <= set(one.words) for one in late)
    assert late[0].worst >= late[-1].worst


def test_report_of_every_board(fleet, capsys):
    _, key_path, _, _ = fleet
    place = _fetched(fleet)
    assert main(["fleet", "report", str(place), "--keys", str(key_path), "--workers", "2"]) == 1
    assert capsys.readouterr().out.count("report.html") == 7
    assert "does not hold" not in (place / "site-2/cab-2/report.html").read_text()[:20]
