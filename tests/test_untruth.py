"""What devices show instead of the truth, and what a PCS really does: each knob by its name, through events."""

import math
import struct

import pytest

from host_tools.plant import faults
from host_tools.plant.faults import Fault, Injector
from tests.plant_rig import SECOND, make_plant, read, write

_BASE = 40_000


@pytest.fixture
def plant():
    return make_plant()


def inject(plant, device, event, value=1.0):
    Injector(plant, [Fault(plant.agenda.now_us, device, event, value)])
    plant.agenda.run(plant.agenda.now_us)


def load_w(plant):
    return struct.unpack(">f", read(plant, 0, 1, 4, 0x34, 2))[0]


def grid_w(plant):
    return struct.unpack(">i", read(plant, 0, 2, 4, 0, 2))[0]


def wind_kwh(plant):
    return struct.unpack(">f", read(plant, 1, 3, 4, 0x4A, 2))[0]


def point(plant, role, model, name):
    """Return a point's raw value as the bus shows it."""
    field = plant.slaves[role].fields[model, name]
    data = read(plant, 1, plant.slaves[role].unit, 3, _BASE + field.register, field.count)
    return int.from_bytes(data, "big", signed=name in ("W", "WSet"))


def command(plant, power_w, tms=60):
    data = struct.pack(">HHiihhHI", 1, 1, power_w, 1_000_000, 0, 0, 1, tms)
    write(plant, 1, 10, _BASE + plant.slaves["pcs"].fields[704, "WSetEna"].register, data)
    return plant.agenda.now_us - SECOND


def test_minus_one(plant):
    inject(plant, "load", "minus_one")
    inject(plant, "pcs", "minus_one")
    command(plant, 3_000_000)
    assert load_w(plant) == -1.0 and point(plant, "pcs", 701, "W") in (-1, 0)  # in units of its scale factor
    inject(plant, "load", "minus_one", 0)
    assert load_w(plant) > 60e6


@pytest.mark.parametrize("value_w", (0.0, 5e6))
def test_stuck_value(plant, value_w):
    inject(plant, "load", "stuck_value", value_w)
    assert [load_w(plant) for _ in range(3)] == [value_w] * 3
    inject(plant, "load", "stuck_value", math.nan)
    assert load_w(plant) > 60e6


def test_frozen(plant):
    first = grid_w(plant)
    inject(plant, "grid", "frozen")
    assert [grid_w(plant) for _ in range(3)] == [first] * 3
    inject(plant, "grid", "ok")
    assert grid_w(plant) > first


def test_spike_w_lasts_one_sample(plant):
    before = grid_w(plant)
    inject(plant, "grid", "spike_w", 1e9)
    assert grid_w(plant) == pytest.approx(before + 1e9, abs=1e6)
    assert grid_w(plant) == pytest.approx(before, abs=1e6)


def test_glitch_wh_lasts_one_reading(plant):
    before = wind_kwh(plant)
    inject(plant, "wind", "glitch_wh", 1e6)
    assert wind_kwh(plant) == pytest.approx(before + 1000, abs=10)
    assert wind_kwh(plant) == pytest.approx(before, abs=10)


def test_counter_back_wh_stays(plant):
    plant.agenda.run(3600 * SECOND)
    before = wind_kwh(plant)
    inject(plant, "wind", "counter_back_wh", 1e6)
    inject(plant, "wind", "ok")
    assert wind_kwh(plant) == pytest.approx(before - 1000, abs=10)
    assert wind_kwh(plant) == pytest.approx(before - 1000, abs=10)
    inject(plant, "wind", "counter_back_wh", 1e9)
    assert wind_kwh(plant) == 0


def test_counters_of_the_pcs_glitch_too(plant):
    command(plant, 3_600_000, 0)
    plant.agenda.run(100 * SECOND)
    before = point(plant, "pcs", 701, "TotWhInj")
    inject(plant, "pcs", "glitch_wh", 50_000)
    assert point(plant, "pcs", 701, "TotWhInj") == pytest.approx(before + 51_000, abs=1_500)
    assert point(plant, "pcs", 701, "TotWhInj") == pytest.approx(before + 2_000, abs=1_500)


def test_zeros(plant):
    inject(plant, "load", "zeros")
    assert read(plant, 0, 1, 4, 0, 80) == bytes(160)
    command(plant, 3_000_000)
    inject(plant, "pcs", "zeros")
    assert [point(plant, "pcs", *names) for names in ((701, "W"), (713, "SoC"), (701, "InvSt"))] == [0, 0, 6]
    assert point(plant, "pcs", 702, "WMaxRtg") > 0
    inject(plant, "pcs", "ok")
    assert point(plant, "pcs", 701, "InvSt") == 3 and point(plant, "pcs", 713, "SoC") > 400


def test_sentinel(plant):
    for role in ("load", "grid", "pcs", "wind_limit"):
        inject(plant, role, "sentinel")
    assert math.isnan(load_w(plant)) and grid_w(plant) == -2**31
    for role in ("pcs", "wind_limit"):
        assert point(plant, role, 701, "W") == -0x8000
    assert point(plant, "pcs", 713, "SoC") == 0xFFFF
    assert point(plant, "pcs", 702, "WMaxRtg") > 0


def test_turnaround_ms(plant):
    sent_us = plant.agenda.now_us
    inject(plant, "grid", "turnaround_ms", 150)
    plant.ports[0].write(b"\2\4\0\0\0\2\x71\xf8")
    plant.agenda.run(SECOND)
    assert plant.inbox and plant.agenda.now_us - sent_us == pytest.approx(150_000 + 17 * 260, abs=50)


def test_refresh_ms(plant):
    inject(plant, "grid", "refresh_ms", 1900)
    seen = [grid_w(plant) for _ in range(20)]
    assert 9 <= len(set(seen)) <= 12
    inject(plant, "grid", "refresh_ms", 100)
    assert len({grid_w(plant) for _ in range(10)}) == 10


def test_dead_band_w(plant):
    inject(plant, "pcs", "dead_band_w", 500_000)
    at_us = command(plant, 400_000) + SECOND
    assert plant.site.bess(at_us) == 0
    at_us = command(plant, 600_000) + SECOND
    assert plant.site.bess(at_us) == pytest.approx(600_000)


@pytest.mark.parametrize("real_s, falls_after_s", [(80, 80), (0, None), (5, 5), (math.nan, 60)])
def test_reversion_real_s(plant, real_s, falls_after_s):
    inject(plant, "pcs", "reversion_real_s", real_s)
    start_us = command(plant, -7_000_000, 60)
    for after_s in (4, 6, 59, 61, 79, 82, 3000):
        plant.agenda.run(start_us + after_s * SECOND)
        fallen = falls_after_s is not None and after_s > falls_after_s
        assert plant.setpoint_w == (1e6 if fallen else -7e6), after_s


def test_reversion_to_w(plant):
    inject(plant, "pcs", "reversion_to_w", -123_000)
    start_us = command(plant, 2_000_000, 10)
    plant.agenda.run(start_us + 12 * SECOND)
    assert plant.setpoint_w == -123_000
    command(plant, 3_000_000, 10)
    assert plant.setpoint_w == 3e6


def test_a_stalled_heartbeat_follows_the_real_reversion(plant):
    beat = _BASE + plant.slaves["pcs"].fields[715, "ControllerHb"].register
    inject(plant, "pcs", "reversion_real_s", 0)
    command(plant, 5_000_000, 60)
    write(plant, 1, 10, beat, struct.pack(">I", 1))
    plant.agenda.run(plant.agenda.now_us + 4000 * SECOND)
    assert plant.setpoint_w == 5e6
    inject(plant, "pcs", "reversion_real_s", 20)
    write(plant, 1, 10, beat, struct.pack(">I", 2))
    plant.agenda.run(plant.agenda.now_us + 21 * SECOND)
    assert plant.setpoint_w == 1e6


def test_every_knob_is_in_the_reference_text():
    for table in (faults._PCS, faults._METER, faults._BUS, faults._CLOCK):
        for name in table:
            assert name in faults.__doc__, name
