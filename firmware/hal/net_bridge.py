"""The emulated board's network: a bridge at the other end of a UART opens TCP connections for it.

A UART cannot show that a connection was refused or closed, so everything travels in frames: 0xA5, type, generation,
length, content. To the host O opens (port, name), D is data, C closes, H asks for an answer; from it A says that the
connection stands, R that it was refused, D and C as before, H answers. Frames of an earlier generation are dropped.
"""

import micropython
import mps2
import uctypes
from micropython import const

from firmware.core import ticks

_BAUD = const(1_000_000)
_MARK = const(0xA5)
_HEAD = const(4)
_MOST = const(250)
_OPEN = const(0x4F)
_DATA = const(0x44)
_CLOSE = const(0x43)
_HELLO = const(0x48)
_ACCEPTED = const(0x41)
_REFUSED = const(0x52)
_OPEN_MS = const(15_000)
_MEMORY_BYTES = const(5120)
_EPIPE = const(32)
_ETIMEDOUT = const(110)
_ECONNREFUSED = const(111)


class Network:
    """The way out through one UART."""

    def __init__(self, uart):
        self.serial = mps2.Uart(uart, _BAUD)
        self.generation = 0
        self.synced = False
        self._used = 0

    def buffer(self, count):
        """Return a buffer in the network's own memory, which is none of the heap's."""
        if self._used + count > _MEMORY_BYTES:
            return bytearray(count)
        self._used += count
        return uctypes.bytearray_at(mps2.net_memory() + self._used - count, count)

    def open(self, host, port, tls):
        """Begin to open a connection; there is no TLS here."""
        if tls is not None:
            raise OSError(_EPIPE)
        self.generation = self.generation + 1 & 0xFF
        return Link(self, host, port)

    def say(self, kind, content):
        """Send a frame at once; return False where the bridge takes no more."""
        frame = bytes((_MARK, kind, self.generation, len(content))) + content
        if self.serial.write_some(frame, 0, len(frame)) == len(frame):
            return True
        self.synced = False
        return False


class Link:
    """One connection."""

    def __init__(self, net, host, port):
        self._net = net
        self._serial = net.serial
        self._to = port.to_bytes(2, "big") + host.encode()
        self._head = bytearray(_HEAD)
        self._left = 0  # bytes of a frame's content still to be read
        self._mine = False  # it is data, of this connection
        self._owed = 0  # bytes of a frame's content still to be written
        self._out = bytearray((_MARK, _DATA, net.generation, 0))
        self._out_at = _HEAD
        self._state = 0  # 0 asking, 1 open, then the errno that ended it
        self._asked = False
        self._begin_ms = mps2.ticks_ms()
        if not net.synced:
            self._hello = bytes((_MARK, _HELLO, net.generation, 4)) + mps2.ticks_us().to_bytes(4, "big")
            self._matched = 0
            net.serial.write_some(bytes(_MOST + _HEAD), 0, _MOST + _HEAD)  # ends whatever frame was cut off
            net.serial.write_some(self._hello, 0, _HEAD + 4)

    def ready(self):
        """Return whether the connection stands; OSError where it is refused or nobody answers."""
        if self._state == 1:
            return True
        if self._net.synced or self._sync():
            if not self._asked:
                self._asked = True
                self._net.say(_OPEN, self._to)
            self._look()
        self._check()
        if not self._state and ticks.diff(mps2.ticks_ms(), self._begin_ms) > _OPEN_MS:
            self._net.synced = False
            raise OSError(_ETIMEDOUT)
        return self._state == 1

    @micropython.native
    def read(self, buf, off, n):
        """Move what has come to `buf`."""
        if not (self._left and self._mine):
            self._look()
        if self._left and self._mine:
            got = self._serial.readinto(buf, off, min(n, self._left))
            self._left -= got
            return got
        self._check()
        return 0

    @micropython.native
    def write(self, buf, off, n):
        """Take bytes as data frames; a frame once begun is owed whole."""
        if self._state != 1:
            self._check()
        if not self._owed:
            self._owed = self._out[3] = min(n, _MOST)
            self._out_at = 0
        if not self._send_head():
            return 0
        took = self._serial.write_some(buf, off, min(n, self._owed))
        self._owed -= took
        return took

    def close(self):
        """Have the bridge close its end; what is owed of a frame is made up."""
        owed = self._owed
        synced, self._net.synced = self._net.synced, False  # unless all of this goes well
        if not self._send_head() or self._serial.write_some(bytes(owed), 0, owed) < owed:
            synced = False
        if self._asked and self._state in (0, 1) and not self._net.say(_CLOSE, b""):
            synced = False
        self._state = _EPIPE
        if self._left and not self._skip():
            synced = False
        self._net.synced = synced

    def _send_head(self):
        self._out_at += self._serial.write_some(self._out, self._out_at, _HEAD - self._out_at)
        return self._out_at == _HEAD

    def _check(self):
        if self._state > 1:
            raise OSError(self._state)

    def _sync(self):
        """Drop bytes up to the answer to our question; return whether it has come."""
        byte = self._head
        while self._serial.any() and not self._net.synced:
            self._serial.readinto(byte, 0, 1)
            self._matched = self._matched + 1 if byte[0] == self._hello[self._matched] else byte[0] == _MARK
            if self._matched == len(self._hello):
                self._net.synced = True
        return self._net.synced

    def _skip(self):
        """Drop what is left of a frame that is not ours; return whether all of it has come."""
        while self._left and self._serial.any():
            self._left -= len(self._serial_drop(min(self._left, 32)))
        return not self._left

    def _serial_drop(self, n):
        piece = bytearray(n)
        return piece[: self._serial.readinto(piece, 0, n)]

    def _look(self):
        """Take the next frame's head, and frames that carry no data."""
        if self._left and not self._skip() or self._serial.any() < _HEAD:
            return
        head = self._head
        self._serial.readinto(head, 0, _HEAD)
        if head[0] != _MARK:
            self._net.synced = False
            self._state = _EPIPE
            return
        self._left = head[3]
        ours = head[2] == self._net.generation
        self._mine = ours and head[1] == _DATA
        if ours and head[1] == _ACCEPTED:
            self._state = 1
        elif ours and head[1] in (_REFUSED, _CLOSE):
            self._state = _ECONNREFUSED if head[1] == _REFUSED else _EPIPE
