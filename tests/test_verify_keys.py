"""The history of keys: changes that the board states, ends, revocations, replaced boards; the registry's command."""

import json

import pytest

from host_tools.cli import main
from host_tools.evidence import keys
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify
from tests.evidence_writer import QUARTER_MS, START_MS, Board, Device, checkpoint, day, key_parts, keys_document
from tests.tamper import HOLDS, Case, found, verdicts

NEW, THIRD = Device(7), Device(8)


def changed_board(count=4, successor=NEW, **changes):
    board = day(count)
    board.change_keys(successor, **changes)
    for _ in range(3):
        board.interval()
    return board


def judge(tmp_path, board, records=None, signer=NEW, **options):
    case = Case(tmp_path, board)
    records = case.records if records is None else records
    return case.judge(records, anchor=checkpoint(signer, records), **options)


def test_a_stated_change_is_followed_without_the_new_key_in_the_file(tmp_path):
    for fast in (False, True):
        result = judge(tmp_path, changed_board(), fast=fast)
        assert (result.integrity, result.completeness, result.exit_code) == ("PASS", "PASS", 0), found(result)
        assert result.records == 8 and result.counts == {}


def test_two_changes_follow_each_other(tmp_path):
    board = changed_board()
    board.change_keys(THIRD)
    board.interval()
    assert verdicts(judge(tmp_path, board, signer=THIRD)) == HOLDS


def test_the_old_key_may_not_sign_behind_the_change(tmp_path):
    board = changed_board()
    board.successors = {}
    result = judge(tmp_path, board)
    assert found(result) == [("KEY_RETIRED", seq) for seq in (5, 6, 7)] and result.integrity == "FAIL"


def test_an_anchor_behind_the_change_needs_the_new_checkpoint_key(tmp_path):
    case = Case(tmp_path, changed_board())
    for size, signer, codes in ((4, case.device, ["PAST_ANCHOR"]),
                                (5, case.device, ["CHECKPOINT_RETIRED", "PAST_ANCHOR"]),
                                (5, NEW, ["PAST_ANCHOR"]), (8, case.device, ["CHECKPOINT_RETIRED"]), (8, NEW, [])):
        result = case.judge(anchor=checkpoint(signer, case.records[:size]))
        assert [code for code, _ in found(result)] == codes, (size, signer.record_key is NEW.record_key)


def test_a_listed_key_may_not_sign_behind_a_change_unless_the_file_says_since_when(tmp_path):
    board = changed_board()
    board.successors = {4: THIRD}
    case = Case(tmp_path, board, (THIRD,))
    anchor = checkpoint(NEW, case.records)
    assert found(case.judge(anchor=anchor)) == [("KEY_RETIRED", seq) for seq in (5, 6, 7)]
    document = keys_document(case.device, THIRD)
    for each in document["keys"][2:]:
        each["not_before_s"] = START_MS // 1000
    case.set_keys(document)
    assert case.judge(anchor=anchor).counts == {"KEY_CHANGED": 1}


def test_a_change_signed_by_a_stranger_introduces_nothing(tmp_path):
    board = changed_board()
    forged = changed_board()
    forged.device = Device(9)
    records = board.sealed()[:4] + forged.sealed()[4:]
    result = judge(tmp_path, board, records)
    assert ("KEY_UNKNOWN", 4) in found(result) and ("KEY_UNKNOWN", 5) in found(result)
    assert "CHECKPOINT_KEY" in result.counts


def test_a_change_taken_out_leaves_the_new_key_unknown(tmp_path):
    records = changed_board().sealed()
    codes = {code for code, _ in found(judge(tmp_path, changed_board(), records[:4] + records[5:]))}
    assert codes >= {"KEY_UNKNOWN", "CHECKPOINT_KEY"}


@pytest.mark.parametrize("value, words", (
    ([b"12345678", *key_parts(NEW.record_key)[1:]], "own id"),
    ([key_parts(NEW.record_key)[0], bytes(32), bytes(32)], "no point"),
    (key_parts(Device(1).checkpoint_key), "known as another"),
))
def test_a_key_that_is_none_is_refused(tmp_path, value, words):
    result = judge(tmp_path, changed_board(_46=value))
    finding = next(item for item in result.findings if item.code == "KEY_CHANGE_WRONG")
    assert finding.seq == 4 and words in finding.what and result.integrity == "FAIL"


def test_a_change_that_no_record_states_is_a_note(tmp_path):
    board = changed_board()
    del board.records[4]
    for seq, record in enumerate(board.records):
        record[3] = seq
    board.successors = {3: NEW}
    case = Case(tmp_path, board, (NEW,))
    result = case.judge(anchor=checkpoint(NEW, case.records))
    assert verdicts(result) == HOLDS and result.counts == {"KEY_CHANGED": 1}


def test_a_replaced_board_has_its_own_time(tmp_path, capsys):
    """Two boards of one name, one after the other: each journal holds with the registry, and in its time only."""
    swap_ms = START_MS + 6 * QUARTER_MS
    registry, new_keys = tmp_path / "registry.json", tmp_path / "new.json"
    registry.write_text(json.dumps(keys_document(Device(1))))
    new_keys.write_text(json.dumps(keys_document(NEW)))
    at = "2024-05-17T01:30:00Z"
    assert main(["keys", str(registry), "--add", str(new_keys), "--replaced-at", at, "--reason", "board burnt"]) == 0
    old, new = day(6), Board(NEW, start_ms=swap_ms)
    late = day(8)
    new.interval()
    for board, device, expected in ((old, old.device, []), (new, NEW, []),
                                    (late, late.device, [("KEY_NOT_VALID", 6), ("KEY_NOT_VALID", 7)])):
        case = Case(tmp_path, board)
        (tmp_path / "anchor.txt").write_bytes(checkpoint(device, case.records))
        (tmp_path / "records.cbor").write_bytes(b"".join(case.records))
        result = verify(open_source(str(tmp_path / "records.cbor")), keys.load(registry),
                        Options(checkpoint=tmp_path / "anchor.txt"))
        assert found(result) == expected
    capsys.readouterr()
    assert main(["keys", str(registry)]) == 0
    text = capsys.readouterr().out
    assert text.count("board burnt") == 6 and "until 2024-05-17T01:29:59Z" in text and f"from {at}" in text


def test_a_stolen_key_is_revoked_with_its_reason(tmp_path, capsys):
    case = Case(tmp_path, day(4))
    kid = keys_document(case.device)["keys"][0]["kid"]
    arguments = ["keys", str(case.keys), "--revoke", kid, "--at", "2024-05-17T00:30:00Z"]
    assert main(arguments) == 2 and "--reason" in capsys.readouterr().err
    assert main([*arguments, "--reason", "stolen"]) == 0
    case.registry = keys.load(case.keys)
    assert found(case.judge()) == [("KEY_REVOKED", 2), ("KEY_REVOKED", 3)]
    assert main(["keys", str(case.keys), "--revoke", kid, "--at", "2024-06-17", "--reason", "later"]) == 2
    assert "never made later" in capsys.readouterr().err
    assert json.loads(case.keys.read_text())["history"][0]["reason"] == "stolen"


def test_keys_that_records_introduce_are_taken_over(tmp_path, capsys):
    case = Case(tmp_path, changed_board())
    case.judge(anchor=False)
    arguments = ["keys", str(case.keys), "--follow", str(tmp_path / "records.cbor"), "--reason", "rotation of May"]
    assert main(arguments) == 0 and "2 keys added, of 2" in capsys.readouterr().out
    assert main(arguments) == 0 and "0 keys added, of 0" in capsys.readouterr().out
    rows = json.loads(case.keys.read_text())["keys"]
    assert {row["kid"] for row in rows[2:]} == {row["kid"] for row in keys_document(NEW)["keys"]}


@pytest.mark.parametrize("arguments, words", (
    (["--end", "0011223344556677", "--at", "2024-05-17", "--reason", "x"], "no key"),
    (["--end", "0011223344556677", "--reason", "x"], "--at is missing"),
    (["--add-witness", "nonsense", "--reason", "x"], "no witness key"),
))
def test_what_cannot_be_done_is_said(tmp_path, capsys, arguments, words):
    case = Case(tmp_path, day(1))
    before = case.keys.read_bytes()
    assert main(["keys", str(case.keys), *arguments]) == 2 and words in capsys.readouterr().err
    assert case.keys.read_bytes() == before
    assert main(["keys", str(tmp_path / "none.json")]) == 2
