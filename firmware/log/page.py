"""One record in the making, in one buffer: the bytes to be signed first, and from these, in place, the whole record.

Both end in the payload, and what stands before it differs in a few bytes only: nothing is encoded twice, and nothing
copied.
"""

from hashlib import sha256

import micropython
from micropython import const

from firmware.core import cbor, cbor_plan
from firmware.core.errors import LogError
from firmware.core.types import KIND_INTERVAL
from firmware.log import layout
from firmware.log.record import MAX_BYTES, NO_EXTERNAL, SIGNED_START

_HEAD = const(3)  # of a payload of 256 bytes and more
_HEAD_MIN = const(256)
_EXTERNAL = const(4)  # before the payload: no external data; of the record, no unprotected header
_PAYLOAD = const(2030)  # of six roles at its longest
_SIGNATURE = const(66)
_SERIALS_MAX = const(219)  # of them
_SIGN1_AT = const(10)  # where in the bytes to be signed the record begins


def _chosen():
    """Return what writes the payload of an Interval: only one of them is loaded, for the heap is small."""
    if cbor_plan.fast is not None:
        from firmware.log import planned

        if planned.agrees(cbor_plan.fast):
            return planned.put_interval
    from firmware.log import swift

    return swift.put_interval


class Page:
    """A record under one protected header; the three hashes are bytes of 32; `own`: a buffer, if it is large enough."""

    def __init__(self, protected, firmware, config, factor_table, own=b""):
        self._hashes = firmware, config, factor_table
        self._serials = self  # the list that is encoded: none yet; whoever changes one hands over another
        self._serials_data = b""
        self._own = own
        self.protect(protected)
        self._use(self._own, self._begin, self._begin)
        self._put_interval = _chosen()

    def protect(self, protected):
        """Go on under another protected header."""
        prefix = SIGNED_START + cbor.encode(protected) + NO_EXTERNAL
        self._begin = len(prefix) + _HEAD
        size = self._begin + _PAYLOAD  # the signature of a record that is not too long has room in it
        if len(self._own) < size:
            self._own = bytearray(size)
        self._place = memoryview(self._own)[self._begin:]
        self._own[:self._begin] = prefix + b"\x59\x00\x00"

    @micropython.native
    def _use(self, out, begin, end):
        self._out = out
        self._body = begin
        self._end = end

    def fill(self, interval, seq, boot, prev):
        """Yield while encoding a record's payload; LogError says which field is not of the format."""
        size = 0
        if interval.kind == KIND_INTERVAL:
            try:
                size = self._swiftly(interval, seq, boot, prev)
            except (ValueError, TypeError, AttributeError, OverflowError):
                pass  # the tables say what it is
        if size < _HEAD_MIN:
            yield from self._by_tables(interval, seq, boot, prev)
        yield

    @micropython.native
    def _swiftly(self, interval, seq, boot, prev):
        if interval.serials is not self._serials:
            self._keep_serials(interval.serials)
        size = self._put_interval(self._place, seq, boot, prev, self._hashes, interval, self._serials_data)
        out, begin = self._own, self._begin
        out[begin - 2] = size >> 8
        out[begin - 1] = size & 0xFF
        self._use(out, begin, begin + size)
        return size

    def _keep_serials(self, rows):
        """Encode the serial numbers, which seldom change."""
        data = bytearray()
        layout.put_field(data, 44, "serials", "*ut", rows)
        if len(data) > _SERIALS_MAX:
            raise ValueError
        self._serials_data = bytes(data)
        self._serials = rows

    def _by_tables(self, interval, seq, boot, prev):
        body = yield from layout.payload(interval, seq, boot, prev, *self._hashes)
        head = bytearray()
        cbor.put_head(head, 0x40, len(body))
        prefix = self._begin - _HEAD
        begin = prefix + len(head)
        out = bytearray(begin + len(body) + _SIGNATURE)
        out[:begin] = self._own[:prefix] + head
        out[begin:begin + len(body)] = body
        self._use(out, begin, begin + len(body))

    @micropython.native
    def digest(self):
        """Return the SHA-256 of the bytes to be signed."""
        out = self._out
        out[_SIGN1_AT] = 0x65  # the last two letters of "Signature1"
        out[_SIGN1_AT + 1] = 0x31
        out[self._begin - _EXTERNAL] = 0x40
        return sha256(memoryview(out)[:self._end]).digest()

    def body(self):
        """Return the payload."""
        return bytes(memoryview(self._out)[self._body:self._end])

    def sealed(self, signature):
        """Return the whole record, a tagged COSE_Sign1, valid until the next fill()."""
        out, end = self._out, self._end + _SIGNATURE
        if end - _SIGN1_AT > MAX_BYTES:
            raise LogError("RECORD_SIZE", "%d bytes; allowed %d; shorten the ids" % (end - _SIGN1_AT, MAX_BYTES))
        out[_SIGN1_AT] = 0xD2
        out[_SIGN1_AT + 1] = 0x84
        out[self._begin - _EXTERNAL] = 0xA0
        out[end - 66] = 0x58
        out[end - 65] = 0x40
        out[end - 64:end] = signature
        return memoryview(out)[_SIGN1_AT:end]
