"""Each simulated meter read by the firmware's own profile of it: two descriptions of one document, made apart."""

import random

import build_info
import pytest

from firmware.drivers import regmap
from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.profile import Profiles
from firmware.drivers.regmap import Scale
from host_tools.errors import ToolError
from host_tools.plant.assembly import METERS
from host_tools.plant.devices.table_meter import TABLE_METERS
from host_tools.plant.faults import load_faults
from tests.fakes_bus import FakeClock, FakeSerial, run, sealed

PROFILES = Profiles(build_info.PROFILES)
POWER_W = 30_000.0
ENERGIES_WH = (7_200_000.0, 360_000.0)


class Rig:
    """A simulated meter on the fakes' line, and the firmware's driver of it."""

    def __init__(self, name, power_w=POWER_W, baud=115_200):
        self.power_w = power_w
        self.slave = METERS[name](3, "grid", random.Random(1), lambda t_us: self.power_w,
                                  lambda role, t_us: self.energies_wh(t_us))
        self.base_wh = ENERGIES_WH
        clock = FakeClock(5_000_000)
        self.serial = FakeSerial(clock, baud, self.answer)
        self.bus = Bus(self.serial, clock, baud)
        self.meter = Meter(self.bus, 3, PROFILES.load(name), Scale(1))

    def energies_wh(self, t_us):
        return self.base_wh

    def answer(self, frame, end_us):
        data = self.slave.answer(frame[:-2], end_us)
        return [] if data is None else [(end_us + self.slave.draw_turnaround_us(), sealed(data))]

    def ask(self, request):
        assert request()
        run(self.bus, self.serial, self.serial.clock.now_us + 1_300_000)


@pytest.mark.parametrize("name", ["generic_fast", *sorted(TABLE_METERS)])
@pytest.mark.parametrize("power_w", [POWER_W, -POWER_W, 0.0])
def test_power_is_what_the_plant_has(name, power_w):
    rig = Rig(name, power_w)
    for _ in range(3):  # both forms of the request
        rig.ask(rig.meter.request)
    assert rig.meter.power.count + rig.meter.repeated == 3 and rig.meter.power.count >= 2
    assert rig.meter.power.value == power_w
    assert rig.meter.stats.exceptions == rig.meter.stats.timeouts == 0


@pytest.mark.parametrize("name", sorted(TABLE_METERS))
def test_so_are_energies_phases_and_frequency(name):
    rig = Rig(name)
    rig.ask(rig.meter.request_slow)
    values = rig.meter.values()
    assert (values["import_wh"], values["export_wh"]) == tuple(round(wh) for wh in ENERGIES_WH)
    if "frequency_mhz" in values:
        assert values["frequency_mhz"] == 50_000
    else:
        assert values["voltage_l1_mv"] == 230_000
    if rig.meter.request_phases():
        run(rig.bus, rig.serial, rig.serial.clock.now_us + 500_000)
        values = rig.meter.values()
        assert [values[f"power_l{i}_w"] for i in (1, 2, 3)] == [10_000] * 3
    else:
        assert name in ("sdm120", "sdm230")
    assert rig.meter.slow.fails == rig.meter.phases.fails == 0


@pytest.mark.parametrize("name", sorted(TABLE_METERS))
def test_every_row_of_the_profile_is_there_in_the_meter(name):
    """Rows that the simulation has not are zeros, and few."""
    rig = Rig(name)
    profile = PROFILES.load(name)
    simulated = {row[0] for row in rig.slave.map.rows}
    assert profile.function in rig.slave.map.codes
    assert profile.max_read <= rig.slave.map.max_read
    for row in profile.table:
        if row[0] in simulated:
            data = rig.slave.read(row[0], regmap.words(row[1]), 5_000_000)
            value = regmap.value(row, data, 0)
            expected = {"voltage": 230_000, "frequency": 50_000, "power": POWER_W, "export": ENERGIES_WH[1]}
            kind = row[4].split("_")[0]
            if "_factor_" in row[4]:
                assert value == 1000
            elif kind in expected:
                third = 3 if "_l" in row[4] and kind in ("power", "export") else 1
                assert value == pytest.approx(expected[kind] / third, rel=1e-6), row[4]
            else:
                assert value is not None and (value > 0 or kind == "reactive"), row[4]
    known = {row[0] for row in profile.table}
    assert simulated <= known


@pytest.mark.parametrize("name", ["generic_fast", *sorted(TABLE_METERS)])
def test_lost_and_regained(name):
    rig = Rig(name)
    rig.ask(rig.meter.request)
    rig.slave.silent = True
    rig.ask(rig.meter.request)
    rig.ask(rig.meter.request_slow)
    run(rig.bus, rig.serial, rig.serial.clock.now_us + 10_000_000)  # it is left alone longer each time
    assert (rig.meter.power.count, rig.meter.power.fails, rig.meter.slow.fails) == (1, 2, 1)  # asked once more
    rig.slave.silent = False
    run(rig.bus, rig.serial, rig.serial.clock.now_us + 2_000_000)
    rig.ask(rig.meter.request)
    rig.ask(rig.meter.request)
    rig.ask(rig.meter.request_slow)
    assert rig.meter.power.count >= 2 and (rig.meter.power.fails, rig.meter.slow.count) == (2, 1)


@pytest.mark.parametrize("name", sorted(TABLE_METERS))
def test_what_is_not_measured_is_no_value(name):
    rig = Rig(name)
    rig.slave.untruth.set("sentinel", 1)
    rig.ask(rig.meter.request)
    rig.ask(rig.meter.request_slow)
    assert (rig.meter.power.count, rig.meter.invalid) == (0, 1)
    assert set(rig.meter.values().values()) == {None}


@pytest.mark.parametrize("name", ["sdm630", "em24", "em340", "abb_b23", "umg96rm", "iem3000", "adw300", "dtsu666"])
@pytest.mark.parametrize("fault, value, phases, total", [
    ("reversed", 2, [10_000, -10_000, 10_000], 10_000), ("swapped", 12, [-5000, -5000, 10_000], 0),
    ("swapped", 23, [10_000, -5000, -5000], 0), ("swapped", 13, [-5000, 10_000, -5000], 0),
    ("reversed", 0, [10_000] * 3, 30_000),
])
def test_wrong_cts_show_in_the_phases_and_in_the_sum(name, fault, value, phases, total):
    rig = Rig(name)
    rig.slave.wire_cts(fault, value, 5_000_000)
    rig.ask(rig.meter.request)
    rig.ask(rig.meter.request_phases)
    values = rig.meter.values()
    assert [values[f"power_l{i}_w"] for i in (1, 2, 3)] == phases
    assert rig.meter.power.value == total


def test_wrong_cts_count_wrongly_from_then_on_and_nothing_jumps():
    rig = Rig("umg96rm")
    rig.slave.wire_cts("reversed", 1, 5_000_000)
    rig.ask(rig.meter.request_slow)
    assert rig.meter.values()["import_wh"] == ENERGIES_WH[0]
    rig.base_wh = (ENERGIES_WH[0] + 3000, ENERGIES_WH[1] + 300)
    rig.ask(rig.meter.request_slow)
    values = rig.meter.values()
    assert (values["import_wh"], values["export_wh"]) == (ENERGIES_WH[0] + 1000, ENERGIES_WH[1] + 100)


def test_wrong_cts_are_events(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("time_s,device,event,value\n1,grid,ct_reversed,2\n2,grid,ct_swapped,23\n")
    assert [(fault.event, fault.value) for fault in load_faults(path, ["grid"], [0])] == [("ct_reversed", 2),
                                                                                         ("ct_swapped", 23)]
    for line in ("1,grid,ct_swapped,14", "1,grid,ct_reversed,4", "1,pcs,ct_reversed,1"):
        path.write_text("time_s,device,event,value\n" + line + "\n")
        with pytest.raises(ToolError):
            load_faults(path, ["grid", "pcs"], [0])
