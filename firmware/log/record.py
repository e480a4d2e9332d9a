"""What stands around a payload: protected header, bytes to be signed, envelope; and take a record apart.

log.layout writes the payload of any kind, log.page a whole record in one buffer.
"""

from hashlib import sha256

from micropython import const

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.log.layout import VERSION

MAX_BYTES = const(2048)  # longest record that is written or read
CONTENT_TYPE = "application/vnd.evenkeel.record+cbor"
_ALG_ES256 = const(-7)
_MAP = const(0xA0)
_BYTES = const(0x40)
_TEXT_MAX = const(64)
SIGN1 = b"\xd2\x84"  # tag 18, array of 4
NO_UNPROTECTED = const(0xA0)
SIGNATURE = b"\x58\x40"  # 64 bytes follow
NO_EXTERNAL = b"\x40"
SIGNED_START = b"\x84\x6aSignature1"



def protected_header(site, device, kid):
    """Return the protected header of every record of one device under one key."""
    for what, text in (("site id", site), ("device id", device)):
        if not 0 < len(text.encode()) <= _TEXT_MAX:
            raise LogError("RECORD_ID", "the %s must have 1 to %d bytes; shorten it" % (what, _TEXT_MAX))
    return cbor.encode({1: _ALG_ES256, 3: CONTENT_TYPE, 4: kid, 15: {1: site, 2: device}})


def to_be_signed(protected, body):
    """Return the bytes whose SHA-256 is signed and goes into the next record as `prev`."""
    out = bytearray(SIGNED_START)
    cbor.put(out, protected)
    out.extend(NO_EXTERNAL)
    cbor.put(out, body)
    return out


def envelope(protected, body, signature):
    """Return one whole record: a tagged COSE_Sign1."""
    out = bytearray(SIGN1)
    cbor.put(out, protected)
    out.append(NO_UNPROTECTED)
    cbor.put(out, body)
    out.extend(SIGNATURE)
    out.extend(signature)
    if len(out) > MAX_BYTES:
        raise LogError("RECORD_SIZE", "%d bytes; allowed %d; shorten the ids" % (len(out), MAX_BYTES))
    return out


class Frame:
    """Where the parts of one whole record lie in a buffer that begins with it."""

    def __init__(self, buf, end):
        """Find the record at the start of buf[:end]; LogError if it is not whole."""
        if bytes(buf[:2]) != SIGN1:
            raise LogError("RECORD_FRAME", "a record does not begin with D2 84")
        _, self.protected_end = _byte_string(buf, 2, end)
        if buf[self.protected_end] != NO_UNPROTECTED:
            raise LogError("RECORD_FRAME", "the unprotected header is not empty")
        self.body_at, self.body_end = _byte_string(buf, self.protected_end + 1, end)
        if bytes(buf[self.body_end : self.body_end + 2]) != SIGNATURE:
            raise LogError("RECORD_FRAME", "the signature is not 64 bytes")
        self.length = self.body_end + 2 + 64

    def digest(self, buf):
        """Return the SHA-256 of the record's bytes to be signed, which are parts of it word for word."""
        digest = sha256(SIGNED_START)
        digest.update(buf[2 : self.protected_end])
        digest.update(NO_EXTERNAL)
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
