"""Virtual time: the plant's end of the lockstep protocol, spoken with the firmware over one byte stream.

Little endian; every message is u8 type, u16 length, body. The firmware sends
  W  u8 port, bytes                                write on a UART
  O  u8 port, u32 baud, u8 parity, u8 stop bits    open a UART
  R  u8 kind, text                                 report (T telemetry, E event, M message, F fatal)
  I  u32 us                                        idle that long at most: the only message that is answered
  S  u32 us, u8 n, u8 waited     before any of these: since the last S or A so much time has passed by itself. In it
     came the next n of the arrivals that were announced, and, if `waited`, an idle ended behind them by its time
  Q                                                finished in good order
and the plant answers, and sends once at the start,
  A  u32 passed_us, u32 calm_us, u16 pause_us, u8 flags, u8 arrived, [UTC], [command], [factors], arrivals
     padded to 192 bytes; flags: 1 stop requested, 2 UTC follows: u32 quarter, u32 ms in it, u8 trust, i16 error ms
            4 a command of the operator follows: u8 n, n bytes of text
            8 factors a day ahead follow: u32 hour since 1970 of the first, u8 n, n u32 in mg/kWh, an hour each
     arrival: u32 us from now, u8 port, u16 n, n bytes received; the first `arrived` of them are here, the others are
     announced: they come unless the firmware writes on their port.
For calm_us nothing but what is announced can happen on any line, as long as the firmware writes nothing, and nothing
that it writes is answered within pause_us of its last byte. So long the firmware lets time pass without asking; the
plant then follows it up to there.
"""

import os
from struct import Struct, unpack

from host_tools.errors import ToolError

_LONGEST_IDLE_US = 60_000_000
_READ = 65_536
_BLOCK = 192
_STOP, _UTC, _COMMAND, _FACTORS = 1, 2, 4, 8
_KINDS = b"SIWROQ"
_HEAD = Struct("<BHIIHBB")
_ARRIVAL = Struct("<IBH")
_PASSED = Struct("<IBB")
_PATIENCE_US = 600_000_000  # virtual time that an orderly stop may take
_LOOK_EVERY = 512


class Lockstep:
    """Serves one firmware until it has finished."""

    foresees = True  # tests let it announce nothing, which is slow, and see that the firmware does the same

    def __init__(self, plant, reports, end_us, progress):
        self._plant = plant
        self._agenda = plant.agenda
        self._reports = reports
        self._end_us = end_us
        self._progress = progress
        self._write_fd = None
        self._told_us = 0  # the time that the firmware knows
        self._announced = []  # (time us, number, port, bytes) that the firmware may take by itself
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
            if kind == 83:  # S
                self._follow(*_PASSED.unpack_from(data, body))
            elif kind == 73:  # I
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

    def _follow(self, us, arrivals, waited):
        """Let the time pass that has passed for the firmware: it was promised that nothing else would happen."""
        agenda = self._agenda
        inbox = self._plant.inbox
        self._told_us += us
        for _ in range(arrivals):
            agenda.run(self._told_us)
            t_us, _, *arrival = self._announced.pop(0)
            if agenda.now_us != t_us or inbox != [tuple(arrival)]:
                raise _broken(f"{arrival} at {t_us} us, {inbox} at {agenda.now_us} us")
            inbox.clear()
        if waited:
            agenda.run(self._told_us)
        if inbox or agenda.now_us != self._told_us:
            raise _broken(f"{self._told_us} us, {inbox} at {agenda.now_us} us")

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
        agenda = self._agenda
        now_us = agenda.now_us
        flags = _STOP if now_us >= self._end_us else 0
        body = plant.clock.news(now_us)
        if body:
            flags |= _UTC
        said = plant.operator.news()
        if said:
            flags |= _COMMAND
            body += said
        ahead = plant.ahead.news()
        if ahead:
            flags |= _FACTORS
            body += ahead
        arrived = len(plant.inbox)
        for port, data in plant.inbox:
            body += _ARRIVAL.pack(0, port, len(data)) + data
        plant.inbox.clear()
        calm_us, announced = self._foreseen(now_us)
        pause_us = min(line.pause_us for line in plant.lines.values()) if self.foresees else 0
        for t_us, _, port, data in announced:
            body += _ARRIVAL.pack(t_us - now_us, port, len(data)) + data
        passed_us, self._told_us = now_us - self._told_us, now_us
        answer = _HEAD.pack(65, _HEAD.size - 3 + len(body), passed_us, max(calm_us - now_us, 0), pause_us, flags,
                            arrived) + body
        try:
            os.write(self._write_fd, answer.ljust(_BLOCK, b"\0"))
        except BrokenPipeError:
            return  # the firmware has died; reading will tell how


    def _foreseen(self, now_us):
        """Return (time before which nothing else happens, [(time us, number, port, bytes)] that will arrive)."""
        self._announced = announced = []
        if not self.foresees:
            return now_us, announced
        latest_us = now_us + _LONGEST_IDLE_US
        if now_us < self._end_us < latest_us:
            latest_us = self._end_us
        calm_us = self._agenda.calm_until_us(latest_us)
        for line in self._plant.lines.values():
            announced += line.coming(calm_us)
        if len(announced) > 1:
            announced.sort()
        return calm_us, announced


def _broken(what):
    return ToolError(f"what the plant promised the firmware did not hold: {what}",
                     "An event of the plant that is not calm stands on its agenda as calm; report it.")


def hear_fatal(vm, reports):
    """Start a firmware whose site cannot be simulated and listen until its first idle: it may say why."""
    os.write(vm.write_fd, _HEAD.pack(65, _HEAD.size - 3, 0, 0, 0, 0, 0).ljust(_BLOCK, b"\0"))
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
