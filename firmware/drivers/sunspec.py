"""SunSpec: find a device's models, and decode single points. Start-up only: this may allocate.

Everything is a generator that yields while the bus is at work; whoever runs it goes on with other things
meanwhile.
"""

from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import modbus, ratio
from firmware.drivers.job import Job

# Kinds of point beside ratio.S16, U16, S32 and U32.
ENUM16 = const(16)
BITS16 = const(17)
BITS32 = const(18)
U64 = const(19)
SF = const(20)  # scale factor, -10 .. 10
TEXT = const(21)
PAD = const(22)

# How a discovery ended.
FOUND = const(0)
UNENDED = const(1)  # models were found, but no end model after them
SILENT = const(2)  # no answer
NOT_SUNSPEC = const(3)  # answers, but has no SunSpec mark at any base
BROKEN = const(4)  # stopped answering on the way
RESULT_NAMES = ("FOUND", "UNENDED", "SILENT", "NOT_SUNSPEC", "BROKEN")

BASES = (40_000, 0, 50_000)
_MODELS_MAX = const(64)
_END = const(0xFFFF)
_TRIES = const(3)
_BLOCK_MAX = const(64)
_NO_SF = const(0x8000)


_REST_US = const(1000)


class Reader:
    """Reads single blocks of up to 64 holding registers; the last one stands in `data`."""

    def __init__(self, bus, unit, timeout_us):
        self.data = bytearray(2 * _BLOCK_MAX)
        self._status = 0
        self._bus = bus
        self._job = Job(bus, unit, modbus.READ_HOLDING, 0, 1, self, timeout_us)

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


class Discovery:
    """What a device has: `models` gives the address of a model's ID register, `lengths` its length L."""

    def __init__(self):
        self.result = SILENT
        self.base = 0
        self.models = {}
        self.lengths = {}

    def address(self, model, offset):
        """Return the address of a point of a model."""
        return self.models[model] + offset

    def run(self, reader):
        """Try the bases, then walk the chain of models; of a model that comes twice the first one counts."""
        self.result = SILENT
        self.models.clear()
        self.lengths.clear()
        for base in BASES:
            status = yield from reader.read(base, 2, 1)
            if status == modbus.OK and bytes(reader.data[:4]) == b"SunS":
                self.base = base
                yield from self._walk(reader, base + 2)
                return
            if status <= modbus.EXCEPTION:
                self.result = NOT_SUNSPEC

    def _walk(self, reader, address):
        self.result = UNENDED
        for _ in range(_MODELS_MAX):
            # ID and L are read separately: some devices have no L behind the end model's ID.
            status = yield from reader.read(address, 1)
            model = reader.u16(0)
            if status == modbus.OK and model == _END:
                self.result = FOUND
                return
            if status == modbus.OK:
                # With the register behind it, so that this answer differs from the one before.
                status = yield from reader.read(address + 1, 2)
            if status == modbus.EXCEPTION:
                return
            if status != modbus.OK:
                self.result = BROKEN
                return
            if model not in self.models:
                self.models[model] = address
                self.lengths[model] = reader.u16(0)
            address += 2 + reader.u16(0)


def find(table, name):
    """Return the row of a point; raises BusError where the model has none."""
    for row in table:
        if row[4] == name:
            return row
    raise BusError("NO_POINT", "the model has no point %s" % name)


def offset(table, name):
    """Return a point's offset from the model's ID register."""
    return find(table, name)[0]


def point(row, buf, at):
    """Return the raw value of the point at buf[at], or None where it is not implemented."""
    kind = row[1]
    raw = bytes(buf[at:at + 2 * row[2]])
    if kind == TEXT:
        text = raw.rstrip(b"\x00")
        return text.decode() if text else None
    value = int.from_bytes(raw, "big")
    if kind == PAD:
        return value
    bits = 16 * row[2]
    if kind in (ratio.S16, ratio.S32, SF):
        if value >> (bits - 1):
            value -= 1 << bits
        return None if value == -(1 << (bits - 1)) else value
    return None if value == (1 << bits) - 1 else value


def exponent(raw):
    """Return the exponent that a scale factor register holds, -10 .. 10; 0 where it is not implemented."""
    if raw == _NO_SF:
        return 0
    value = raw - 0x10000 if raw & 0x8000 else raw
    if not -10 <= value <= 10:
        raise BusError("SCALE_FACTOR", "scale factor %d; SunSpec allows -10..10" % value)
    return value
