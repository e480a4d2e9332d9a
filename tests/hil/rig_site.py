"""The site around a board under test: simulated devices behind real pymodbus RTU servers, one TCP port a bus.

The servers outlive the board: when its power is cut, QEMU's next start connects again. All of the plant lives in
the servers' thread; call() runs something there.
"""

import asyncio
import threading

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer

from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.realtime import Clock, sim_device
from host_tools.plant.series import constant

_LIMIT_S = 30
_EVERY_S = 0.02


class Steps:
    """A power that holds its value until it is set anew; what a series of samples is in a simulation."""

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

    `silent` and `garbled` hold units: of the first no answer arrives, of the second only ones with a wrong CRC.
    """

    def __init__(self, config, load_w, wind_w=0):
        self.load = Steps(load_w)
        self.plant = Plant(config, Inputs(self.load, constant(wind_w)), 0, seed=1)
        self.silent = set()
        self.garbled = set()
        self.seen = {"requests": 0, "dropped": 0}
        self.ports = {}
        self._clock = Clock()
        self._loop = asyncio.new_event_loop()
        self._servers = []
        self._physics = None

    def __enter__(self):
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_LIMIT_S)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)

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
        """Let timers of the plant run out while nobody asks: reversion, heartbeat."""
        while True:
            self.plant.agenda.run(self._clock.now_us())
            await asyncio.sleep(_EVERY_S)

    def _trace(self, sending, packet):
        """Do to an answer what its unit's fault says."""
        if not sending or not packet:
            self.seen["requests"] += not sending
            return packet
        if packet[0] in self.silent:
            self.seen["dropped"] += 1
            return b""
        if packet[0] in self.garbled:
            self.seen["dropped"] += 1
            return packet[:-1] + bytes((packet[-1] ^ 0x5A,))
        return packet

    def call(self, function):
        """Run function(now_us, plant) in the servers' thread; return what it returns."""
        async def run():
            now_us = self._clock.now_us()
            self.plant.agenda.run(now_us)
            return function(now_us, self.plant)
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_LIMIT_S)

    def set_load(self, power_w):
        """Step the load now; return the number of requests that its meter had had by then."""
        def step(now_us, plant):
            plant.site.advance(now_us)
            self.load.set(now_us, power_w)
            return plant.slaves["load"].requests
        return self.call(step)

    def requests(self, role):
        """Return the requests that the device of a role has had so far."""
        return self.call(lambda _, plant: plant.slaves[role].requests)

    def setpoint_w(self):
        """Return the set point in the PCS's WSet register, W, as far as it holds."""
        return self.call(lambda _, plant: plant.setpoint_w)
