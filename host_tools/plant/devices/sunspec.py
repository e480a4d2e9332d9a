"""SunSpec register images laid out by the official model definitions of pysunspec2; points by name."""

from struct import Struct

from sunspec2 import mb, mdef
from sunspec2.device import Model

from host_tools.plant.devices.slave import ILLEGAL_VALUE, Slave

BASE = 40_000
_KEPT = 1_000
_MARK = b"SunS"
_END = b"\xff\xff\x00\x00"
_FORMATS = {
    mdef.TYPE_INT16: "h", mdef.TYPE_UINT16: "H", mdef.TYPE_ENUM16: "H", mdef.TYPE_BITFIELD16: "H",
    mdef.TYPE_SUNSSF: "h", mdef.TYPE_COUNT: "H", mdef.TYPE_ACC16: "H", mdef.TYPE_INT32: "i",
    mdef.TYPE_UINT32: "I", mdef.TYPE_ENUM32: "I", mdef.TYPE_BITFIELD32: "I", mdef.TYPE_ACC32: "I",
    mdef.TYPE_FLOAT32: "f", mdef.TYPE_INT64: "q", mdef.TYPE_UINT64: "Q", mdef.TYPE_ACC64: "Q",
}


class Field:
    """One point of an image: where it lies and how it is packed."""

    def __init__(self, image, register, point):
        kind = point.pdef[mdef.TYPE]
        self._image = image
        self._struct = Struct(">" + _FORMATS[kind]) if kind in _FORMATS else None
        self.missing = mb.create_unimpl_value(kind, len=2 * point.len)
        self.register = register  # from the image's start
        self.count = point.len

    def get(self):
        """Return the raw integer."""
        return self._struct.unpack_from(self._image, 2 * self.register)[0]

    def put(self, value):
        """Store a raw integer."""
        self.put_into(self._image, value)

    def put_into(self, image, value):
        """Store a raw integer into a copy of the image."""
        self._struct.pack_into(image, 2 * self.register, value)

    @property
    def implemented(self):
        """False where the registers hold the standard's "not implemented"."""
        at = 2 * self.register
        return bytes(self._image[at:at + 2 * self.count]) != self.missing


class SunSpecSlave(Slave):
    """A device with a SunSpec image at 40000, read by FC03 and written by FC16 where the model says RW."""

    writable = True
    turnaround_us = (2_000, 5_000)
    fault_state = {}  # (model id, point) -> raw value that says fault

    def __init__(self, unit, role, rng, models):
        """Lay out [(model id, {point: raw value})] in this order; points not named are "not implemented"."""
        self.fields = {}  # (model id, point) -> Field
        self._writable = set()
        self._choices = []  # (field, values that may be written)
        self._plans = {}
        self._touched = {}  # what touches() has found
        image = bytearray(_MARK)
        for model_id, values in models:
            self._lay_out(image, model_id, values)
        image += _END
        super().__init__(unit, role, BASE, image, rng)

    def _lay_out(self, image, model_id, values):
        model = Model(model_id, data=values)
        start = len(image) // 2
        for name, point in model.points.items():
            field = Field(image, start + point.offset, point)
            self.fields[model_id, name] = field
            if point.pdef.get(mdef.ACCESS) == mdef.ACCESS_RW:
                self._writable.update(range(field.register, field.register + field.count))
                if mdef.SYMBOLS in point.pdef and point.pdef[mdef.TYPE].startswith("enum"):
                    self._choices.append((field, {entry["value"] for entry in point.pdef[mdef.SYMBOLS]}))
        image += model.get_mb()

    def get(self, model_id, point):
        """Return a point's raw value."""
        return self.fields[model_id, point].get()

    def put(self, model_id, point, value):
        """Set a point's raw value."""
        self.fields[model_id, point].put(value)

    def touches(self, model_id, points, first, count):
        """Return True when a range of registers holds any of some points, a tuple."""
        key = model_id, points, first, count
        touched = self._touched.get(key)
        if touched is None:
            fields = [self.fields[model_id, point] for point in points]
            touched = any(first < field.register + field.count and field.register < first + count for field in fields)
            if len(self._touched) < _KEPT:
                self._touched[key] = touched
        return touched

    def may_write(self, first, count):
        """Return True when every register of the range is RW in its model."""
        return self._writable.issuperset(range(first, first + count))

    def written(self, first, count, t_us):
        """Refuse enumerated values that the model does not name, then act."""
        for field, values in self._choices:
            if first <= field.register < first + count and field.get() not in values:
                return ILLEGAL_VALUE
        self.act(first, count, t_us)
        return 0

    def act(self, first, count, t_us):
        """Do what registers just written ask for."""

    def live(self):
        """Return [(model id, points, function of t_us that brings them up to date)]."""
        return []

    def masked(self):
        """Return the image with zeros, or "not implemented", in what changes by itself."""
        image = bytearray(self.image)
        for model_id, points, _ in self.live():
            for point in points:
                field = self.fields[model_id, point]
                at = 2 * field.register
                image[at:at + 2 * field.count] = (bytes(2 * field.count) if self.untruth.zeros else field.missing)
        if self.untruth.zeros:
            for key, value in self.fault_state.items():
                self.fields[key].put_into(image, value)
        return image

    def refresh(self, first, count, t_us):
        """Bring up to date what a read covers; which functions that needs is kept per range."""
        plan = self._plans.get((first, count))
        if plan is None:
            plan = [show for model_id, points, show in self.live()
                    if self.touches(model_id, points, first, count)]
            if len(self._plans) < _KEPT:
                self._plans[first, count] = plan
        for show in plan:
            show(t_us)


def scale_for(largest, limit=32_767):
    """Return the smallest power of ten >= 0 with which a value fits a register."""
    power = 0
    while largest > limit * 10 ** power:
        power += 1
    return power


def scaled(value, power):
    """Return the raw value of a quantity under a scale factor, rounded half away from zero."""
    raw = value / 10 ** power if power >= 0 else value * 10 ** -power
    return int(raw + 0.5) if raw >= 0 else -int(0.5 - raw)
