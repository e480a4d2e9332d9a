"""One signed message to a board: a COSE_Sign1 whose payload names kind, board, number, validity and arguments."""

import cbor2

CONTENT_TYPE = "application/vnd.evenkeel.command+cbor"
VERSION = 1
ACK = 1


def message(key, kind, site, device, number, arguments, not_before_s=0, not_after_s=(1 << 32) - 1):
    """Return the bytes of a message; `number` must rise from message to message under one key."""
    protected = cbor2.dumps({1: -7, 3: CONTENT_TYPE, 4: key.kid}, canonical=True)
    body = {1: VERSION, 2: kind, 3: site, 4: device, 5: number, 6: not_before_s, 7: not_after_s, 8: arguments}
    payload = cbor2.dumps(body, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", protected, b"", payload], canonical=True))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)


def ack(key, site, device, number, size, last_hash):
    """Return the message that the records below `size` are stored durably; `last_hash` is what record `size` names."""
    return message(key, ACK, site, device, number, {1: size, 2: last_hash})
