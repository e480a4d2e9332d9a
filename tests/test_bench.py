"""`bench`: the form of bench.json, the choice by --only, and that one failing measure does not hide the others."""

import json
from types import SimpleNamespace

import pytest

from host_tools import cli
from host_tools.bench import bus_measures, figures, host_measures
from host_tools.bench.figures import Figure, Measure
from host_tools.commands import bench
from host_tools.errors import ToolError

_VERIFIER = ("verify_vs_openssl_ratio", "verify_full_vs_openssl_ratio")


@pytest.fixture
def cheap(monkeypatch):
    """Three measures: a real one on a short journal, one that fails, and one that must not run here."""

    def fail():
        raise ToolError("no board", "Get one.")

    def forbidden():
        raise AssertionError("was not asked for")

    measures = (Measure("verifier", _VERIFIER, lambda: host_measures.measure(20, 1)),
                Measure("broken", ("broken_us",), fail),
                Measure("other", ("other_us",), forbidden))
    monkeypatch.setattr(bench, "_MEASURES", measures)


def _run(out, *only):
    return cli.main(["bench", "--out", str(out), "--only", *only])


def test_bench_json_has_the_right_form(cheap, tmp_path, capsys):
    out = tmp_path / "sub" / "bench.json"
    assert _run(out, "verifier") == 0
    document = json.loads(out.read_text())
    assert list(document) == list(_VERIFIER)
    for figure in document.values():
        assert set(figure) == {"value", "unit", "how"}
        assert figure["value"] > 0 and figure["unit"] == "ratio" and "20 records" in figure["how"]
    shown = capsys.readouterr().out
    assert all(name in shown for name in _VERIFIER) and str(out) in shown


def test_only_what_was_asked_for_is_written(cheap, tmp_path):
    out = tmp_path / "bench.json"
    assert _run(out, _VERIFIER[0]) == 0
    assert list(json.loads(out.read_text())) == [_VERIFIER[0]]


def test_a_failure_is_named_and_the_others_are_written(cheap, tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert _run(out, "broken", "verifier") == 1
    assert list(json.loads(out.read_text())) == list(_VERIFIER)
    said = capsys.readouterr()
    assert "bench: failed: broken" in said.out and "no board" in said.err


def test_an_unknown_name_is_refused(cheap, tmp_path, capsys):
    assert _run(tmp_path / "bench.json", "speed") == 2
    assert "no benchmark 'speed'" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()


def test_names_are_unique():
    names = [name for measure in bench._MEASURES for name in (measure.name, *measure.figures)]
    assert len(names) == len(set(names))


def test_a_measure_gives_what_it_declares():
    assert set(host_measures.measure(5, 1)) == set(host_measures.MEASURES[0].figures)


def test_the_wire_budget_is_shown_line_by_line_and_falls_with_the_speed(capsys):
    found = bus_measures.MEASURES[1].run()
    assert set(found) == set(bus_measures.MEASURES[1].figures)
    for unit in ("us", "period_ms"):
        values = [found[f"wire_budget_{baud}_{unit}"].value for baud in bus_measures.BAUDS]
        assert values == sorted(values, reverse=True) and values[-1] > 0
    shown = capsys.readouterr().out.splitlines()
    (row,) = [line.split() for line in shown[:9] if "grid read" in line and line.endswith("4.00")]
    # 8 bytes of request, 9 or 13 of answer: 19 on average at 9600 baud, 10 bits each
    assert row == ["bus", "0", "grid", "read", "19", "19798", "7294", "21353", "48445", "4.00"]


def test_table_is_aligned():
    lines = figures.table({"a": Figure(1234567, "bytes", ""), "longer": Figure(0.123456, "ratio", "")})
    assert lines == ["a       1,234,567  bytes", "longer     0.1235  ratio"]
    assert figures.table({}) == []


def test_choice_takes_figures_and_measures():
    measures = (Measure("m", ("x", "y"), None), Measure("n", ("z",), None))
    assert figures.choose(measures, ["y"]) == ([measures[0]], {"y"})
    assert figures.choose(measures, ["m", "z"]) == (list(measures), {"x", "y", "z"})
    assert figures.choose(measures, []) == (list(measures), {"x", "y", "z"})


def test_what_a_board_says_is_read():
    from host_tools.bench import on_board

    assert on_board._last("filled 3\n{'a': 1}\n") == {"a": 1}
    for said in ("", "Traceback", "{'a': "):
        with pytest.raises(ToolError):
            on_board._last(said)


def test_another_firmware_is_not_measured():
    from host_tools.bench import on_board

    with pytest.raises(ToolError, match="older than firmware"):
        on_board._same_firmware(SimpleNamespace(exec=lambda code: "b'other'"))
