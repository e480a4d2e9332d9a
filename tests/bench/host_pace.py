"""Let virtual time wait for the host: a call into the emulator that returns when the host allows it, and takes none.

Under -icount an idle board's clock jumps, and no server of the host ever gets to its answer. Arm's semihosting stops
the processor inside a read from a pipe: the host has all the time it wants, and not an instruction is counted.
"""

from array import array

import micropython
import mps2
import uctypes
from micropython import const

from tests.bench.paced import Paced

_OPEN = const(1)
_WRITE = const(5)
_READ = const(6)
_READING = const(0)
_WRITING = const(4)
_KNOWN_AT = const(15 << 20)  # in the flash, far behind its files
_KNOWN = const(100)  # requests of a line
_SLOT = const(272)
_HEAD = const(6)  # bytes that tell a request from others


@micropython.asm_thumb
def _semihost(r0, r1):
    data(2, 0xBEAB)  # noqa: F821 - BKPT 0xAB, in the words of the assembler


class Host:
    """The host behind two pipes in a folder of its own: `asks` and `says`."""

    def __init__(self, folder):
        self._asks = _opened(folder + "/asks", _WRITING)
        self._says = _opened(folder + "/says", _READING)
        self._cell = array("B", (46,))
        at = uctypes.addressof(self._cell)
        self._ask = array("I", (self._asks, at, 1))
        self._hear = array("I", (self._says, at, 1))
        self._data = array("I", (0, 0, 0))

    @micropython.native
    def pause(self):
        """Let the host go on; return the letter that it says then."""
        self._cell[0] = 46
        _semihost(_WRITE, self._ask)
        _semihost(_READ, self._hear)
        return self._cell[0]

    @micropython.native
    def answer(self, request, n, into):
        """Put what the simulated device of the host says to a request of n bytes at `into`; return its length."""
        data = self._data
        self._cell[0] = n
        _semihost(_WRITE, self._ask)
        data[0], data[1], data[2] = self._asks, uctypes.addressof(request), n
        _semihost(_WRITE, data)
        _semihost(_READ, self._hear)
        count = self._cell[0]
        if count:
            data[0], data[1], data[2] = self._says, into, count
            _semihost(_READ, data)
        return count


def _opened(path, mode):
    name = path.encode() + b"\0"
    handle = _semihost(_OPEN, array("I", (uctypes.addressof(name), mode, len(name) - 1)))
    if handle < 0:
        raise OSError("the host does not open " + path)
    return handle


class Line(Paced):
    """A FAKE line at its pace: each request is asked of the host once, and answered so from then on.

    A set point is known by its head: what the device says does not depend on the values that are written. What is
    known lies behind the flash's files: none of this shall take the firmware's heap.
    """

    def __init__(self, host, index, baud, turnaround_us):
        Paced.__init__(self, baud, 35_000_000 // baud + turnaround_us)
        self._host = host
        self._known = uctypes.bytearray_at(mps2.flash_addr() + _KNOWN_AT + index * _KNOWN * _SLOT, _KNOWN * _SLOT)
        self._count = 0

    @micropython.native
    def write(self, buf, n):
        """Send a request."""
        self._send(n)
        known = self._known
        for at in range(0, self._count * _SLOT, _SLOT):
            i = 0
            while i < _HEAD and known[at + i] == buf[i]:
                i += 1
            if i == _HEAD:
                break
        else:
            at = self._learn(buf, n)
        self._begin(known, at + _HEAD + 1, known[at + _HEAD])

    @micropython.native
    def _learn(self, buf, n):
        """Ask the host what a device answers, keep it, and return its place."""
        if self._count == _KNOWN:
            raise OSError("the line knows all the requests that it can")
        known, at = self._known, self._count * _SLOT
        self._count += 1
        for i in range(_HEAD):
            known[at + i] = buf[i]
        known[at + _HEAD] = self._host.answer(buf, n, uctypes.addressof(known) + at + _HEAD + 1)
        return at
