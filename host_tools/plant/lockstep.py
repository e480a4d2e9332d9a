"""Virtual time: the plant's end of the lockstep protocol, spoken with the firmware over one byte stream.

Little endian; every message is u8 type, u16 length, body. The firmware sends
  W  u8 port, bytes                                write on a UART at the current virtual time
  O  u8 port, u32 baud, u8 parity, u8 stop bits    open a UART
  R  u8 kind, text                                 report (T telemetry, E event, M message, F fatal)
  I  u32 us                                        idle that long at most: the only message that is answered
  Q                                                finished in good order
and the plant answers, and sends once at the start,
  A  u16 delta_ms, u16 sub_us, u8 flags, [UTC], chunks    flags: 1 stop requested, 2 UTC follows
     UTC: u32 quarter, u32 ms in it, u8 trust, i16 error ms; chunk: u8 port, u8 n, n bytes received.
Virtual time is the sum of delta_ms, plus the last sub_us.
"""

import os
from struct import pack, unpack

from host_tools.errors import ToolError

_LONGEST_IDLE_US = 60_000_000
_CHUNK = 255
_READ = 65_536
_STOP, _UTC = 1, 2
_KINDS = b"IWROQ"
_PATIENCE_US = 600_000_000  # virtual time that an orderly stop may take
_LOOK_EVERY = 512


class Lockstep:
    """Serves one firmware until it has finished."""

    def __init__(self, plant, reports, end_us, progress):
        self._plant = plant
        self._agenda = plant.agenda
        self._reports = reports
        self._end_us = end_us
        self._progress = progress
        self._write_fd = None
        self._told_ms = 0
        self._finished = False
        self.idles = 0

    def serve(self, vm):
        """Answer the firmware of a VM until it says Q. Raises ToolError when it dies."""
        self._write_fd = vm.write_fd
        self._agenda.run(0)  # what is set from the beginning is so before the firmware starts
        self._answer()
        rest = b""
        while not self._finished:
            data = os.read(vm.read_fd, _READ)
            if not data:
                self._reports.raise_fatal()
                raise vm.died()
            rest = self._take(rest + data if rest else data)
        self._progress.show(self._agenda.now_us, last=True)

    def request_stop(self):
        """Ask the firmware for an orderly end from its next idle on."""
        self._end_us = min(self._end_us, self._agenda.now_us)

    def _take(self, data):
        """Carry out every whole message; return what is left."""
        at = 0
        size = len(data)
        while size - at >= 3:
            body = at + 3
            end = body + (data[at + 1] | data[at + 2] << 8)
            kind = data[at]
            if end > size and kind in _KINDS:
                break
            if kind == 73:  # I
                self._idle(int.from_bytes(data[body:end], "little"))
            elif kind == 87:  # W
                self._port(data[body]).write(data[body + 1:end])
            else:
                self._rare(kind, data[body:end])
            at = end
        return data[at:]

    def _rare(self, kind, body):
        if kind == 82:  # R
            self._reports.take(chr(body[0]), body[1:].decode("utf-8", "replace"))
            self._reports.raise_fatal()
        elif kind == 79:  # O
            port, baud, parity, stop_bits = unpack("<BIBB", body)
            self._port(port).open(baud, chr(parity), stop_bits)
        elif kind == 81:  # Q
            self._finished = True
        else:
            raise ToolError(f"the firmware sent a message of unknown type {kind}",
                            "Its standard output belongs to the protocol: use report() instead of print().")

    def _port(self, port):
        line = self._plant.ports.get(port)
        if line is None:
            raise ToolError(f"the firmware uses UART {port}, which no bus of site.json names",
                            "Run a firmware and host tools of the same version.")
        return line

    def _idle(self, us):
        agenda = self._agenda
        deadline_us = agenda.now_us + min(us, _LONGEST_IDLE_US)
        if agenda.now_us < self._end_us < deadline_us:
            deadline_us = self._end_us  # the wish to stop reaches the firmware at once
        agenda.run(deadline_us)
        self._answer()
        self.idles += 1
        if not self.idles % _LOOK_EVERY:
            self._progress.show(agenda.now_us)
            if agenda.now_us > self._end_us + _PATIENCE_US:
                raise ToolError("the firmware was asked to stop and did not within 10 virtual minutes",
                                "See the end of vm.log in the run folder.")

    def _answer(self):
        plant = self._plant
        now_ms, sub_us = divmod(self._agenda.now_us, 1000)
        flags = _STOP if self._agenda.now_us >= self._end_us else 0
        body = plant.clock.news(self._agenda.now_us)
        if body:
            flags |= _UTC
        if plant.inbox:
            for port, data in plant.inbox:
                for at in range(0, len(data), _CHUNK):
                    chunk = data[at:at + _CHUNK]
                    body += bytes((port, len(chunk))) + chunk
            plant.inbox.clear()
        head = pack("<BHHHB", 65, 5 + len(body), now_ms - self._told_ms, sub_us, flags)
        self._told_ms = now_ms
        try:
            os.write(self._write_fd, head + body)
        except BrokenPipeError:
            return  # the firmware has died; reading will tell how


def hear_fatal(vm, reports):
    """Start a firmware whose site cannot be simulated and listen until its first idle: it may say why."""
    os.write(vm.write_fd, pack("<BHHHB", 65, 5, 0, 0, 0))
    data = b""
    at = 0
    while True:
        chunk = os.read(vm.read_fd, _READ)
        if not chunk:
            return
        data += chunk
        while len(data) - at >= 3:
            end = at + 3 + (data[at + 1] | data[at + 2] << 8)
            if end > len(data):
                break
            if data[at] == 82:
                reports.take(chr(data[at + 3]), data[at + 4:end].decode("utf-8", "replace"))
                reports.raise_fatal()
            if data[at] in (73, 81):
                return
            at = end
