"""Take a tagged COSE_Sign1 apart: D2 84 | protected bstr | A0 | payload bstr | 58 40 signature, nothing else.

`frame_at` is the strict form, the only one a record may have. `loose_at` reads what is almost a record -
long length forms, another tag, something in the unprotected header - only to name what is wrong with it.
"""

FRAME_MAX = 1 << 16
"""Longest record looked for, in bytes; a length beyond it is damage."""

_START = b"\xd2\x84"
_EMPTY_MAP = 0xA0
_SIGNATURE_HEAD = b"\x58\x40"
_SIGNATURE_SIZE = 64
_TO_BE_SIGNED = b"\x84\x6aSignature1"


class Incomplete(Exception):
    """The bytes end before the frame does."""


class Frame:
    """One record's envelope: where it stands and its three byte strings."""

    __slots__ = ("file", "offset", "raw", "protected", "payload", "signature", "signed")

    def __init__(self, file, offset, raw, protected, payload, signature, signed):
        self.file = file
        self.offset = offset
        self.raw = raw
        self.protected = protected
        self.payload = payload
        self.signature = signature
        self.signed = signed


class Damage:
    """Bytes that are no record: where they stand, a finding code and one sentence."""

    __slots__ = ("file", "offset", "size", "code", "what", "frame")

    def __init__(self, file, offset, size, code, what, frame=None):
        self.file = file
        self.offset = offset
        self.size = size
        self.code = code
        self.what = what
        self.frame = frame


def bstr(data):
    """Encode a byte string of at most 65535 bytes in its shortest form."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 0x100:
        return bytes((0x58, size)) + data
    return bytes((0x59, size >> 8, size & 0xFF)) + data


def loose_frame(file, offset, raw, protected, payload, signature):
    """Make the Frame of an almost-record, with the bytes that a strict one would have had signed."""
    signed = _TO_BE_SIGNED + bstr(protected) + b"\x40" + bstr(payload)
    return Frame(file, offset, raw, protected, payload, signature, signed)


def _bstr_at(data, position):
    """Find start and end of a shortest-form byte string; None when it is anything else."""
    head = data[position]
    if 0x40 <= head < 0x58:
        return position + 1, position + 1 + head - 0x40
    if head == 0x58:
        size = data[position + 1]
        return (position + 2, position + 2 + size) if size >= 24 else None
    if head == 0x59:
        size = data[position + 1] << 8 | data[position + 2]
        return (position + 3, position + 3 + size) if size >= 0x100 else None
    return None


def frame_at(data, position):
    """Find the five cuts of a strict frame at `position`, None if there is none; Incomplete if it is cut."""
    try:
        if not data.startswith(_START, position):
            if len(data) - position < 2:
                raise Incomplete
            return None
        protected = _bstr_at(data, position + 2)
        if protected is None or data[protected[1]] != _EMPTY_MAP:
            return None
        payload = _bstr_at(data, protected[1] + 1)
        if payload is None:
            return None
        signature = payload[1] + 2
        if not data.startswith(_SIGNATURE_HEAD, payload[1]):
            if len(data) < signature:
                raise Incomplete
            return None
    except IndexError:
        raise Incomplete from None
    if len(data) < signature + _SIGNATURE_SIZE:
        raise Incomplete
    return protected + payload + (signature + _SIGNATURE_SIZE,)


def frames_in(data):
    """Cut the whole strict frames that `data` begins with.

    Returns (their [(position, cuts)], where they end, whether what stands there is damage, not a frame cut off).
    """
    found, position = [], 0
    while position < len(data):
        try:
            cuts = frame_at(data, position)
        except Incomplete:
            break
        if cuts is None:
            return found, position, True
        found.append((position, cuts))
        position = cuts[4]
    return found, position, False


def make_frame(file, offset, data, position, cuts):
    """Make the Frame of the cuts that `frame_at` found at `position` of `data`."""
    p0, p1, l0, l1, end = cuts
    signed = b"".join((_TO_BE_SIGNED, data[position + 2 : p1], b"\x40", data[p1 + 1 : l1]))
    return Frame(file, offset, data[position:end], data[p0:p1], data[l0:l1], data[end - 64 : end], signed)


def loose_at(data, position):
    """Read almost-a-record: (code, what, protected, payload, signature, end), None if it is not even that."""
    try:
        code, what, position = _loose_tag(data, position)
        kind, count, position, _ = _loose_head(data, position)
        protected, position = _loose_bytes(data, position)
        filled = not _is_empty_map(data, position)
        position = _skip(data, position, 0)
        payload, position = _loose_bytes(data, position)
        signature, position = _loose_bytes(data, position)
        if count is None:
            position += data[position] == 0xFF
    except (IndexError, ValueError):
        return None
    if kind != 4 or count not in (4, None) or len(signature) != _SIGNATURE_SIZE or len(payload) >= FRAME_MAX:
        return None
    if code is None and filled:
        code, what = "UNPROTECTED_CONTENT", "the unprotected header, which no signature covers, is not empty"
    if code is None:
        code, what = "NOT_DETERMINISTIC", "the envelope is not in its shortest form"
    return code, what, protected, payload, signature, position


def _loose_tag(data, position):
    """Read any tag or none: (code, what, position behind it)."""
    kind, value, behind, _ = _loose_head(data, position)
    if kind == 4:
        return "TAG_WRONG", "the tag 18 in front of the record is missing", position
    if kind != 6:
        raise ValueError
    if value != 18:
        return "TAG_WRONG", f"the record is tagged {value}, not 18", behind
    return None, None, behind


def _loose_head(data, position):
    """Read one head in any form: (major type, value or None if indefinite, position behind, initial byte)."""
    head = data[position]
    info = head & 31
    if info < 24:
        return head >> 5, info, position + 1, head
    if info == 31:
        return head >> 5, None, position + 1, head
    if info > 27:
        raise ValueError
    end = position + 1 + (1 << (info - 24))
    if end > len(data):
        raise ValueError
    return head >> 5, int.from_bytes(data[position + 1 : end], "big"), end, head


def _is_empty_map(data, position):
    """Tell whether a map without content stands here, in any form."""
    kind, size, behind, _ = _loose_head(data, position)
    return kind == 5 and (size == 0 or size is None and data[behind] == 0xFF)


def _loose_bytes(data, position):
    """Read a byte string in any form, chunked ones included: (bytes, position behind)."""
    kind, size, position, _ = _loose_head(data, position)
    if kind != 2:
        raise ValueError
    if size is not None:
        if position + size > len(data):
            raise ValueError
        return data[position : position + size], position + size
    out = b""
    while data[position] != 0xFF:
        if data[position] == 0x5F:
            raise ValueError
        part, position = _loose_bytes(data, position)
        out += part
    return out, position + 1


def _skip(data, position, depth):
    """Skip one item of any kind and form; the position behind it."""
    kind, value, position, head = _loose_head(data, position)
    if depth > 8:
        raise ValueError
    if kind in (2, 3) and value is not None:
        if position + value > len(data):
            raise ValueError
        return position + value
    if kind in (0, 1, 7):
        if head == 0xFF:
            raise ValueError
        return position
    if kind == 6:
        return _skip(data, position, depth + 1)
    if value is None:
        while data[position] != 0xFF:
            position = _skip(data, position, depth + 1)
        return position + 1
    for _ in range(value * (2 if kind == 5 else 1)):
        position = _skip(data, position, depth + 1)
    return position
