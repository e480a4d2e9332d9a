"""Every profile that is no meter's against its simulated device: found, read, commanded, lost, regained, left alone."""

import pytest

from firmware.core.errors import ConfigError
from firmware.site.rules import check_soc
from tests import device_rig
from tests.device_rig import REVERSION_S, UNIT_W, Pair

EVERY = device_rig.every()
PCS = [name for role, name in EVERY if role == "pcs"]
LIMITS = [(role, name) for role, name in EVERY if role.endswith("_limit")]
FACTS = {"DOCUMENT": str, "FUNCTION": int, "WRITE_FUNCTION": int, "MAX_READ": int, "GAP_US": int,
         "TURNAROUND_US": int, "FED_BY": tuple, "READS_FEED": bool, "REVERTS_TO": str, "TIMEOUT": (str, type(None))}


@pytest.mark.parametrize(("role", "name"), EVERY)
def test_every_profile_states_its_facts(role, name):
    module = device_rig.profiles().device(role, name)
    for fact, kind in FACTS.items():
        assert isinstance(getattr(module, fact), kind), fact
    assert module.FUNCTION in (3, 4) and module.WRITE_FUNCTION in (6, 16) and 1 <= module.MAX_READ <= 125
    assert len(module.__doc__.splitlines()) > 2  # its fall-back in words
    if role == "pcs":
        assert isinstance(module.HAS_SOC, bool)


def test_an_unknown_profile_is_refused_with_what_there_is():
    with pytest.raises(ConfigError) as caught:
        device_rig.profiles().device("pcs", "sdm630", "devices[3].profile")
    for part in ("devices[3].profile", "cannot be a pcs", "sunspec_der", "sma"):
        assert part in caught.value.detail


def test_a_site_without_a_source_for_the_state_of_charge_is_refused():
    devices = [{"role": "load", "profile": "sdm630"}, {"role": "pcs", "profile": "kaco_gridsave"}]
    with pytest.raises(ConfigError) as caught:
        check_soc(devices, False)
    assert "devices[1].profile" in caught.value.detail and "bms" in caught.value.detail
    check_soc(devices, True)
    check_soc([*devices, {"role": "bms", "profile": "sunspec_bms"}], False)


@pytest.mark.parametrize(("role", "name"), EVERY)
def test_found_lost_and_regained(role, name):
    pair = Pair(role, name)
    device = pair.start()
    assert (device.ready, device.trouble) == (True, "")
    pair.go(1, pair.control(600))
    pair.slave.silent = True
    pair.go(30, pair.control(600))
    assert (device.ready, device.trouble) == (False, "LOST")
    assert not device.request() and not device.command(1)
    pair.start()
    assert not device.ready and device.trouble
    pair.slave.silent = False
    pair.go(3)
    pair.start()
    assert (device.ready, device.trouble) == (True, "")
    if role == "pcs":
        assert pair.slave.setpoint_w == 0
    pair.go(2, pair.poll)
    assert device.ready and device.stats.timeouts >= 5


@pytest.mark.parametrize("name", PCS)
def test_a_pcs_begins_at_zero(name):
    pair = Pair("pcs", name)
    pair.plant.site.battery.command(0, 7000.0)
    pair.start()
    pair.go(2, pair.poll)
    assert pair.slave.setpoint_w == 0 == pair.device.asked_pu()
    assert pair.device.applied.count >= 1 and pair.device.applied.value == 0


@pytest.mark.parametrize("name", PCS)
@pytest.mark.parametrize("power_w", (12_000, -9_000, 10, 30_000, -30_000))
def test_a_pcs_follows_and_shows_power_and_set_point(name, power_w):
    pair = Pair("pcs", name)
    device = pair.start()
    pair.go(4, pair.control(power_w // UNIT_W))
    coarse_w = 100 if name == "sinexcel_pws2" else 10
    assert pair.slave.setpoint_w == pytest.approx(power_w, abs=coarse_w / 2 + 1)
    assert device.power.value * UNIT_W == pytest.approx(pair.now_w(), abs=coarse_w / 2 + 6)
    assert device.applied.value * UNIT_W == pytest.approx(power_w, abs=coarse_w / 2 + 10)
    assert device.strayed == 0
    if pair.profile.HAS_SOC:
        assert abs(device.soc.value - pair.plant.site.battery.soc_permille(pair.clock.now_us)) <= 10
    else:
        assert device.soc.count == 0


@pytest.mark.parametrize("name", PCS)
def test_a_set_point_is_clamped_to_the_rating(name):
    pair = Pair("pcs", name)
    device = pair.start()
    pair.go(1, pair.control(1 << 18))
    assert pair.slave.setpoint_w == pytest.approx(30_000, abs=10)
    pair.go(1, pair.control(-(1 << 18)))
    assert pair.slave.setpoint_w == pytest.approx(-30_000, abs=10)
    assert (device.low_pu, device.high_pu) == (-3000, 3000)


@pytest.mark.parametrize("name", PCS)
def test_when_commands_stop_a_pcs_falls_back_though_it_is_polled(name):
    pair = Pair("pcs", name)
    pair.start()
    pair.go(3, pair.control(1500))
    assert pair.slave.setpoint_w == pytest.approx(15_000, abs=10)
    pair.go(REVERSION_S + 4, pair.poll)
    assert pair.slave.setpoint_w == 0
    pair.go(3, pair.control(1500))
    assert pair.device.ready and pair.slave.setpoint_w == pytest.approx(15_000, abs=10)


@pytest.mark.parametrize("name", PCS)
def test_when_the_board_stops_a_pcs_falls_back(name):
    pair = Pair("pcs", name)
    pair.start()
    pair.go(3, pair.control(-1500))
    pair.go(REVERSION_S + 2)
    assert pair.slave.setpoint_w == 0


@pytest.mark.parametrize("name", PCS)
def test_a_pcs_that_never_falls_back_keeps_its_set_point(name):
    pair = Pair("pcs", name)
    pair.slave.fall_back.real_s = 0
    pair.slave.heartbeat_us = 1 << 40
    pair.start()
    pair.go(3, pair.control(-1500))
    pair.go(60)
    assert pair.slave.setpoint_w == pytest.approx(-15_000, abs=10)


@pytest.mark.parametrize("name", [name for name in PCS if name not in ("sma",)])
def test_another_set_point_in_the_registers_is_seen(name):
    pair = Pair("pcs", name)
    device = pair.start()
    pair.go(3, pair.control(1500))
    frame = bytearray(pair.writes()[-1])
    other = Pair("pcs", name)
    other.start()
    other.go(3, other.control(-800))
    pair.slave.answer(bytes([f for f in other.writes() if f[2:4] == frame[2:4]][-1]), pair.clock.now_us)
    pair.go(0.5, pair.poll)
    assert device.strayed == 1
    assert device.applied.value == pytest.approx(-800, abs=2)


@pytest.mark.parametrize("name", PCS)
def test_a_fault_is_shown(name):
    pair = Pair("pcs", name)
    device = pair.start()
    pair.go(3, pair.control(500))
    assert not device.fault
    if name == "foxess_h3":
        return  # its table has no state
    pair.slave.set_trouble(None, True)
    pair.go(3, pair.control(500))
    assert device.fault and device.ready
    pair.slave.set_trouble(None, False)
    pair.go(3, pair.control(500))
    assert not device.fault


@pytest.mark.parametrize(("role", "name"), [row for row in EVERY if row[1] not in ("foxess_h3", "dse_gencomm")])
def test_all_zeros_with_a_fault_state_are_no_values(role, name):
    pair = Pair(role, name)
    device = pair.start()
    pair.go(3, pair.control(500))
    pair.slave.untruth.set("zeros", 1)
    pair.go(2, pair.control(500))
    reading = device.soc if role == "bms" else device.power
    before, fails = reading.count, reading.fails
    pair.go(3, pair.control(500))
    assert (reading.count, device.fault) == (before, True)
    assert reading.fails > fails and device.blank > 0
    pair.slave.untruth.clear()
    pair.go(2, pair.control(500))
    assert reading.count > before and not device.fault


@pytest.mark.parametrize(("role", "name"), [row for row in EVERY if row[1] != "dse_gencomm"])
def test_what_is_not_implemented_is_no_value(role, name):
    pair = Pair(role, name)
    device = pair.start()
    pair.go(3, pair.control(500))
    pair.slave.untruth.set("sentinel", 1)
    pair.go(2, pair.control(500))
    reading = device.soc if role == "bms" else device.power
    before = reading.count
    pair.go(2, pair.control(500))
    assert reading.count == before and reading.fails > 0


@pytest.mark.parametrize(("role", "name"), LIMITS)
def test_a_limit_is_never_exceeded_and_falls_back(role, name):
    pair = Pair(role, name)
    device = pair.start()
    slave = pair.slave
    cap = slave.cap
    for limit_w in (10_000, 29_990, 10, 0):
        pair.go(2, pair.control(limit_w // UNIT_W))
        assert limit_w - 10 <= cap.target_w <= limit_w
        assert device.applied.value * UNIT_W == pytest.approx(limit_w, abs=20)
        assert device.strayed == 0
    if role == "wind_limit":
        pair.go(8, pair.control(1000))
        assert device.power.value * UNIT_W == pytest.approx(10_000, abs=60)
    pair.go(REVERSION_S + 2)
    assert cap.target_w == (pytest.approx(30_000, abs=1) if name == "sunspec_123" else 0)


def test_a_bms_gives_charge_and_health_until_its_heart_stands_still():
    pair = Pair("bms", "sunspec_bms")
    device = pair.start()
    pair.go(3, pair.poll)
    assert (device.soc.value, device.soh.value, device.state) == (500, 980, 3)
    assert pair.slave.get(802, "CtrlHb") == 3
    pair.slave._show_heartbeat = lambda t_us: None
    pair.slave._plans.clear()
    pair.go(20, pair.poll)
    count = device.soc.count
    pair.go(5, pair.poll)
    assert device.soc.count == count and device.soc.fails > 0


def test_a_genset_is_started_and_stopped_in_auto_mode_only():
    pair = Pair("genset_control", "dse_gencomm")
    pair.plant.genset.start_s, pair.plant.genset.cool_s = 2, 1
    device = pair.start()
    pair.go(2, pair.poll)
    assert (device.available, device.running, device.mode) == (True, False, 1)
    assert (device.fuel.value, device.battery.value) == (750, 24_300)
    assert device.command(True)
    pair.go(5, pair.poll)
    assert device.running and pair.slave.running and device.power.count > 0
    assert device.command(False)
    pair.go(3, pair.poll)
    assert not device.running and not pair.slave.running
    pair.slave.set_local(True)
    pair.go(2, pair.poll)
    assert device.local and not device.available and not device.command(True)
    assert device.auto()
    pair.go(2, pair.poll)
    assert device.available and device.command(True)
    pair.slave.put(774, 0x1000)
    pair.go(2, pair.poll)
    assert device.fault and not device.available


def test_reading_alone_never_keeps_a_sinexcel_at_work():
    pair = Pair("pcs", "sinexcel_pws2")
    pair.start()
    pair.go(3, pair.control(1500))
    pair.go(3, pair.poll)
    assert pair.slave.setpoint_w == 0  # sent to zero long before the time-out, which polling would never let pass
    assert pair.device.ready


def test_what_is_kept_in_flash_is_written_once():
    pair = Pair("pcs", "sma")
    pair.start()
    assert sum(frame[2] << 8 | frame[3] >= 0 and (frame[2] << 8 | frame[3]) >= 41193 for frame in pair.writes()) == 3
    assert (pair.slave.get(41193, "I"), pair.slave.get(41195, "I"), pair.slave.get(41197, "I")) == (2507, 8, 0)
    before = len(pair.writes())
    pair.start()
    assert not [frame for frame in pair.writes()[before:] if frame[2] << 8 | frame[3] >= 41193]


def test_a_storage_mode_that_has_fallen_is_set_again():
    pair = Pair("pcs", "sunspec_124")
    pair.start()
    pair.go(2, pair.control(700))
    pair.slave.put(124, "StorCtl_Mod", 0)
    pair.slave.command(pair.clock.now_us)
    assert pair.slave.setpoint_w == 0
    pair.go(3, pair.control(700))
    assert pair.slave.setpoint_w == pytest.approx(7000, abs=10)
    assert pair.device.strayed >= 1
