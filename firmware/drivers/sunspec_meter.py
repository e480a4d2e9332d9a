"""A SunSpec meter: models 201-204 (integers with scale factors) and 211-214 (float32), found by discovery.

Import is positive; a meter that has it the other way round is turned by `invert` in site.json. Scale factors are read
together with what they scale, because some meters change them as they go. An accumulator of 0 is "not implemented".
"""

import micropython
from micropython import const

from firmware.core.errors import BusError
from firmware.drivers import ratio, regmap, sunspec
from firmware.drivers import sunspec_models_200 as models
from firmware.drivers.line.reader import Reader
from firmware.drivers.meter import Meter, turned
from firmware.drivers.misses import Misses
from firmware.drivers.ratio import INVALID, LIMIT_PU, S16, read
from firmware.drivers.regmap import sunspec_ratio

_MODELS = (203, 204, 202, 201, 213, 214, 212, 211)
_FLOATS = const(211)  # models from here on hold float32
_EXPONENT_MAX = const(10)
_REST_US = const(1000)
_BLOCKS = const(2)  # of what is read every few seconds
# Name, point, how many of the name's unit are one of the point's.
_SLOW = (("import_wh", "TotWhImp", 1), ("export_wh", "TotWhExp", 1), ("frequency_mhz", "Hz", 1000))
_PHASES = (("power_l1_w", "WphA", 1), ("power_l2_w", "WphB", 1), ("power_l3_w", "WphC", 1))


class SunspecMeter(Meter):
    """One SunSpec meter; `start()` must have run to its end before anything is asked of it."""

    def __init__(self, bus, unit, profile, scale, sign=1, timeout_us=200_000, lost_after=5):
        Meter.__init__(self, bus, unit, profile, scale, sign, timeout_us)
        self.slow.reserve(_BLOCKS)  # so that the bus's time is reckoned with them before the meter is found
        self.ready = False  # found, set up, and answering
        self.trouble = ""  # why it is not ready: a code
        self.model = 0
        self.found = sunspec.Discovery()
        self._scale = scale
        self._missed = Misses(lost_after)
        self._starting = False
        self._reader = Reader(bus, unit, timeout_us)
        self._ratios = None  # of an integer model: the cells of a Ratio for each exponent

    def tells_grid(self, profile):
        """Go on as it does: the frequency is read anyway."""

    # ---- start

    def start(self):
        """Find the meter and its model: a generator, at once over where another is at it."""
        if self._starting:
            return
        self._starting = True
        self.ready = False
        self.trouble = ""
        try:
            yield from self._set_up()
            self._missed.count = 0
            self.ready = True
        except BusError as error:
            self.trouble = error.code
        finally:
            self._starting = False

    def _set_up(self):
        yield from self.found.run(self._reader)
        if self.found.result > sunspec.UNENDED:
            raise BusError(sunspec.RESULT_NAMES[self.found.result])
        self.serial = yield from self.found.serial(self._reader)
        self.model = self._choose()
        while self.busy() or self.slow.open() or self.phases.open():
            yield _REST_US  # what was asked before it was lost is still under way
        table = models.MODEL_213 if self.model >= _FLOATS else models.MODEL_203
        if self.model >= _FLOATS:
            self._ratios = None
            self._cells = self._scale.power((0, ratio.F32, 1, 1, "power_w")).cells
            self._job.aim(self._address(table, "W"), 2, 2)
        else:
            unit_w = self._scale.unit_w
            self._ratios = [sunspec_ratio(S16, exponent, (1, unit_w), LIMIT_PU).cells
                            for exponent in range(-_EXPONENT_MAX, _EXPONENT_MAX + 1)]
            self._job.aim(self._address(table, "W"), 5, 1)  # with the phases between it and its scale factor
        self.slow.aim(self._profile, self._rows(table, _SLOW))
        self.phases.aim(self._profile, self._rows(table, _PHASES))

    def _choose(self):
        for model in _MODELS:
            if model in self.found.models:
                row = (models.MODEL_213 if model >= _FLOATS else models.MODEL_203)[-1]
                if self.found.lengths[model] < row[0] + row[2] - 2:
                    raise BusError("SHORT_MODEL_%d" % model)
                return model
        raise BusError("NO_MODEL_20X")

    def _address(self, table, point):
        return self.found.address(self.model, sunspec.offset(table, point))

    def _rows(self, table, points):
        """Return the rows that a Slow reads: the points by our names, as they stand, and their scale factors."""
        rows = []
        factors = []
        for name, point, num in points:
            kind = sunspec.find(table, point)[1]
            if kind == sunspec.F32:
                rows.append((self._address(table, point), ratio.F32, num, 1, name))
                continue
            kind = regmap.ACC32 if kind == sunspec.ACC32 else S16
            rows.append((self._address(table, point), kind, 1, 1, name))
            factor = sunspec.find(table, point)[3]
            if factor not in factors:
                factors.append(factor)
                rows.append((self._address(table, factor), S16, 1, 1, factor))
        return rows

    # ---- run

    @micropython.native
    def request(self):
        """Ask for the power; returns False where that is under way, or the meter is not ready."""
        return self.ready and self._bus.submit(self._job)

    @micropython.native
    def request_slow(self):
        """Ask for energies and frequency, as Meter does."""
        return self.ready and self.slow.request()

    @micropython.native
    def request_phases(self):
        """Ask for the power of each phase, as Meter does."""
        return self.ready and self.phases.request()

    def values(self):
        """Return {name: value in the unit that ends it, or None}, as Meter does."""
        raw = self.slow.values()
        raw.update(self.phases.values())
        found = {}
        for name, point, num in _SLOW + _PHASES:
            found[name] = raw.get(name)
            if found[name] is not None and self._ratios:
                factor = raw[sunspec.find(models.MODEL_203, point)[3]]
                found[name] = _scaled(found[name], factor, num)
        return found if self._sign > 0 else turned(found)

    @micropython.native
    def on_answer(self, job, buf, at):
        """Take the power from an answer, by the scale factor in it."""
        self._missed.count = 0
        cells = self._cells
        if self._ratios is not None:
            exponent = buf[at + 8] << 8 | buf[at + 9]
            if exponent == 0x8000:
                exponent = 0
            elif exponent > 0x7FFF:
                exponent -= 0x10000
            cells = None
            if -_EXPONENT_MAX <= exponent <= _EXPONENT_MAX:
                cells = self._ratios[exponent + _EXPONENT_MAX]
        value = INVALID
        if cells is not None:
            value = read(cells, buf, at)
        if value == INVALID:
            self.invalid += 1
            self.power.fail()
        else:
            self.power.take(value * self._sign, job.sent_ms)

    @micropython.native
    def on_failure(self, job, status):
        """Count a failure; after enough in a row (drivers.misses) the meter is not ready, and wants start() again."""
        self.power.fail()
        self._missed.add(job.sent_ms)
        if self._missed.enough():
            self.ready = False
            self.trouble = "LOST"


def _scaled(raw, exponent, num):
    """Return raw * 10**exponent * num rounded to nearest, or None where the exponent is none."""
    if exponent is None:
        exponent = 0
    if not -_EXPONENT_MAX <= exponent <= _EXPONENT_MAX:
        return None
    return regmap.rounded(raw, num * 10 ** max(exponent, 0), 10 ** max(-exponent, 0))
