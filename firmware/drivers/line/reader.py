"""Reads single blocks of registers at start-up and in the background, again where no whole answer comes."""

from micropython import const

from firmware.drivers.line import modbus
from firmware.drivers.line.job import Job

_TRIES = const(3)
_BLOCK_MAX = const(64)
_REST_US = const(1000)


class Reader:
    """Reads single blocks of up to 64 registers; the last one stands in `data`."""

    def __init__(self, bus, unit, timeout_us, function=modbus.READ_HOLDING):
        self.data = bytearray(2 * _BLOCK_MAX)
        self._status = 0
        self._bus = bus
        self._job = Job(bus, unit, function, 0, 1, self, timeout_us)

    def read(self, address, count, tries=_TRIES):
        """Read registers, again where no whole answer comes; the generator returns a status."""
        if address + count > 0x10000:
            return modbus.EXCEPTION
        self._job.aim(address, count)
        for _ in range(tries):
            self._status = modbus.MORE
            self._bus.submit(self._job)
            while self._status == modbus.MORE:
                yield _REST_US  # to be resumed then: a wait must not eat the slack of others
            if self._status <= modbus.EXCEPTION:
                break
        return self._status

    def u16(self, index):
        """Return register `index` of the last block."""
        return self.data[2 * index] << 8 | self.data[2 * index + 1]

    def on_answer(self, job, buf, at):
        """Keep the answer's data."""
        for i in range(2 * job.count):
            self.data[i] = buf[at + i]
        self._status = modbus.OK

    def on_failure(self, job, status):
        """Keep why there is none."""
        self._status = status
