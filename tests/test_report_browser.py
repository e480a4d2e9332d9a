"""The report in a real browser without a network: every number is the verifier's, and any quarter hour is answered.

Two journals: a month made by the tests' own writer, and one that the real firmware made: a day of it, a month under
EVENKEEL_SOAK=1. Inputs are made here: no data is needed.
"""

import html.parser
import json
import math
import os
import random
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest

from host_tools import cli
from host_tools.evidence import utc
from host_tools.plant.vm import Vm
from host_tools.report.answer import COLUMNS, row_of, sentences
from host_tools.report.page import page
from host_tools.report.run_data import RunData
from tests import browser, made_run, report_rig
from tests.simulation_rig import Rig

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_DAYS = 31 if _SOAK else 1
_ASK = """
  const lookup = document.querySelector(".lookup"), field = lookup.querySelector("input"), out = {};
  for (const time of TIMES) {
    field.value = time;
    field.dispatchEvent(new Event("input"));
    out[time] = [...lookup.querySelectorAll(".short, .long p, .hint")].map(each => each.textContent);
  }
  const press = (strip, key) => strip.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  out.strips = [...document.querySelectorAll(".strip")].map(strip => {
    const readout = strip.closest("figure").querySelector(".readout"), seen = [];
    while (seen.length < strip.dataset.bins) { press(strip, "ArrowRight"); seen.push(readout.textContent); }
    press(strip, "Enter");
    return { seen: seen, asked: field.value };
  });
  lookup.querySelector("details").open = true;
  lookup.querySelector("details").dispatchEvent(new Event("toggle"));
  out.day = [...lookup.querySelectorAll("tbody tr")].map(row => [...row.cells].map(cell => cell.textContent));
  const kept = document.createElement("script");
  kept.type = "application/json"; kept.id = "out"; kept.textContent = JSON.stringify(out);
  document.body.append(kept);
"""
FLOWS = {"load_wh": "Load", "wind_wh": "Wind", "pv_wh": "PV", "genset_wh": "Genset", "import_wh": "Grid import",
         "discharge_wh": "Battery out", "charge_wh": "Battery in", "export_wh": "Export"}
_SCALES = {"Wh": 1, "kWh": 1000, "MWh": 10**6, "GWh": 10**9, "g": 10**6, "kg": 10**9, "t": 10**12}
_TOKEN = re.compile(r"(?<![\w.:])−?\d[\d\u202f.]*(?=[ \u00a0](?:[GMk]?Wh|g/kWh|kg|t|g)\b)")


class Dom(html.parser.HTMLParser):
    """Read what the browser made: named numbers, text outside of them and of axes, and what the test's script left."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.numbers, self.loose, self.out = [], [], [], ""
        self.images, self.fields = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("role") == "img":
            self.images.append(attributes.get("aria-label"))
        if "data-v" in attributes:
            self.numbers.append([attributes["data-is"], int(attributes["data-v"]), ""])
        if tag not in ("meta", "br", "input", "path", "rect", "line"):
            self.stack.append((tag, attributes))

    def handle_endtag(self, tag):
        while self.stack and tag not in ("path", "rect", "line") and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        names = {word for _, attributes in self.stack for word in (attributes.get("class") or "").split()}
        if any(attributes.get("id") == "out" for _, attributes in self.stack):
            self.out += data
        elif any("data-v" in attributes for _, attributes in self.stack):
            self.numbers[-1][2] += data
        elif not names & {"x", "y", "answer", "events", "note", "error", "tracking", "readout"} and not any(
                tag in ("script", "style", "title") for tag, _ in self.stack):
            self.loose.append(data)


def _firmware_run(folder):
    """Let the real firmware run on the edge site at a control period of a minute, as README has it for long runs."""
    rng = random.Random(5)
    rows = range(0, _DAYS * 86_400 + 600, 600)
    load = [f"{t},{1_000_000 - 150_000 * math.cos(t / 43_200 * math.pi) + rng.gauss(0, 2e4):.0f}" for t in rows]
    wind = [f"{t},{4e6 * max(0, math.sin(t / 31_000)) ** 2 * rng.uniform(0.9, 1):.0f}" for t in rows]
    carbon = [f"{t},{rng.randrange(100_000, 300_000)},{rng.randrange(300_000, 400_000)}" for t in rows[::6]]
    heads = ("time_s,power_w", "time_s,power_w", "time_s,direct_mg_per_kwh,lifecycle_mg_per_kwh")
    with pytest.MonkeyPatch.context() as patch:
        rig = Rig(folder, patch)
        files = [rig.file(f"{name}.csv", "\n".join([head, *lines]) + "\n")
                 for name, head, lines in zip(("load", "wind", "carbon"), heads, (load, wind, carbon))]
        site = rig.site("edge", control__period_ms=60_000, control__stale_ms=150_000, control__frozen_ms=600_000,
                        pcs={"reversion_s": 180}, limits__grid_export_w=300_000)
        return rig.run("--site", site, "--load", files[0], "--wind", files[1], "--carbon", files[2], "--duration",
                       str(_DAYS * 86_400), "--start", "2026-03-01T00:00:00Z", "--trace-step", "60", "--vm", "cpython",
                       vm=Vm)


@pytest.fixture(scope="module", params=("written", "firmware"))
def case(request, tmp_path_factory):
    """One journal, its report as the browser has it with every quarter hour asked about, and verify's JSON."""
    browser.program()
    folder = tmp_path_factory.mktemp(request.param)
    run = made_run.make(folder / "run", report_rig.board(31)) if request.param == "written" else _firmware_run(folder)
    data = RunData(run)
    text = page([data])
    entries = [entry for entry in data.reading.intervals if entry.record[9] is not None]
    rows = {_time(entry.record[9]): dict(zip(COLUMNS, row_of(entry))) for entry in entries}
    script = _ASK.replace("TIMES", json.dumps([*rows, "2024-03-11 10:15", "1999-01-01 00:00", "at noon"]))
    dom = Dom(browser.rendered(folder, text, script))
    return SimpleNamespace(run=run, data=data, text=text, rows=rows, dom=dom, said=json.loads(dom.out),
                           written=request.param == "written", totals=_totals(run))


def _totals(run):
    """Flatten what `verify --json` adds up: {"sources_wh.wind": 12, ...}."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        cli.main(["verify", str(run), "--keys", str(run / "keys.json"), "--json"])
    found = {}
    for name, value in json.loads("\n".join(lines))["totals"].items():
        for part, amount in value.items() if isinstance(value, dict) else [("", value)]:
            found[f"{name}.{part}" if part else name] = amount
    return found


def _time(time_ms):
    return utc.show(time_ms)[:16].replace("T", " ")


def _number(text):
    return Decimal(text.replace("\u202f", "").replace("−", "-"))


def test_the_file_is_small_and_needs_nothing(case):
    assert len(case.text.encode()) < 3_000_000
    assert re.search(r"(?:src|href)=\"(?!#)", case.text) is None
    assert len(case.dom.numbers) > 20


def test_it_holds(case):
    result = case.data.verdict
    assert (result.integrity, result.completeness, result.plausibility) == ("PASS", "PASS", "PASS"), result.counts
    assert case.text.count("✓ PASS") == 6


def test_named_totals_are_the_verifiers(case):
    named = {name: value for name, value, _ in case.dom.numbers}
    wanted = {name: value for name, value in case.totals.items() if isinstance(value, int) and value and
              name.split(".")[0] in ("sources_wh", "uses_wh", "load_mix_wh", "residual_wh", "intervals")
              or name.split(".")[0] in ("carbon_direct_ug", "carbon_lifecycle_ug")
              and name.split(".")[1] in ("load", "bess_charge", "grid_export", "aux")}
    assert len(wanted) >= 15
    assert {name: named.get(name) for name in wanted} == wanted
    for name, value, _ in case.dom.numbers:
        assert case.totals.get(name, value) == value, name


def test_numbers_are_shown_as_they_are(case):
    for name, value, text in case.dom.numbers:
        if text == "–" or name.endswith("_intensity"):
            continue
        shown, unit = _number(re.match(r"−?[\d\u202f.]+", text)[0]), re.search(r"[GMk]?Wh|\b(?:t|kg|g)$", text)
        scale = _SCALES.get(unit and unit[0])
        if scale is None:  # a table in kWh or kg to the third place, or a plain count
            scale = 1 if name == "intervals" else 10**9 if re.search("direct|lifecycle|carbon", name) else 1000
        places = -shown.as_tuple().exponent if "." in text or not unit else -len(str(abs(shown))) + 3
        assert abs(shown - Decimal(value) / scale) <= Decimal("0.5000001") * Decimal(10) ** -places, (name, text)


def test_days_and_flows_add_up_to_the_totals(case):
    named = {name: value for name, value, _ in case.dom.numbers}
    for use in ("load", "bess_charge", "grid_export"):
        parts = [value for name, value in named.items() if re.fullmatch(rf"day\.\d+\.uses_wh\.{use}", name)]
        assert not parts or sum(parts) == case.totals[f"uses_wh.{use}"]
    for track in ("direct", "lifecycle"):
        for use, key in enumerate(("load", "bess_charge", "grid_export", "aux")):
            column = [named.get(f"flow.{track}.{source}.{use}", 0) for source in range(5)]
            assert sum(column) == case.totals[f"carbon_{track}_ug.{key}"]
        load_wh, carbon_ug = case.totals["uses_wh.load"], case.totals[f"carbon_{track}_ug.load"]
        shown = [text for name, _, text in case.dom.numbers if name == f"{track}_intensity"]
        exact = Decimal(carbon_ug) / load_wh / 1000
        assert shown and all(abs(_number(text) - exact) <= Decimal("0.0501") for text in shown)


def test_no_energy_is_in_the_text_that_is_not_a_total(case):
    sources = [value for name, value in case.totals.items() if name.startswith("sources_wh")]
    known = [*sources, sum(sources[:4]), case.totals["uses_wh.load"]]
    masses = [case.totals["carbon_direct_ug.load"], case.totals["carbon_lifecycle_ug.load"]]
    factors = [Decimal(mass) / case.totals["uses_wh.load"] / 1000 for mass in masses]
    count = 0
    for text in case.dom.loose:
        for found in _TOKEN.finditer(text):
            unit = text[found.end() + 1:].split()[0].strip(";,.)")
            scale = {"Wh": 1, "kWh": 1000, "MWh": 10**6, "GWh": 10**9}.get(unit)
            if scale:
                near = [abs(_number(found[0]) * scale - value) <= value * Decimal("0.005") for value in known]
            elif unit == "g/kWh":
                near = [abs(_number(found[0]) - value) < Decimal("0.051") for value in factors]
            else:
                continue
            count += 1
            if "battery" not in text or scale is None:
                assert any(near), text
    assert count >= 4


def test_any_quarter_hour_is_answered_as_python_says_it(case):
    assert len(case.rows) == case.totals["intervals"]
    for time, row in case.rows.items():
        said = [text.replace("\u00a0", " ") for text in case.said[time] if text]
        assert said == sentences(row), time


def test_an_answer_says_what_the_record_says(case):
    records = {record[3]: record for record in case.data.intervals}
    for time, row in list(case.rows.items())[::7]:
        record, said = records[row["seq"]], " ".join(case.said[time]).replace("\u00a0", " ")
        load_wh, mix = record[24][0], record[26]
        assert f"the load took {load_wh // 1000}.{load_wh % 1000:03d} kWh" in said
        for words, key in (("direct", 35), ("over the life cycle", 36)):
            shown = re.search(rf"([\d.]+) kg {words}, ([\d.]+) g/kWh", said)
            assert abs(Decimal(shown[1]) - Decimal(record[key][0]) / 10**9) <= Decimal("0.0005")
            assert abs(Decimal(shown[2]) - Decimal(record[key][0]) / load_wh / 1000) <= Decimal("0.05")
        if not mix[4]:
            share = Decimal(100 * mix[0]) / sum(mix)
            levels = ((95, "Yes, it was"), (50, "Mostly"), (Decimal("0.1"), "Partly"), (0, "No, it was not"))
            assert said.strip().startswith(next(words for level, words in levels if share >= level))
            assert not mix[0] or abs(Decimal(re.search(r": wind ([\d.]+) %", said)[1]) - share) <= Decimal("0.05")
        assert f"and held {record[28][0] // 1000}.{record[28][0] % 1000:03d} kWh at the end" in said


def test_strips_are_read_by_keys_and_lead_to_the_look_up(case):
    seen = [text for strip in case.said["strips"] for text in strip["seen"]]
    wanted = [time + " UTC" + "".join(f"{name} {row[key] // 1000}.{row[key] % 1000:03d} kWh"
                                      for key, name in FLOWS.items() if row[key]) for time, row in case.rows.items()]
    assert [text for text in seen if "kWh" in text] == wanted
    for strip in case.said["strips"]:
        assert strip["seen"][-1].startswith(strip["asked"])


def test_the_day_behind_an_answer_is_the_records(case):
    day = case.said["strips"][-1]["asked"][:10]
    rows = [row for time, row in case.rows.items() if time[:10] == day]
    assert len(rows) == len(case.said["day"]) > 0
    for cells, row in zip(case.said["day"], rows):
        energies = [row[name] for name in FLOWS]
        assert [Decimal(cell) * 1000 for cell in cells[1:9]] == energies
        assert abs(Decimal(cells[9]) - Decimal(row["direct_ug"]) / row["load_wh"] / 1000) <= Decimal("0.05")
        assert cells[11] == str(row["seq"])


def test_what_is_not_there_is_said(case):
    assert case.said["1999-01-01 00:00"][1] == "There is no record of 1999-01-01T00:00:00Z in this report."
    assert case.said["at noon"][0] == "Write it as 2026-01-16 15:00."
    if case.written:
        assert "the board itself states a gap (restart)" in " ".join(case.said["2024-03-11 10:15"])


def test_an_address_leads_to_a_quarter_hour_and_it_prints(tmp_path):
    data = RunData(made_run.make(tmp_path / "run", report_rig.board(1)))
    entry, text = data.reading.intervals[50], page([data])
    at = utc.show(entry.record[9])[:16]
    out = browser.rendered(tmp_path, text, f'location.hash = "at={at}"')
    short = re.search(r'class="short">([^<]*)<', out)[1].replace("&nbsp;", " ")
    assert short == sentences(dict(zip(COLUMNS, row_of(entry))))[0]
    assert browser.printed(tmp_path, text).startswith(b"%PDF-")


def test_pictures_are_said_in_words_and_fields_have_names(case):
    assert len(case.dom.images) >= 6 and all(text and len(text) > 10 for text in case.dom.images)
    assert re.search(r"<label>Date and time, UTC <input", case.text)
    assert all('aria-label="' in button for button in re.findall(r"<button[^>]*>", case.text))
    assert len(re.findall(r'class="(?:chart|strip)" tabindex="0"', case.text)) >= 3
    assert '<html lang="en">' in case.text and case.text.count("<caption") + case.text.count("<thead") >= 4
