"""Make and check a witness's cosignature of a checkpoint: C2SP tlog-cosignature v1, Ed25519 (signature type 0x04).

It says: at this time, the largest tree of this log that I have seen has this root, and all I saw before is part of it.
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DASH = "\u2014 "
_TYPE = b"\x04"
_BLOB_SIZE = 4 + 8 + 64


class Witness:
    """A witness that is trusted: its name, its public key, the id under which it signs."""

    def __init__(self, name, public):
        self.name = name
        self.public = public
        self.key_id = hashlib.sha256(name.encode() + b"\n" + _TYPE + public).digest()[:4]

    def vkey(self):
        """Write the verifier key: name+id+base64 of type and key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_TYPE + self.public).decode()}"

    def time_of(self, body, blob):
        """Give the time (UTC s) at which this witness cosigned a note's body; None if the blob is not its signature."""
        if len(blob) != _BLOB_SIZE or blob[:4] != self.key_id:
            return None
        time_s = int.from_bytes(blob[4:12])
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob[12:], _message(body, time_s))
        except InvalidSignature:
            return None
        return time_s if time_s < 1 << 63 else None


def read_vkey(text):
    """Read a verifier key; ValueError says what is wrong with it."""
    if type(text) is not str or text.count("+") < 2:
        raise ValueError(f"{text!r} is no witness key")
    name, key_id, data = text.split("+", 2)
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the key of the witness {name!r} is not base64") from None
    if raw[:1] != _TYPE or len(raw) != 33:
        raise ValueError(f"the key of the witness {name!r} is not an Ed25519 key for cosignatures (type 4)")
    witness = Witness(checked_name(name), raw[1:])
    if witness.key_id.hex() != key_id:
        raise ValueError(f"the key of the witness {name!r} has the id {witness.key_id.hex()}, not {key_id}")
    return witness


def checked_name(name):
    """Return the name of a witness; ValueError if it is none."""
    if not name or "+" in name or not name.isprintable() or " " in name:
        raise ValueError(f"{name!r} is no name of a witness: letters without space or +")
    return name


def cosign(name, private, body, time_s):
    """Cosign a note's body at a time (UTC s): the signature line, without its newline."""
    witness = Witness(checked_name(name), private.public_key().public_bytes_raw())
    blob = witness.key_id + time_s.to_bytes(8) + private.sign(_message(body, time_s))
    return f"{DASH}{name} {base64.b64encode(blob).decode()}"


def _message(body, time_s):
    return b"cosignature/v1\ntime %d\n" % time_s + body
