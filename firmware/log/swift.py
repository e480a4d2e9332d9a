"""Write an interval's payload straight into a buffer, by its known order: what a board without Thumb-2 does.

log.planned does the same in instructions of the machine. log.layout states it by tables, in ten times the
instructions. What is not as usual here ends in an exception, and the tables say what is wrong with it.
"""

import micropython
from micropython import const

from firmware.core.types import KIND_INTERVAL
from firmware.log.numbers import (
    OR_NULL,
    SIGNED,
    copy,
    put,
    put_array,
    put_long,
    put_longs,
    put_readings,
    put_rows,
    start,
)

_length = len  # a name of this module is found in an eighth of the time
_VERSION = const(1)
_KEYS = const(44)  # of an interval: 1 to 45 without 38


@micropython.native
def put_interval(out, seq, boot, prev, hashes, made, serials):
    """Write the payload of an Interval into `out`, which has room for all; return how many bytes.

    `hashes` are those of keys 6 to 8, `serials` key 44 and its value, encoded.
    """
    out[0] = 0xB8
    out[1] = _KEYS
    out[2] = 1
    out[3] = _VERSION
    out[4] = 2
    out[5] = KIND_INTERVAL
    at = put(out, put(out, 6, 3, seq, 0), 4, boot, 0)
    out[at] = 5
    at = put_hash(out, at + 1, prev)
    for i in range(3):
        out[at] = 6 + i
        at = put_hash(out, at + 1, hashes[i])
    at = copy(out, _put_fields(out, at, made), serials, _length(serials))
    return put_fuel(out, at, made.fuel_mg_per_l)


@micropython.native
def _put_fields(out, at, made):
    """Write keys 9 to 43."""
    one, some = put, put_array
    out[at] = 9
    at = one(out, at, 9, None, OR_NULL) if made.start_ms is None else put_long(out, at + 1, made.start_ms, 0)
    at = one(out, at, 10, made.duration_ms, OR_NULL)
    at = one(out, at, 11, made.uptime_ms, 0)
    at = one(out, at, 12, made.clock, 0)
    at = one(out, at, 13, made.clock_age_s, OR_NULL)
    at = one(out, at, 14, made.clock_error_ms, OR_NULL | SIGNED)
    at = one(out, at, 15, made.ticks_expected, 0)
    at = one(out, at, 16, made.ticks_ok, 0)
    at = one(out, at, 17, made.gap_max_ms, 0)
    at = one(out, at, 18, made.quality, 0)
    at = one(out, at, 19, made.flags, 0)
    at = one(out, at, 20, made.substituted_wh, 0)
    at = one(out, at, 21, made.substitute_method, 0)
    at = put_rows(out, at, made.meters)
    at = some(out, at, 23, made.sources_wh, 5)
    at = some(out, at, 24, made.uses_wh, 4)
    at = one(out, at, 25, made.residual_wh, SIGNED)
    at = some(out, at, 26, made.load_mix_wh, 5)
    at = put_longs(out, at, 27, made.pool_start, 4)
    at = put_longs(out, at, 28, made.pool_end, 4)
    at = one(out, at, 29, made.loss_wh, 0)
    at = one(out, at, 30, made.trueup_wh, SIGNED)
    at = one(out, at, 31, made.soc_permille, OR_NULL)
    at = some(out, at, 32, made.direct_mg_per_kwh, 5)
    at = some(out, at, 33, made.lifecycle_mg_per_kwh, 5)
    return _put_rest(out, at, made)


@micropython.native
def _put_rest(out, at, made):
    valid_from_s, age_s, kind = made.grid_factor
    at = put(out, start(out, at, 34, 3), 0, valid_from_s, OR_NULL)
    at = put(out, put(out, at, 0, age_s, OR_NULL), 0, kind, 0)
    at = put_longs(out, at, 35, made.carbon_direct_ug, 6)
    at = put_longs(out, at, 36, made.carbon_lifecycle_ug, 6)
    at = put_readings(out, put_array(out, at, 37, made.ticks, 5), made.registers)
    count, head = made.events
    at = put_hash(out, put(out, start(out, at, 40, 2), 0, count, 0), head)
    if made.witness is None:
        at = put(out, at, 41, None, OR_NULL)
    else:
        size, root, time_s = made.witness
        at = put_hash(out, put(out, start(out, at, 41, 3), 0, size, 0), root)
        at = put_long(out, at, time_s, 0)
    return put(out, put(out, at, 42, made.fuel_ml, OR_NULL), 43, made.work, OR_NULL)


@micropython.native
def put_hash(out, at, data):
    """Write a hash."""
    if _length(data) != 32:
        raise ValueError
    out[at] = 0x58
    out[at + 1] = 32
    return copy(out, at + 2, data, 32)


@micropython.native
def put_fuel(out, at, factors):
    """Write key 45."""
    return put(out, at, 45, None, OR_NULL) if factors is None else put_array(out, at, 45, factors, 2)
