"""Load and validate site.json: every refusal names the key's path and what is allowed there."""

import hashlib
import json

from firmware.core.errors import ConfigError
from firmware.site.rules import check_whole
from firmware.site.schema import ENUM, INT, LIST, OPTIONAL, PROFILE, REQUIRED, ROWS, TEXT

_MAX_BYTES = 16_384


def load(data):
    """Return (configuration, SHA-256) of the bytes of a site.json, defaults filled in.

    Raises ConfigError with the key's path, what stands there and what is allowed.
    """
    if len(data) > _MAX_BYTES:
        raise ConfigError("CONFIG", "site.json: %d bytes; at most %d are allowed" % (len(data), _MAX_BYTES))
    try:
        raw = json.loads(data.decode())
    except (ValueError, UnicodeError) as error:
        raise ConfigError("CONFIG", "site.json: not JSON (%s); check commas, quotes and brackets" % error)
    if not isinstance(raw, dict):
        raise ConfigError("CONFIG", "site.json: must be an object {...}")
    config = _object(raw, "", "")
    check_whole(config)
    return config, hashlib.sha256(data).digest()


def _children(prefix):
    """Return the keys that may stand below a schema path, as {key: row or None for an inner object}."""
    found = {}
    for row in ROWS:
        path = row[0]
        if not path.startswith(prefix):
            continue
        rest = path[len(prefix):].split(".")
        if len(rest) > 1:
            found.setdefault(rest[0], None)
        elif not rest[0].endswith("]"):
            found[rest[0]] = row
    return {key: row for key, row in found.items() if not key.endswith("[]")}


def _object(raw, schema_path, shown):
    if not isinstance(raw, dict):
        raise _refuse(shown, raw, "an object {...}")
    rows = _children(schema_path)
    for key in raw:
        if key not in rows:
            raise ConfigError("CONFIG", "%s: unknown key; allowed here: %s" % (_join(shown, key), _names(rows)))
    return {key: _member(raw, key, rows[key], schema_path, _join(shown, key)) for key in rows}


def _member(raw, key, row, schema_path, shown):
    if row is None:
        return _object(raw.get(key, {}), schema_path + key + ".", shown)
    if key not in raw:
        if row[4] is REQUIRED:
            raise ConfigError("CONFIG", "%s: missing; give %s (%s)" % (shown, _allowed(row), row[6]))
        return None if row[4] is OPTIONAL else row[4]
    return _value(raw[key], row, shown)


def _value(value, row, shown):
    kind = row[1]
    if kind == LIST:
        if not isinstance(value, list) or not row[2] <= len(value) <= row[3]:
            raise _refuse(shown, value, _allowed(row))
        return [_object(item, row[0] + "[].", "%s[%d]" % (shown, i)) for i, item in enumerate(value)]
    if kind == ENUM:
        good = value in row[2]
    elif kind == TEXT:
        good = isinstance(value, str) and row[2] <= len(value) <= row[3] and _printable(value, row[0])
    else:
        good = isinstance(value, int) and not isinstance(value, bool) and row[2] <= value <= row[3]
    if not good:
        raise _refuse(shown, value, _allowed(row))
    return value


def _printable(text, path):
    """Ids go into file names and the checkpoint's origin: letters, digits, dot, dash and underscore only."""
    if path == "site.name":
        return True
    if path == PROFILE:
        return all(c in "abcdefghijklmnopqrstuvwxyz0123456789_" for c in text)
    return all(c.isalpha() or c.isdigit() or c in ".-_" for c in text) and all(ord(c) < 128 for c in text)


def _allowed(row):
    if row[1] == ENUM:
        return "one of " + ", ".join(row[2])
    if row[1] == INT:
        return ("an integer from %d to %d %s" % (row[2], row[3], row[5])).rstrip()
    if row[1] == LIST:
        return "a list of %d to %d %s" % (row[2], row[3], row[5])
    if row[0] == PROFILE:
        return "a text of %d to %d small letters, digits, underscores" % (row[2], row[3])
    return "a text of %d to %d letters, digits, dots, dashes, underscores" % (row[2], row[3])


def _names(rows):
    return ", ".join(sorted(rows))


def _join(shown, key):
    return "%s.%s" % (shown, key) if shown else key


def _refuse(shown, value, allowed):
    text = json.dumps(value)
    return ConfigError("CONFIG", "%s: %s is not allowed; give %s" % (shown, text[:40], allowed))
