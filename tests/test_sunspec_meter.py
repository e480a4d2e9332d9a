"""drivers.sunspec_meter: every model as pysunspec2 lays it out, and a life with a simulated meter."""

import random
from fractions import Fraction

import build_info
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2.device import Model

from firmware.drivers.line.bus import Bus
from firmware.drivers.profile import Profiles
from firmware.drivers.ratio import LIMIT_PU
from firmware.drivers.regmap import Scale
from host_tools.plant.devices.sunspec_meter import SunSpecFloatMeter, SunSpecMeter
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, drive, run, sealed

PROFILE = Profiles(build_info.PROFILES).load("sunspec_meter")
INTEGERS, FLOATS = (201, 202, 203, 204), (211, 212, 213, 214)
NAMES = {"import_wh": "TotWhImp", "export_wh": "TotWhExp", "power_l1_w": "WphA", "power_l2_w": "WphB",
         "power_l3_w": "WphC"}


class Rig:
    """A meter on the fakes' line, and the driver of it."""

    def __init__(self, answer, sign=1, unit_w=1):
        self.serial = FakeSerial(FakeClock(5_000_000), 115_200, answer)
        self.bus = Bus(self.serial, self.serial.clock, 115_200)
        self.meter = PROFILE.driver(self.bus, 3, PROFILE, Scale(unit_w), sign)

    def start(self):
        drive(self.meter.start(), self.bus, self.serial)
        return self.meter

    def ask(self, request):
        assert request()
        run(self.bus, self.serial, self.serial.clock.now_us + 300_000)

    def ask_all(self):
        for request in (self.meter.request, self.meter.request_slow, self.meter.request_phases):
            self.ask(request)


def image(model_id, values, base=40_000, before=()):
    data = b"SunS" + bytes(Model(1, data={"Mn": "M"}).get_mb())
    for other in before:
        data += bytes(Model(other).get_mb())
    return ImageSlave(3, base, data + bytes(Model(model_id, data=values).get_mb()) + b"\xff\xff\x00\x00")


def rounded(value):
    return None if value is None else int((2 * abs(value) + 1) // 2) * (1 if value >= 0 else -1)


def exact(model, name):
    """Return what pysunspec2 reads of a point, its scale factor applied without binary fractions."""
    point = model.points[name]
    if point.value is None:
        return None
    if not point.sf:
        return Fraction(point.value)
    return point.value * Fraction(10) ** (model.points[point.sf].value or 0)


def check(model_id, values):
    rig = Rig(image(model_id, values))
    meter = rig.start()
    assert (meter.ready, meter.trouble, meter.model) == (True, "", model_id)
    rig.ask_all()
    model = Model(model_id, data=bytes(Model(model_id, data=values).get_mb()))
    model.set_mb(Model(model_id, data=values).get_mb())
    found = meter.values()
    for name, point in NAMES.items():
        assert found[name] == rounded(exact(model, point)), (model_id, name)
    hertz = exact(model, "Hz")
    assert found["frequency_mhz"] == (None if hertz is None else rounded(hertz * 1000))
    power = rounded(exact(model, "W"))
    if power is None or abs(power) > LIMIT_PU:
        assert (meter.power.count, meter.invalid) == (0, 1)
    else:
        assert (meter.power.count, meter.power.value) == (1, power)


SHORT = st.integers(-32_767, 32_767)
COUNT = st.integers(1, 2**32 - 1)
EXPONENT = st.integers(-10, 10)


@pytest.mark.parametrize("model_id", INTEGERS)
@given(SHORT, SHORT, SHORT, COUNT, COUNT, SHORT, EXPONENT, EXPONENT, EXPONENT)
@settings(max_examples=20, deadline=None)
def test_integer_models_agree_with_pysunspec2(model_id, w, a, b, imp, exp, hz, w_sf, wh_sf, hz_sf):
    check(model_id, {"W": w, "WphA": a, "WphB": b, "W_SF": w_sf, "TotWhImp": imp, "TotWhExp": exp, "TotWh_SF": wh_sf,
                     "Hz": hz, "Hz_SF": hz_sf})


REAL = st.floats(-1e9, 1e9, width=32)


@pytest.mark.parametrize("model_id", FLOATS)
@given(REAL, REAL, st.floats(0, 2.0**40, width=32), st.floats(0, 2.0**40, width=32), st.floats(0, 100, width=32))
@settings(max_examples=20, deadline=None)
def test_float_models_agree_with_pysunspec2(model_id, w, a, imp, exp, hz):
    check(model_id, {"W": w, "WphA": a, "TotWhImp": imp, "TotWhExp": exp, "Hz": hz})


@pytest.mark.parametrize("model_id", INTEGERS + FLOATS)
def test_extremes_and_what_is_not_implemented(model_id):
    check(model_id, {})
    if model_id < 210:
        check(model_id, {"W": 32_767, "W_SF": 1, "TotWhImp": 2**32 - 1, "TotWh_SF": 3, "WphA": -32_767})
        check(model_id, {"W": -1, "TotWhImp": 1})  # a scale factor that is not implemented is none
        check(model_id, {"W": 5, "W_SF": -1, "WphA": -5})  # halves away from zero
    else:
        check(model_id, {"W": 0.5, "WphA": -0.5, "TotWhImp": 16_777_216.0})


def test_a_scale_factor_that_moves_is_followed():
    slave = image(203, {"W": 1234, "W_SF": 0, "TotWhImp": 7, "TotWh_SF": 0})
    rig = Rig(slave)
    meter = rig.start()
    rig.ask_all()
    assert (meter.power.value, meter.values()["import_wh"]) == (1234, 7)
    base = meter.found.models[203]
    slave.put(base + 22, (2,))
    slave.put(base + 54, (3,))
    rig.ask_all()
    assert (meter.power.value, meter.values()["import_wh"]) == (123_400, 7000)
    slave.put(base + 22, (11,))
    rig.ask_all()
    assert (meter.power.count, meter.invalid, meter.values()["power_l1_w"]) == (2, 1, None)


def test_models_in_any_order_at_any_base_turned_round():
    rig = Rig(image(204, {"W": -100, "W_SF": 1, "TotWhImp": 5, "TotWhExp": 9, "TotWh_SF": 0}, 0, (701, 103)), -1)
    meter = rig.start()
    rig.ask_all()
    assert (meter.ready, meter.model, meter.power.value) == (True, 204, 1000)
    assert (meter.values()["import_wh"], meter.values()["export_wh"]) == (9, 5)


def test_what_is_no_sunspec_meter_is_said_so():
    rig = Rig(image(103, {}))
    assert (rig.start().ready, rig.meter.trouble) == (False, "NO_MODEL_20X")
    assert not rig.meter.request() and not rig.meter.request_slow() and not rig.meter.request_phases()
    slave = image(203, {})
    slave.put(40_000 + 2 + 68 + 1, (50,))
    rig = Rig(slave)
    assert (rig.start().ready, rig.meter.trouble) == (False, "SHORT_MODEL_203")
    slave.silent = True
    assert (rig.start().ready, rig.meter.trouble) == (False, "SILENT")


def test_a_meter_that_is_lost_is_found_again():
    slave = image(213, {"W": 5000.0})
    rig = Rig(slave)
    meter = rig.start()
    slave.silent = True
    for _ in range(12):
        meter.request()
        run(rig.bus, rig.serial, rig.serial.clock.now_us + 3_000_000)
    assert (meter.ready, meter.trouble, meter.power.count) == (False, "LOST", 0)
    slave.silent = False
    rig.start()
    rig.ask(meter.request)
    assert (meter.ready, meter.power.value) == (True, 5000)


@pytest.mark.parametrize("kind", [SunSpecMeter, SunSpecFloatMeter])
@pytest.mark.parametrize("power_w", [0.0, 30_000.0, -30_000.0, 480_000.0])
def test_the_simulated_meter_is_read(kind, power_w):
    slave = kind(3, "grid", random.Random(1), lambda t_us: power_w, lambda role, t_us: (7000.0, 5.0))

    def answer(frame, end_us):
        data = slave.answer(frame[:-2], end_us)
        return [] if data is None else [(end_us + slave.draw_turnaround_us(), sealed(data))]

    rig = Rig(answer)
    meter = rig.start()
    assert meter.ready
    rig.ask_all()
    values = meter.values()
    assert meter.power.value == pytest.approx(power_w, abs=10)
    assert (values["import_wh"], values["export_wh"], values["frequency_mhz"]) == (7000, 5, 50_000)
    slave.wire_cts("swapped", 23, rig.serial.clock.now_us)
    rig.ask_all()
    phases_w = [meter.values()[f"power_l{i}_w"] for i in (1, 2, 3)]
    assert phases_w == pytest.approx([power_w / 3, -power_w / 6, -power_w / 6], abs=10)
    slave.untruth.set("sentinel", 1)
    rig.ask_all()
    assert meter.invalid == 1 and meter.values()["import_wh"] is None
