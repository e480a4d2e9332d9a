"""The master against a real Modbus RTU server (pymodbus) over a pty, its registers laid out by pysunspec2.

A pty has no baud rate: content and counts are asserted, no times.
"""

import asyncio
import json
import os
import pty
import threading
import time
import tty
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from firmware.core import ticks
from firmware.drivers import sunspec
from firmware.drivers.limiters.sunspec_limit import PowerLimit
from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.pcs.sunspec_der import SunspecPcs
from firmware.drivers.profile import Profiles
from firmware.drivers.regmap import Scale

_IMAGES = json.loads((Path(__file__).parent / "vectors" / "sunspec_devices.json").read_text())
_UNIT_W = 500
_LIMIT_S = 30
_METER, _PCS, _WIND, _NOBODY = 1, 7, 8, 9


class _PtySerial:
    """The firmware's end of the pty, and the machine's clock."""

    def __init__(self, fd):
        self._fd = fd
        self._pending = b""

    def any(self):
        try:
            self._pending += os.read(self._fd, 4096)
        except BlockingIOError:
            pass
        return len(self._pending)

    def readinto(self, buf, off, n):
        n = min(n, len(self._pending))
        buf[off:off + n] = self._pending[:n]
        self._pending = self._pending[n:]
        return n

    def write(self, buf, n):
        os.write(self._fd, bytes(buf[:n]))

    def tx_done(self):
        return True

    def us(self):
        return time.monotonic_ns() // 1000 & ticks.MASK

    def ms(self):
        return time.monotonic_ns() // 1_000_000 & ticks.MASK


class _Server:
    """A pymodbus server with three devices in a thread; `writes` are what it was told."""

    def __init__(self, path):
        self.writes = []
        self.refuse_unit = None
        self._loop = asyncio.new_event_loop()
        self._path = path
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_LIMIT_S)

    def _device(self, unit, base, image):
        words = [int.from_bytes(image[i:i + 2], "big") for i in range(0, len(image), 2)]

        async def act(code, start, address, count, registers, values):
            if unit == self.refuse_unit:
                return ExcCodes.DEVICE_FAILURE
            if values is not None:
                self.writes.append((unit, address, list(values)))
            return None

        data = SimData(base, values=words, datatype=DataType.REGISTERS)
        return SimDevice(unit, simdata=[data], action=act)

    async def _start(self):
        power = bytes(2 * 0x34) + b"\xc9\x18\x96\x80" + bytes(40)  # -625,000 W
        devices = [self._device(_METER, 0, power),
                   self._device(_PCS, 40_000, bytes.fromhex(_IMAGES["pcs"])),
                   self._device(_WIND, 40_000, bytes.fromhex(_IMAGES["wind"]))]
        self._server = ModbusSerialServer(devices, framer=FramerType.RTU, port=self._path, baudrate=115_200,
                                          trace_packet=self._carry)
        await self._server.serve_forever(background=True)

    @staticmethod
    def _carry(sending, packet):
        # The server answers for everybody.
        return b"" if sending and packet[:1] == bytes((_NOBODY,)) else packet

    def close(self):
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT_S)
        self._loop.close()


class _Line:
    def __init__(self):
        master, slave = pty.openpty()
        tty.setraw(master)
        tty.setraw(slave)
        os.set_blocking(master, False)
        self.fds = (master, slave)
        self.server = _Server(os.ttyname(slave))
        serial = _PtySerial(master)
        self.bus = Bus(serial, serial, 115_200)
        self.scale = Scale(_UNIT_W)

    def until(self, done):
        end = time.monotonic() + _LIMIT_S
        while not done():
            assert time.monotonic() < end, "the bus does not get there"
            self.bus.poll()
            time.sleep(0.0002)

    def start(self, device):
        steps = device.start()
        self.until(lambda: next(steps, "end") == "end")
        return device


@pytest.fixture
def line():
    made = _Line()
    yield made
    made.server.close()
    for fd in made.fds:
        os.close(fd)


def test_a_meter_is_read_again_and_again(line):
    meter = Meter(line.bus, _METER, Profiles(("sdm630",)).load("sdm630"), line.scale)
    line.until(lambda: meter.request() is None or meter.power.count >= 20)
    assert meter.power.value == -1250
    stats = meter.stats
    assert (stats.timeouts, stats.crc, stats.exceptions, stats.late, stats.foreign) == (0, 0, 0, 0, 0)


def test_a_pcs_is_discovered_read_and_commanded(line):
    pcs = line.start(SunspecPcs(line.bus, _PCS, line.scale))
    assert (pcs.ready, pcs.trouble) == (True, "")
    assert sorted(pcs.found.models) == [1, 2, 701, 702, 703, 704, 713, 715]
    pcs.request()
    pcs.request_slow()
    pcs.heartbeat()
    line.until(lambda: pcs.power.count and pcs.soc.count and len(line.server.writes) == 2)
    assert (pcs.power.value, pcs.soc.value) == (-50_000, 513)
    pcs.command(1234)
    line.until(lambda: pcs.applied.count == 2)
    base = pcs.found.address(704, 22)
    assert line.server.writes[-1] == (_PCS, base, [1, 1, 0, 61_700, 0, 0, 250, 65_526, 1, 0, 10])
    assert line.server.writes[1] == (_PCS, pcs.found.address(715, 5), [0, 1])
    assert pcs.stats.requests == pcs.stats.answers


def test_a_wind_limit_is_discovered_and_commanded(line):
    wind = line.start(PowerLimit(line.bus, _WIND, line.scale))
    assert (wind.ready, wind.trouble) == (True, "")
    wind.command(5_001)
    line.until(lambda: wind.applied.count == 2)
    assert line.server.writes[-1] == (_WIND, wind.found.address(704, 14), [1, 5_000, 0, 1, 0, 10])


def test_refusal_and_silence_are_told_apart(line):
    nobody = line.start(SunspecPcs(line.bus, _NOBODY, line.scale, timeout_us=20_000))
    assert (nobody.ready, nobody.trouble) == (False, "SILENT")
    assert nobody.stats.timeouts == nobody.stats.requests == len(sunspec.BASES)
    line.server.refuse_unit = _PCS
    refusing = line.start(SunspecPcs(line.bus, _PCS, line.scale))
    assert (refusing.ready, refusing.trouble) == (False, "NOT_SUNSPEC")
    assert refusing.stats.exceptions == refusing.stats.requests == len(sunspec.BASES)
