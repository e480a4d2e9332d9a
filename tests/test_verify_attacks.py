"""Every attack on the evidence that a verifier can see, each done to a whole month as a board leaves it: outsiders.

They change files and hold no key of the board. tests/test_verify_insiders.py has those who do. What nobody can see
from files stands in SPEC.md, section 10.
"""

import base64

import cbor2
import pytest

from tests import month as made
from tests.evidence_writer import Board, Device, checkpoint, raw_signature, row, seal, to_be_signed
from tests.insider import MonthCase
from tests.tamper import HOLDS, found, parts, verdicts


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The month, untouched."""
    return MonthCase(tmp_path_factory.mktemp("month"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Factor table, site description and firmware of the month."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "factors.csv").write_bytes(made.TABLE)
    (folder / "site.json").write_bytes(made.SITE)
    return {"factors": folder / "factors.csv", "site": folder / "site.json", "firmware": str(made.ROOT / "firmware")}


def replaced(case, seq, record):
    return [*case.records[:seq], record, *case.records[seq + 1 :]]


def test_untouched_month_holds_against_all_its_files(case, files):
    result = case.judge(**files)
    assert verdicts(result) == HOLDS and set(result.counts) == {"GAP_STATED"}, result.counts
    assert result.records == 2885 and result.totals.intervals == 2880


# --- outsiders

@pytest.mark.parametrize("day", (0, 13, 29))
def test_a_stored_record_is_edited(case, day):
    seq = case.seq_of(day)
    record = bytearray(case.records[seq])
    record[record.index(made.CONFIG) + 60] ^= 1  # somewhere in start, duration, clock
    assert found(case.judge(replaced(case, seq, bytes(record))))[0] in (
        ("BAD_SIGNATURE", seq), ("PAYLOAD_BROKEN", seq), ("NOT_DETERMINISTIC", seq))
    content = cbor2.loads(parts(case.records[seq])[2])
    content[35][0] //= 2  # half the carbon of the load
    protected, _, _, signature = parts(case.records[seq])
    edited = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, cbor2.dumps(content), signature]))
    result = case.judge(replaced(case, seq, edited))
    assert found(result) == [("BAD_SIGNATURE", seq)] and result.integrity == "FAIL"


def test_a_record_in_the_middle_is_deleted(case):
    seq = case.seq_of(10)
    result = case.judge(case.records[:seq] + case.records[seq + 1 :])
    assert found(result) == [("SEQ_GAP", seq)] and verdicts(result)[:2] == ("PASS", "FAIL")


def test_a_whole_day_is_deleted(case):
    first, last = case.seq_of(20, 0), case.seq_of(21, 0)
    result = case.judge(case.records[:first] + case.records[last:])
    assert found(result) == [("SEQ_GAP", first)] and len(result.findings[0].seqs) == 96 or result.counts["GAP_STATED"]


def test_the_last_week_is_cut_off(case):
    last = case.seq_of(23, 0)
    assert found(case.judge(case.records[:last])) == [("TAIL_CUT", last)]


def test_the_last_week_is_cut_off_by_who_can_sign_the_end(case):
    last = case.seq_of(23, 0)
    shorter = checkpoint(case.month.successor, case.records[:last])
    kept = case.kept("kept.txt", case.records[: last + 5 * 96])
    assert ("TAIL_CUT", last) in found(case.judge(case.records[:last], shorter, witnesses=[kept]))
    beside = case.judge(case.records[:last], shorter)
    assert found(beside) == [("EVENT_MISSING", None)] or "EVENT_NEWER" in beside.counts  # the event log goes on


def test_records_change_places(case):
    one, other = case.seq_of(4), case.seq_of(5)
    records = list(case.records)
    records[one], records[other] = records[other], records[one]
    assert [code for code, _ in found(case.judge(records))] == ["SEQ_ORDER"]


def test_a_record_is_put_in_twice(case):
    seq = case.seq_of(6)
    assert found(case.judge([*case.records[: seq + 1], *case.records[seq:]])) == [("SEQ_REPEATED", seq)]


def test_a_windy_day_is_replayed_for_a_calm_one(case):
    one, other = case.seq_of(6, 0), case.seq_of(17, 0)
    records = [*case.records[:other], *case.records[one : one + 96], *case.records[other + 96 :]]
    result = case.judge(records)
    assert result.exit_code == 1 and {code for code, _ in found(result)} & {"SEQ_REPEATED", "SEQ_GAP"}


def test_a_record_of_another_site(case):
    stranger = Board(Device(3, "south", "cab-7"), start_ms=case.month.board.now_ms)
    stranger.interval()
    seq = case.seq_of(12)
    result = case.judge([*case.records[:seq], *stranger.sealed(), *case.records[seq:]])
    assert [code for code, _ in found(result)] == ["WRONG_DEVICE"]


def test_a_record_of_another_key_in_this_boards_name(case):
    forger = Device(3)
    seq = case.seq_of(12)
    forged = seal(forger, parts(case.records[seq])[2])
    assert found(case.judge(replaced(case, seq, forged))) == [("KEY_UNKNOWN", seq)]
    protected = parts(case.records[seq])[0]  # or under the board's own kid
    assert found(case.judge(replaced(case, seq, seal(forger, parts(case.records[seq])[2], protected)))) == [
        ("BAD_SIGNATURE", seq)]


def test_a_record_signed_with_the_key_of_another_site_that_is_known(case):
    other = Device(3, "south", "cab-7")
    seq = case.seq_of(12)
    document = case.month.keys()
    document["keys"].append(row(other, other.record_key, "record"))
    case.set_keys(document)
    forged = seal(other, parts(case.records[seq])[2], cbor2.dumps(
        cbor2.loads(other.protected) | {15: {1: "north", 2: "cab-1"}}))
    result = case.judge(replaced(case, seq, forged))
    case.set_keys(case.month.keys())
    assert found(result) == [("HEADER_WRONG", seq)]


def test_the_unprotected_header_is_used(case):
    seq = case.seq_of(2)
    protected, _, payload, signature = parts(case.records[seq])
    for content in ({4: b"12345678"}, {1: -7}, {3: "text/plain"}, {99: None}):
        record = cbor2.dumps(cbor2.CBORTag(18, [protected, content, payload, signature]))
        assert found(case.judge(replaced(case, seq, record))) == [("UNPROTECTED_CONTENT", seq)]


def test_the_kid_is_exchanged(case):
    seq = case.seq_of(2)
    protected, _, payload, signature = parts(case.records[seq])
    checkpoint_kid = bytes.fromhex(case.month.keys()["keys"][1]["kid"])
    for kid, code in ((checkpoint_kid, "KEY_USE"), (b"87654321", "KEY_UNKNOWN")):
        header = cbor2.dumps(cbor2.loads(protected) | {4: kid})
        record = cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature]))
        assert found(case.judge(replaced(case, seq, record)))[0] == (code, seq)


def test_the_same_content_is_encoded_otherwise(case):
    seq = case.seq_of(2)
    payload = parts(case.records[seq])[2]
    other = payload[:2] + b"\x01\x18\x01" + payload[4:]  # version 1 in two bytes
    for device in (case.device, Device(3)):
        result = case.judge(replaced(case, seq, seal(device, other)))
        assert found(result)[0] == ("NOT_DETERMINISTIC" if device is case.device else "KEY_UNKNOWN", seq)


def test_the_signature_is_put_into_its_other_form(case):
    seq = case.seq_of(2)
    protected, _, payload, _ = parts(case.records[seq])
    high = raw_signature(case.device.record_key, to_be_signed(protected, payload), True)
    assert found(case.judge(replaced(case, seq, case.records[seq][:-64] + high))) == [("HIGH_S", seq)]


def test_tag_and_algorithm_are_exchanged(case):
    seq = case.seq_of(2)
    record = case.records[seq]
    assert found(case.judge(replaced(case, seq, b"\xd8\x62" + record[1:]))) == [("TAG_WRONG", seq)]
    protected, _, payload, signature = parts(record)
    for algorithm in (-35, -8, -9, 5):
        header = cbor2.dumps(cbor2.loads(protected) | {1: algorithm})
        wrong = cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature]))
        assert found(case.judge(replaced(case, seq, wrong))) == [("HEADER_WRONG", seq)]


def test_green_hours_are_picked_out(case):
    begin, end = (1_715_904_000_000 + day * 86_400_000 for day in (5, 6))
    picked = [record for seq, record in enumerate(case.records) if seq % 3]
    assert "SEQ_GAP" in case.judge(picked, from_ms=begin, to_ms=end).counts
    only = case.records[case.seq_of(5, 30) : case.seq_of(5, 60)]
    result = case.judge(only, from_ms=begin, to_ms=end)
    assert [code for code, _ in found(result)].count("RANGE_NOT_COVERED") == 2 and result.completeness == "FAIL"


def test_the_event_log_is_changed(case):
    for events in (case.events[:100] + case.events[101:], [case.events[1], case.events[0], *case.events[2:]],
                   [*case.events[:50], case.events[50].replace(b"STATE", b"state"), *case.events[51:]]):
        assert case.judge(events=events).exit_code == 1
    assert ("EVENT_MISSING", None) in found(case.judge(events=case.events[:-20]))


def test_a_mean_of_factors_is_no_factor(case):
    """The factor of a period is summed carbon over summed energy, not the mean of the factors of its intervals."""
    result = case.judge()
    records = [record for record in case.month.board.records if record[2] == 1]
    carbon, energy = sum(record[35][0] for record in records), sum(record[24][0] for record in records)
    assert result.totals.direct_ug[0] == carbon and result.totals.uses_wh[0] == energy
    assert result.totals.intensity(result.totals.direct_ug) == carbon / energy / 1000
    mean = sum(record[35][0] / record[24][0] / 1000 for record in records if record[24][0]) / len(records)
    assert abs(mean - carbon / energy / 1000) > 1


def test_a_forged_anchor(case):
    forged = checkpoint(Device(3), case.records)
    assert "CHECKPOINT_KEY" in case.judge(anchor=forged).counts
    text, line = case.anchor.decode().split("\n\n")
    blob = bytearray(base64.b64decode(line.split(" ")[2]))
    blob[-1] ^= 1
    spoilt = f"{text}\n\n\u2014 north/cab-1 {base64.b64encode(blob).decode()}\n".encode()
    assert "CHECKPOINT_SIGNATURE" in case.judge(anchor=spoilt).counts
