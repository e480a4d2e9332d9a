"""Attacks on the bytes and the order of a journal: found, named, and with one reason each."""

import hashlib

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evidence_writer import QUARTER_MS, Board, Device, day, seal, to_be_signed
from tests.tamper import HOLDS, Case, found, parts, verdicts

FIXTURES = [HealthCheck.function_scoped_fixture]
SETTINGS = settings(deadline=None, max_examples=150, suppress_health_check=FIXTURES)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Ten quarter hours of an untouched journal."""
    return Case(tmp_path_factory.mktemp("journal"), day(10))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Four records: two intervals, a gap, an interval."""
    board = day(2)
    board.gap()
    board.interval(300_000)
    return Case(tmp_path_factory.mktemp("small"), board)


def test_untouched_journal_holds(case):
    result = case.judge()
    assert verdicts(result) == HOLDS and not result.findings and result.exit_code == 0
    assert (result.records, result.first_seq, result.next_seq) == (10, 0, 10)


def test_one_bit_flipped_at_every_byte_names_the_record(small):
    data = b"".join(small.records)
    owners = [seq for seq, record in enumerate(small.records) for _ in record]
    for position, seq in enumerate(owners):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        result = small.judge(bytes(damaged))
        assert result.integrity == "FAIL" and result.completeness != "PASS", position
        assert [number for _, number in found(result)] == [seq], (position, found(result))
        offsets = {item.offset for item in result.findings if item.code != "GAP_STATED"}
        assert offsets == {data.index(small.records[seq])}


def test_every_bit_of_the_framing_flipped_names_the_record(small):
    size, end = len(small.device.protected), len(small.records[1])
    framing = [0, 1, 2, 3, 4 + size, 5 + size, 6 + size, 7 + size, end - 66, end - 65]
    start = len(small.records[0])
    data = b"".join(small.records)
    for position in framing:
        for bit in range(8):
            damaged = bytearray(data)
            damaged[start + position] ^= 1 << bit
            assert [number for _, number in found(small.judge(bytes(damaged)))] == [1], (position, bit)


def test_record_removed_names_the_missing_number(case):
    for seq in range(10):
        result = case.judge(case.records[:seq] + case.records[seq + 1 :])
        code = "HEAD_MISSING" if seq == 0 else "TAIL_CUT" if seq == 9 else "SEQ_GAP"
        assert found(result) == [(code, seq)]
        assert verdicts(result) == ("PASS", "FAIL", "PASS")


def test_several_records_removed_name_all_numbers(case):
    result = case.judge(case.records[:3] + case.records[6:])
    assert [(item.code, item.seqs) for item in result.findings] == [("SEQ_GAP", [3, 4, 5])]


def test_two_swapped_name_both(case):
    for low in range(10):
        for high in range(low + 1, 10):
            records = list(case.records)
            records[low], records[high] = records[high], records[low]
            result = case.judge(records)
            assert [item.code for item in result.findings] == ["SEQ_ORDER"], (low, high)
            assert sorted(result.findings[0].seqs) == [low, high]
            assert result.integrity == "FAIL" and result.completeness == "UNKNOWN"


def test_one_repeated_names_it(case):
    for seq in range(10):
        for place in range(seq + 1, 11):
            result = case.judge(case.records[:place] + [case.records[seq]] + case.records[place:])
            assert found(result) == [("SEQ_REPEATED", seq)], (seq, place)
            assert result.integrity == "FAIL"


def test_record_repeated_too_early_is_named(case):
    result = case.judge(case.records[:2] + [case.records[7]] + case.records[2:])
    assert found(result) == [("SEQ_REPEATED", 7)]


def test_tail_cut_is_found_by_the_anchor(case):
    for left in range(10):
        result = case.judge(case.records[:left])
        assert result.completeness == "FAIL"
        assert ("TAIL_CUT", left) in found(result)


def test_empty_file_is_never_complete(case):
    assert ("NO_RECORDS", None) in found(case.judge([]))
    assert verdicts(case.judge([], anchor=False))[:2] == ("UNKNOWN", "UNKNOWN")


def test_record_of_another_device_is_wrong_device(tmp_path):
    other = Device(2, "south", "cab-9")
    foreign = day(3, device=other).sealed()[1]
    for others in ((), (other,)):
        case = Case(tmp_path, day(4), others)
        for place in range(5):
            result = case.judge(case.records[:place] + [foreign] + case.records[place:])
            assert found(result) == [("WRONG_DEVICE", 1)], (place, len(others))
            offset = sum(map(len, case.records[:place]))
            assert result.integrity == "FAIL" and result.findings[0].offset == offset


def test_bytes_between_records_are_found(case):
    for junk in (b"\0", b"\xd2", b"\xd2\x84", b"junk" * 200):
        for place in (0, 4, 10):
            data = b"".join(case.records[:place]) + junk + b"".join(case.records[place:])
            result = case.judge(data)
            assert [code for code, _ in found(result)] == ["FRAME_BROKEN"], (junk, place)
            assert result.findings[0].offset == sum(map(len, case.records[:place]))


def test_reading_goes_on_behind_an_erased_block(case):
    data = bytearray(b"".join(case.records))
    start, end = (sum(map(len, case.records[:count])) for count in (1, 5))
    data[start + 300:end - 300] = b"\xff" * (end - start - 600)
    result = case.judge(bytes(data))
    assert ("FRAME_BROKEN", 1) in found(result) and result.records == 6
    assert {code for code, _ in found(result)} <= {"FRAME_BROKEN", "SEQ_GAP"}


def test_two_histories_with_one_number_are_a_fork(case):
    other = day(10, seed=2).sealed()
    result = case.judge(case.records[:5] + [other[4]] + case.records[5:])
    assert ("SEQ_FORKED", 4) in found(result)


def test_rewritten_history_does_not_fit_chain_or_anchor(case):
    board = day(10)
    board.records[5][12] = 1
    rewritten = board.sealed()
    assert found(case.judge(rewritten)) == [("ROOT_DIFFERS", 9)]
    result = case.judge(case.records[:5] + [rewritten[5]] + case.records[6:])
    assert ("PREV_MISMATCH", 6) in found(result) and result.integrity == "FAIL"


# --- anything at all

def test_random_bytes_end_in_typed_findings(case):
    @SETTINGS
    @given(st.binary(max_size=3000))
    def check(data):
        result = case.judge(data)
        assert verdicts(result)[:2] != ("PASS", "PASS")

    check()


def test_mutated_journals_never_hold(case):
    data = b"".join(case.records[:3])
    edit = st.tuples(st.integers(0, len(data)), st.integers(0, 40), st.binary(max_size=40))
    edits = st.lists(edit, min_size=1, max_size=4)

    @SETTINGS
    @given(edits)
    def check(changes):
        damaged = data
        for position, cut, insert in changes:
            damaged = damaged[:position] + insert + damaged[position + cut :]
        result = case.judge(damaged + b"".join(case.records[3:]))
        intact = damaged == data
        assert (verdicts(result) == HOLDS) == intact
        assert intact or result.integrity == "FAIL" or result.completeness == "FAIL"

    check()


def test_generated_payloads_end_in_typed_findings(case):
    leaf = st.none() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=33) | st.booleans() | st.floats()
    value = st.recursive(leaf | st.text(max_size=5), lambda inner: st.lists(inner, max_size=6), max_leaves=12)
    genuine = cbor2.loads(parts(case.records[4])[2])

    @SETTINGS
    @given(st.dictionaries(st.sampled_from(sorted(genuine)), value, min_size=1, max_size=4))
    def check(changes):
        content = genuine | changes
        record = seal(case.device, cbor2.dumps(content))
        result = case.judge(case.records[:4] + [record] + case.records[5:])
        same = cbor2.dumps(content) == cbor2.dumps(genuine)
        assert same or verdicts(result) != HOLDS

    check()


def test_a_board_may_restart_and_lose_its_clock(tmp_path):
    board = Board()
    board.interval()
    board.interval(400_000)
    board.gap(500_000)
    board.interval(QUARTER_MS)
    board.now_ms = None
    board.gap(None, reason=2)
    board.interval()
    board.gap(None)
    board.interval()
    result = Case(tmp_path, board).judge()
    assert verdicts(result) == HOLDS, found(result)
    assert result.counts == {"GAP_STATED": 3, "CLOCK_UNSURE": 2}


def test_first_hash_is_not_random():
    record = day(1).sealed()[0]
    protected, _, payload, _ = parts(record)
    assert cbor2.loads(payload)[5] == bytes(32)
    assert hashlib.sha256(to_be_signed(protected, payload)).digest() != bytes(32)
