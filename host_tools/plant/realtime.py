"""Real time: the plant's registers behind pymodbus RTU servers on ptys, the firmware in a process beside.

The pace of a serial line is not simulated here (a pty has none), but for one thing: an answer waits until
its request would have left. Only content and counts mean anything.
"""

import asyncio
import os
import pty
import time
import tty
from functools import partial

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from host_tools.errors import ToolError

_PHYSICS_S = 0.005
_STOP_S = 30
_EXCEPTIONS = {1: ExcCodes.ILLEGAL_FUNCTION, 2: ExcCodes.ILLEGAL_ADDRESS, 3: ExcCodes.ILLEGAL_VALUE}
_READ = 4_096


class Clock:
    """Microseconds of real time since the run began."""

    def __init__(self):
        self._start_ns = time.monotonic_ns()

    def restart(self):
        """Let the run begin now."""
        self._start_ns = time.monotonic_ns()

    def now_us(self):
        """Return the time."""
        return (time.monotonic_ns() - self._start_ns) // 1000


def serve(plant, reports, run, end_us, progress, start_vm):
    """Run the plant for `end_us` of real time with the firmware that start_vm() starts. Raises ToolError."""
    asyncio.run(_Session(plant, reports, run, end_us, progress).live(start_vm))


def sim_device(slave, plant, clock):
    """Return a pymodbus device whose every access goes to a slave of the plant."""

    async def act(code, start, address, count, registers, values):
        if code == 6 and values is None:
            return None  # the server looks at what it has just written, for the echo
        now_us = clock.now_us()
        plant.agenda.run(now_us)
        slave.requests += 1
        if slave.silent:
            return ExcCodes.DEVICE_BUSY  # nobody hears it: the answer is dropped on its way out
        if values is None:
            reads = code == slave.read_code or code in slave.read_codes
            result = slave.read(address, count, now_us) if reads else 1
            if not isinstance(result, int):
                for i in range(count):
                    registers[address - start + i] = int.from_bytes(result[2 * i:2 * i + 2], "big")
                result = 0
        elif code == 16 and slave.writable or code == 6 and slave.writes_one:
            result = slave.write(address, b"".join(value.to_bytes(2, "big") for value in values), now_us)
        else:
            result = 1
        slave.answers += 1
        slave.exceptions += result > 0
        return _EXCEPTIONS.get(result)

    image = SimData(slave.base, values=[0] * slave.registers, datatype=DataType.REGISTERS)
    return SimDevice(slave.unit, simdata=[image], action=act)


class Wire:
    """One bus: a pty for the firmware, one for the server, and a pump between that faults can disturb."""

    def __init__(self, line, link):
        self.line = line
        self._ends = [pty.openpty(), pty.openpty()]  # (master, slave): firmware's, server's
        for master, slave in self._ends:
            tty.setraw(master)
            tty.setraw(slave)
            os.set_blocking(master, False)
        self._link = link
        link.symlink_to(os.ttyname(self._ends[0][1]))
        self._board = self._ends[0][0]
        self.server_path = os.ttyname(self._ends[1][1])
        self._left_s = 0.0  # when the request's last byte would have left a real UART

    def attach(self, socket):
        """Take a socket for the firmware's end, instead of the pty."""
        socket.setblocking(False)
        self._board = socket.fileno()

    def pump(self, loop):
        """Carry bytes both ways from now on."""
        server = self._ends[1][0]
        self.line.listener = lambda _, data: _put(self._board, data)  # what is said unasked
        loop.add_reader(self._board, self._request, loop, server)
        loop.add_reader(server, self._answer, loop, server)

    def _request(self, loop, server):
        data = self.line.disturb(self._take(loop, self._board, "bytes_out"))
        self._left_s = max(loop.time(), self._left_s) + len(data) * self.line.char_us / 1e6
        if self.line.echo:
            loop.call_at(self._left_s, _put, self._board, data)
        _put(server, data)

    def _answer(self, loop, server):
        """Hold an answer until the request has left and the line was silent: no master believes it sooner."""
        data = self._take(loop, server, "bytes_in")
        slave = self.line.slaves.get(data[0]) if data else None
        parts = self.line.parts(slave, data) if slave else ((0, data),)
        for delay_us, part in parts:
            due_s = self._left_s + (self.line.silence_us + delay_us) / 1e6
            loop.call_at(due_s, _put, self._board, part)

    def _take(self, loop, source, count):
        try:
            data = os.read(source, _READ)
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(source)  # the other end has gone
        self.line.statistics[count] += len(data)
        return b"" if self.line.cut else data

    def close(self, loop):
        """Take the wire down."""
        loop.remove_reader(self._board)
        self._link.unlink()
        for master, slave in self._ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


class _Session:
    """Servers, wires, physics and the firmware's process, for one run."""

    def __init__(self, plant, reports, run, end_us, progress):
        self._plant = plant
        self._reports = reports
        self._end_us = end_us
        self._progress = progress
        self._clock = Clock()
        self._finished = False
        self._ended = asyncio.Event()
        self._wires = [Wire(line, run / f"uart{line.port}") for line in plant.lines.values()]
        self._partial = b""

    async def live(self, start_vm):
        """Run to the end."""
        loop = asyncio.get_running_loop()
        servers = [await self._server(wire) for wire in self._wires]
        vm = start_vm()
        self._clock.restart()
        for wire in self._wires:
            if wire.line.port in vm.sockets:
                wire.attach(vm.sockets[wire.line.port])
            wire.pump(loop)
        os.set_blocking(vm.read_fd, False)
        loop.add_reader(vm.read_fd, self._hear, vm, loop)
        try:
            await self._physics(vm)
        finally:
            loop.remove_reader(vm.read_fd)
            for wire in self._wires:
                wire.close(loop)
            vm.close()
            for server in servers:
                await server.shutdown()

    async def _server(self, wire):
        devices = [sim_device(slave, self._plant, self._clock) for slave in wire.line.slaves.values()]
        baud, parity, stop_bits = wire.line.settings
        server = ModbusSerialServer(devices, framer=FramerType.RTU, port=wire.server_path, baudrate=baud,
                                    parity=parity, stopbits=stop_bits, ignore_missing_devices=True,
                                    trace_packet=partial(_mute, wire.line))
        await server.serve_forever(background=True)
        return server

    async def _physics(self, vm):
        while not self._ended.is_set():
            now_us = self._clock.now_us()
            self._plant.agenda.run(now_us)
            self._progress.show(now_us)
            self._reports.raise_fatal()
            if now_us >= self._end_us + _STOP_S * 1_000_000:
                raise ToolError(f"the firmware was to stop at the end and did not within {_STOP_S} s",
                                "See the end of vm.log in the run folder.")
            await asyncio.sleep(_PHYSICS_S)
        self._reports.raise_fatal()
        if not self._finished:
            raise vm.died()
        self._progress.show(self._clock.now_us(), last=True)

    def _hear(self, vm, loop):
        data = os.read(vm.read_fd, _READ)
        if not data:
            loop.remove_reader(vm.read_fd)
            self._ended.set()
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip("\r")
            mark, _, rest = text.partition(" ")
            kind, _, text = rest.partition(" ")
            if mark != "EVK":
                vm.hear(mark + " " + rest)
            elif kind == "Q":
                self._finished = True
            else:
                self._reports.take(kind, text)


def _put(target, data):
    if not data:
        return
    try:
        os.write(target, data)
    except OSError:
        pass  # nobody reads: the bytes are lost, as on a wire


def _mute(line, sending, packet):
    """Drop the answer of a slave that a fault has silenced."""
    slave = line.slaves.get(packet[0]) if sending and packet else None
    return b"" if slave is not None and slave.silent else packet
