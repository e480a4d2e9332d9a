"""Read a board's signed answer to an operator."""

import hashlib

from host_tools.evidence import cbor
from host_tools.evidence.cose import Incomplete, frame_at, make_frame

CONTENT_TYPE = "application/vnd.evenkeel.answer+cbor"


class Answer:
    """What a board said to message `number` of the key `kid`; `now_s` is its UTC, None where it knows none."""

    __slots__ = ("kid", "number", "kind", "text", "now_s")

    def __init__(self, fields):
        self.kid, self.number, self.kind, self.text, self.now_s = (fields[key] for key in range(2, 7))


def read(data, registry, board):
    """Return the Answer in these bytes, None where they are no answer signed by the board (site, device)."""
    try:
        cuts = frame_at(data, 0)
        if cuts is None or cuts[4] != len(data):
            return None
        frame = make_frame(None, 0, data, 0, cuts)
        header, fields = cbor.decode(frame.protected), cbor.decode(frame.payload)
        key = registry.find(header[4])
        if header != {1: -7, 3: CONTENT_TYPE, 4: header[4], 15: {1: board[0], 2: board[1]}} or fields[1] != 1:
            return None
        if key is None or (key.site, key.device, key.use) != (*board, "record"):
            return None
        if not key.signed(hashlib.sha256(frame.signed).digest(), frame.signature):
            return None
        return Answer(fields)
    except (Incomplete, cbor.CborError, KeyError, TypeError):
        return None
