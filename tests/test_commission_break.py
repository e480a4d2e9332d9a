"""Ctrl-C, lack of memory and defects at any instruction of the commissioning procedure: the PCS ends at zero."""

import json
import os
import random

import pytest

from firmware.core.ticks import MASK
from firmware.drivers.line import scan
from firmware.main import Station
from firmware.site import commission
from firmware.site.config import load
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.series import constant
from tests import commission_rig as rig

_COUNT = 400 if os.environ.get("EVENKEEL_SOAK") == "1" else 24


class _Port:
    """A UART on a line of the plant."""

    def __init__(self, line, agenda):
        self._line, self._agenda = line, agenda
        self.received = bytearray()
        self._busy_us = 0

    def any(self):
        return len(self.received)

    def readinto(self, buf, off, n):
        n = min(n, len(self.received))
        buf[off:off + n] = self.received[:n]
        del self.received[:n]
        return n

    def write(self, buf, n):
        self._line.write(bytes(buf[:n]))
        self._busy_us = self._agenda.now_us + round(n * self._line.char_us)

    def tx_done(self):
        return self._agenda.now_us >= self._busy_us


class _Platform:
    """A FAKE board in the plant's own process; `fuse` is the number of looks at the clock until `error` breaks in."""

    def __init__(self, plant, fuse=0, error=KeyboardInterrupt):
        self._plant, self.fuse, self._error = plant, fuse, error
        self._ports = {}
        self.stop = self.utc_news = False
        self.tell_every_ms = 1000
        self.looks = 0
        self.said = []

    def us(self):
        self.looks += 1
        if self.looks == self.fuse:
            raise self._error
        return self._plant.agenda.now_us & MASK

    def ms(self):
        return self._plant.agenda.now_us // 1000 & MASK

    def idle(self, us):
        agenda = self._plant.agenda
        agenda.run(agenda.now_us + us)
        for port, data in self._plant.inbox:
            self._ports[port].received += data
        self._plant.inbox.clear()

    def serial(self, index, baud, parity, stop_bits):
        return self._ports.setdefault(index, _Port(self._plant.ports[index], self._plant.agenda))

    def report(self, kind, text):
        if kind == "C":
            self.said.append(json.loads(text))

    def host_wants_stop(self):
        return self.stop

    def nothing(self):
        pass

    listen_to_host = feed_watchdog = collect = collect_if_short = tidy = close = nothing


class _Events:
    def note(self, source, code, text):
        pass

    def flush(self):
        return ()


def _no_memory(config):
    raise MemoryError


def _run(tmp_path, steps, fuse=0, error=KeyboardInterrupt, make_field=None):
    path = rig.site(tmp_path)
    config = load(path.read_bytes())[0]
    plant = Plant(json.loads(path.read_text()), Inputs(constant(2e6)), 0, 1)
    platform = _Platform(plant, fuse, error)
    station = Station(platform, config, tasks=False)
    station.events = _Events()
    station.make_field = make_field or station.make_field
    commission.run(station, {"steps": steps}, scan.run)
    return plant, platform


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """Return how often an undisturbed run looks at the clock."""
    plant, platform = _run(tmp_path_factory.mktemp("whole"), ["direction"])
    assert platform.said[-1]["zero"] and platform.said[-1]["outcome"] == "done"
    return platform.looks


@pytest.mark.parametrize("seed", range(_COUNT))
def test_broken_off_at_any_instruction_it_ends_at_zero(tmp_path, looks, seed):
    error = (KeyboardInterrupt, MemoryError, ValueError)[seed % 3]
    fuse = random.Random(seed).randrange(200, looks - 2000)
    plant, platform = _run(tmp_path, ["direction"], fuse, error)
    end = platform.said[-1]
    assert end["k"] == "end" and end["zero"], platform.said[-3:]
    assert plant.setpoint_w == 0
    assert error is not KeyboardInterrupt or end["outcome"] == "interrupted"


@pytest.mark.parametrize("seed", range(6))
def test_without_memory_for_a_new_bus_the_old_one_takes_it_to_zero(tmp_path, looks, seed):
    fuse = random.Random(seed).randrange(looks // 4, looks - 2000)
    plant, platform = _run(tmp_path, ["direction"], fuse, make_field=_no_memory)
    assert platform.said[-1]["zero"] and plant.setpoint_w == 0
