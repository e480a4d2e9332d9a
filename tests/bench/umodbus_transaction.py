"""The same read by micropython-modbus 2.3.7, its UART and its waiting replaced by what costs next to nothing."""

import gc
import sys

import micropython

from tests.bench import modbus_transaction, stopwatch


class FakeUart:
    """A FAKE machine.UART: gives the answer, whole, at the first read after a request."""

    def __init__(self, *place, **settings):
        self._answer = bytes(modbus_transaction.answer())
        self._ready = False

    @micropython.native
    def write(self, data):
        """Take a request."""
        self._ready = True

    @micropython.native
    def flush(self):
        """Do nothing: the request has left."""

    @micropython.native
    def any(self):
        """Return the bytes that wait."""
        return 25 if self._ready else 0

    @micropython.native
    def read(self):
        """Return the answer, which is no new object, or None."""
        if self._ready:
            self._ready = False
            return self._answer
        return None


class FakeMachine:
    """What the package imports of machine."""

    UART = FakeUart
    Pin = None


class FakeTime:
    """What the package calls of time; nobody waits."""

    @staticmethod
    @micropython.native
    def ticks_us():
        """Return a clock that stands."""
        return 0

    @staticmethod
    @micropython.native
    def ticks_diff(a, b):
        """Return the difference."""
        return a - b

    @staticmethod
    @micropython.native
    def sleep_us(us):
        """Return at once."""


def reader():
    """Return a function that makes one read."""
    sys.modules["machine"] = FakeMachine
    from umodbus import serial

    serial.time = FakeTime
    host = serial.Serial(1, 115_200, pins=(1, 2))

    def read():
        return host.read_holding_registers(1, 0, modbus_transaction.REGISTERS, False)

    if tuple(read())[9] != 9 << 8 | 109:
        raise RuntimeError("the package reads something else")
    return read


def main():
    """Print the figures of both."""
    read = reader()
    ours = modbus_transaction.Transaction()
    ours.rest()
    ours.read()
    theirs_counts = []
    for _ in range(modbus_transaction.ROUNDS):
        gc.collect()
        gc.disable()
        theirs_counts.append(stopwatch.counts(read))
    ours_n = stopwatch.INSTRUCTIONS * stopwatch.median(modbus_transaction.rounds(ours))
    theirs_n = stopwatch.INSTRUCTIONS * stopwatch.median(theirs_counts)
    print({"ours": ours_n, "theirs": theirs_n, "theirs_alloc_bytes": stopwatch.allocated(read),
           "ours_alloc_bytes": stopwatch.allocated(ours.read)})
