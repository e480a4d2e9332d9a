"""A meter's profile as the user's own file profiles/NAME.json: the same facts as a module, and no code.

Every mistake is refused with the key, what stands there and what is allowed. Start-up only.
"""

import json

from firmware.core.errors import ConfigError
from firmware.drivers import ratio, regmap

_MAX_BYTES = 8192
_ROWS_MAX = 64
_REQUIRED = "required"

# key, type, lowest, highest, default, in words. The names of drivers.profile in lower case.
KEYS = (
    ("document", str, 1, 200, _REQUIRED, "a text of 1 to 200 characters: the document it comes from"),
    ("function", int, 3, 4, _REQUIRED, "3 or 4"),
    ("max_read", int, 1, 125, _REQUIRED, "an integer from 1 to 125 registers"),
    ("step", int, 1, 4, 1, "an integer from 1 to 4 registers"),
    ("gap_us", int, 0, 1_000_000, 0, "an integer from 0 to 1000000 us"),
    ("turnaround_us", int, 1, 2_000_000, _REQUIRED, "an integer from 1 to 2000000 us"),
    ("refresh_ms", int, 0, 60_000, 0, "an integer from 0 to 60000 ms"),
    ("counter", int, 0, 65_535, None, "a register address from 0 to 65535"),
    ("extra", int, 0, 100, None, "an integer from 0 to 100 registers"),
    ("hypothetical", bool, 0, 1, False, "true or false"),
)
KINDS = {"s16": ratio.S16, "u16": ratio.U16, "s32": ratio.S32, "u32": ratio.U32, "f32": ratio.F32,
         "s32_low": ratio.S32_LOW_FIRST, "u32_low": ratio.U32_LOW_FIRST, "f32_low": ratio.F32_LOW_FIRST,
         "u64": regmap.U64, "s64": regmap.S64}
UNITS = ("w", "va", "var", "wh", "vah", "varh", "mv", "ma", "mah", "mhz", "permille", "mdeg", "count")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_SCALE_MAX = 1_000_000
_POWER_NUM_MAX = 16_383  # what the control path can multiply with


def parse(path, data):
    """Return the facts of a profile from the bytes of its file."""
    if len(data) > _MAX_BYTES:
        raise ConfigError("CONFIG", "%s: %d bytes; at most %d are allowed" % (path, len(data), _MAX_BYTES))
    try:
        raw = json.loads(data.decode())
    except (ValueError, UnicodeError) as error:
        raise ConfigError("CONFIG", "%s: not JSON (%s); check commas, quotes and brackets" % (path, error))
    if not isinstance(raw, dict):
        raise _refusal(path, "the file", raw, "an object {...}")
    names = [row[0] for row in KEYS] + ["table"]
    for key in raw:
        if key not in names:
            raise _refusal(path, "key", key, "only " + ", ".join(names))
    facts = {row[0]: _fact(path, raw, row) for row in KEYS}
    facts["table"] = _table(path, raw.get("table"), facts)
    _check_power(path, facts)
    return facts


def _fact(path, raw, row):
    key, kind, low, high, default, allowed = row
    if key not in raw and default is not _REQUIRED:
        return default
    value = raw.get(key)
    good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not good or not low <= (len(value) if kind is str else value) <= high:
        raise _refusal(path, key, value, allowed)
    return value


def _table(path, rows, facts):
    if not isinstance(rows, list) or not 1 <= len(rows) <= _ROWS_MAX:
        raise _refusal(path, "table", rows, "a list of 1 to %d rows [address, kind, num, den, name]" % _ROWS_MAX)
    table = []
    for i in range(len(rows)):
        row = _row(path, "table[%d]" % i, rows[i], facts)
        for other in table:
            if other[4] == row[4]:
                raise _refusal(path, "table[%d] name" % i, row[4], "each name once")
        table.append(row)
    table.sort(key=_address)
    for i in range(1, len(table)):
        if table[i][0] < table[i - 1][0] + regmap.words(table[i - 1][1]):
            raise _refusal(path, table[i][4], table[i][0], "registers that %s does not have" % table[i - 1][4])
    return tuple(table)


def _address(row):
    return row[0]


def _row(path, where, row, facts):
    if not isinstance(row, list) or len(row) != 5:
        raise _refusal(path, where, row, "[address, kind, num, den, name]")
    address, word, num, den, name = row
    if not isinstance(word, str) or word not in KINDS:
        raise _refusal(path, where + " kind", word, "one of " + ", ".join(sorted(KINDS)))
    kind = KINDS[word]
    words = regmap.words(kind)
    step = facts["step"]
    if not _whole(address, 0, 65_536 - words) or address % step:
        raise _refusal(path, where + " address", address,
                       "a multiple of step (%d) from 0 to %d, 0-based as on the wire" % (step, 65_536 - words))
    if words > facts["max_read"] or words % step:
        raise _refusal(path, where + " kind", word, "a kind whose %d registers fit max_read (%d) and step (%d)"
                       % (words, facts["max_read"], step))
    for key, value in (("num", num), ("den", den)):
        if not _whole(value, 1, _SCALE_MAX):
            raise _refusal(path, "%s %s" % (where, key), value, "an integer from 1 to %d" % _SCALE_MAX)
    if not isinstance(name, str) or not plain(name) or name.split("_")[-1] not in UNITS:
        raise _refusal(path, where + " name", name, "lower-case words ending in a unit: " + ", ".join(UNITS))
    return address, kind, num, den, name


def _check_power(path, facts):
    """The power read and its second form must be requests that the meter takes."""
    rows = [row for row in facts["table"] if row[4] == "power_w"]
    if not rows:
        raise _refusal(path, "table", "no power_w", "a row with the name power_w: the total active power")
    address, kind, num, _, _ = rows[0]
    if kind > ratio.F32_LOW_FIRST:
        raise _refusal(path, "power_w kind", "64 bits", "a kind of 16 or 32 bits")
    if num > _POWER_NUM_MAX:
        raise _refusal(path, "power_w num", num, "an integer from 1 to %d" % _POWER_NUM_MAX)
    end = address + regmap.words(kind)
    room = facts["max_read"] - regmap.words(kind)
    if facts["counter"] is not None and not 0 <= facts["counter"] - end < room:
        raise _refusal(path, "counter", facts["counter"], "an address from %d to %d, behind power_w"
                       % (end, end + room - 1))
    extra = facts["extra"]
    if extra is not None and (extra > room or extra % facts["step"]):
        raise _refusal(path, "extra", extra, "a multiple of step (%d) up to %d registers" % (facts["step"], room))


def plain(name):
    """Return True for lower-case letters, digits and underscores."""
    return bool(name) and all(c in _LETTERS for c in name)


def _whole(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _refusal(path, key, value, allowed):
    return ConfigError("CONFIG", "%s: %s: %s is not allowed; give %s" % (path, key, json.dumps(value)[:40], allowed))
