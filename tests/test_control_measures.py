"""The measure of the table of laws: it gives what it declares, prints every table and writes the page."""

import pytest

from host_tools.bench import cabinet_control, control_laws, control_measures, control_table, edge_data
from host_tools.bench.cabinet_plant import Cabinet
from host_tools.errors import ToolError
from host_tools.plant.series import Series

(_MEASURE,) = control_measures.MEASURES


def test_every_table_is_printed_and_drawn_and_every_figure_declared_is_given(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(control_laws, "gpt3", lambda meter_ms: control_laws.trapezoid(meter_ms, 1))
    monkeypatch.setattr(control_laws, "periodic", lambda meter_ms: control_laws.trapezoid(meter_ms, 1))
    edge = control_table.Table("Edge", "", [("direct use", 2)], [("ours", [1.0])])
    monkeypatch.setattr(control_measures, "_edge", lambda: (edge, dict.fromkeys(control_measures.EDGE_NAMES)))
    cabinet = control_table.Table("Cabinet", "", [("fuel", 2)], [("ours", [1.0])])
    monkeypatch.setattr(cabinet_control, "table", lambda: (cabinet, dict.fromkeys(cabinet_control.FIGURE_NAMES)))
    monkeypatch.setattr(control_measures, "PAGE", tmp_path / "build" / "page.html")
    assert set(_MEASURE.run()) == set(_MEASURE.figures)
    shown, page = capsys.readouterr().out, control_measures.PAGE.read_text(encoding="utf-8")
    for name in control_laws.NAMES.values():
        assert shown.count(name) >= len(control_laws.WAYS) and name in page
    assert page.count("<section>") == 2 * len(control_laws.WAYS) + 2


def test_the_edge_site_gives_what_is_declared(monkeypatch):
    for name, value in (("_WEEKS", (14,)), ("_WEEK", 600), ("_MINUTES", 60)):
        monkeypatch.setattr(control_measures, name, value)
    try:
        edge_data.wind_kw()
    except ToolError:
        pytest.skip("the measured wind cannot be had here")
    table, figures = control_measures._edge()
    assert set(figures) == set(control_measures.EDGE_NAMES)
    assert [name for name, _ in table.rows][-1].startswith("bound") and table.rows[-1][1][0] == 1.0


def test_the_cabinet_under_each_law_breaks_no_balance_and_none_beats_the_bound(tmp_path, monkeypatch):
    hours = 3
    made, happens = cabinet_control.config(), [(1800, "grid", "fail", 1), (5400, "grid", "fail", 0)]
    load, pv = (Series([0, 10_800_000_000], values) for values in ([5000.0, 7000.0], [6000.0, 0.0]))
    best = cabinet_control.bound(made, load, pv, happens, hours)
    found = {key: Cabinet(made, load, pv, happens).run(law, hours * 3600)
             for key, law in cabinet_control.laws(10_000).items()}
    for outcome in (*found.values(), best):
        assert outcome.load_wh + outcome.unserved_wh == pytest.approx(18_000, rel=1e-3)
        assert outcome.direct_use_wh(0.938) <= best.direct_use_wh(0.938) * 1.001
    assert best.unserved_wh == 0 and found["none"].unserved_wh > 30 and found["none"].starts == 1
    assert found["none"].gained_wh == 0 and found["greedy"].unserved_wh == 0
    assert found["greedy"].genset_wh < found["none"].genset_wh


def test_the_whole_firmware_runs_the_cabinet_of_the_table(tmp_path):
    made, happens = cabinet_control.config(), [(600, "grid", "fail", 1)]
    paths = tmp_path / "load.csv", tmp_path / "pv.csv"
    paths[0].write_text("time_s,power_w\n0,5000\n")
    paths[1].write_text("time_s,power_w\n0,1000\n")
    outcome = cabinet_control.ours(tmp_path, made, paths, happens, 1)
    assert outcome.load_wh == pytest.approx(5000, rel=0.01) and outcome.unserved_wh == 0
    assert outcome.genset_wh == 0 and outcome.gained_wh < -2000
