"""Give a record's content its names: every field in full, bytes as hex, units in the names."""

from host_tools.evidence.envelope import read_header, read_payload
from host_tools.evidence.fields import GAP_FIELDS, INTERVAL_FIELDS, KEY_FIELDS, ROLES, check

_SPECS = {key: (name, spec) for key, name, spec in INTERVAL_FIELDS + GAP_FIELDS + KEY_FIELDS}


class Decoded:
    """A unit of the file for reading, not for judging: header, record, and what is wrong with it."""

    def __init__(self, item):
        frame = getattr(item, "frame", item)
        self.offset = item.offset
        self.file = item.file
        self.size = item.size if hasattr(item, "size") else len(item.raw)
        self.problem = (item.code, item.what) if hasattr(item, "code") else None
        self.record = None
        self.header = None
        if frame is not None:
            self.header = read_header(frame.protected)
            self.record, problem = read_payload(frame.payload)
            self.problem = self.problem or self.header.problem or problem
            if self.record is not None:
                self.problem = self.problem or check(self.record)
        self.readable = self.record is not None and check(self.record) is None


def named(decoded):
    """Name everything in a readable unit; a damaged one says where and why."""
    out = {"offset_bytes": decoded.offset, "size_bytes": decoded.size}
    if decoded.file:
        out["file"] = decoded.file
    if decoded.problem:
        out["damage"], out["what"] = decoded.problem
    header = decoded.header
    if header is not None and header.owner:
        out["site"], out["device"] = header.owner
        out["kid"] = header.kid.hex()
    if type(decoded.record) is dict:
        for key, value in decoded.record.items():
            name, spec = _SPECS.get(key, (f"key_{key}", None))
            out[name] = _named_value(spec, value)
    return out


def _named_value(spec, value):
    """Name the parts of a value; what does not have the form of its field is shown as it is."""
    if type(value) is list and spec and spec[0] in ("array", "array?") and len(value) == len(spec[2]):
        return dict(zip(spec[2], map(_plain, value)))
    if type(value) is list and spec and spec[0] == "rows":
        return [_named_meter(spec[2], row) for row in value]
    return _plain(value)


def _named_meter(names, row):
    if type(row) is not list or len(row) != len(names):
        return _plain(row)
    meter = dict(zip(names, map(_plain, row)))
    if type(row[0]) is int and row[0] < len(ROLES):
        meter["role"] = ROLES[row[0]]
    return meter


def _plain(value):
    """Make JSON of any decoded value."""
    if type(value) is bytes:
        return value.hex()
    if type(value) is list:
        return [_plain(item) for item in value]
    if type(value) is dict:
        return {str(key): _plain(item) for key, item in value.items()}
    return value
