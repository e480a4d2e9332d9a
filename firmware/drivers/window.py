"""The bytes that come after a request, and where among them its answer is.

The answer is looked for where it should begin: behind what came before the request's last byte had left, and
behind the request's own echo. Elsewhere (behind noise or another's frame) only a whole right frame with
silence after it counts.
"""

import micropython
from micropython import const

from firmware.drivers import modbus
from firmware.drivers.hot import bind

_MORE = const(1)
_TIMEOUT = const(3)
_CUT = const(4)
_WRONG_LENGTH = const(8)
_OK = const(0)
_EXCEPTION = const(2)
_SIZE = const(288)  # the longest answer (255), the echo of the longest request in use, and a little noise


class Window:
    """The receive buffer of one bus."""

    def __init__(self):
        self.rx = bytearray(_SIZE)
        self.n = 0
        self.base = 0  # where the answer may begin
        self.at = 0  # where a frame that was judged right begins
        self.echo = False  # the adapter repeats what is sent
        self.verdict = _MORE
        self._frame = self.rx
        self._frame_n = 0
        self._answer_n = 0
        self._write_one = False
        self._spilt = False  # more came than fits: only a frame before a silence counts
        bind(self, ("open", "take", "judge"))

    @micropython.native
    def open(self, frame, answer_n):
        """Start afresh for the answer, of `answer_n` bytes, to the request in `frame`."""
        self.n = 0
        self.base = 0
        self.verdict = _MORE
        self._spilt = False
        self._frame = frame
        self._frame_n = len(frame)
        self._answer_n = answer_n
        self._write_one = frame[1] == 6

    @micropython.native
    def take(self, serial, n):
        """Move the `n` > 0 bytes that have come into the buffer; returns how many there was room for."""
        have = self.n
        if have == _SIZE:
            have = self.base = 0
            self._spilt = True
        if n > _SIZE - have:
            n = _SIZE - have
        n = serial.readinto(self.rx, have, n)
        self.n = have + n
        return n

    @micropython.native
    def bar(self):
        """Nothing that is here by now can be the answer: the request has not left yet."""
        self.base = self.n

    @micropython.native
    def intruder(self):
        """Return the first byte of what came before the request had left, -1 for nothing but its echo."""
        n = min(self.base, self._frame_n)
        return -1 if not n or modbus.same(self.rx, self._frame, n) else self.rx[0]

    @micropython.native
    def judge(self):
        """Judge the bytes where the answer should begin; returns a status."""
        if self._spilt:
            self.verdict = _WRONG_LENGTH
            return _WRONG_LENGTH
        frame = self._frame
        if self.rx[2] == frame[2]:
            self._skip_echo()
        base = self.base
        self.at = base
        verdict = modbus.check(frame, self.rx, base, self.n - base)
        self.verdict = verdict
        if not verdict and not base and self.echo:
            self.echo = self._write_one
        return verdict

    @micropython.native
    def _skip_echo(self):
        n = self._frame_n
        if self.base >= n or self.n < n or not modbus.same(self.rx, self._frame, n):
            return
        # A write of one register is answered by its own copy: an echo only where others have shown one.
        if self.echo or not self._write_one:
            self.echo = True
            self.base = n

    @micropython.native
    def judge_tail(self):
        """Judge the last bytes before a silence as a whole answer, or a whole exception; returns a status."""
        if self.verdict != _MORE:
            if self._tail(self._answer_n) == _OK:
                return _OK
            if self._tail(5) == _EXCEPTION:
                return _EXCEPTION
        return self.verdict

    @micropython.native
    def _tail(self, n):
        self.at = self.n - n
        if self.at < self.base:
            return _MORE
        return modbus.check(self._frame, self.rx, self.at, n)

    @micropython.native
    def outcome(self):
        """Return the status of a request whose time is over."""
        if self.n <= self.base:
            return _TIMEOUT
        return _CUT if self.verdict == _MORE else self.verdict
