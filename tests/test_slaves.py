"""The simulated devices: meters at their refresh, and SunSpec slaves judged by pysunspec2's own client."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2.modbus.client import SunSpecModbusClientDevice

from host_tools.plant.devices.sunspec import scale_for, scaled
from tests.plant_rig import SECOND, make_plant, read, write


@pytest.fixture
def plant():
    return make_plant()


def test_meters_show_the_plant_at_their_refresh(plant):
    for _ in range(5):
        power_w, = struct.unpack(">f", read(plant, 0, 1, 4, 0x34, 2))
        # the answer is at most 200 ms of refresh old, and the load rises by 100 kW/s
        now_us = plant.agenda.now_us - SECOND
        assert plant.site.load(now_us - 220_000) <= power_w * 1.0000001
        assert power_w <= plant.site.load(now_us + 60_000) * 1.0000001
    first = struct.unpack(">iHH", read(plant, 0, 2, 4, 0, 4))
    second = struct.unpack(">iHH", read(plant, 0, 2, 4, 0, 4))
    assert second[0] - first[0] == pytest.approx(100_000, abs=2_000)
    assert second[2] - first[2] == 100
    assert first[1] == 5000
    # the clamp of the wind meter looks the other way, as the site description says
    assert struct.unpack(">f", read(plant, 1, 3, 4, 0x34, 2))[0] == -5e6


def test_energy_registers_count_what_flows(plant):
    plant.agenda.run(36 * SECOND)
    bought_kwh, sold_kwh = struct.unpack(">ff", read(plant, 1, 3, 4, 0x48, 4))
    assert (bought_kwh, sold_kwh) == (0.0, pytest.approx(50.0, rel=5e-3))


class Scanner(SunSpecModbusClientDevice):
    """pysunspec2's client, reading and writing a slave of the plant."""

    def __init__(self, plant, role):
        super().__init__()
        self.plant, self.slave = plant, plant.slaves[role]

    def read(self, addr, count):
        data = self.slave.read(addr, count, self.plant.agenda.now_us)
        assert isinstance(data, bytes), data
        return data

    def write(self, addr, data):
        assert self.slave.write(addr, data, self.plant.agenda.now_us) == 0


def scanned(plant, role):
    device = Scanner(plant, role)
    device.scan()
    return device


def test_pysunspec2_finds_and_understands_the_pcs(plant):
    device = scanned(plant, "pcs")
    assert [model.model_id for model in device.model_list] == [1, 701, 702, 703, 704, 713, 715]
    assert device.common[0].Mn.value == "Simulated"
    assert device.DERCapacity[0].WMaxRtg.cvalue == 40_000_000
    assert device.DERStorageCapacity[0].WHRtg.cvalue == 20_000_000
    assert device.DERStorageCapacity[0].SoC.cvalue == 50.0
    assert device.DERMeasureAC[0].W.cvalue == 0
    assert device.DERMeasureAC[0].Var.value is None


def test_the_wind_controller_too(plant):
    device = scanned(plant, "wind_limit")
    assert [model.model_id for model in device.model_list] == [1, 701, 702, 704]
    assert device.DERMeasureAC[0].W.cvalue == 5_000_000
    ctl = device.DERCtlAC[0]
    ctl.WMaxLimPct.cvalue, ctl.WMaxLimPctEna.value, ctl.WMaxLimPctRvrtTms.value = 25.0, 1, 30
    ctl.WMaxLimPctRvrt.cvalue, ctl.WMaxLimPctEnaRvrt.value = 50.0, 1
    ctl.write()
    plant.agenda.run(29 * SECOND)
    device.DERMeasureAC[0].read()
    assert device.DERMeasureAC[0].W.cvalue == 2_000_000
    plant.agenda.run(60 * SECOND)
    assert plant.site.wind(60 * SECOND) == pytest.approx(4_000_000)


def command(plant, power_w, tms=10, ena=1, mode=1):
    data = struct.pack(">HHiihhHI", ena, mode, power_w, 1_000_000, 0, 0, 1, tms)
    return write(plant, 1, 10, 40_000 + plant.slaves["pcs"].fields[704, "WSetEna"].register, data)


def test_a_set_point_is_obeyed_and_reverts(plant):
    assert command(plant, -7_000_000)[1] == 16
    start_us = plant.agenda.now_us - SECOND
    assert plant.site.bess(start_us + SECOND) == pytest.approx(-7e6)
    device = scanned(plant, "pcs")
    assert device.DERMeasureAC[0].W.cvalue == -7_000_000
    assert 8 <= device.DERCtlAC[0].WSetRvrtRem.value <= 10
    plant.agenda.run(start_us + 9 * SECOND)
    command(plant, -6_000_000)
    plant.agenda.run(start_us + 17 * SECOND)
    assert plant.site.bess(start_us + 17 * SECOND) == pytest.approx(-6e6)
    plant.agenda.run(start_us + 21 * SECOND)
    assert plant.site.bess(start_us + 21 * SECOND) == pytest.approx(1e6)
    assert plant.setpoint_w == 1e6


def test_without_a_reversion_time_the_set_point_stays(plant):
    command(plant, 3_000_000, tms=0)
    plant.agenda.run(4000 * SECOND)
    assert plant.site.bess(4000 * SECOND) == pytest.approx(3e6)


def test_percent_local_stop_and_values_that_do_not_exist(plant):
    pcs = plant.slaves["pcs"]
    pcs.put(704, "WSetPct", -250)
    register = 40_000 + pcs.fields[704, "WSetEna"].register
    assert write(plant, 1, 10, register, struct.pack(">HH", 1, 0))[1] == 16
    assert plant.setpoint_w == -10e6
    pcs.set_local(True)
    assert plant.setpoint_w == 0
    pcs.set_local(False)
    assert plant.setpoint_w == -10e6
    op_ctl = 40_000 + pcs.fields[715, "OpCtl"].register
    assert write(plant, 1, 10, op_ctl, struct.pack(">H", 9))[1:3] == b"\x90\x03"
    assert pcs.get(715, "OpCtl") == 1
    write(plant, 1, 10, op_ctl, struct.pack(">H", 0))
    assert plant.setpoint_w == 0


def test_a_heartbeat_that_stops_makes_the_pcs_fall_back(plant):
    pcs = plant.slaves["pcs"]
    beat = 40_000 + pcs.fields[715, "ControllerHb"].register
    command(plant, 5_000_000, tms=0)
    for count in range(1, 30):
        write(plant, 1, 10, beat, struct.pack(">I", count))
    assert plant.setpoint_w == 5e6
    for _ in range(11):
        write(plant, 1, 10, beat, struct.pack(">I", 29))
    assert plant.setpoint_w == 1e6
    write(plant, 1, 10, beat, struct.pack(">I", 30))
    assert plant.setpoint_w == 5e6


def test_read_only_registers_stay(plant):
    pcs = plant.slaves["pcs"]
    before = bytes(pcs.image)
    remaining = 40_000 + pcs.fields[704, "WSetRvrtRem"].register
    assert write(plant, 1, 10, remaining - 2, struct.pack(">II", 1, 1))[1:3] == b"\x90\x02"
    assert bytes(pcs.image) == before


@settings(deadline=None)
@given(st.floats(0, 4e9), st.integers(1, 40_000))
def test_scale_factors_are_the_smallest_that_fit(value, limit):
    power = scale_for(value, limit)
    assert value <= limit * 10**power
    assert power == 0 or value > limit * 10 ** (power - 1)
    assert abs(scaled(value, power) * 10**power - value) <= 10**power / 2 + 1e-6
