"""Virtual time: clock, stamped bus bytes and UTC come from the simulated plant, message by message.

The firmware runs in no time at all; time passes only inside idle(), which is the one message the plant answers.
"""

import struct

from firmware.core import ticks
from firmware.hal.platform import BasePlatform

_RING = 1024
_COLLECT_EVERY = 2000  # idles; messages are garbage once they are sent


class LockstepSerial:
    """One UART whose bytes travel through the plant's model of the line."""

    def __init__(self, platform, port):
        self._platform = platform
        self._port = port
        self._ring = bytearray(_RING)
        self._head = 0
        self._count = 0
        self._busy_until_us = 0
        self._sending = False
        self._char_us = 0
        self.overflow = 0

    def configure(self, baud, parity, stop_bits):
        bits = 9 + (1 if parity != "N" else 0) + stop_bits
        self._char_us = (bits * 1_000_000 + baud - 1) // baud

    def deliver(self, data, at, n):
        for i in range(at, at + n):
            if self._count == _RING:
                self.overflow += 1
                return
            self._ring[(self._head + self._count) % _RING] = data[i]
            self._count += 1

    def any(self):
        """Return the number of bytes received and not yet read."""
        return self._count

    def readinto(self, buf, off, n):
        """Move up to `n` received bytes to buf[off:]; return how many."""
        n = min(n, self._count)
        for i in range(n):
            buf[off + i] = self._ring[(self._head + i) % _RING]
        self._head = (self._head + n) % _RING
        self._count -= n
        return n

    def write(self, buf, n):
        """Start sending the first `n` bytes of `buf`."""
        self._platform.send(b"W", self._port, buf, n)
        now_us = self._platform.us()
        begin_us = now_us
        if self._sending and ticks.diff(self._busy_until_us, now_us) > 0:
            begin_us = self._busy_until_us
        self._busy_until_us = ticks.add(begin_us, n * self._char_us)
        self._sending = True

    def tx_done(self):
        """Return True when the last bit has left the shifter."""
        if self._sending and ticks.diff(self._platform.us(), self._busy_until_us) >= 0:
            self._sending = False
        return not self._sending


class Platform(BasePlatform):
    """The plant's virtual machine time over one byte stream (see host_tools/plant/lockstep.py for the other end)."""

    def __init__(self, root, reader, writer):
        BasePlatform.__init__(self, root)
        self.tell_every_ms = 0  # every period: the plant writes it into its trace
        self._reader = reader
        self._writer = writer
        self._out = bytearray()
        self._ms = 0
        self._us = 0
        self._sub_us = 0
        self._ports = {}
        self._idles = 0
        self._answer()

    def ms(self):
        """Return monotonic virtual milliseconds, 30 bits, wrapping."""
        return self._ms

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

    def send(self, kind, port, buf, n):
        self._message(kind, bytes((port,)) + bytes(memoryview(buf)[:n]))

    def report(self, kind, text):
        """Hand one line to the plant."""
        self._message(b"R", kind.encode() + text.encode())
        if kind == "F":
            self._flush()

    def idle(self, us):
        """Let at most `us` virtual microseconds pass; return earlier when bytes arrive."""
        self._message(b"I", struct.pack("<I", us))
        self._flush()
        self._answer()
        self._idles += 1
        if self._idles % _COLLECT_EVERY == 0:
            self.collect()

    def listen_to_host(self):
        """Do nothing: standard input is no console here."""

    def tidy(self):
        """Do nothing: idle() collects, where virtual time stands still."""

    def close(self):
        """Tell the plant that the firmware has finished in good order."""
        self._message(b"Q", b"")
        self._flush()

    def _message(self, kind, body):
        self._out += kind
        self._out += struct.pack("<H", len(body))
        self._out += body

    def _flush(self):
        self._writer.write(self._out)
        if hasattr(self._writer, "flush"):
            self._writer.flush()
        self._out = bytearray()

    def _answer(self):
        head = self._reader.read(3)
        if len(head) < 3:
            raise SystemExit  # the plant is gone: there is no time left to run in
        body = self._reader.read(struct.unpack("<H", head[1:])[0])
        delta_ms, sub_us, flags = struct.unpack_from("<HHB", body, 0)
        self._us = ticks.add(self._us, delta_ms * 1000 + sub_us - self._sub_us)
        self._ms = ticks.add(self._ms, delta_ms)
        self._sub_us = sub_us
        self.stop = self.stop or bool(flags & 1)
        at = 5
        if flags & 2:
            self.post_utc(*struct.unpack_from("<IIBh", body, at))
            at += 11
        while at < len(body):
            n = body[at + 1]
            self._ports[body[at]].deliver(body, at + 2, n)
            at += 2 + n
