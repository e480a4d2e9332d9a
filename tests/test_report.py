"""The report: it stands by itself, shows what the records say, and hides neither a spike nor a doubt."""

import argparse
import base64
import html.parser
import json
import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.commands import report
from host_tools.errors import ToolError
from host_tools.report import columns, plot, trace
from host_tools.report.page import page
from host_tools.report.run_data import RunData
from host_tools.report.series import HOUR_MS, Series
from host_tools.report.tables import remarks
from tests import made_run

VOID = {"meta", "br", "img", "link", "input", "hr"}
OUTSIDE = re.compile(r"""(?:src|href|action)\s*=\s*["']?(?!#)|url\(|@import|https?://|//[a-z]""", re.IGNORECASE)


class Reader(html.parser.HTMLParser):
    """Read a page as a browser must: every element closed in order; texts and JSON kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.json, self.rows = [], [], [], 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.rows += tag == "tr"
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        """An element that closes itself, as in SVG, holds nothing."""

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if attributes.get("type") == "application/json":
            self.json.append(json.loads(data))
        elif tag not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_run.make(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def whole(folder):
    return page([RunData(folder)])


def test_it_stands_by_itself(whole):
    Reader(whole)
    without_data = re.sub(r"<script>.*?</script>|form-action", "", whole, flags=re.DOTALL)
    assert OUTSIDE.search(without_data) is None
    assert "default-src 'none'" in whole
    assert re.search(r"fetch\(|XMLHttp|import\(|https?:", whole) is None


def test_it_says_what_was_verified_and_what_is_known(whole):
    text = Reader(whole).text
    assert text.count("✓ PASS") == 6 and "FAIL" not in text
    assert "North <site> & sons" in text and "a <public> place, times 2" in text and "boot <1>" in text
    assert re.search(r"RFC 6962 root \S{44} over 8 records", text) and "8 of 8 quarter hours in full" in text
    for figure in ("0.600 MW", "4.00 MW", "39.0 MWh", "31.0 MWh", "+26 %", "−85 %"):
        assert figure in text, figure
    for limit in ("106,000 GPUs", "Nothing faster than 2 s", "neither measured at one place"):
        assert limit in text
    assert "Synthetic" not in text


def test_a_synthetic_input_is_said_large(tmp_path):
    text = page([RunData(made_run.make(tmp_path / "run", synthetic=True))])
    assert '<div class="synthetic"' in text and "Synthetic input" in Reader(text).text


def test_a_hypothetical_meter_is_named_so(tmp_path):
    run = made_run.make(tmp_path / "run")
    assert "hypothetical" not in page([RunData(run)])
    (run / "site.json").write_text(json.dumps(made_run.SITE))
    data = RunData(run)
    assert data.profiles() == {"generic_fast"} and "hypothetical" in page([data])


def test_an_altered_record_fails_and_is_named(tmp_path):
    run = made_run.make(tmp_path / "run")
    data = bytearray((run / "records.cbor").read_bytes())
    data[len(data) * 5 // 8 + 300] ^= 1
    (run / "records.cbor").write_bytes(data)
    text = Reader(page([RunData(run)])).text
    assert "✕ FAIL" in text and re.search(r"record [45]:", text)


def test_without_keys_there_is_no_report(tmp_path):
    run = made_run.make(tmp_path / "run")
    (run / "keys.json").unlink()
    with pytest.raises(ToolError, match="no signature can be checked"):
        RunData(run)


def _names(item):
    return [row[0] for row in item.get("rows", ())]


def _packed(reader):
    words = next(item for item in reader.json if "packed" in item)
    return columns.unpack(words["packed"], words["columns"], words["count"])


def test_energy_comes_from_the_records_not_from_the_trace(tmp_path):
    one, other = (made_run.make(tmp_path / name, trace=count) for name, count in (("a", 2400), ("b", 100)))
    packed = [_packed(Reader(page([RunData(run)]))) for run in (one, other)]
    assert packed[0] == packed[1]
    records = RunData(one).intervals
    for name, key, index in (("wind_wh", 23, 0), ("import_wh", 23, 3), ("discharge_wh", 23, 4), ("load_wh", 24, 0),
                             ("charge_wh", 24, 1), ("direct_ug", 35, 0), ("pool_wh", 28, 0)):
        assert packed[0][name] == [record[key][index] for record in records]
    assert packed[0]["start_ms"] == [record[9] for record in records]


def test_a_factor_is_summed_carbon_over_summed_energy(tmp_path):
    run = RunData(made_run.make(tmp_path / "run", made_run.board(96)))
    figure = next(item for item in Reader(page([run])).json if "Grid factor, direct" in _names(item))
    rows = {name: values for name, _, values, _ in figure["rows"]}
    assert rows["Load, direct"] == pytest.approx(
        [record[35][0] / record[24][0] / 1000 for record in run.intervals], rel=1e-3)
    series = Series(run.reading.entries)
    hours = series.cover(HOUR_MS)[1]
    for i, here in enumerate(hours):
        part = run.intervals[4 * i:4 * i + 4]
        assert here.intensity(0) == pytest.approx(
            sum(record[35][0] for record in part) / sum(record[24][0] for record in part) / 1000)


def test_one_row_a_record_with_gaps_and_flags_in_words(tmp_path):
    made = made_run.board(3)
    made.gap()
    made.interval(300_000)
    made.interval(k19=1 << 4 | 1 << 11, k18=9)
    run = RunData(made_run.make(tmp_path / "run", made))
    text = Reader(page([run])).text
    assert "a gap of 1234.57 s: restart" in text and "300 s only" in text
    assert "estimated, meter silent, factor default" in text
    assert remarks(run.intervals[0]) == ""


def test_a_long_journal_is_shortened_and_says_so(tmp_path):
    run = RunData(made_run.make(tmp_path / "run", made_run.board(405)))
    text = Reader(page([run])).text
    assert "export --format records-csv writes them all" in text and len(page([run])) < 3_000_000
    assert text.count("100.0") >= 5 and "Day by day" in text


def test_records_without_utc_are_placed_by_uptime(tmp_path):
    made = made_run.Board(start_ms=None)
    made.interval()
    made.interval()
    run = RunData(made_run.make(tmp_path / "run", made))
    text = Reader(page([run])).text
    assert "unknown" in text and "What was it at 15:00?" not in text and "which no look-up by time can find" in text
    assert [start for start, _ in Series(run.reading.entries).placed] == [record[11] for record in run.intervals]


def test_it_makes_do_with_what_is_there(tmp_path):
    run = made_run.make(tmp_path / "run")
    for name in ("summary.json", "trace.csv", "events.jsonl"):
        (run / name).unlink()
    text = Reader(page([RunData(run)])).text
    assert "There is no summary.json and no trace.csv" in text and "✓ PASS" in text


def test_the_command_writes_one_file_for_several_runs(tmp_path, capsys):
    runs = [str(made_run.make(tmp_path / name)) for name in ("a", "b")]
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    assert report.run(parser.parse_args([*runs, "-o", str(tmp_path / "new" / "r.html")])) == 0
    written = (tmp_path / "new" / "r.html").read_text()
    assert written.count('<section class="run"') == 2 and str(tmp_path / "new" / "r.html") in capsys.readouterr().out
    with pytest.raises(ToolError):
        report.run(parser.parse_args([str(tmp_path / "nowhere")]))


@pytest.mark.parametrize("line, said", (("5,1,2", "line 4: 3 cells"), ("x" + ",0" * 13, "line 4: could not convert")))
def test_a_bad_trace_line_is_named(tmp_path, line, said):
    rows = made_run.trace_rows(5)
    rows[3] = line
    (tmp_path / "trace.csv").write_text("\n".join(rows))
    with pytest.raises(ToolError, match=said):
        trace.load(tmp_path / "trace.csv")


def test_a_spike_of_one_sample_stays_visible(tmp_path):
    run = RunData(made_run.make(tmp_path / "run", trace=20_000, spike_at=12_345))
    figures = Reader(page([run])).json
    whole, zoom = [item for item in figures if "Set point" in _names(item)]
    load = next(row for row in whole["rows"] if row[0] == "Load")
    assert max(load[3]) > 4.5 and len(load[3]) == 900
    assert zoom["from"] <= run.start_ms + 12_345_000 <= zoom["to"] and zoom["to"] - zoom["from"] == 60_000


whole_numbers = st.integers(-columns.LARGEST, columns.LARGEST)


@settings(deadline=None)
@given(st.integers(0, 30).flatmap(lambda n: st.lists(st.lists(whole_numbers, min_size=n, max_size=n), max_size=5)))
def test_packed_columns_come_back(rows):
    names = [str(i) for i in range(len(rows))]
    count = len(rows[0]) if rows else 0
    assert columns.unpack(columns.pack(rows), names, count) == dict(zip(names, rows))


def test_packed_columns_are_zlib_which_a_browser_knows_as_deflate():
    assert zlib.decompress(base64.b64decode(columns.pack([[1, 0, 200]]))) == bytes([2, 1, 0x90, 3])


values = st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=300)


@settings(deadline=None)
@given(values, st.integers(1, 50))
def test_thinning_keeps_the_extremes(samples, bins):
    times = list(range(len(samples)))
    lows, highs, means = trace.thin(times, samples, times[0], times[-1], bins)
    kept = [(low, mean, high) for low, mean, high in zip(lows, means, highs) if low is not None]
    assert min(low for low, _, _ in kept) == min(samples) and max(high for _, _, high in kept) == max(samples)
    assert all(low - 1e-3 <= mean <= high + 1e-3 for low, mean, high in kept)


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(3, 9))
def test_ticks_are_round_rising_and_inside(low, span, count):
    ticks = plot.nice_ticks(low, low + span, count)
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= tick <= low + span + slack for tick in ticks)
    assert all(late > early for early, late in zip(ticks, ticks[1:])) and len(ticks) <= count + 1


@settings(deadline=None)
@given(st.floats(-1e12, 1e12))
def test_numbers_are_written_without_an_exponent(value):
    text = plot.number(value)
    assert "e" not in text
    if abs(value) > 1e-9:
        read = float(text.replace("\u202f", "").replace("−", "-"))
        assert read == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize("ticks, labels", (
    ([0, 2.5, 5.0], ["0.0", "2.5", "5.0"]), ([0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
    ([-1000, 0, 1000], ["−1\u202f000", "0", "1\u202f000"])))
def test_tick_labels_have_the_places_they_need(ticks, labels):
    assert [plot._tick(tick, ticks) for tick in ticks] == labels


def test_time_ticks_lie_on_round_times():
    begin_ms = 1_715_960_280_000  # 15:38:00
    ticks = plot.time_ticks(begin_ms, begin_ms + 3_408_000)
    assert [label for _, label, _ in ticks] == ["15:40", "15:50", "16:00", "16:10", "16:20", "16:30"]
    assert 0 < ticks[0][0] < ticks[-1][0] < 1
