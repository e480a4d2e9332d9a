"""Finds each device of site.json on its bus, as its profile; the PCS is set up, and so stands at zero, first of all."""

from firmware.core import ticks
from firmware.core.types import BESS, GRID, ROLE_NAMES
from firmware.site.commission_bench import Abort

_TRY_MS = 5000
_COMMANDED = {"wind_limit": "limiter", "pv_limit": "pv_limiter", "genset_control": "genset", "bms": "bms"}
_WANTED = 3  # answers of a meter


def run(bench, tell):
    """Carry the step out; a generator. Raises Abort where PCS or grid meter are missing."""
    field, config = bench.field, bench.config
    devices = config["devices"]
    yield from field.pcs.start()
    bench.feed = field.pcs.ready
    for i, row in enumerate(devices):
        name = "%s: %s, bus %d unit %d" % (row["role"], row["profile"], row["bus"], row["unit"])
        tell.progress(name, i * 1000 // len(devices))
        role = row["role"]
        if role == "pcs":
            code, note = yield from _pcs(bench, field.pcs)
        elif role in _COMMANDED:
            code, note = yield from _commanded(getattr(field, _COMMANDED[role]))
        elif role in ROLE_NAMES and field.meters[ROLE_NAMES.index(role)] is not None:
            meter = field.meters[ROLE_NAMES.index(role)]
            if meter in field.sought and not meter.ready:
                yield from meter.start()
            code, note = yield from _meter(bench, ROLE_NAMES.index(role), meter)
        else:
            continue
        tell.device(i, name, code, note)
    yield from _count(bench, bench.soc)  # a BMS comes behind the PCS
    for role, what in ((BESS, "PCS"), (GRID, "grid meter")):
        if role not in bench.watched:
            raise Abort("NOT_FOUND", "without the %s nothing can be tested" % what)


def _pcs(bench, pcs):
    if not pcs.ready:
        return _no_answer(pcs.stats), pcs.trouble
    if pcs.local:
        return "PCS_LOCAL", ""
    yield from _count(bench, pcs.power)
    if not pcs.power.count:
        return "NOT_AS_PROFILE", "it states no power"
    bench.watched.append(BESS)
    if bench.soc is not pcs.soc:
        return "OK", ""
    yield from _count(bench, pcs.soc)
    return ("OK", "") if pcs.soc.count else ("SOC_UNKNOWN", "it states no state of charge")


def _commanded(device):
    if not device.ready:
        yield from device.start()
    return ("OK", "") if device.ready else (_no_answer(device.stats), device.trouble)


def _meter(bench, role, meter):
    yield from _count(bench, meter.power)
    if meter.power.count:
        bench.watched.append(role)
        return "OK", "%d W" % (meter.power.value * bench.unit_w)
    if meter.stats.answers:
        return "NOT_AS_PROFILE", "%d answers without a power in range" % meter.stats.answers
    return _no_answer(meter.stats), ""


def _count(bench, reading):
    """Wait until a reading has been taken a few times."""
    begin_ms = bench.ms()
    while reading.count < _WANTED and ticks.diff(bench.ms(), begin_ms) < _TRY_MS:
        yield


def _no_answer(stats):
    if stats.exceptions:
        return "REFUSED"
    return "GARBLED" if stats.crc else "NO_ANSWER"
