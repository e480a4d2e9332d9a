"""Virtual time: clock, stamped bus bytes and UTC come from the simulated plant, message by message.

The firmware runs in no time at all; time passes only inside idle(). The plant says how long nothing can happen but
what it announces; so long idle() lets time pass by itself, then it asks (see host_tools/plant/lockstep.py).
"""

import struct

import micropython
from micropython import const

from firmware.core import ticks
from firmware.hal.lockstep_serial import LockstepSerial, copy
from firmware.hal.platform import BasePlatform

_BLOCK = const(192)  # the least length of an answer: most are read in one go
_OUT = const(4096)
_HEAD = const(15)
_ARRIVAL = const(7)
_NEVER = const(0x3FFFFFFF)
_LONGEST_US = const(60_000_000)
_COLLECT_OF = 16  # a signature asks for one per 20 KB
_COLLECT_EVERY = 2000  # questions; messages are garbage once they are sent


class Platform(BasePlatform):
    """The plant's virtual machine time over one byte stream (see host_tools/plant/lockstep.py for the other end)."""

    def __init__(self, root, reader, writer):
        BasePlatform.__init__(self, root)
        self.tell_every_ms = 0  # every period: the plant writes it into its trace
        self.collects_by_the_second = False
        self._reader = reader
        self._writer = writer
        self._flush_writer = getattr(writer, "flush", None)
        self._out = bytearray(_OUT)
        self._view = memoryview(self._out)
        self._n = 0
        self._in = bytearray(_BLOCK)
        self._answer_in = self._in  # the last answer: its block, or more where that was too short
        self._ms = 0
        self._us = 0
        self._sub_us = 0
        self._since_us = 0  # since the last answer
        self._stamped_us = 0  # the same when the plant was last told of it
        self._taken = 0  # announced arrivals taken since it was
        self._waited = 0  # an idle has ended by its time since then and since the last arrival
        self._calm_us = 0  # since the last answer, like the next one
        self._next_us = _NEVER  # when the next announced arrival comes
        self._next_at = 0  # where it stands in the answer
        self._ports = {}
        self._asked = 0
        self._owed = 0  # collections that were asked for
        self._take_answer()

    @micropython.native
    def ms(self):
        """Return monotonic virtual milliseconds, 30 bits, wrapping."""
        return self._ms

    @micropython.native
    def us(self):
        """Return monotonic virtual microseconds, 30 bits, wrapping."""
        return self._us

    def serial(self, index, baud, parity, stop_bits):
        """Open UART `index` on the plant's line."""
        port = self._ports.get(index)
        if port is None:
            port = self._ports[index] = LockstepSerial(self, index)
        port.configure(baud, parity, stop_bits)
        self._message(b"O", struct.pack("<BIBB", index, baud, ord(parity), stop_bits))
        return port

    @micropython.native
    def send(self, port, buf, n, frame_us):
        """Hand the plant bytes that a UART sends; what may happen once they have left is not known yet."""
        self._stamp(n + 4)
        out = self._out
        at = self._n
        struct.pack_into("<BHB", out, at, 87, n + 1, port)  # W
        copy(out, at + 4, buf, n)
        self._n = at + 4 + n
        end_us = self._since_us + frame_us + self._pause_us
        if self._next_us != _NEVER:
            end_us = 0  # something may be on the line by now: it would be lost
            self._next_us = _NEVER
        if end_us < self._calm_us:
            self._calm_us = end_us

    def report(self, kind, text):
        """Hand one line to the plant."""
        self._message(b"R", kind.encode() + text.encode())
        if kind == "F":
            self._flush()

    @micropython.native
    def idle(self, us):
        """Let at most `us` virtual microseconds pass; return earlier when bytes arrive."""
        if us > _LONGEST_US:
            us = _LONGEST_US
        until_us = self._since_us + us
        if self._next_us <= until_us:
            self._pass(self._next_us)
            self._take_arrival()
        elif until_us < self._calm_us:
            self._pass(until_us)
            self._waited = 1
        else:
            self._ask(us)

    def listen_to_host(self):
        """Do nothing: standard input is no console here."""

    def collect(self):
        """Collect each time that many have asked for it: here the heap is large, and takes long."""
        self._owed += 1
        if self._owed == _COLLECT_OF:
            self._owed = 0
            BasePlatform.collect(self)

    def tidy(self):
        """Do nothing: idle() collects, where virtual time stands still."""

    def close(self):
        """Tell the plant that the firmware has finished in good order."""
        self._message(b"Q", b"")
        self._flush()

    @micropython.native
    def _pass(self, since_us):
        """Move the clocks to a time, counted since the last answer."""
        step_us = since_us - self._since_us
        self._since_us = since_us
        self._us = ticks.add(self._us, step_us)
        sub_us = self._sub_us + step_us
        if sub_us >= 1000:
            self._ms = ticks.add(self._ms, sub_us // 1000)
            sub_us %= 1000
        self._sub_us = sub_us

    @micropython.native
    def _take_arrival(self):
        """Deliver the next announced arrival; its time has come."""
        self._deliver()
        self._taken += 1
        self._waited = 0

    @micropython.native
    def _deliver(self):
        """Hand over the arrival that stands next in the answer, and see when the one behind it comes."""
        data = self._answer_in
        _, port, n = struct.unpack_from("<IBH", data, self._next_at)
        self._ports[port].deliver(data, self._next_at + _ARRIVAL, n)
        self._next_at += _ARRIVAL + n
        self._look_ahead()

    @micropython.native
    def _look_ahead(self):
        """See when the arrival comes that stands next in the answer."""
        self._next_us = _NEVER
        if self._next_at < self._end:
            self._next_us = struct.unpack_from("<I", self._answer_in, self._next_at)[0]

    @micropython.native
    def _stamp(self, room):
        """Tell the plant how much time has passed; have room for a message behind that."""
        if self._n + room + 9 > _OUT:
            self._flush()
        if self._since_us != self._stamped_us or self._taken or self._waited:
            passed_us = self._since_us - self._stamped_us
            struct.pack_into("<BHIBB", self._out, self._n, 83, 6, passed_us, self._taken, self._waited)  # S
            self._n += 9
            self._stamped_us = self._since_us
            self._taken = 0
            self._waited = 0

    def _message(self, kind, body):
        self._stamp(len(body) + 3)
        message = kind + struct.pack("<H", len(body)) + body
        if len(message) > _OUT - self._n:  # longer than the buffer
            self._flush()
            self._writer.write(message)
            return
        self._out[self._n:self._n + len(message)] = message
        self._n += len(message)

    def _flush(self):
        self._writer.write(self._view[:self._n])
        if self._flush_writer is not None:
            self._flush_writer()
        self._n = 0

    @micropython.native
    def _ask(self, us):
        """Ask the plant for time; it answers when that has passed, or when bytes have come."""
        self._stamp(7)
        struct.pack_into("<BHI", self._out, self._n, 73, 4, us)  # I
        self._n += 7
        self._flush()
        self._take_answer()
        self._asked += 1
        if self._asked == _COLLECT_EVERY:
            self._asked = 0
            BasePlatform.collect(self)

    def _take_answer(self):
        if self._reader.readinto(self._in) != _BLOCK:
            raise SystemExit  # the plant is gone: there is no time left to run in
        _, length, passed_us, calm_us, self._pause_us, flags, arrived = struct.unpack_from("<BHIIHBB", self._in)
        self._answer_in = self._in
        self._end = 3 + length
        if self._end > _BLOCK:
            self._answer_in = bytes(self._in) + self._reader.read(self._end - _BLOCK)
        self._since_us = 0
        self._pass(passed_us)
        self._since_us = self._stamped_us = 0
        self._calm_us = calm_us
        self.stop = self.stop or bool(flags & 1)
        self._next_at = _HEAD
        if flags & 2:
            self.post_utc(*struct.unpack_from("<IIBh", self._answer_in, _HEAD))
            self._next_at += 11
        if flags & 4:
            begin, self._next_at = self._next_at + 1, self._next_at + 1 + self._answer_in[self._next_at]
            self.post_command(bytes(self._answer_in[begin:self._next_at]).decode())
        if flags & 8:
            hour, n = struct.unpack_from("<IB", self._answer_in, self._next_at)
            self.post_ahead(hour, struct.unpack_from("<%dI" % n, self._answer_in, self._next_at + 5))
            self._next_at += 5 + 4 * n
        self._look_ahead()
        while arrived:
            arrived -= 1
            self._deliver()
