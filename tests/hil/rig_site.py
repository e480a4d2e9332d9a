"""The site around a board under test: simulated devices behind real pymodbus RTU servers, one TCP port a bus.

The servers outlive the board: when its power is cut, QEMU's next start connects again. All of the plant lives in
the servers' thread; call() runs something there.
"""

import asyncio
import random
import threading

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer

from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.crc import with_crc
from host_tools.plant.realtime import Clock, sim_device
from host_tools.plant.series import constant
from host_tools.plant.wire_faults import WireFaults

_LIMIT_S = 30
_EVERY_S = 0.02


def silent(_answer):
    """Say nothing."""
    return b""


def refusing(answer):
    """Answer with exception 4, device failure."""
    return with_crc(bytes((answer[0], answer[1] | 0x80, 4)))


def _always(**faults):
    return WireFaults(random.Random(1), **faults).packet


garbled = _always(wrong_crc=1)
cut_short = _always(cut_short=1)
foreign = _always(wrong_unit=1)
other_function = _always(wrong_function=1)
other_length = _always(wrong_length=1)
delayed = _always(late=1)  # each answer comes as the answer to the next request


class Steps:
    """A power that holds its value until it is set anew, in place of a series of samples."""

    def __init__(self, power_w):
        self._steps = [(0, float(power_w))]

    def set(self, t_us, power_w):
        """Change the power at a time, not before the last change."""
        self._steps.append((t_us, float(power_w)))

    def value(self, t_us):
        """Return the power at a time, W."""
        return next((w for start_us, w in reversed(self._steps) if start_us <= t_us), self._steps[0][1])

    def integral(self, start_us, end_us):
        """Return the energy between two times, W us."""
        total = 0.0
        for i, (step_us, power_w) in enumerate(self._steps):
            next_us = self._steps[i + 1][0] if i + 1 < len(self._steps) else end_us
            total += power_w * max(min(end_us, next_us) - max(start_us, step_us), 0)
        return total


class Site:
    """A site's plant and servers as a context manager; `ports` maps a board's UART index to a TCP port.

    `faults` maps a unit to what becomes of its answers. `commands` holds each change of the set point in the PCS's
    registers: (requests to the load's meter so far, W).
    """

    def __init__(self, config, load_w, wind_w):
        self.load = Steps(load_w)
        self.plant = Plant(config, Inputs(self.load, constant(wind_w)), 0, seed=1)
        self.units = {device["role"]: device["unit"] for device in config["devices"]}
        self.faults = {}
        self.commands = []
        self.ports = {}
        self._clock = Clock()
        self._loop = asyncio.new_event_loop()
        self._servers = []
        self._physics = None

    def __enter__(self):
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._do(self._start())
        return self

    def __exit__(self, *_):
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_LIMIT_S)

    async def _start(self):
        self._clock.restart()
        for line in self.plant.lines.values():
            devices = [sim_device(slave, self.plant, self._clock) for slave in line.slaves.values()]
            server = ModbusTcpServer(devices, framer=FramerType.RTU, address=("127.0.0.1", 0),
                                     ignore_missing_devices=True, trace_packet=self._trace)
            await server.serve_forever(background=True)
            self.ports[line.port] = server.transport.sockets[0].getsockname()[1]
            self._servers.append(server)
        self._physics = asyncio.ensure_future(self._live())

    async def _stop(self):
        self._physics.cancel()
        for server in self._servers:
            await server.shutdown()

    async def _live(self):
        """Let the plant's timers run out while nobody asks it: reversion, heartbeat."""
        while True:
            self.plant.agenda.run(self._clock.now_us())
            await asyncio.sleep(_EVERY_S)

    def _trace(self, sending, packet):
        """Note what a request has led to, and do to its answer what the unit's fault says."""
        if not sending or not packet:
            return packet
        power_w = self.plant.setpoint_w
        if not self.commands or self.commands[-1][1] != power_w:
            self.commands.append((self.plant.slaves["load"].requests, power_w))
        fault = self.faults.get(packet[0])
        return fault(packet) if fault else packet

    def call(self, function):
        """Run function(now_us, plant) in the servers' thread; return what it returns."""
        async def run():
            now_us = self._clock.now_us()
            self.plant.agenda.run(now_us)
            return function(now_us, self.plant)
        return self._do(run())

    def set_load(self, power_w):
        """Step the load now; return the requests that its meter had had by then, and the commands so far."""
        def step(now_us, plant):
            plant.site.advance(now_us)
            self.load.set(now_us, power_w)
            return plant.slaves["load"].requests, len(self.commands)
        return self.call(step)

    def break_units(self, fault, *roles):
        """Put a fault on the answers of some roles; None heals them."""
        for role in roles:
            self.faults[self.units[role]] = fault

    def answers(self):
        """Return the answers that each role's device has given."""
        return self.call(lambda _, plant: {role: slave.answers for role, slave in plant.slaves.items()})
