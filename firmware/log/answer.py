"""Sign an answer to an operator with the record key: like a record, under another content type, outside the chain."""

from hashlib import sha256

from firmware.core import cbor

CONTENT_TYPE = "application/vnd.evenkeel.answer+cbor"


def sealed(site, device, signer, body):
    """Yield while signing; return the answer as a tagged COSE_Sign1 around the bytes of `body`."""
    header = cbor.encode({1: -7, 3: CONTENT_TYPE, 4: signer.kid, 15: {1: site, 2: device}})
    yield
    protected = cbor.encode(header)
    payload = cbor.encode(body)
    yield
    digest = sha256(b"\x84\x6aSignature1" + protected + b"\x40" + payload).digest()
    yield
    yield from signer.sign(digest)
    return b"\xd2\x84" + protected + b"\xa0" + payload + b"\x58\x40" + signer.signature
