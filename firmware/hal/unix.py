"""A Linux machine in real time: its clock, its serial ports or ptys, its entropy. MicroPython unix port and CPython."""

import select
import termios
import time

from firmware.core.ticks import MASK
from firmware.core.types import CLOCK_SET
from firmware.hal.platform import BasePlatform

_CFLAG = 0o60 | 0o200 | 0o4000  # CS8, CREAD, CLOCAL
_PARITY = {"N": 0, "E": 0o400, "O": 0o1400}
_CSTOPB = 0o100
_VTIME = 5
_VMIN = 6
_READ = 256
_COLLECT_EVERY = 2000  # idles


def _monotonic_us():
    return time.monotonic_ns() // 1000


def _ticks_us():
    return time.ticks_us()


# MicroPython's time has no monotonic_ns() on every build; CPython's has no ticks_us().
_now_us = _ticks_us if hasattr(time, "ticks_us") else _monotonic_us


class UnixSerial:
    """One serial device file, raw and non-blocking."""

    def __init__(self, path, baud, parity, stop_bits):
        self._file = open(path, "r+b", buffering=0)
        fd = self._file if not hasattr(self._file, "fileno") else self._file.fileno()
        speed = getattr(termios, "B%d" % baud, 0)
        cflag = _CFLAG | _PARITY[parity] | (_CSTOPB if stop_bits == 2 else 0)
        cc = termios.tcgetattr(fd)[6]
        cc[_VMIN] = 0
        cc[_VTIME] = 0
        termios.tcsetattr(fd, termios.TCSANOW, [0, 0, cflag, 0, speed, speed, cc])
        self.poller_object = self._file
        self._char_us = 11_000_000 // baud + 1
        self._busy_until_us = 0
        self._pending = b""
        self._at = 0

    def any(self):
        """Return the number of bytes received and not yet read."""
        if self._at == len(self._pending):
            self._pending = self._file.read(_READ) or b""
            self._at = 0
        return len(self._pending) - self._at

    def readinto(self, buf, off, n):
        """Move up to `n` received bytes to buf[off:]; return how many."""
        n = min(n, self.any())
        for i in range(n):
            buf[off + i] = self._pending[self._at + i]
        self._at += n
        return n

    def write(self, buf, n):
        """Send the first `n` bytes of `buf`."""
        self._file.write(bytes(memoryview(buf)[:n]))
        self._busy_until_us = _now_us() + n * self._char_us

    def tx_done(self):
        """Return True when the last byte should have left, by its time on the wire."""
        return _now_us() - self._busy_until_us >= 0


class Platform(BasePlatform):
    """Real time on Linux; UART n is the file or link `uart<n>` in the run folder."""

    def __init__(self, root):
        BasePlatform.__init__(self, root)
        self._poll = select.poll()
        self.set_utc(int(time.time()), CLOCK_SET)  # the machine's clock, without a word on who set it
        self._idles = 0
        self.collects_by_the_second = False

    def ms(self):
        """Return monotonic milliseconds, 30 bits, wrapping."""
        return (_now_us() // 1000) & MASK

    def us(self):
        """Return monotonic microseconds, 30 bits, wrapping."""
        return _now_us() & MASK

    def serial(self, index, baud, parity, stop_bits):
        """Open `uart<index>` of the run folder."""
        port = UnixSerial("%s/uart%d" % (self.root, index), baud, parity, stop_bits)
        self._poll.register(port.poller_object, select.POLLIN)
        return port

    def idle(self, us):
        """Wait at most `us` microseconds, or until bytes arrive."""
        self._idles += 1
        if self._idles % _COLLECT_EVERY == 0:
            self.collect()
        self._poll.poll(max(us // 1000, 1) if us > 0 else 0)

    def listen_to_host(self):
        """Do nothing: standard input is no console here."""

    def tidy(self):
        """Do nothing: idle() collects."""

    def network(self):
        """Return the machine's network."""
        from firmware.hal.net_socket import Network

        return Network()

    def entropy(self, count):
        """Return `count` bytes of the machine's own entropy."""
        with open("/dev/urandom", "rb") as source:
            return source.read(count)
