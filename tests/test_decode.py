"""The strict decoder, and the `decode` and `explain` commands on whole and damaged journals."""

import json

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools import cli
from host_tools.evidence import cbor, cose
from host_tools.evidence.findings import CODES
from host_tools.evidence.source import open_source
from tests.evidence_writer import START_MS, day
from tests.tamper import Case

VECTORS = "tests/vectors/record_v1.json"
ITEMS = st.recursive(
    st.none() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 300), inner, max_size=5),
    max_leaves=12)


def _deterministic(item):
    """Sort the keys of every map."""
    if type(item) is dict:
        return {key: _deterministic(item[key]) for key in sorted(item)}
    return [_deterministic(part) for part in item] if type(item) is list else item


def _depth(item):
    parts = item.values() if type(item) is dict else item if type(item) is list else None
    return 0 if parts is None else 1 + max(map(_depth, parts), default=0)


@settings(deadline=None, max_examples=300)
@given(ITEMS)
def test_deterministic_items_decode_to_what_they_were(item):
    item = _deterministic(item)
    data = cbor2.dumps(item)
    if _depth(item) > 4:
        with pytest.raises(cbor.CborError):
            cbor.decode(data)
    else:
        assert cbor.decode(data) == item


@settings(deadline=None, max_examples=1000)
@given(st.binary(max_size=60) | st.builds(lambda item, tail: cbor2.dumps(item) + tail, ITEMS, st.binary()))
def test_what_is_accepted_encodes_to_the_same_bytes(data):
    try:
        value = cbor.decode(data)
    except cbor.CborError as error:
        assert error.kind in cbor.WORDS and 0 <= error.position <= len(data)
    else:
        assert cbor2.dumps(value) == data


@pytest.mark.parametrize("data, kind", [
    ("", "TRUNCATED"), ("18", "TRUNCATED"), ("1817", "LONG_FORM"), ("1900ff", "LONG_FORM"),
    ("81190001", "LONG_FORM"), ("811a0000ffff", "LONG_FORM"), ("1bffffffff", "TRUNCATED"),
    ("1b00000000ffffffff", "LONG_FORM"),
    ("3817", "LONG_FORM"), ("5801ff", "LONG_FORM"), ("5f40ff", "INDEFINITE"), ("9fff", "INDEFINITE"),
    ("bfff", "INDEFINITE"), ("a201000100", "KEY_DUPLICATE"), ("a202000100", "KEY_ORDER"), ("a1200a", "TYPE"),
    ("f4", "TYPE"), ("f7", "TYPE"), ("f90000", "TYPE"), ("fb3ff0000000000000", "TYPE"), ("c100", "TYPE"),
    ("c249010000000000000000", "TYPE"), ("0000", "TRAILING"), ("9bffffffffffffffff", "TRUNCATED"),
    ("bb7fffffffffffffff", "TRUNCATED"), ("818181818100", "DEPTH"), ("61ff", "TYPE"), ("1c", "TYPE"),
    ("ff", "TYPE"),
])
def test_strict_decoder_refuses(data, kind):
    with pytest.raises(cbor.CborError) as error:
        cbor.decode(bytes.fromhex(data))
    assert error.value.kind == kind


@pytest.fixture
def case(tmp_path):
    """Five quarter hours and a gap, in a folder."""
    board = day(3)
    board.gap(1_800_000)
    board.interval()
    made = Case(tmp_path, board)
    (tmp_path / "records.cbor").write_bytes(b"".join(made.records))
    return made


def _run(capsys, *argv):
    code = cli.main([str(part) for part in argv])
    out = capsys.readouterr()
    assert "Traceback" not in out.err
    return code, out.out, out.err


def test_decode_prints_one_line_a_record(case, capsys):
    code, out, _ = _run(capsys, "decode", case.folder)
    lines = out.splitlines()
    assert code == 0 and len(lines) == 5
    assert "2024-05-17T00:15:00Z" in lines[1] and "gap" in lines[3]


def test_decode_json_names_every_field_with_its_unit(case, capsys):
    code, out, _ = _run(capsys, "decode", case.folder, "--json", "--seq", "1")
    record = json.loads(out)
    assert code == 0 and record["seq"] == 1 and record["start_ms"] == START_MS + 900_000
    assert set(record["sources_wh"]) == {"wind", "pv", "genset", "grid_import", "bess_discharge"}
    assert record["site"] == "north" and len(record["prev"]) == 64
    load = {"role": "load", "answers": 9_000, "time_outs": 1, "errors": 0, "refused": 0, "state": 0}
    assert record["meters"][0] == load


def test_decode_reads_up_to_and_behind_damage(case, capsys):
    data = bytearray(b"".join(case.records))
    start = len(case.records[0])
    data[start + 1] = 0
    (case.folder / "records.cbor").write_bytes(bytes(data))
    code, out, _ = _run(capsys, "decode", case.folder)
    lines = out.splitlines()
    assert code == 1 and len(lines) == 5 and f"FRAME_BROKEN at byte {start}" in lines[1]
    code, out, _ = _run(capsys, "decode", case.folder, "--json")
    damaged = json.loads(out.splitlines()[1])
    assert (damaged["damage"], damaged["offset_bytes"]) == ("FRAME_BROKEN", start)
    assert json.loads(out.splitlines()[4])["seq"] == 4


def test_unknown_number_and_missing_file_are_typed(case, capsys, tmp_path):
    for argv in (("decode", case.folder, "--seq", 99), ("explain", case.folder, "--seq", 99),
                 ("decode", tmp_path / "none"), ("decode", __file__.rsplit("/", 1)[0] + "/vectors")):
        code, _, err = _run(capsys, *argv)
        assert code == 2 and err.startswith("error: ") and len(err.splitlines()) == 2


def test_explain_says_records_and_codes_in_words(case, capsys):
    assert "The load was covered by" in _run(capsys, "explain", case.folder, "--seq", 1)[1]
    assert "gap of 1800 s" in _run(capsys, "explain", case.folder, "--seq", 3)[1]
    for code in CODES:
        assert _run(capsys, "explain", code)[1].startswith(code)
    assert all(code in _run(capsys, "explain")[1] for code in CODES)
    assert _run(capsys, "explain", "NO_SUCH_CODE")[0] == 2


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_loose_reading_never_raises(data):
    found = cose.loose_at(data, 0)
    assert found is None or 0 < found[5] <= len(data)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_byte_of_a_file_is_passed_over(tmp_path_factory, data):
    records = day(3).sealed()
    pieces = data.draw(st.lists(st.sampled_from(records) | st.binary(max_size=50), max_size=8))
    path = tmp_path_factory.mktemp("bytes") / "records.cbor"
    path.write_bytes(b"".join(pieces))
    position = 0
    for unit in open_source(str(path)).units():
        assert unit.offset == position
        position += unit.size if isinstance(unit, cose.Damage) else len(unit.raw)
    assert position == path.stat().st_size


def test_frames_across_read_boundaries_are_whole(tmp_path, monkeypatch):
    records = day(5).sealed()
    path = tmp_path / "records.cbor"
    path.write_bytes(b"".join(records))
    for size in (1, 7, 100, 600, 1111):
        monkeypatch.setattr("host_tools.evidence.source._CHUNK", size)
        assert [unit.raw for unit in open_source(str(path)).units()] == records


def test_explain_says_one_record_and_whether_it_holds(case, capsys):
    code, out, _ = _run(capsys, "explain", 1, case.folder, "--keys", case.keys)
    lines = out.splitlines()
    load_wh = case.board.records[1][24][0]
    assert code == 0 and "wind" in lines[0]
    assert f"the load took {load_wh // 1000}.{load_wh % 1000:03d} kWh" in lines[1]
    assert "Record 1 holds: signed by the board's key, follows from the record before" in out
    assert "integrity PASS" in lines[-1] and "In came wind" in out
    gap = _run(capsys, "explain", 3, case.folder, "--keys", case.keys)
    assert gap[0] == 0 and "gap of 1800 s" in gap[1] and "GAP_STATED (note)" in gap[1]


def test_explain_does_not_use_a_record_that_does_not_hold(case, capsys):
    records = list(case.records)
    records[1] = records[1][:-1] + bytes([records[1][-1] ^ 1])
    (case.folder / "records.cbor").write_bytes(b"".join(records))
    code, out, _ = _run(capsys, "explain", 1, case.folder, "--keys", case.keys)
    assert code == 1 and out.startswith("Record 1 cannot be relied on") and "BAD_SIGNATURE (error)" in out
    assert "kWh" not in out
    code, _, err = _run(capsys, "explain", 99, case.folder, "--keys", case.keys)
    assert code == 2 and "there is no record 99" in err
    code, _, err = _run(capsys, "explain", "x", case.folder)
    assert code == 2 and "no number of a record" in err
