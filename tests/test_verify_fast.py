"""The fast mode: few signatures, the same verdicts on whatever the chain or the anchor shows, and it says so."""

import json

import pytest

from host_tools.cli import main
from tests.evidence_writer import Device, checkpoint, day
from tests.tamper import Case, found


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Twelve quarter hours, a restart, eight more."""
    board = day(12)
    board.gap(900_000)
    for _ in range(8):
        board.interval()
    return Case(tmp_path_factory.mktemp("fast"), board)


def changed(case, seq, position, value=1):
    record = bytearray(case.records[seq])
    record[position] ^= value
    return [*case.records[:seq], bytes(record), *case.records[seq + 1 :]]


def test_untouched_journal_needs_three_signatures(case):
    result = case.judge(fast=True)
    assert (result.integrity, result.completeness, result.exit_code) == ("PASS", "PASS", 0)
    assert result.plausibility == "UNKNOWN" and result.records == 21
    assert result.signatures == 3  # of the first, and where the anchor stands: of the two records before its size


@pytest.mark.parametrize("seq", (0, 5, 11, 12, 13, 19, 20))
def test_a_changed_payload_is_named_as_in_full(case, seq):
    records = changed(case, seq, case.records[seq].index(b"\2" * 32) + 7)
    fast, full = case.judge(records, fast=True), case.judge(records)
    assert found(fast) == found(full) == [("BAD_SIGNATURE", seq)]
    assert fast.integrity == "FAIL" and fast.completeness == full.completeness == "UNKNOWN"


@pytest.mark.parametrize("seq", (1, 5, 12, 18))
def test_a_changed_signature_shows_in_the_root(case, seq):
    records = changed(case, seq, len(case.records[seq]) - 40)
    assert found(case.judge(records)) == [("BAD_SIGNATURE", seq)]
    assert found(case.judge(records, fast=True)) == [("ROOT_DIFFERS", 20)]


@pytest.mark.parametrize("change", (
    lambda r: r[:4] + r[5:], lambda r: r[:-1], lambda r: r[1:], lambda r: r[:3] + [r[4], r[3]] + r[5:],
    lambda r: r[:6] + [r[2]] + r[6:], lambda r: r[:9] + [r[9][:-1]] + r[10:], lambda r: [],
))
def test_what_is_out_of_place_is_found_as_in_full(case, change):
    records = change(case.records)
    fast, full = case.judge(records, fast=True), case.judge(records)
    assert found(fast) == found(full)
    assert (fast.integrity, fast.completeness) == (full.integrity, full.completeness) != ("PASS", "PASS")


def test_a_rewritten_rest_needs_the_key(case):
    other = day(21, seed=3, device=Device(9))
    forged = other.sealed()
    records = case.records[:10] + forged[10:]
    assert {code for code, _ in found(case.judge(records, fast=True))} >= {"KEY_UNKNOWN"}
    assert case.judge(records, anchor=checkpoint(other.device, records), fast=True).exit_code == 1


def test_records_behind_the_anchor_rest_on_their_last_signature(case):
    anchor = checkpoint(case.device, case.records[:15])
    result = case.judge(anchor=anchor, fast=True)
    assert found(result) == [("PAST_ANCHOR", 15)] and result.signatures == 4
    records = changed(case, 17, case.records[17].index(b"\2" * 32) + 7)
    assert found(case.judge(records, anchor=anchor, fast=True))[0] == ("BAD_SIGNATURE", 17)


def test_it_says_so(case, capsys):
    case.judge()
    arguments = ["verify", str(case.folder / "records.cbor"), "--keys", str(case.keys), "--checkpoint",
                 str(case.folder / "anchor.txt"), "--fast"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "3 signatures checked, the others rest on the chain" in text
    assert "plausibility  UNKNOWN not judged with --fast" in text
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["mode"], report["signatures_checked"], report["plausibility"]) == ("fast", 3, "UNKNOWN")
    assert main([*arguments, "--site", "x"]) == 2
