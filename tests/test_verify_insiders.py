"""Attacks by insiders, who hold the board's keys and sign anew whatever they change in a month that a board has left.

Signatures and chain hold then: only content, a witness, other files or another copy can tell.
"""

import cbor2
import pytest

from tests import month as made
from tests.evidence_writer import DIRECT, checkpoint, root, seal
from tests.insider import MonthCase
from tests.tamper import found, parts

LATE = 29  # a change late in the month leaves few records to sign again


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


def test_the_whole_history_is_rewritten(case):
    kept = case.kept("kept.txt", case.records[:1000])
    first = case.seq_of(2)
    records, anchor = case.rewritten({first: lambda record: record.update({31: 7})})
    assert case.judge(records, anchor).integrity == "FAIL"  # the records name witnessed trees of the old history
    assert ("WITNESS_DIFFERS", case.seq_of(3, 0)) in found(case.judge(records, anchor))
    assert ("ROOT_DIFFERS", 999) in found(case.judge(records, anchor, witnesses=[kept]))


def test_a_rewritten_history_that_names_no_witness_needs_one_that_kept_an_anchor(case):
    first = case.seq_of(LATE, 10)
    changes = {seq: (lambda record: record.update({31: 7})) for seq in range(first, len(case.records))
               if case.month.board.records[seq][2] == 1}  # behind the last tree that the board was told of
    records, anchor = case.rewritten(changes)
    assert case.judge(records, anchor).exit_code == 0
    kept = case.kept("kept.txt", case.records[: first + 10])
    assert found(case.judge(records, anchor, witnesses=[kept])) == [("ROOT_DIFFERS", first + 9)]


def test_two_auditors_are_shown_different_histories(case):
    records, anchor = case.rewritten({case.seq_of(LATE): lambda record: record.update({31: 7})})
    assert case.judge(records, anchor).exit_code == case.judge().exit_code == 0  # each by itself
    kept = case.kept("other.txt", case.records)
    result = case.judge(records, anchor, witnesses=[kept])
    assert {code for code, _ in found(result)} == {"HISTORY_FORKED", "ROOT_DIFFERS"}


def test_two_boards_with_one_key(case):
    seq = case.seq_of(LATE)
    records, _ = case.rewritten({seq: lambda record: record.update({31: 7})})
    result = case.judge([*case.records[: seq + 1], records[seq], *case.records[seq + 1 :]])
    assert ("SEQ_FORKED", seq) in found(result)
    result = case.judge(case.records[:seq] + records[seq : seq + 1] + case.records[seq + 1 :])
    assert ("PREV_MISMATCH", seq + 1) in found(result)


def test_a_board_is_set_back_to_a_backup(case):
    """From a backup of the 27th the board goes on; its witness remembers, and tells it."""
    back, size = case.seq_of(27, 0), len(case.records)
    told = [size, root(case.records), case.month.board.now_ms // 1000]
    first = case.seq_of(28, 0)
    records, anchor = case.rewritten({first: lambda record: record.update({41: told})}, drop=range(first + 1, size),
                                     )
    result = case.judge(records, anchor)
    assert ("WITNESS_AHEAD", first) in found(result) and back < first
    kept = case.kept("kept.txt", case.records)
    assert "TAIL_CUT" in case.judge(records, anchor, witnesses=[kept]).counts


def test_the_boot_counter_falls_back(case):
    seq = case.seq_of(LATE)
    assert ("BOOT_WENT_BACK", seq) in found(case.insider({seq: lambda record: record.update({4: 1})}))


@pytest.mark.parametrize("shift_ms, code", ((-3_600_000, "TIME_OVERLAP"), (3_600_000, "TIME_GAP")))
def test_the_clock_is_set_without_a_word(case, shift_ms, code):
    seq = case.seq_of(LATE)

    def shift(record):
        record[9] += shift_ms

    changes = {each: shift for each in range(seq, len(case.records))}
    assert (code, seq) in found(case.insider(changes))


def test_the_clock_is_set_back_with_a_false_gap_and_the_witness_knows_better(case):
    seq = case.seq_of(LATE)
    told = [seq - 100, root(case.records[: seq - 100]), case.month.board.now_ms // 1000 + 90_000]
    result = case.insider({seq: lambda record: record.update({41: told})})
    assert ("CLOCK_WITNESS", seq) in found(result)


def test_a_greener_factor_is_signed(case, files):
    seq = case.seq_of(LATE)

    def greener(record):
        record[32] = [*record[32][:3], 10_000, record[32][4]]

    result = case.insider({seq: greener}, **files)
    assert {("FACTOR_ROW", seq), ("CARBON_SUM", seq)} <= set(found(result))
    result = case.insider({seq: lambda record: record.update({8: b"\7" * 32})}, **files)
    assert ("FACTORS_DIFFER", seq) in found(result)

    def cleaner(record):
        record[32] = [0, 0, 100_000, *record[32][3:]]

    assert ("SITE_FACTOR", seq) in found(case.insider({seq: cleaner}, **files))


def test_an_old_factor_is_called_young(case):
    seq = case.seq_of(LATE)
    result = case.insider({seq: lambda record: record.update({34: [1_715_000_000, 0, 1]})})
    assert ("FACTOR_AGE", seq) in found(result)


def test_a_fall_back_to_the_default_is_kept_quiet(case):
    seq = case.seq_of(LATE)
    result = case.insider({seq: lambda record: record.update({34: [None, None, 2]})})
    assert ("FLAG_CONTENT", seq) in found(result)


def test_a_stale_factor_is_used_greener_than_it_stands(case, files):
    seq = case.seq_of(LATE)

    def stale(record):
        record[19] |= 1 << 10
        record[32] = [*record[32][:3], 0, record[32][4]]

    assert ("FACTOR_ROW", seq) in found(case.insider({seq: stale}, **files))


def test_a_meter_is_swapped(case):
    seq = case.seq_of(LATE)

    def swap(record):
        record[44] = [[role, "other" if role == 1 else serial] for role, serial in record[44]]

    result = case.insider({each: swap for each in range(seq, len(case.records))})
    assert found(result) == [("SERIAL_CHANGED", seq)]


def test_a_register_is_set_back_or_forward_between_records(case):
    seq = case.seq_of(LATE)

    def move(record):
        record[39][0][2] += 50_000
        record[39][0][3] += 50_000

    result = case.insider({each: move for each in range(seq, len(case.records))})
    assert found(result) == [("REGISTER_CHAIN", seq)]


def test_a_meter_is_bypassed(case):
    """A part of the grid import goes past its meter: sources no longer cover the uses."""
    seq = case.seq_of(LATE)

    def bypass(record):
        record[23] = [*record[23][:3], record[23][3] // 10, record[23][4]]
        record[25] = sum(record[23]) - sum(record[24])

    codes = {code for code, number in found(case.insider({seq: bypass})) if number == seq}
    assert codes >= {"BALANCE_LIMIT", "CARBON_SUM", "REGISTER_ENERGY"}


def test_a_ratio_is_scaled_in_the_configuration(case, files):
    seq = case.seq_of(LATE)
    changes = {each: (lambda record: record.update({7: b"\7" * 32})) for each in range(seq, len(case.records))}
    assert ("FLAG_CHANGE", seq) in found(case.insider(changes))  # kept quiet

    def said(record):
        record[7] = b"\7" * 32
        record[19] |= 1 << 12

    result = case.insider(changes | {seq: said})
    assert result.exit_code == 0 and result.counts["SET_UP_CHANGED"] == 1  # said: a note for the auditor
    assert ("SITE_DIFFERS", seq) in found(case.insider(changes | {seq: said}, **files))


def test_more_energy_than_the_ratings_allow(case, files):
    seq = case.seq_of(LATE)

    def scaled(record):
        record[23] = [9_000_000, *record[23][1:]]

    assert ("RATING_EXCEEDED", seq) in found(case.insider({seq: scaled}, **files))


@pytest.mark.parametrize("change, code", (
    (lambda r: r.update({26: [r[26][3], *r[26][1:3], r[26][0], r[26][4]]}), "MIX_SPLIT"),
    (lambda r: r.update({35: [r[35][0] - 10**6, r[35][1], r[35][2] + 10**6, *r[35][3:]]}), "CARBON_SPLIT"),
))
def test_another_allocation_is_used_to_look_green(case, change, code):
    seq = case.seq_of(LATE)
    assert (code, seq) in found(case.insider({seq: change}))


@pytest.mark.parametrize("change, codes", (
    (lambda r: r.update({29: 0}), {"POOL_ENERGY", "POOL_LOSS"}),
    (lambda r: r.update({28: [r[28][0], r[28][1] // 2, *r[28][2:]]}), {"POOL_CARBON"}),
    (lambda r: r.update({27: [r[27][0], 0, *r[27][2:]]}), {"POOL_CHAIN", "POOL_CARBON", "POOL_DISCHARGE"}),
    (lambda r: r.update({35: [r[35][0] // 2, *r[35][1:]]}), {"CARBON_SUM"}),
    (lambda r: r.update({35: [*r[35][:4], r[28][1], r[35][5]], 28: [r[28][0], 0, *r[28][2:]]}), {"POOL_WRITE_OFF"}),
    (lambda r: r.update({30: -1000, 28: [r[28][0] - 1000, *r[28][1:]]}), {"FLAG_CONTENT"}),
))
def test_losses_or_carbon_of_the_storage_are_dropped(case, change, codes):
    seq = case.seq_of(LATE)
    assert codes <= {code for code, number in found(case.insider({seq: change})) if number in (seq, None)}


def test_litres_of_the_genset_are_left_out(case):
    seq = case.seq_of(LATE)

    def few(record):
        record[42], record[45] = 100, [2_661_550, 3_288_200]

    codes = {code for code, number in found(case.insider({seq: few})) if number == seq}
    assert codes >= {"FUEL_ENERGY", "CARBON_SUM"}
    assert DIRECT[2] > 0


def test_substitutes_are_hidden(case):
    seq = case.seq_of(LATE)
    assert ("SUBSTITUTE_HIDDEN", seq) in found(case.insider({seq: lambda record: record.update({20: 5_000})}))


def test_another_firmware_signs(case, files):
    seq = case.seq_of(LATE)
    changes = {each: (lambda record: record.update({6: b"\7" * 32})) for each in range(seq, len(case.records))}
    result = case.insider(changes, **files)
    assert {("FLAG_CHANGE", seq), ("FIRMWARE_DIFFERS", seq)} <= set(found(result))


def test_a_day_is_left_out_and_the_numbers_closed_up(case):
    first = case.seq_of(LATE, 10)
    result = case.insider({}, drop=range(first, first + 20))
    assert ("TIME_GAP", first) in found(result)


def test_the_old_key_goes_on_signing_behind_the_change(case):
    seq = len(case.records) - 1
    content = cbor2.loads(parts(case.records[seq])[2])
    record = seal(case.device, cbor2.dumps(content))
    result = case.judge([*case.records[:seq], record], checkpoint(case.month.successor, [*case.records[:seq], record]))
    assert found(result) == [("KEY_RETIRED", seq)]


def test_a_stolen_key_signs_after_it_was_revoked(case):
    document = case.month.keys()
    document["keys"][0]["revoked_s"] = made.START_S + 10 * 86_400
    case.set_keys(document)
    result = case.judge()
    case.set_keys(case.month.keys())
    assert ("KEY_REVOKED", case.seq_of(10, 0)) in found(result)


def test_an_event_is_uncounted(case):
    seq = case.seq_of(LATE)
    result = case.insider({seq: lambda record: record.update({40: [record[40][0] - 5, record[40][1]]})})
    assert ("EVENT_COUNT", seq) in found(result)
