"""SunSpec: find a device's models, and decode single points. Start-up only: this may allocate.

Everything is a generator that yields while the bus is at work; whoever runs it goes on with other things
meanwhile.
"""

from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import ratio
from firmware.drivers.line import modbus

# Kinds of point beside ratio.S16, U16, S32 and U32.
ENUM16 = const(16)
BITS16 = const(17)
BITS32 = const(18)
U64 = const(19)
SF = const(20)  # scale factor, -10 .. 10
TEXT = const(21)
PAD = const(22)
ACC32 = const(23)  # accumulators: 0 stands for "not implemented"
ACC64 = const(24)
F32 = const(4)  # the bits of an IEEE 754 number

# How a discovery ended.
FOUND = const(0)
UNENDED = const(1)  # models were found, but no end model after them
SILENT = const(2)  # no answer
NOT_SUNSPEC = const(3)  # answers, but has no SunSpec mark at any base
BROKEN = const(4)  # stopped answering on the way
RESULT_NAMES = ("FOUND", "UNENDED", "SILENT", "NOT_SUNSPEC", "BROKEN")

BASES = (40_000, 0, 50_000, 500)  # the standard's, and Sinexcel's
_MODELS_MAX = const(64)
_COMMON = const(1)
_SERIAL_AT = const(50)
_SERIAL_WORDS = const(16)
_END = const(0xFFFF)
_NO_SF = const(0x8000)


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

    def run(self, reader, bases=BASES):
        """Try the bases, then walk the chain of models; of a model that comes twice the first one counts."""
        self.result = SILENT
        self.models.clear()
        self.lengths.clear()
        for base in bases:
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


    def serial(self, reader):
        """Read the serial number of the common model; return it as text, None where the device tells none."""
        if _COMMON not in self.models or self.lengths[_COMMON] < _SERIAL_AT + _SERIAL_WORDS - 2:
            return None
        status = yield from reader.read(self.address(_COMMON, _SERIAL_AT), _SERIAL_WORDS)
        return _plain(bytes(reader.data[:2 * _SERIAL_WORDS])) if status == modbus.OK else None


def _plain(raw):
    """Return text of printable ASCII without what fills it up, or None."""
    raw = raw.split(b"\x00")[0].strip()
    for byte in raw:
        if not 0x20 <= byte < 0x7F:
            return None
    return raw.decode() if raw else None


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
    if kind in (ACC32, ACC64):
        return value or None
    if kind == F32:
        return None if value & 0x7F800000 == 0x7F800000 and value & 0x7FFFFF else value
    return None if value == (1 << bits) - 1 else value


def exponent(raw):
    """Return the exponent that a scale factor register holds, -10 .. 10; 0 where it is not implemented."""
    if raw == _NO_SF:
        return 0
    value = raw - 0x10000 if raw & 0x8000 else raw
    if not -10 <= value <= 10:
        raise BusError("SCALE_FACTOR", "scale factor %d; SunSpec allows -10..10" % value)
    return value
