"""End anchors, keys, time and range: what only the whole journal shows."""

import base64
import hashlib

import cbor2
import pytest

from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import verify
from tests.evidence_writer import (
    QUARTER_MS,
    START_MS,
    Board,
    Device,
    checkpoint,
    day,
    keys_document,
    row,
    seal,
    to_be_signed,
)
from tests.tamper import HOLDS, Case, found, parts, verdicts


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Ten quarter hours of an untouched journal."""
    return Case(tmp_path_factory.mktemp("journal"), day(10))


def test_without_anchor_completeness_is_unknown(case):
    result = case.judge(anchor=False)
    assert verdicts(result) == ("PASS", "UNKNOWN", "PASS") and result.exit_code == 1
    assert found(result) == [("NO_END_ANCHOR", None)]


def test_anchor_of_fewer_records_leaves_the_end_unknown(case):
    result = case.judge(anchor=checkpoint(case.device, case.records[:7]))
    assert verdicts(result) == ("PASS", "UNKNOWN", "PASS")
    assert found(result) == [("PAST_ANCHOR", 7)]


def test_anchor_of_every_size_fits(tmp_path):
    for count in range(18):
        case = Case(tmp_path, day(count))
        assert case.judge().counts == ({} if count else {"NO_RECORDS": 1})


def test_anchor_over_other_records_fails_both(case):
    result = case.judge(anchor=checkpoint(case.device, day(10, seed=2).sealed()))
    assert verdicts(result) == ("FAIL", "FAIL", "PASS")
    assert found(result) == [("ROOT_DIFFERS", 9)]


def test_anchor_of_wrong_key_or_device_is_no_anchor(tmp_path):
    other = Device(2, "south", "cab-9")
    case = Case(tmp_path, day(4), [other])
    stranger = Device(3)
    origin = f"{other.site}/{other.device}"
    trials = {
        "CHECKPOINT_KEY": [
            checkpoint(case.device, case.records, key=case.device.record_key),
            checkpoint(case.device, case.records, key=stranger.checkpoint_key),
            checkpoint(case.device, case.records, key=other.checkpoint_key),
            checkpoint(case.device, case.records, origin=origin),
        ],
        "CHECKPOINT_DEVICE": [checkpoint(other, case.records)],
    }
    for code, anchors in trials.items():
        for anchor in anchors:
            result = case.judge(anchor=anchor)
            assert found(result) == [(code, None)]
            assert verdicts(result) == ("PASS", "UNKNOWN", "PASS")


def test_revoked_checkpoint_key_is_no_anchor(tmp_path):
    case = Case(tmp_path, day(3))
    document = keys_document(case.device)
    document["keys"][1]["revoked_s"] = 1
    case.set_keys(document)
    assert found(case.judge()) == [("CHECKPOINT_KEY", None)]


def test_every_byte_of_the_anchor_counts(case):
    for position in range(len(case.anchor)):
        damaged = bytearray(case.anchor)
        damaged[position] ^= 1
        result = case.judge(anchor=bytes(damaged))
        assert result.completeness != "PASS" and result.exit_code == 1, position
        assert all(code.startswith("CHECKPOINT_") for code in result.counts), position


def test_malformed_anchors_are_typed(case):
    text = case.anchor.decode()
    lines = text.split("\n")
    signature = lines[4]
    bad = [b"", b"\n", b"\xff\xfe", text.encode()[:-1], text.replace("\n10\n", "\n010\n").encode(),
           text.replace("\n10\n", "\n10 \n").encode(),
           text.replace("\n10\n", "\n" + "9" * 5000 + "\n").encode(),
           text.replace(lines[2], "AAAA").encode(), text.replace(signature, "nothing").encode(),
           text.replace("\n\n", "\nextension\n\n").encode(), text.replace("\n\n", "\n").encode()]
    for anchor in bad:
        assert set(case.judge(anchor=anchor).counts) == {"CHECKPOINT_BROKEN"}, anchor


def test_witness_cosignature_lines_do_not_disturb(case):
    line = "\u2014 witness.example/w1 " + base64.b64encode(b"12345678").decode() + "\n"
    assert verdicts(case.judge(anchor=case.anchor + line.encode())) == HOLDS


def test_witness_that_saw_more_or_something_else(case, tmp_path):
    witness = tmp_path / "witness.txt"
    witness.write_bytes(checkpoint(case.device, case.records[:6]))
    assert verdicts(case.judge(witnesses=[witness])) == HOLDS
    witness.write_bytes(checkpoint(case.device, day(6, seed=2).sealed()))
    assert found(case.judge(witnesses=[witness])) == [("ROOT_DIFFERS", 5)]
    witness.write_bytes(case.anchor)
    short = checkpoint(case.device, case.records[:8])
    assert found(case.judge(case.records[:8], anchor=short, witnesses=[witness])) == [("TAIL_CUT", 8)]


# --- keys

def test_key_validity_and_revocation(tmp_path):
    middle_s = (START_MS + 5 * QUARTER_MS) // 1000
    for change, code, numbers in (
        ({"not_before_s": middle_s}, "KEY_NOT_VALID", range(5)),
        ({"not_after_s": middle_s - 1}, "KEY_NOT_VALID", range(5, 10)),
        ({"revoked_s": middle_s}, "KEY_REVOKED", range(5, 10)),
        ({"use": "checkpoint"}, "KEY_USE", range(10)),
    ):
        case = Case(tmp_path, day(10))
        document = keys_document(case.device)
        document["keys"][0] |= change
        case.set_keys(document)
        result = case.judge()
        assert found(result) == [(code, number) for number in numbers]
        assert verdicts(result)[:2] == ("FAIL", "UNKNOWN")


def test_unknown_key_is_never_a_pass(tmp_path):
    case = Case(tmp_path, day(3))
    document = keys_document(case.device)
    case.set_keys({"version": 1, "keys": document["keys"][1:]})
    result = case.judge()
    assert result.counts == {"KEY_UNKNOWN": 3} and verdicts(result)[:2] == ("FAIL", "UNKNOWN")


def test_key_rotation_is_followed(tmp_path):
    old, new = Device(1), Device(7)  # one board, before and after its keys were changed
    board = day(6, device=old)
    case = Case(tmp_path, board)
    first = case.records[:3]
    board.device = new
    rest = _sealed_from(board, 3, first[2])
    case.set_keys({"version": 1, "keys": [*keys_document(old)["keys"], row(new, new.record_key, "record")]})
    records = first + rest
    assert verdicts(case.judge(records, anchor=checkpoint(old, records))) == HOLDS


def _hash_of(record):
    protected, _, payload, _ = parts(record)
    return hashlib.sha256(to_be_signed(protected, payload)).digest()


def _sealed_from(board, first, before):
    out, prev = [], _hash_of(before)
    for fields in board.records[first:]:
        out.append(seal(board.device, cbor2.dumps(fields | {5: prev})))
        prev = _hash_of(out[-1])
    return out


# --- time

def _judge(tmp_path, board, **options):
    return Case(tmp_path, board).judge(**options)


def test_unstated_hole_in_time(tmp_path):
    board = day(3)
    board.now_ms += QUARTER_MS
    board.interval()
    assert found(_judge(tmp_path, board))[0] == ("TIME_GAP", 3)
    assert _judge(tmp_path, board).completeness == "FAIL"


def test_time_twice(tmp_path):
    board = day(3)
    board.now_ms -= QUARTER_MS
    board.interval()
    assert found(_judge(tmp_path, board)) == [("TIME_OVERLAP", 3)]


def test_unstated_hole_without_a_clock(tmp_path):
    board = Board()
    board.now_ms = None
    board.interval()
    board.uptime_ms += 1
    board.interval()
    assert found(_judge(tmp_path, board)) == [("UPTIME_GAP", 1)]


def test_unstated_restart_and_boot_counter(tmp_path):
    board = day(2)
    board.boot, board.after_restart = 2, True
    board.interval()
    assert found(_judge(tmp_path, board)) == [("BOOT_UNSTATED", 2)]
    board.boot, board.after_restart = 1, True
    board.interval()
    assert ("BOOT_WENT_BACK", 3) in found(_judge(tmp_path, board))


def test_drift_is_a_note_and_a_jump_of_running_time_too(tmp_path):
    board = day(2)
    board.uptime_ms += 900
    board.interval()
    assert verdicts(_judge(tmp_path, board)) == HOLDS and not _judge(tmp_path, board).findings
    board.uptime_ms += 5_000
    board.interval()
    assert _judge(tmp_path, board).counts == {"UPTIME_DRIFT": 1}


def test_stated_clock_step_may_go_back(tmp_path):
    board = day(2)
    board.gap(None, reason=2)
    board.now_ms = START_MS + QUARTER_MS
    board.interval()
    assert _judge(tmp_path, board).counts == {"GAP_STATED": 1}
    board = day(2)
    board.gap(0, reason=2)
    board.now_ms = START_MS + QUARTER_MS
    board.interval()
    assert _judge(tmp_path, board).counts == {"GAP_STATED": 1}
    board.now_ms -= QUARTER_MS
    board.interval()
    assert found(_judge(tmp_path, board)) == [("TIME_OVERLAP", 4)]


def test_restart_without_counting_it(tmp_path):
    board = day(2)
    board.gap(QUARTER_MS)
    for record in board.records[2:]:
        record[4] = 1
    board.boot, board.after_restart = 1, False
    board.interval()
    assert found(_judge(tmp_path, board)) == [("BOOT_NOT_COUNTED", 2)]


def test_changes_of_configuration_and_firmware_are_flagged(tmp_path):
    board = day(2)
    board.gap(QUARTER_MS, _6=b"\7" * 32, _7=b"\x08" * 32)
    for flags in (1 << 1 | 1 << 12 | 1 << 13, 0):
        board.interval(_6=b"\7" * 32, _7=b"\x08" * 32, _19=flags)
    board.records[3][19] |= board.records[3][23][4] > board.records[3][27][0] and 1 << 8
    board.records[4][19] |= board.records[4][23][4] > board.records[4][27][0] and 1 << 8
    assert verdicts(_judge(tmp_path, board)) == HOLDS
    board.records[3][19] &= ~(1 << 13)
    assert found(_judge(tmp_path, board)) == [("FLAG_CHANGE", 3)]


def test_range_that_is_asked_for(case):
    end_ms = START_MS + 10 * QUARTER_MS
    assert verdicts(case.judge(from_ms=START_MS, to_ms=end_ms)) == HOLDS
    assert found(case.judge(from_ms=START_MS - 1)) == [("RANGE_NOT_COVERED", None)]
    assert found(case.judge(to_ms=end_ms + 1)) == [("RANGE_NOT_COVERED", None)]


def test_excerpt_is_judged_only_with_from(case):
    assert found(case.judge(case.records[4:])) == [("HEAD_MISSING", 0)]
    result = case.judge(case.records[4:], from_ms=START_MS + 4 * QUARTER_MS)
    assert verdicts(result) == HOLDS and result.counts == {"EXCERPT": 1}
    assert found(case.judge(case.records[4:-1], from_ms=START_MS + 4 * QUARTER_MS)) == [("TAIL_CUT", 9)]


def test_records_without_utc_cover_no_range(tmp_path):
    board = Board()
    board.now_ms = None
    board.interval()
    assert found(_judge(tmp_path, board)) == []
    assert found(_judge(tmp_path, board, to_ms=START_MS)) == [("RANGE_NOT_COVERED", None)]


def test_journal_of_segments_is_one_journal(case, tmp_path):
    for first, last in ((0, 4), (4, 9), (9, 10)):
        (tmp_path / f"{first:08d}.cbor").write_bytes(b"".join(case.records[first:last]))
    (tmp_path / "head.cbor").write_bytes(b"not a record")
    (tmp_path / "checkpoint.txt").write_bytes(case.anchor)
    assert verdicts(verify(open_source(str(tmp_path)), case.registry)) == HOLDS
    damaged = bytearray((tmp_path / "00000004.cbor").read_bytes())
    damaged[len(case.records[4]) + 99] ^= 1
    (tmp_path / "00000004.cbor").write_bytes(bytes(damaged))
    result = verify(open_source(str(tmp_path)), case.registry)
    assert [(item.seq, item.file, item.offset) for item in result.findings] == [
        (5, "00000004.cbor", len(case.records[4]))]
