"""Reports of odd journals: nothing, only gaps, all refused, no battery, no load, a single second; any flows at all."""

import json
import os
import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools import cli
from host_tools.evidence import utc
from host_tools.evidence.reading import Reading
from host_tools.report.answer import COLUMNS, row_of, sentences
from host_tools.report.flows import Flows
from host_tools.report.page import page
from host_tools.report.run_data import RunData
from tests import browser, made_run, report_rig
from tests.evidence_writer import START_MS, Board, Device, checkpoint
from tests.export_rig import export, records_of, table_of

SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
NOTHING = ([0, 0, 0, 0, 0], [0, 0, 0, 0])
amounts = st.sampled_from((0, 1, 2, 999)) | st.integers(0, 300_000) | st.integers(0, 250_000_000)


def _page(folder, board):
    run = RunData(made_run.make(folder / "run", board))
    return run, page([run])


def _pictures(text):
    """Parse every SVG as XML; a coordinate must be a number."""
    found = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    for svg in found:
        ElementTree.fromstring(svg)
        assert "nan" not in svg.lower().replace("name", "") and "inf" not in svg
    return found


def test_a_range_in_which_there_is_nothing(tmp_path):
    run = made_run.make(tmp_path / "run", made_run.board(4))
    text = page([RunData(run, None, START_MS + 10**9 - 10**9 % 900_000)])
    assert "There is no interval in this range" in text


def test_only_a_gap(tmp_path):
    board = Board()
    board.gap()
    text = _page(tmp_path, board)[1]
    assert "There is no interval in this range" in text and "The board states a gap" in text


def test_all_records_refused(tmp_path):
    folder = made_run.make(tmp_path / "run", made_run.board(3))
    data = bytearray((folder / "records.cbor").read_bytes())
    for at in [i for i in range(len(data)) if data[i:i + 3] == b"\xd2\x84\x58"]:
        data[at + 20] ^= 1
    (folder / "records.cbor").write_bytes(bytes(data))
    run = RunData(folder)
    text = page([run])
    assert run.verdict.integrity == "FAIL" and "✕ FAIL" in text and "There is no interval" in text


@pytest.mark.parametrize("flows", (
    NOTHING, ([100, 0, 0, 0, 0], [100, 0, 0, 0]), ([0, 0, 0, 0, 5], [5, 0, 0, 0]), ([9, 0, 0, 0, 0], [0, 0, 9, 0]),
    ([0, 0, 0, 700, 0], [0, 700, 0, 0])))
def test_sites_that_have_almost_nothing(tmp_path, flows):
    board = Board()
    for _ in range(3):
        board.interval(flows=flows)
    run, text = _page(tmp_path, board)
    assert _pictures(text) and run.verdict.integrity == "PASS"


def test_a_journal_of_one_second(tmp_path):
    board = Board()
    board.interval(1_000, flows=([10, 0, 0, 0, 0], [10, 0, 0, 0]))
    assert _pictures(_page(tmp_path, board)[1])


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.lists(amounts, min_size=5, max_size=5),
                          st.lists(st.integers(0, 99), min_size=4, max_size=4),
                          st.sampled_from((None, None, 0, 5, 400_000))), min_size=1, max_size=8))
def test_whatever_flowed_adds_up(tmp_path_factory, rows):
    board = Board()
    for sources, weights, trueup in rows:
        total, weight = sum(sources), sum(weights)
        uses = [total * each // weight if weight else 0 for each in weights]
        board.interval(flows=(sources, uses), trueup=trueup)
    run, text = _page(tmp_path_factory.mktemp("any"), board)
    _pictures(text)
    totals, flows = run.reading.totals, Flows(run.reading.entries)
    assert [sum(row) for row in flows.matrix[0]] == totals.sources_wh
    assert [row[0] for row in flows.matrix[0]] == totals.mix_wh
    for quantity, carbon in ((1, totals.direct_ug), (2, totals.lifecycle_ug)):
        assert [sum(column) for column in zip(*flows.matrix[quantity])] == carbon[:4]
        assert sum(flows.load_by_origin[quantity]) == carbon[0]
    for quantity in range(3):
        came, went = flows.battery(quantity)
        inside = sum(row[1] for row in flows.matrix[quantity]) + sum(amount for _, amount in came)
        assert inside == sum(flows.matrix[quantity][4]) + sum(amount for _, amount in went)
        assert all(amount > 0 for _, amount in came + went)


def test_fuel_by_the_litre_counts_instead_of_the_gensets_energy(tmp_path):
    board = Board()
    board.interval(flows=([0, 0, 5_000, 0, 0], [5_000, 0, 0, 0]))
    record = board.records[0]
    record |= {42: 1_500, 45: [2_660_000, 3_290_000]}
    record[35][0], record[36][0] = 1_500 * 2_660_000, 1_500 * 3_290_000
    run, text = _page(tmp_path, board)
    assert run.verdict.plausibility == "PASS", run.verdict.counts
    flow = run.reading.intervals[0].flow
    assert flow.matrix[1][2] == [1_500 * 2_660_000, 0, 0, 0] and flow.matrix[2][2][0] == 1_500 * 3_290_000
    out = tmp_path / "out"
    assert cli.main(["export", str(tmp_path / "run"), "--keys", str(tmp_path / "run" / "keys.json"), "--format",
                     "records-csv", "--out", str(out)]) == 0
    assert ",1.500," in (out / "records.csv").read_text().splitlines()[1]


def test_work_is_shown_by_the_unit(tmp_path):
    board = made_run.board(3)
    for record in board.records:
        record[43] = 400
    run, text = _page(tmp_path, board)
    grams = sum(record[35][0] for record in run.intervals) / 1200 / 1e6
    shown = re.search(r"Carbon of a unit of work, direct</span><b>([\d.]+) g</b>", text)[1]
    assert float(shown) == pytest.approx(grams, rel=6e-3) and "1\u202f200 done" in text
    (tmp_path / "run" / "site.json").write_text(json.dumps({"site": {"work_unit": "GPU <s>"}, "ratings": {}}))
    assert "Carbon of a unit of work (GPU &lt;s&gt;), direct" in page([RunData(tmp_path / "run")])


def test_a_reading_of_an_excerpt_says_so(tmp_path):
    folder = made_run.make(tmp_path / "run", made_run.board(8))
    about = Reading(folder, folder / "keys.json", START_MS + 1_800_000, START_MS + 3_600_000).provenance()
    assert (about["first_seq"], about["last_seq"], about["journal_records"]) == (2, 3, 8)
    assert (about["quarter_hours_in_range"], about["quarter_hours_covered"], about["root_records"]) == (2, 2, 8)


def test_a_change_of_keys_is_followed_by_report_and_exports(tmp_path):
    board, successor = made_run.board(4), Device(7)
    board.change_keys(successor)
    board.interval()
    folder = made_run.make(tmp_path / "run", board)
    records = records_of(folder)
    (folder / "checkpoint.txt").write_bytes(checkpoint(successor, records))
    run = RunData(folder)
    text = page([run])
    assert (run.verdict.integrity, run.verdict.completeness) == ("PASS", "PASS"), run.verdict.counts
    assert "The board states a change of its keys" in text and "0 gaps stated" in text
    assert run.reading.provenance()["root_records"] == 6 and run.reading.provenance()["key_changes"] == 1
    rows = table_of(export(folder, "records-csv") / "records.csv")
    assert [row["quality"] for row in rows] == ["valid"] * 4 + ["key change", "valid"]
    assert {row["chain_ok"] for row in rows} == {"true"} == {row["sig_ok"] for row in rows}


def test_an_excerpt_leaves_open_what_its_first_record_follows(tmp_path):
    folder = made_run.make(tmp_path / "run", made_run.board(4))
    (folder / "records.cbor").write_bytes(b"".join(records_of(folder)[2:]))
    rows = table_of(export(folder, "records-csv", code=1) / "records.csv")
    assert [row["chain_ok"] for row in rows] == ["", "true"]


def test_a_long_range_is_drawn_by_days_and_told_by_months_and_opens(tmp_path):
    browser.program()
    data = RunData(made_run.make(tmp_path / "run", report_rig.board(365 if SOAK else 70)))
    text = page([data])
    assert len(text.encode()) < 3_000_000 and "Month by month" in text and "Energy by source, per day" in text
    entry = data.reading.intervals[-5]
    out = browser.rendered(tmp_path, text, f'location.hash = "at={utc.show(entry.record[9])[:16]}"')
    said = re.search(r'class="short">([^<]*)<', out)[1].replace("&nbsp;", " ")
    assert said == sentences(dict(zip(COLUMNS, row_of(entry))))[0]
