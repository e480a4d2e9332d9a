"""The simulated site without grid: who carries it, what is shed, what engine and controller do meanwhile."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.faults import Fault, Injector
from host_tools.plant.genset import COOLING, CRANKING, RUNNING, STOPPED, WARMING
from host_tools.plant.series import Series, constant
from host_tools.plant.vm import Vm
from tests.plant_rig import SECOND, read
from tests.simulation_rig import Rig, summary, trace

CABINET = {
    "site": {"id": "s", "device": "d"}, "control": {"period_ms": 1000}, "island": {"former": "pcs"},
    "ratings": {"bess_w": 10_000, "bess_wh": 2_000, "pv_w": 8_000, "genset_w": 12_000},
    "buses": [{"id": 0, "uart": 0, "baud": 38_400}],
    "devices": [
        {"role": "load", "profile": "sdm630", "bus": 0, "unit": 1},
        {"role": "grid", "profile": "sdm630", "bus": 0, "unit": 2},
        {"role": "pv", "profile": "sdm630", "bus": 0, "unit": 3},
        {"role": "genset", "profile": "sdm630", "bus": 0, "unit": 4},
        {"role": "pcs", "profile": "sunspec_der", "bus": 0, "unit": 10},
        {"role": "pv_limit", "profile": "sunspec_limit", "bus": 0, "unit": 11},
        {"role": "genset_control", "profile": "dse_gencomm", "bus": 0, "unit": 12}],
}


def cabinet(load=None, pv=None, former="pcs", soc=500):
    plant = Plant({**CABINET, "island": {"former": former}}, Inputs(load or constant(4_000), pv=pv), 0, 1)
    plant.site.battery.set_soc(0, soc)
    plant.island.resync_s = 10
    return plant


def happen(plant, device, event, value):
    """Let something happen now."""
    Injector(plant, [Fault(plant.agenda.now_us, device, event, value)])
    plant.agenda.run(plant.agenda.now_us)


def powers(plant):
    """Return (load, grid, BESS, PV, genset) now, checked for balance."""
    site, now_us = plant.site, plant.agenda.now_us
    site.advance(now_us)
    found = [getattr(site, role)(now_us) for role in ("load", "grid", "bess", "pv", "genset")]
    assert found[0] == pytest.approx(sum(found[1:]), abs=1e-6)
    return found


def after(plant, seconds):
    plant.agenda.run(plant.agenda.now_us + round(seconds * SECOND))


def test_the_battery_carries_the_site_and_the_grid_takes_over_again():
    plant = cabinet(pv=constant(1_000))
    after(plant, 1)
    assert powers(plant) == [4_000, 3_000, 0, 1_000, 0]
    happen(plant, "grid", "fail", 1)
    assert powers(plant) == [4_000, 0, 3_000, 1_000, 0]  # at once
    after(plant, 360)
    assert plant.site.battery.stored_wh(plant.agenda.now_us) == pytest.approx(1_000 - 300 / 0.94, abs=0.1)
    happen(plant, "grid", "fail", 0)
    after(plant, 9.9)
    assert powers(plant)[1] == 0
    after(plant, 0.2)
    assert powers(plant)[1] > 0
    after(plant, 2)
    assert powers(plant) == [4_000, 3_000, pytest.approx(0, abs=1e-6), 1_000, 0]
    assert plant.island.summary() == {"islanded_s": 370.0, "dark_s": 0.0, "shed": []}
    assert plant.site.areas["unserved"] == 0


def test_what_the_battery_cannot_give_is_shed_and_an_empty_one_leaves_the_site_dark():
    plant = cabinet(constant(12_000), soc=100)
    happen(plant, "grid", "fail", 1)
    assert powers(plant)[:3] == [10_000, 0, 10_000]
    after(plant, 200)
    assert powers(plant) == [0, 0, 0, 0, 0]
    wh = 200 * 0.94  # of the 200 Wh that it held
    assert plant.site.areas["unserved"] / 3_600e6 == pytest.approx(12_000 * 200 / 3600 - wh, abs=0.5)
    assert plant.island.dark_us / 1e6 == pytest.approx(200 - wh / 10_000 * 3600, abs=0.2)
    # Who has failed empty does not come back for a flicker of charge, nor does the sun alone make a grid.
    plant.site.battery.set_soc(plant.agenda.now_us, 40)
    after(plant, 1)
    assert powers(plant)[0] == 0
    plant.site.battery.set_soc(plant.agenda.now_us, 60)
    after(plant, 1)
    assert powers(plant)[0] == 10_000


def test_too_much_sun_is_curtailed_once_the_battery_is_full():
    plant = cabinet(pv=constant(7_000), soc=999)
    happen(plant, "grid", "fail", 1)
    assert powers(plant) == [4_000, 0, -3_000, 7_000, 0]
    after(plant, 30)
    assert powers(plant) == [4_000, 0, pytest.approx(0, abs=1e-6), pytest.approx(4_000), 0]
    assert plant.site.battery.stored <= plant.site.battery.capacity


def test_a_genset_takes_its_time_carries_and_cools_down():
    plant = cabinet(former="none")
    genset = plant.genset
    happen(plant, "grid", "fail", 1)
    seen = []
    genset.start()
    for _ in range(40):
        seen.append((genset.state, powers(plant)[0] > 0))
        after(plant, 1)
    assert seen[:10] == [(CRANKING, False)] * 10
    assert seen[11:30] == [(WARMING, False)] * 19
    assert seen[31:] == [(RUNNING, True)] * 9
    assert powers(plant) == [4_000, 0, 0, 0, 4_000]
    after(plant, 1800)
    idle_l, litres_a_kwh = 0.0845 * 12, 0.246
    assert genset.burnt_l == pytest.approx((idle_l + 4 * litres_a_kwh) / 2, rel=0.03)
    assert genset.summary()["below_30_percent_s"] == pytest.approx(20, abs=0.5)  # while it warmed up
    genset.stop()
    after(plant, 1)
    assert genset.state == COOLING and powers(plant)[0] == 0
    after(plant, 60)
    assert genset.state == STOPPED


def test_starts_that_fail_are_counted_and_a_broken_one_does_not_start():
    plant = cabinet()
    genset = plant.genset
    happen(plant, "genset_control", "start_failures", 2)
    for _ in range(2):
        genset.start()
        after(plant, 11)
        assert genset.state == STOPPED
    genset.start()
    after(plant, 31)
    assert genset.state == RUNNING and genset.failed_starts == 2 and genset.starts == 1
    happen(plant, "genset_control", "fault", 1)
    assert genset.state == STOPPED
    genset.start()
    assert genset.state == STOPPED
    happen(plant, "genset_control", "ok", 0)
    genset.start()
    assert genset.state == CRANKING


def test_an_engine_without_fuel_stops():
    plant = cabinet()
    plant.genset.warm_s = 0
    plant.genset.start()
    happen(plant, "genset_control", "fuel_permille", 1)
    happen(plant, "grid", "fail", 1)
    after(plant, 600)
    assert plant.genset.state == STOPPED and plant.genset.fuel_permille == 0
    assert powers(plant) == [4_000, 0, 4_000, 0, 0]  # the battery has taken over


def test_beside_a_genset_the_battery_follows_its_set_point_as_far_as_it_can():
    plant = cabinet()
    genset, battery = plant.genset, plant.site.battery
    genset.start()
    after(plant, 31)
    happen(plant, "grid", "fail", 1)
    after(plant, 1)
    assert powers(plant) == [4_000, 0, 0, 0, 4_000]
    battery.command(plant.agenda.now_us, -5_000)
    after(plant, 1)
    assert powers(plant) == [4_000, 0, pytest.approx(-5_000), 0, pytest.approx(9_000)]
    battery.command(plant.agenda.now_us, -9_500)
    after(plant, 1)
    assert powers(plant) == [4_000, 0, pytest.approx(-8_000), 0, 12_000]  # it stops charging before load is shed
    battery.command(plant.agenda.now_us, 6_000)
    after(plant, 1)
    assert powers(plant) == [4_000, 0, 4_000, 0, 0]  # an engine takes nothing back
    assert plant.site.areas["unserved"] == 0


def test_who_is_asked_says_what_has_happened():
    plant = cabinet()
    after(plant, 1)

    def seen():
        volts, = struct.unpack(">f", read(plant, 0, 2, 4, 0x00, 2))
        hertz, = struct.unpack(">f", read(plant, 0, 2, 4, 0x46, 2))
        own, = struct.unpack(">f", read(plant, 0, 1, 4, 0x00, 2))
        mains = struct.unpack(">HI", read(plant, 0, 12, 3, 1059, 3))
        return volts, hertz, own, mains, plant.slaves["pcs"].get(701, "DERMode")

    assert seen() == (230, 50, 230, (500, 2300), 1)
    happen(plant, "grid", "fail", 1)
    assert seen() == (0, 0, 230, (0, 0), 2)
    plant.genset.start()
    after(plant, 31)
    assert seen() == (0, 0, 230, (0, 0), 1)
    power_w, = struct.unpack(">i", read(plant, 0, 12, 3, 1536, 2))
    assert power_w == 4_000 and struct.unpack(">H", read(plant, 0, 12, 3, 1408, 1)) == (RUNNING,)
    happen(plant, "grid", "fail", 0)
    assert seen()[:2] == (230, 50)


def test_a_grid_that_fails_again_before_the_switch_closes():
    plant = cabinet()
    for failed, seconds in ((1, 5), (0, 8), (1, 5), (0, 9.5)):
        happen(plant, "grid", "fail", failed)
        after(plant, seconds)
        assert powers(plant)[:3] == [4_000, 0, 4_000]
    after(plant, 1)
    assert powers(plant)[1] > 0


def test_the_pv_plant_obeys_its_limit():
    plant = cabinet(pv=constant(6_000))
    plant.site.pv_plant.cap.retarget(SECOND, 2_000)
    after(plant, 20)
    assert powers(plant)[3] == pytest.approx(2_000, abs=1)
    assert plant.site.pv_available(plant.agenda.now_us) == 6_000


moments = st.tuples(st.integers(1, 200), st.sampled_from(["fail", "back", "start", "stop", "command", "trip", "heal"]),
                    st.integers(-15_000, 15_000))


@settings(deadline=None, max_examples=25)
@given(st.lists(moments, min_size=1, max_size=12), st.integers(0, 1000), st.sampled_from(["pcs", "genset", "none"]))
def test_energy_is_kept_and_no_rating_broken_whatever_happens(happenings, soc, former):
    times = [0, 900 * SECOND, 901 * SECOND, 3000 * SECOND]
    load, pv = Series(times, [1_000, 14_000, 3_000, 9_000]), Series(times, [0, 8_000, 500, 6_000])
    plant = cabinet(load, pv, former, soc)
    site, battery = plant.site, plant.site.battery
    stored = battery.stored
    for seconds, event, value in happenings:
        act = {"fail": lambda: plant.island.fail(True), "back": lambda: plant.island.fail(False),
               "start": plant.genset.start, "stop": plant.genset.stop, "trip": lambda: plant.genset.trip(True),
               "heal": lambda: plant.genset.trip(False)}
        act.get(event, lambda power_w=value: battery.command(plant.agenda.now_us, power_w))()
        for _ in range(5):
            after(plant, seconds / 5)
            load_w, grid_w, bess_w, pv_w, genset_w = powers(plant)
            assert abs(bess_w) <= 10_000 + 1e-6 and -1e-6 <= genset_w <= 12_000 + 1e-6
            assert -1e-6 <= pv_w <= site.pv_available(plant.agenda.now_us) + 100
            assert not site.islanded or grid_w == 0
            assert -5 <= battery.stored_wh(plant.agenda.now_us) <= 2_005
    now_us = plant.agenda.now_us
    out_wh, into_wh = battery.counters_wh(now_us)
    wh = {name: area / 3_600e6 for name, area in site.areas.items()}
    supply = wh["import"] - wh["export"] + wh["pv"] + wh["genset"] + out_wh - into_wh
    assert wh["load"] == pytest.approx(supply, rel=1e-6, abs=0.5)
    assert wh["load"] + wh["unserved"] == pytest.approx(load.integral(0, now_us) / 3_600e6, rel=1e-6, abs=0.5)
    assert wh["unserved"] >= -1e-6
    gained = 0.94 * into_wh - out_wh / 0.94
    assert battery.stored_wh(now_us) - stored / 3_600e6 == pytest.approx(gained, abs=1e-3)


def test_the_cabinet_rides_through_a_failure_of_the_grid(tmp_path, monkeypatch):
    rig = Rig(tmp_path, monkeypatch)
    out = rig.run("--site", rig.site("cabinet"), "--load", rig.file("load.csv", "time_s,power_w\n0,5000\n300,7000\n"),
                  "--pv", rig.file("pv.csv", "time_s,power_w\n0,2000\n"), "--vm", "cpython", "--events",
                  rig.file("events.csv", "time_s,device,event,value\n60,grid,fail,1\n120,grid,fail,0\n"), vm=Vm)
    whole, rows = summary(out), trace(out)
    assert whole["energy"]["unserved_wh"] == 0 and whole["island"]["shed"] == []
    assert whole["island"]["islanded_s"] == pytest.approx(150, abs=0.2)
    assert whole["genset"]["starts"] == 0
    assert {row["grid_w"] for row in rows[60:210]} == {0}
    assert {row["reason"] for row in rows[70:100]} == {"island_battery"}
    assert abs(rows[-1]["grid_w"]) < 100 and rows[-1]["reason"] == "follow"
