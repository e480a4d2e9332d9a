"""Take acknowledgements and commands: COSE_Sign1 of an operator whose key the board knows, each number once.

Checked in the order of what it costs: form, key, site and device, number, time, and only then the signature. What is
refused changes nothing, and is counted by its reason. `kinds` says what each kind does.
"""

import json
from hashlib import sha256

from micropython import const

from firmware.core import cbor
from firmware.core.errors import LogError, UplinkError

CONTENT_TYPE = "application/vnd.evenkeel.command+cbor"
ACK = const(1)
TIME = const(10)
_WAITING = const(4)
_REST_US = const(1_000_000)
_TRIES = const(5)  # of a message for which there is no memory just now
_TAG = const(18)
_MAP = const(0xA0)
_ES256 = const(-7)
_SIGNED_START = b"\x84\x6aSignature1"
_NO_EXTERNAL = b"\x40"
_VERSION = const(1)
_FIELDS = (int, int, str, str, int, int, int, dict)  # of the keys 1 to 8
_HEX = const(16)


class Order:
    """One message, taken apart; its signature not yet checked."""

    def __init__(self, data):
        parts, end = cbor.decode(data)
        if end != len(data) or type(parts) is not cbor.Tagged or parts.tag != _TAG:
            raise UplinkError("FORM", "is no single COSE_Sign1")
        parts = parts.value
        if type(parts) is not list or len(parts) != 4 or parts[1] != {}:
            raise UplinkError("FORM", "is no COSE_Sign1 with an empty unprotected header")
        self.protected, _, self.payload, self.signature = parts
        for part in (self.protected, self.payload, self.signature):
            if type(part) is not bytes:
                raise UplinkError("FORM", "has a part that is no byte string")
        if len(self.signature) != 64:
            raise UplinkError("FORM", "has a signature that is not 64 bytes")

    def read_header(self):
        """Take the protected header apart: algorithm, content type, key."""
        header, end = cbor.decode(self.protected)
        if end != len(self.protected) or type(header) is not dict or set(header) != {1, 3, 4}:
            raise UplinkError("FORM", "has a protected header with other keys than 1, 3 and 4")
        if header[1] != _ES256 or header[3] != CONTENT_TYPE or type(header[4]) is not bytes:
            raise UplinkError("TYPE", "is not an ES256 command")
        self.kid = header[4]

    def read_payload(self):
        """Yield while taking the payload apart, some entries a slice."""
        major, count, pos = cbor.head(self.payload, 0)
        if major != _MAP or count != len(_FIELDS):
            raise UplinkError("FORM", "has a payload with other keys than 1 to 8")
        fields = {}
        for key, kind in enumerate(_FIELDS, 1):
            found, pos = cbor.decode(self.payload, pos)
            value, pos = cbor.decode(self.payload, pos)
            if type(found) is not int or found != key:
                raise UplinkError("FORM", "has a payload with other keys than 1 to 8, or in another order")
            if type(value) is not kind or kind is int and value < 0:
                raise UplinkError("FORM", "has a payload whose key %d is of another type" % key)
            fields[key] = value
            if key % 3 == 0:
                yield
        if pos != len(self.payload):
            raise UplinkError("FORM", "has bytes behind its payload")
        if fields[1] != _VERSION:
            raise UplinkError("VERSION", "is of version %d, this board knows 1" % fields[1])
        self.kind, self.site, self.device, self.number = fields[2], fields[3], fields[4], fields[5]
        self.begin_s, self.end_s, self.words = fields[6], fields[7], fields[8]

    def digest(self):
        """Return the SHA-256 of what is signed."""
        signed = bytearray(_SIGNED_START)
        cbor.put(signed, self.protected)
        signed.extend(_NO_EXTERNAL)
        cbor.put(signed, self.payload)
        return sha256(signed).digest()


class Orders:
    """What came and waits; `state` is the board's uplink state on flash, `utc` the clock, `operators` their keys."""

    def __init__(self, site, device, utc, operators, state, kinds, note, seal):
        self._to = site, device
        self._utc = utc
        self._operators = operators
        self._state = state
        self._kinds = kinds
        self._note = note
        self._seal = seal  # seal(payload) yields and returns it signed by the board
        self.answer = None  # the signed answer to the last order, until it is sent
        self._ack = None  # the last one that came: it holds for those before
        self._waiting = []
        self._arrived_ms = 0  # of the one that is judged
        self._tries = 0
        self.refused = {}  # reason -> count
        self.carried_out = 0

    def post(self, data, is_ack, now_ms=0):
        """Keep a message, and the tick at which it came, until there is time for it."""
        if is_ack:
            self._ack = data
        elif len(self._waiting) < _WAITING:
            self._waiting.append((data, now_ms))
        else:
            self._refuse(UplinkError("BUSY", "came while %d others wait; send it again" % _WAITING))

    def wanted(self, acks):
        """Return whether something waits; `acks`: an acknowledgement counts."""
        return bool(self._waiting) or acks and self._ack is not None

    def work(self):
        """Yield while checking and carrying out one message."""
        is_ack = not self._waiting
        if is_ack:
            data, self._ack = self._ack, None
        else:
            data, self._arrived_ms = self._waiting.pop(0)
        refusal = order = None
        try:
            order = yield from self._judged(data, is_ack)
            yield
            yield from self._carry_out(order)
        except LogError as error:
            refusal = UplinkError("FORM", "is no deterministic CBOR (%s)" % error.code)
        except UplinkError as error:
            refusal = error
        except MemoryError:
            if not self._again(data, is_ack, order):
                refusal = UplinkError("MEMORY", "found no memory; send it again with a new number")
            yield _REST_US
        if refusal:
            self._tries = 0
            yield
            self._refuse(refusal)

    def _again(self, data, is_ack, order):
        """Put a message back that was not judged for want of memory; return whether it is tried again."""
        self._tries += 1
        if is_ack:
            self._ack = self._ack or data
            return True
        if order or self._tries >= _TRIES:
            return False
        self._waiting.insert(0, (data, self._arrived_ms))
        return True

    def _judged(self, data, is_ack):
        """Return the Order in a message, everything about it checked."""
        order = Order(data)
        yield
        order.read_header()
        yield
        yield from order.read_payload()
        yield
        if (order.site, order.device) != self._to:
            raise UplinkError("ADDRESS", "is for another site or device")
        kind = self._kinds.get(order.kind)
        if kind is None or is_ack and order.kind != ACK:
            raise UplinkError("KIND", "is of kind %d, which this board does not take here" % order.kind)
        self._check_number(order)
        yield
        self._check_time(order, kind)
        yield
        yield from kind.check(order.words)
        yield
        z = order.digest()
        yield
        if not (yield from self._operators.verify(order.kid, z, order.signature)):
            raise UplinkError("SIGNATURE", "is not signed with the key that it names")
        yield
        return order

    def _check_number(self, order):
        """Refuse a number that is not above the last one of its key; an acknowledgement only ever says more."""
        if not self._operators.knows(order.kid):
            raise UplinkError("KEY", "is signed with a key that operators.json does not have")
        if order.kind != ACK and (self._state.broken or order.number <= self._state.number(order.kid)):
            raise UplinkError("REPLAY", "has number %d, which is not above the last one of its key" % order.number)

    def _check_time(self, order, kind):
        utc = self._utc
        if order.kind == TIME and kind.age_ms(order.words, self._arrived_ms) is not None:
            return  # its age is known, whatever our clock says
        if not utc.trust:
            if not kind.anytime:
                raise UplinkError("CLOCK", "wants a board that knows the time; set its clock first, by its challenge")
            return
        now_s = utc.quarter * 900 + utc.ms // 1000
        if not order.begin_s <= now_s <= order.end_s:
            raise UplinkError("TIME", "is valid from %d to %d, and it is %d" % (order.begin_s, order.end_s, now_s))

    def _carry_out(self, order):
        if order.kind != ACK:
            self._state.set_number(order.kid, order.number)
            yield from self._state.save()  # first: cut off behind it, it is not carried out a second time
        words = (order.words, self._arrived_ms) if order.kind == TIME else (order.words,)
        said = yield from self._kinds[order.kind].carry_out(*words)
        self.carried_out += 1
        self._tries = 0
        yield
        if said:
            self._note("operator", "COMMAND", "kind %d, number %d: %s" % (order.kind, order.number, said))
        if order.kind != ACK:
            yield
            body = self._answer_to(order, said)
            yield
            self.answer = yield from self._seal(body)

    def _answer_to(self, order, said):
        """Return what an answer says: to whom and what, and when."""
        utc = self._utc
        now_s = utc.quarter * 900 + utc.ms // 1000 if utc.trust else None
        return cbor.encode({1: _VERSION, 2: order.kid, 3: order.number, 4: order.kind, 5: said or "", 6: now_s})

    def _refuse(self, error):
        """Count a refusal; note the 1st, 2nd, 4th, 8th ... of each reason: nobody can flood the log."""
        count = self.refused[error.code] = self.refused.get(error.code, 0) + 1
        if not count & count - 1:
            self._note("uplink", "REFUSED", "%s: a message %s (%d so far)" % (error.code, error.detail, count))


class Operators:
    """The operators' public keys, from the rows of operators.json; `verifier(x, y, buffers)` checks with one.

    `buffers` are for it to work in: in a heap full of small holes there might be none as long.
    """

    def __init__(self, rows, verifier, buffers=()):
        self._keys = {}
        self._make = verifier
        self._buffers = buffers
        for row in rows:
            self._keys[row["kid"]] = int(row["x"], _HEX), int(row["y"], _HEX)

    def knows(self, kid):
        """Return whether there is a key of this name."""
        return kid.hex() in self._keys

    def verify(self, kid, digest, signature):
        """Yield while checking a signature; return whether it holds. What it takes is given back: heap is scarce."""
        x, y = self._keys[kid.hex()]
        verifier = self._make(x, y, self._buffers)
        yield
        if not (yield from verifier.prepare()):
            raise UplinkError("KEY", "names a key that is no point of the curve; see operators.json")
        z, r, s = [int.from_bytes(part, "big") for part in (digest, signature[:32], signature[32:])]
        return (yield from verifier.verify(z, r, s))


def read_operators(data):
    """Return the rows of an operators.json; UplinkError where it is none. No file: no operators."""
    if data is None:
        return []
    try:
        rows = json.loads(data.decode())["keys"]
        for row in rows:
            int(row["x"], _HEX), int(row["y"], _HEX), row["kid"] + ""
        return rows
    except (ValueError, KeyError, TypeError):
        raise UplinkError("OPERATORS", "operators.json: must hold keys with kid, x and y; export it anew")
