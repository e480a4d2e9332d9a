"""Every kind of record by its tables: which fields, in which order, of which shape. SPEC.md says what each means.

payload() writes any of them, a few fields a slice, and says what is wrong with one; what the board writes each quarter
hour goes through log.swift.
"""

from micropython import const

from firmware.core import cbor
from firmware.core.errors import LogError

VERSION = const(1)
_MAP = const(0xA0)
_ARRAY = const(0x80)
_NULL = const(0xF6)
_SERIAL_MAX = const(32)
_TOLD = const(40)  # items or letters of a wrong value

# (key, attribute of Interval, shape): u is 0..2**64-1, i is -2**63..2**63-1, n is u or null, s is i or null, h is a
# hash, k is a kid, t is text or null; several letters are an array of such, a star before them an array of rows like
# that, a question mark an array or null
_CLOCK_FIELDS = (
    (9, "start_ms", "n"),
    (10, "duration_ms", "n"),
    (11, "uptime_ms", "u"),
    (12, "clock", "u"),
    (13, "clock_age_s", "n"),
    (14, "clock_error_ms", "s"),
)
INTERVAL_FIELDS = _CLOCK_FIELDS + (
    (15, "ticks_expected", "u"),
    (16, "ticks_ok", "u"),
    (17, "gap_max_ms", "u"),
    (18, "quality", "u"),
    (19, "flags", "u"),
    (20, "substituted_wh", "u"),
    (21, "substitute_method", "u"),
    (22, "meters", "*uuuuuu"),
    (23, "sources_wh", "uuuuu"),
    (24, "uses_wh", "uuuu"),
    (25, "residual_wh", "i"),
    (26, "load_mix_wh", "uuuuu"),
    (27, "pool_start", "uuuu"),
    (28, "pool_end", "uuuu"),
    (29, "loss_wh", "u"),
    (30, "trueup_wh", "i"),
    (31, "soc_permille", "n"),
    (32, "direct_mg_per_kwh", "uuuuu"),
    (33, "lifecycle_mg_per_kwh", "uuuuu"),
    (34, "grid_factor", "nnu"),
    (35, "carbon_direct_ug", "uuuuuu"),
    (36, "carbon_lifecycle_ug", "uuuuuu"),
    (37, "ticks", "uuuuu"),
    (39, "registers", "*uunnnnss"),
    (40, "events", "uh"),
    (41, "witness", "?uhu"),
    (42, "fuel_ml", "n"),
    (43, "work", "n"),
    (44, "serials", "*ut"),
    (45, "fuel_mg_per_l", "?uu"),
)
GAP_FIELDS = _CLOCK_FIELDS + (
    (27, "pool_start", "uuuu"),
    (28, "pool_end", "uuuu"),
    (38, "reason", "u"),
    (40, "events", "uh"),
)
KEYS_FIELDS = _CLOCK_FIELDS + (
    (27, "pool_start", "uuuu"),
    (28, "pool_end", "uuuu"),
    (40, "events", "uh"),
    (46, "next_record_key", "khh"),
    (47, "next_checkpoint_key", "khh"),
)
FIELDS = {1: INTERVAL_FIELDS, 2: GAP_FIELDS, 3: KEYS_FIELDS}
_LINKS = const(8)  # keys 1..8 come from the chain
_FIELDS_A_SLICE = const(8)


def payload(interval, seq, boot, prev, firmware, config, factor_table):
    """Yield while encoding one record's payload; return it as bytes. Nothing is encoded by halves."""
    fields = FIELDS.get(interval.kind)
    if fields is None:
        raise LogError("RECORD_KIND", "kind %s is unknown; allowed 1 interval, 2 gap, 3 keys" % interval.kind)
    out = bytearray()
    cbor.put_head(out, _MAP, _LINKS + len(fields))
    values = (VERSION, interval.kind, seq, boot, prev, firmware, config, factor_table)
    for i in range(_LINKS):
        out.append(i + 1)
        cbor.put(out, values[i])
    for first in range(0, len(fields), _FIELDS_A_SLICE):
        yield
        for key, name, shape in fields[first : first + _FIELDS_A_SLICE]:
            put_field(out, key, name, shape, getattr(interval, name, _ABSENT))
    return bytes(out)


_ABSENT = "no such attribute"  # of no shape, so it is refused like any wrong value


def put_field(out, key, name, shape, value):
    """Append a key and a value of this shape to the bytearray `out`."""
    cbor.put_head(out, 0, key)
    if shape[0] == "*":
        _put_rows(out, name, shape[1:], value)
    elif shape[0] == "?" and value is None:
        out.append(_NULL)
    elif shape[0] == "?":
        _put_array(out, name, shape[1:], value)
    elif len(shape) > 1:
        _put_array(out, name, shape, value)
    else:
        _put_one(out, name, shape, value)


def _put_array(out, name, shape, value):
    if type(value) is not list and type(value) is not tuple or len(value) != len(shape):
        _refuse(name, shape, value)
    out.append(_ARRAY | len(shape))
    done = 0 if shape.strip("un") else cbor.put_unsigned(out, value)
    while done < len(shape):  # from the first that is no number on, one by one
        _put_one(out, name, shape[done], value[done])
        done += 1


def _put_rows(out, name, shape, value):
    if type(value) is not list and type(value) is not tuple:
        _refuse(name, shape, value)
    cbor.put_head(out, _ARRAY, len(value))
    for row in value:
        _put_array(out, name, shape, row)


def _put_one(out, name, shape, value):
    if value is None and shape in "nst":
        out.append(_NULL)
    elif shape == "h" and type(value) is bytes and len(value) == 32:
        cbor.put(out, value)
    elif shape == "k" and type(value) is bytes and len(value) == 8:
        cbor.put(out, value)
    elif shape == "t" and type(value) is str and 0 < len(value.encode()) <= _SERIAL_MAX:
        cbor.put(out, value)
    elif type(value) is int and shape in "uins" and \
            (-1 <= value >> 63 <= 0 if shape in "is" else value >= 0):
        cbor.put_int(out, value)
    else:
        _refuse(name, shape, value)


def _refuse(name, shape, value):
    if type(value) in (list, tuple, str, bytes) and len(value) > _TOLD:  # in full it might not fit into the heap
        value = type(value), len(value)
    raise LogError("RECORD_FIELD", "%s: %r is not of shape %s; SPEC.md has the fields" % (name, value, shape))
