"""The event log beside the records: followed line by line, its head in every record; what was done to it is found."""

import hashlib

import pytest

from tests.evidence_writer import Board
from tests.tamper import HOLDS, Case, found, verdicts


@pytest.fixture
def case(tmp_path):
    """Six records over a log that grows by three lines a record, and two lines behind the last."""
    board = Board()
    board.note_event("BOOT")
    for _ in range(6):
        for code in ("STATE", "LIMIT", "FAULT"):
            board.note_event(code)
        board.interval()
    board.note_event("LATE")
    board.note_event("LATER")
    made = Case(tmp_path, board)
    made.lines = board.lines
    return made


def judge(case, lines, end=b"\n", **options):
    (case.folder / "events.jsonl").write_bytes(b"\n".join(lines) + end if lines else b"")
    return case.judge(**options)


def test_whole_log_holds(case):
    result = judge(case, case.lines)
    assert verdicts(result) == HOLDS and result.counts == {"EVENT_NEWER": 1}
    assert "2 events" in result.findings[0].what
    assert judge(case, case.lines[:19]).counts == {}


def test_without_a_log_the_records_alone_hold(case):
    assert case.judge().counts == {}


def test_every_line_changed_is_found(case):
    for index, line in enumerate(case.lines[:19]):
        lines = [*case.lines[:index], line.replace(b"happened", b"happenee"), *case.lines[index + 1 :]]
        result = judge(case, lines)
        assert result.integrity == "FAIL", index
        assert {code for code, _ in found(result)} <= {"EVENT_CHAIN", "EVENT_HEAD"}
        first = next(item for item in result.findings if item.code == "EVENT_HEAD")if index == 18 else None
        assert first is None or first.seq == 5


def test_every_line_dropped_moved_or_repeated_is_found(case):
    for index in range(1, 18):
        dropped = case.lines[:index] + case.lines[index + 1 :]
        assert found(judge(case, dropped)) == [("EVENT_MISSING", None)], index
        for lines in ([*case.lines[:index], case.lines[index + 1], case.lines[index], *case.lines[index + 2 :]],
                      [*case.lines[:index], case.lines[index], *case.lines[index:]]):
            assert ("EVENT_CHAIN", None) in found(judge(case, lines)), index


def test_a_log_rewritten_with_a_sound_chain_does_not_fit_the_records(case):
    lines, head = [], bytes(32)
    for line in case.lines:
        changed = line.replace(b"FAULT", b"CALM!")
        changed = changed[: changed.index(b"prev") + 8] + head.hex().encode() + changed[changed.index(b"prev") + 72 :]
        lines.append(changed)
        head = hashlib.sha256(head + changed).digest()
    assert [code for code, _ in found(judge(case, lines))] == ["EVENT_HEAD"] * 6


def test_the_end_of_the_log_cut_off(case):
    result = judge(case, case.lines[:15])
    assert found(result) == [("EVENT_MISSING", None)] and result.completeness == "FAIL"
    assert "events 15 to 18" in result.findings[0].what


def test_a_log_whose_first_lines_have_left_the_board(case):
    result = judge(case, case.lines[8:])
    assert verdicts(result) == HOLDS and set(result.counts) == {"EVENT_EXCERPT", "EVENT_NEWER"}
    lines = [case.lines[8], case.lines[9].replace(b"happened", b"happenee"), *case.lines[10:]]
    assert ("EVENT_CHAIN", None) in found(judge(case, lines))


def test_a_torn_last_line_is_a_note(case):
    result = judge(case, [*case.lines, case.lines[0][:50]], end=b"")
    assert verdicts(result) == HOLDS and result.counts["EVENT_BROKEN"] == 1


def test_lines_of_another_program_are_a_note(case):
    result = judge(case, [b'{"code": "BOOT"}', b"what", b'{"seq": -1, "prev": ""}', b'{"seq": 1, "prev": 7}', b"[]"])
    assert verdicts(result) == HOLDS and result.counts == {"EVENT_UNCHAINED": 1}


@pytest.mark.parametrize("change, code", (
    (lambda events: [events[0] - 4, events[1]], "EVENT_COUNT"),
    (lambda events: [events[0] - 3, events[1]], "EVENT_HEAD"),
    (lambda events: [events[0] + 2, events[1]], "EVENT_HEAD"),
    (lambda events: [events[0], bytes(32)], "EVENT_HEAD"),
))
def test_a_record_that_states_other_events(case, change, code):
    case.board.records[3][40] = change(case.board.records[3][40])
    case.__init__(case.folder, case.board)
    assert (code, 3) in found(judge(case, case.board.lines))


def test_a_count_that_falls_is_found_without_a_log(case):
    case.board.records[5][40] = list(case.board.records[1][40])
    case.__init__(case.folder, case.board)
    assert found(case.judge()) == [("EVENT_COUNT", 5)]


def test_the_boards_own_folder_is_read_too(case, tmp_path):
    folder = tmp_path / "events"
    folder.mkdir()
    for first, last in ((0, 9), (9, 10), (10, 21)):
        (folder / f"{first:08d}.jsonl").write_bytes(b"".join(line + b"\n" for line in case.lines[first:last]))
    assert case.judge().counts == {"EVENT_NEWER": 1}
    (folder / "00000009.jsonl").unlink()
    assert ("EVENT_MISSING", None) in found(case.judge())
