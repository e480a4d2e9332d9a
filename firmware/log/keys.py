"""Derive the board's two private scalars from its secret, the next secret, and the names of public keys."""

import json
from binascii import hexlify, unhexlify
from hashlib import sha256

from firmware.core.errors import LogError
from firmware.log.hmac import hmac_sha256
from firmware.log.p256 import N

SECRET_BYTES = 32
_RECORD = b"evenkeel record key 1"
_CHECKPOINT = b"evenkeel checkpoint key 1"
_NEXT = b"evenkeel next secret 1"
# SubjectPublicKeyInfo of an uncompressed P-256 point, up to and with the byte 04
_SPKI = unhexlify("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def record_scalar(secret):
    """Return the private scalar that signs records."""
    return _derive(secret, _RECORD)


def checkpoint_scalar(secret):
    """Return the private scalar that signs checkpoints."""
    return _derive(secret, _CHECKPOINT)


def next_secret(secret, seed):
    """Return the secret that follows: nobody knows it who lacks either of the secret before and the seed."""
    return hmac_sha256(secret, _NEXT, seed)


def spki(x, y):
    """Return the 91 bytes of the DER SubjectPublicKeyInfo of a public point."""
    return _SPKI + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def kid(spki_der):
    """Return the 8 bytes by which a record names its key; the first 4 are the key id of a signed note."""
    return sha256(spki_der).digest()[:8]


def row(site, device, use, spki_der):
    """Return one row of a key file as JSON text; SPEC.md, section 6."""
    point = hexlify(spki_der[-64:]).decode()
    return ('{"kid": "%s", "site": %s, "device": %s, "use": "%s", "alg": "ES256", "x": "%s", "y": "%s", '
            '"not_before_s": null, "not_after_s": null, "revoked_s": null}') % (
                hexlify(kid(spki_der)).decode(), json.dumps(site), json.dumps(device), use, point[:64], point[64:])


def _derive(secret, label):
    """Return HMAC-SHA256(secret, label || counter) of the first counter that gives a scalar in 1..N-1."""
    if secret is None or len(secret) != SECRET_BYTES:
        raise LogError("SECRET", "secret.bin must hold exactly 32 bytes; provision the board")
    for counter in range(256):
        d = int.from_bytes(hmac_sha256(secret, label, bytes([counter])), "big")
        if 0 < d < N:
            return d
    raise LogError("SECRET", "secret.bin gives no key; provision the board with another secret")
