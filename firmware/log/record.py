"""Lay out a record: fields to payload, protected header, bytes to be signed, envelope; and take one apart.

The tables below are the record's layout in full: SPEC.md says what each field means.
"""

from hashlib import sha256

import micropython
from micropython import const

from firmware.core import cbor
from firmware.core.errors import LogError

VERSION = const(1)
MAX_BYTES = const(1536)  # longest record that is written or read
CONTENT_TYPE = "application/vnd.evenkeel.record+cbor"
_ALG_ES256 = const(-7)
_MAP = const(0xA0)
_BYTES = const(0x40)
_ARRAY = const(0x80)
_NULL = const(0xF6)
_TEXT_MAX = const(64)
_SIGN1 = b"\xd2\x84"  # tag 18, array of 4
_NO_UNPROTECTED = const(0xA0)
_SIGNATURE = b"\x58\x40"  # 64 bytes follow
_NO_EXTERNAL = b"\x40"
_SIGNED_START = b"\x84\x6aSignature1"

# (key, attribute of Interval, shape): u is 0..2**64-1, i is -2**63..2**63-1, n is u or null, s is i or null;
# several letters are an array of such, a star before them an array of rows like that
_CLOCK_FIELDS = (
    (9, "start_ms", "n"),
    (10, "duration_ms", "n"),
    (11, "uptime_ms", "u"),
    (12, "clock", "u"),
    (13, "clock_age_s", "n"),
    (14, "clock_error_ms", "s"),
)
_INTERVAL_FIELDS = _CLOCK_FIELDS + (
    (15, "ticks_expected", "u"),
    (16, "ticks_ok", "u"),
    (17, "gap_max_ms", "u"),
    (18, "quality", "u"),
    (19, "flags", "u"),
    (20, "substituted_wh", "u"),
    (21, "substitute_method", "u"),
    (22, "meters", "*uuuuu"),
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
)
_GAP_FIELDS = _CLOCK_FIELDS + (
    (27, "pool_start", "uuuu"),
    (28, "pool_end", "uuuu"),
    (38, "reason", "u"),
)
_FIELDS = {1: _INTERVAL_FIELDS, 2: _GAP_FIELDS}
_LINKS = const(8)  # keys 1..8 come from the chain
_FIELDS_A_SLICE = const(8)


def protected_header(site, device, kid):
    """Return the protected header of every record of one device under one key."""
    for what, text in (("site id", site), ("device id", device)):
        if not 0 < len(text.encode()) <= _TEXT_MAX:
            raise LogError("RECORD_ID", "the %s must have 1 to %d bytes; shorten it" % (what, _TEXT_MAX))
    return cbor.encode({1: _ALG_ES256, 3: CONTENT_TYPE, 4: kid, 15: {1: site, 2: device}})


def payload(interval, seq, boot, prev, firmware, config, factor_table):
    """Yield while encoding one record's payload; return it as bytes. Nothing is encoded by halves."""
    fields = _FIELDS.get(interval.kind)
    if fields is None:
        raise LogError("RECORD_KIND", "kind %s is unknown; allowed 1 interval, 2 gap" % interval.kind)
    out = bytearray()
    cbor.put_head(out, _MAP, _LINKS + len(fields))
    values = (VERSION, interval.kind, seq, boot, prev, firmware, config, factor_table)
    for i in range(_LINKS):
        out.append(i + 1)
        cbor.put(out, values[i])
    for first in range(0, len(fields), _FIELDS_A_SLICE):
        yield
        _put_fields(out, interval, fields[first : first + _FIELDS_A_SLICE])
    return bytes(out)


_ABSENT = "no such attribute"  # of no shape, so it is refused like any wrong value


@micropython.native
def _put_fields(out, interval, fields):
    for key, name, shape in fields:
        value = getattr(interval, name, _ABSENT)
        cbor.put_head(out, 0, key)
        if shape == "u" and type(value) is int and value >= 0:
            cbor.put_head(out, 0, value)
        elif shape[0] == "*":
            _put_rows(out, name, shape[1:], value)
        elif len(shape) > 1:
            _put_array(out, name, shape, value)
        else:
            _put_number(out, name, shape, value)


def _put_array(out, name, shape, value):
    if type(value) is not list and type(value) is not tuple or len(value) != len(shape):
        _refuse(name, shape, value)
    out.append(_ARRAY | len(shape))
    done = cbor.put_unsigned(out, value)
    while done < len(shape):  # from the first null on, number by number
        _put_number(out, name, shape[done], value[done])
        done += 1


def _put_rows(out, name, shape, value):
    if type(value) is not list and type(value) is not tuple:
        _refuse(name, shape, value)
    cbor.put_head(out, _ARRAY, len(value))
    for row in value:
        _put_array(out, name, shape, row)


def _put_number(out, name, shape, value):
    if value is None and (shape == "n" or shape == "s"):
        out.append(_NULL)
    elif type(value) is int and (-1 <= value >> 63 <= 0 if shape == "i" or shape == "s" else value >= 0):
        cbor.put_int(out, value)
    else:
        _refuse(name, shape, value)


def _refuse(name, shape, value):
    raise LogError("RECORD_FIELD", "%s: %r is not of shape %s; SPEC.md has the fields" % (name, value, shape))


def to_be_signed(protected, body):
    """Return the bytes whose SHA-256 is signed and goes into the next record as `prev`."""
    out = bytearray(_SIGNED_START)
    cbor.put(out, protected)
    out.extend(_NO_EXTERNAL)
    cbor.put(out, body)
    return out


def envelope(protected, body, signature):
    """Return one whole record: a tagged COSE_Sign1."""
    out = bytearray(_SIGN1)
    cbor.put(out, protected)
    out.append(_NO_UNPROTECTED)
    cbor.put(out, body)
    out.extend(_SIGNATURE)
    out.extend(signature)
    if len(out) > MAX_BYTES:
        raise LogError("RECORD_SIZE", "%d bytes; allowed %d; shorten the ids" % (len(out), MAX_BYTES))
    return out


class Frame:
    """Where the parts of one whole record lie in a buffer that begins with it."""

    def __init__(self, buf, end):
        """Find the record at the start of buf[:end]; LogError if it is not whole."""
        if bytes(buf[:2]) != _SIGN1:
            raise LogError("RECORD_FRAME", "a record does not begin with D2 84")
        _, self.protected_end = _byte_string(buf, 2, end)
        if buf[self.protected_end] != _NO_UNPROTECTED:
            raise LogError("RECORD_FRAME", "the unprotected header is not empty")
        self.body_at, self.body_end = _byte_string(buf, self.protected_end + 1, end)
        if bytes(buf[self.body_end : self.body_end + 2]) != _SIGNATURE:
            raise LogError("RECORD_FRAME", "the signature is not 64 bytes")
        self.length = self.body_end + 2 + 64

    def digest(self, buf):
        """Return the SHA-256 of the record's bytes to be signed, which are parts of it word for word."""
        digest = sha256(_SIGNED_START)
        digest.update(buf[2 : self.protected_end])
        digest.update(_NO_EXTERNAL)
        digest.update(buf[self.protected_end + 1 : self.body_end])
        return digest.digest()

    def links(self, buf):
        """Return the payload's keys 2..7 as a list: kind, seq, boot, prev, firmware, config."""
        major, _, pos = cbor.head(buf, self.body_at)
        values = []
        for key in range(1, 8):
            found, pos = cbor.decode(buf, pos)
            value, pos = cbor.decode(buf, pos)
            if major != _MAP or found != key or type(value) is not _LINK_TYPES[key - 1]:
                raise LogError("RECORD_LAYOUT", "the payload does not begin with keys 1 to 7 of version 1")
            values.append(value)
        if values[0] != VERSION:
            raise LogError("RECORD_VERSION", "version %d; this firmware knows 1" % values[0])
        return values[1:]


_LINK_TYPES = (int, int, int, int, bytes, bytes, bytes)


def _byte_string(buf, pos, end):
    """Return (begin, end) of the content of the byte string at buf[pos], followed by a signature at least."""
    major, count, pos = cbor.head(buf, pos)
    if major != _BYTES or count + 66 > end - pos:
        raise LogError("RECORD_FRAME", "a byte string is missing or cut off")
    return pos, pos + count
