"""Name the fields of a record, format version 1: key, name with unit, type, range, parts.

One line a field. `check` is the integrity side of it: every key of the kind present and no other, every value
of its type and in its range.
"""

VERSION = 1
INTERVAL = 1
GAP = 2
KEY_CHANGE = 3

U64 = (1 << 64) - 1
S64 = 1 << 63
_HASH = ("bytes", 32)
_COUNT = ("int", 0, U64)
_ENERGY = ("int", 0, U64)
_SIGNED = ("int", -S64, S64 - 1)
_FACTOR = ("int", 0, U64)
_CARBON = ("int", 0, U64)

ROLES = ("load", "grid", "bess", "wind", "pv", "genset")
SOURCES = ("wind", "pv", "genset", "grid_import", "bess_discharge")
USES = ("load", "bess_charge", "grid_export", "aux")
MIX = ("wind", "pv", "genset", "grid", "bess")
FACTORS = ("wind", "pv", "genset", "grid", "bess_substitute")
POOL = ("energy_wh", "direct_ug", "lifecycle_ug", "remainder_ppm")
CARBON = ("load", "bess_charge", "grid_export", "aux", "write_off", "bess_out")
GRID_FACTOR = ("valid_from_s", "age_s", "kind")
TICKS = ("runs", "late", "late_max_us", "missed", "over_budget")
METER = ("role", "answers", "time_outs", "errors", "refused", "state")
REGISTER = ("role", "formed", "import_start_wh", "import_end_wh", "export_start_wh", "export_end_wh",
            "import_difference_wh", "export_difference_wh")
EVENTS = ("count", "head")
WITNESS = ("size", "root", "time_s")
SERIAL = ("role", "serial")
FUEL_FACTORS = ("direct", "lifecycle")

KEY = ("kid", "x", "y")

KINDS = {1: "interval", 2: "gap", 3: "key change"}
CLOCKS = {0: "unknown", 1: "set", 2: "synchronised", 3: "holding"}
QUALITIES = {0: "valid", 9: "estimated", 10: "questionable"}
SUBSTITUTES = {0: "none", 1: "last value held", 2: "balance of the other meters"}
FORMED = {0: "integrated power", 1: "registers", 2: "registers for a part", 3: "integrated power, registers contradict"}
METER_STATES = {0: "good", 1: "timed out", 2: "disconnected", 3: "exchanged", 4: "out of range", 5: "substitute",
                6: "read error"}
FACTOR_KINDS = {0: "measured", 1: "estimated", 2: "default", 3: "residual"}
REASONS = {1: "restart", 2: "clock step"}
FLAGS = {
    0: "clock step",
    1: "reboot before this record",
    3: "meter exchanged",
    4: "meter silent",
    5: "energy register went back",
    6: "implausible value rejected",
    7: "balance limit exceeded",
    8: "pool underflow",
    9: "pool true-up",
    10: "factor stale",
    11: "factor default",
    12: "configuration changed",
    13: "firmware changed",
    16: "partial interval",
    18: "genset energy without metered fuel",
}
_FLAG_MASK = sum(1 << bit for bit in FLAGS)


def _same(count, spec, names):
    return ("array", (spec,) * count, names)


_POOL = ("array", (_ENERGY, _CARBON, _CARBON, ("int", 0, 999_999)), POOL)
_ROLE = ("in", dict(enumerate(ROLES)))
_GRID = ("array", (("int?", 0, U64), ("int?", 0, U64), ("in", FACTOR_KINDS)), GRID_FACTOR)
_READINGS = (("int?", 0, U64),) * 4
_DIFFERENCES = (("int?", -S64, S64 - 1),) * 2

#       key, name, specification
_HEAD = (
    (1, "version", ("in", {VERSION: "1"})),
    (2, "kind", ("in", KINDS)),
    (3, "seq", ("int", 0, U64)),
    (4, "boot", ("int", 1, U64)),
    (5, "prev", _HASH),
    (6, "firmware", _HASH),
    (7, "config", _HASH),
    (8, "factor_table", _HASH),
    (9, "start_ms", ("int?", 0, U64)),
    (10, "duration_ms", ("int", 1, 900_000)),
    (11, "uptime_ms", ("int", 0, U64)),
    (12, "clock", ("in", CLOCKS)),
    (13, "clock_age_s", ("int?", 0, U64)),
    (14, "clock_error_ms", ("int?", -S64, S64 - 1)),
)
_EVENTS = (40, "events", ("array", (_COUNT, _HASH), EVENTS))
_POOLS = ((27, "pool_start", _POOL), (28, "pool_end", _POOL))
INTERVAL_FIELDS = (
    *_HEAD,
    (15, "ticks_expected", _COUNT),
    (16, "ticks_ok", _COUNT),
    (17, "gap_max_ms", ("int", 0, U64)),
    (18, "quality", ("in", QUALITIES)),
    (19, "flags", ("bits", _FLAG_MASK)),
    (20, "substituted_wh", _ENERGY),
    (21, "substitute_method", ("in", SUBSTITUTES)),
    (22, "meters", ("rows", (_ROLE, _COUNT, _COUNT, _COUNT, _COUNT, ("in", METER_STATES)), METER)),
    (23, "sources_wh", _same(5, _ENERGY, SOURCES)),
    (24, "uses_wh", _same(4, _ENERGY, USES)),
    (25, "residual_wh", _SIGNED),
    (26, "load_mix_wh", _same(5, _ENERGY, MIX)),
    *_POOLS,
    (29, "loss_wh", _ENERGY),
    (30, "trueup_wh", _SIGNED),
    (31, "soc_permille", ("int?", 0, 1000)),
    (32, "direct_mg_per_kwh", _same(5, _FACTOR, FACTORS)),
    (33, "lifecycle_mg_per_kwh", _same(5, _FACTOR, FACTORS)),
    (34, "grid_factor", _GRID),
    (35, "carbon_direct_ug", _same(6, _CARBON, CARBON)),
    (36, "carbon_lifecycle_ug", _same(6, _CARBON, CARBON)),
    (37, "ticks", _same(5, _COUNT, TICKS)),
    (39, "registers", ("rows", (_ROLE, ("in", FORMED), *_READINGS, *_DIFFERENCES), REGISTER)),
    _EVENTS,
    (41, "witness", ("array?", (_COUNT, _HASH, ("int", 0, U64)), WITNESS)),
    (42, "fuel_ml", ("int?", 0, U64)),
    (43, "work", ("int?", 0, U64)),
    (44, "serials", ("rows", (_ROLE, ("text?", 1, 32)), SERIAL)),
    (45, "fuel_mg_per_l", ("array?", (_FACTOR, _FACTOR), FUEL_FACTORS)),
)
_GAP_HEAD = (*_HEAD[:9], (10, "duration_ms", ("int?", 0, U64)), *_HEAD[10:])
GAP_FIELDS = (*_GAP_HEAD, *_POOLS, (38, "reason", ("in", REASONS)), _EVENTS)
_NEXT_KEY = ("array", (("bytes", 8), _HASH, _HASH), KEY)
KEY_FIELDS = (*_GAP_HEAD, *_POOLS, _EVENTS, (46, "next_record_key", _NEXT_KEY), (47, "next_checkpoint_key", _NEXT_KEY))
FIELDS = {INTERVAL: INTERVAL_FIELDS, GAP: GAP_FIELDS, KEY_CHANGE: KEY_FIELDS}
NAMES = {key: name for key, name, _ in INTERVAL_FIELDS + GAP_FIELDS + KEY_FIELDS}
_KEYS = {kind: tuple(key for key, _, _ in rows) for kind, rows in FIELDS.items()}


def check(record):
    """Check presence, types and ranges of a decoded payload: None, or (code, sentence) of the first fault."""
    if type(record) is not dict:
        return "FIELD_TYPE", "the payload is not a map"
    if type(record.get(1)) is int and record[1] != VERSION:
        return "VERSION_UNKNOWN", f"format version {record[1]}; this verifier knows version {VERSION}"
    kind = record.get(2)
    if type(kind) is not int or kind not in FIELDS:
        return "KIND_UNKNOWN", f"kind {kind!r}; known are 1 (interval), 2 (gap) and 3 (key change)"
    keys = _KEYS[kind]
    if tuple(record) != keys:
        return _wrong_keys(record, keys, KINDS[kind])
    try:
        for row, test, value in zip(FIELDS[kind], _CHECKS[kind], record.values()):
            if not test(value):
                return _wrong_value(row, value)
    except TypeError:  # the value could not even be compared
        return _wrong_value(row, value)
    return None


def _wrong_keys(record, keys, kind):
    missing = [NAMES[key] for key in keys if key not in record]
    if missing:
        return "FIELD_MISSING", f"{', '.join(missing)} missing from this {kind} record"
    extra = [str(key) for key in record if key not in keys]
    return "FIELD_UNKNOWN", f"key {', '.join(extra)} does not belong in this {kind} record"


def _wrong_value(row, value):
    _, name, spec = row
    shown = value.hex() if type(value) is bytes else repr(value)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    code = "FIELD_RANGE" if _type_fits(spec, value) else "FIELD_TYPE"
    return code, f"{name} is {shown}; allowed is {describe(spec)}"


def _type_fits(spec, value):
    """Tell a value of the wrong type from one of the right type that is out of range."""
    if spec[0] == "bytes":
        return type(value) is bytes
    if spec[0] == "rows":
        return type(value) is list and all(_type_fits(("array", spec[1]), row) for row in value)
    if spec[0] == "text?":
        return value is None or type(value) is str
    if spec[0] == "array?" and value is None:
        return True
    if spec[0] in ("array", "array?"):
        return type(value) is list and len(value) == len(spec[1]) and all(map(_type_fits, spec[1], value))
    return type(value) is int or value is None and spec[0] == "int?"


def describe(spec):
    """Say in words what a specification allows."""
    kind = spec[0]
    if kind == "bytes":
        return f"{spec[1]} bytes"
    if kind in ("int", "int?"):
        return f"an integer from {spec[1]} to {spec[2]}" + (" or null" if kind == "int?" else "")
    if kind == "in":
        return "one of " + ", ".join(f"{value} ({word})" for value, word in spec[1].items())
    if kind == "bits":
        return "bits " + ", ".join(str(bit) for bit in FLAGS)
    if kind == "text?":
        return f"text of {spec[1]} to {spec[2]} bytes or null"
    inner = ", ".join(f"{name}: {describe(part)}" for name, part in zip(spec[2], spec[1]))
    return ("rows of " if kind == "rows" else "") + f"[{inner}]" + (" or null" if kind == "array?" else "")


def _checker(spec):
    """Make the quick test of one specification, chosen once; it may also raise TypeError for a wrong type."""
    kind, arg = spec[0], spec[1]
    if kind == "bytes":
        return lambda v: type(v) is bytes and len(v) == arg
    if kind == "int":
        high = spec[2]
        return lambda v: arg <= v <= high
    if kind == "int?":
        high = spec[2]
        return lambda v: v is None or arg <= v <= high
    if kind == "in":
        return lambda v: type(v) is int and v in arg
    if kind == "bits":
        return lambda v: v >= 0 and v & ~arg == 0
    if kind == "text?":
        high = spec[2]
        return lambda v: v is None or type(v) is str and arg <= len(v.encode()) <= high
    if kind == "array?":
        filled = _array_checker(arg)
        return lambda v: v is None or filled(v)
    if kind == "rows":
        row = _checker(("array", arg))
        return lambda v: type(v) is list and len(v) <= len(ROLES) and all(map(row, v))
    return _array_checker(arg)


def _array_checker(parts):
    """Make the test of a fixed array; quicker where the decoder's own range of integers is allowed."""
    size = len(parts)
    if all(part == ("int", 0, U64) for part in parts):
        return lambda v: type(v) is list and len(v) == size and min(v) >= 0
    tests = tuple(_checker(part) for part in parts)
    return lambda v: type(v) is list and len(v) == size and all(test(x) for test, x in zip(tests, v))


_CHECKS = {kind: tuple(_checker(spec) for _, _, spec in rows) for kind, rows in FIELDS.items()}
