"""The verifier and the meters' registers: they go on from record to record, and energies are what they say."""

import pytest

from host_tools.evidence.words import in_words
from tests.evidence_writer import day
from tests.tamper import HOLDS, Case, found, verdicts


def _judge(tmp_path, board):
    return Case(tmp_path, board).judge()


def _row(record, role=0):
    record[39] = [list(row) for row in record[39]]
    return record[39][role]


def _start_later(record):
    _row(record)[2] += 10


def _back(record):
    _row(record)[2:4] = [_row(record)[3], _row(record)[2]]


def _half(record):
    _row(record, 2)[2] = 5


def _difference_of_nothing(record):
    _row(record, 3)[6] = 0


def _energy(record):
    row = _row(record)
    row[3] += 2_000 + (row[3] - row[2]) // 5


def _contradicted(record):
    row = _row(record)
    row[1], row[3], row[6] = 3, row[3] + 70_000, 70_000
    record[19] |= 1 << 6


def _contradicted_wrongly(record):
    _contradicted(record)
    _row(record)[6] += 1


def _silently(record):
    _contradicted(record)
    record[19] &= ~(1 << 6)


def _refused(record):
    record[22] = [[*row[:4], 3, 4] for row in record[22]]


WRONG = {
    "it starts elsewhere": (_start_later, ["REGISTER_CHAIN"]),
    "it goes back": (_back, ["REGISTER_BACK", "REGISTER_CHAIN", "REGISTER_ENERGY"]),
    "a start without an end": (_half, ["REGISTER_FIELDS"]),
    "a difference without a register": (_difference_of_nothing, ["REGISTER_FIELDS"]),
    "the energy does not follow": (_energy, ["REGISTER_CHAIN", "REGISTER_ENERGY"]),
    "power was used": (_contradicted, ["REGISTER_CHAIN"]),
    "power was used, and the difference is wrong": (
        _contradicted_wrongly, ["REGISTER_CHAIN", "REGISTER_ENERGY"]),
    "power was used without a flag": (_silently, ["FLAG_CONTENT", "REGISTER_CHAIN"]),
    "refused without a flag": (_refused, ["FLAG_CONTENT"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_registers_are_found_though_signed(name, tmp_path):
    change, codes = WRONG[name]
    board = day(6)
    change(board.records[3])
    result = _judge(tmp_path, board)
    assert sorted({code for code, _ in found(result)}) == codes
    assert {seq for code, seq in found(result) if code != "REGISTER_CHAIN"} <= {3}
    assert result.integrity == result.completeness == "PASS"


def test_registers_go_on_over_a_clock_step_and_begin_anew_after_a_restart(tmp_path):
    board = day(3)
    board.gap(length_ms=0, reason=2)
    board.interval()
    board.gap(900_000)
    board.register_wh[0] += 40_000  # the meter went on counting
    board.interval()
    assert verdicts(_judge(tmp_path, board)) == HOLDS
    board.register_wh[0] += 1
    board.interval()
    assert ("REGISTER_CHAIN", 7) in found(_judge(tmp_path, board))


@pytest.mark.parametrize("by_wh, words", ((40_000, "load import register"), (-5, "load import register"), (0, None)))
def test_what_a_register_counted_while_the_board_was_off_is_noted(tmp_path, by_wh, words):
    board = day(3)
    board.gap(900_000)
    board.register_wh[0] += by_wh
    board.interval()
    board.interval()
    result = _judge(tmp_path, board)
    assert verdicts(result) == HOLDS
    notes = [finding for finding in result.findings if finding.code == "REGISTER_UNSEEN"]
    assert [(note.seq, note.what.startswith(words)) for note in notes] == ([(4, True)] if words else [])


def test_a_flagged_step_back_holds(tmp_path):
    board = day(3)
    board.register_wh[0] = 400_000
    board.interval()
    row = _row(board.records[3])
    row[1], row[2] = 2, board.records[2][39][0][3]
    board.records[3][19] |= 1 << 5 | 1 << 6
    assert verdicts(_judge(tmp_path, board)) == HOLDS


def test_refused_values_are_added_up_and_registers_said_in_words(tmp_path):
    board = day(4)
    for record in board.records:
        _refused(record)
        record[19] |= 1 << 6
    result = _judge(tmp_path, board)
    assert result.totals.refused == {"load": 12, "grid": 12, "bess": 12, "wind": 12}

    class Unit:
        record, size, offset, problem = board.records[1], 1, 0, None

        class header:
            owner = ("north", "cab-1")

    words = in_words(Unit)
    assert "3 values refused" in words and "Registers of load: import 5000" in words and "by registers" in words


@pytest.mark.parametrize("periods, holds", ((15, True), (900, False), (9_000, False)))
def test_a_reading_may_be_a_few_control_periods_old(periods, holds, tmp_path):
    board = day(3)
    for record in board.records:
        record[15] = record[16] = periods
        record[37] = [periods, 0, 0, 0, 0]
    row = _row(board.records[2])
    row[3] += 1_001 + (row[3] - row[2]) // 8
    result = _judge(tmp_path, board)
    assert ("REGISTER_ENERGY" not in result.counts) == holds
