"""A round through every profile on the emulated board, each against its simulated device behind a real RTU server."""

import os

import pytest

from host_tools.toolchain import build_info, paths
from host_tools.toolchain.emulator import BOARD
from tests import device_rig
from tests.hil import rig_profiles, rig_site

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_UNIT_W = 10
_POWER_W = 6_000
_LOAD_W = 20_000
_WIND_W = 9_000.0
_FACTS = {"unit_w": _UNIT_W, "rating_w": 30_000, "reversion_s": 60, "power_pu": _POWER_W // _UNIT_W, "limit_ms": 60_000}
_STEPS = ("FOUND", "READ", "COMMANDED", "LOSE", "LOST", "REGAINED")


def _rows():
    """Return [(role, profile, unit)]: every meter as a load, and every other profile in each of its roles."""
    meters = [("load", name) for name in build_info.profiles(paths.ROOT)]
    return [(role, name, 1 + i) for i, (role, name) in enumerate(meters + device_rig.every())]


def _config(rows):
    config = device_rig.config("pcs", "sunspec_der")
    grid = config["devices"][-1]  # on the other line: a site without its meter has no public grid
    config["devices"] = [{"role": role, "profile": name, "bus": 0, "unit": unit} for role, name, unit in rows] + [grid]
    return config


class _Round:
    """What the plant must show at each step, and what it does to the device on the way."""

    def __init__(self, site, rows):
        self.site = site
        self.of_unit = {unit: (role, name) for role, name, unit in rows}
        self.steps = {unit: [] for unit in self.of_unit}

    def __call__(self, word, unit, state):
        role, name = self.of_unit[unit]
        self.steps[unit].append(word)
        if word == "READ" and role == "load":
            assert abs(state[3] * _UNIT_W - _LOAD_W) <= _UNIT_W, (name, state)
            assert state[4] > 0 and state[5] in (50_000, 230_000), (name, state)  # mHz, or mV
        if word == "COMMANDED":
            self._commanded(role, name, unit, state)
        if word == "LOSE":
            self.site.faults[unit] = rig_site.silent
        if word == "LOST":
            assert role == "load" or state[:2] == [False, "LOST"], (name, state)
            self.site.faults[unit] = None
        if word == "REGAINED":
            assert state[0] and not state[1], (name, state)
            self._at_rest(role, name, unit)

    def _slave(self, unit):
        return self.site.call(lambda _, plant: plant.lines[0].slaves[unit])

    def _commanded(self, role, name, unit, state):
        slave = self._slave(unit)
        if role == "pcs":
            assert abs(slave.setpoint_w - _POWER_W) <= _UNIT_W, (name, slave.setpoint_w)
            assert abs(state[4] * _UNIT_W - _POWER_W) <= 2 * _UNIT_W, (name, state)
        elif role == "genset_control":
            assert slave.get(1408) in (1, 2, 3)  # it starts
        elif role == "bms":
            assert abs(state[3] - 500) <= 5 and slave.get(802, "CtrlHb") > 0

    def _at_rest(self, role, name, unit):
        """A PCS that was lost while it was commanded begins at zero again."""
        if role == "pcs":
            assert self._slave(unit).setpoint_w == 0, name


def test_every_profile_is_read_commanded_lost_and_regained(tmp_path):
    rows = _rows()
    with rig_site.Site(_config(rows), _LOAD_W, _WIND_W) as site:
        walk = _Round(site, rows)
        rig_profiles.lives(tmp_path, site.ports, rows, _FACTS, walk)
    for unit, (role, name) in walk.of_unit.items():
        expected = [step for step in _STEPS if role != "load" or step != "COMMANDED"]
        assert walk.steps[unit] == expected, name
