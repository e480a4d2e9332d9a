"""Hold the public keys of devices: keys.json, who each key belongs to, what for and for how long."""

import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from host_tools.errors import ToolError, read_bytes

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HALF_ORDER = ORDER >> 1
USES = ("record", "checkpoint")
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
_PLAIN = ec.ECDSA(hashes.SHA256())
_FIELDS = ("kid", "site", "device", "use", "alg", "x", "y", "not_before_s", "not_after_s", "revoked_s")
_ADVICE = "Use a keys.json made by `python3 -m host_tools provision`."


class Key:
    """One public key: identity, owner, use, validity."""

    def __init__(self, row, public):
        self.public = public
        self.kid = kid_of(public)
        self.site = row["site"]
        self.device = row["device"]
        self.use = row["use"]
        self.not_before_s = row["not_before_s"]
        self.not_after_s = row["not_after_s"]
        self.revoked_s = row["revoked_s"]
        self.always = (self.not_before_s, self.not_after_s, self.revoked_s) == (None, None, None)

    def signed(self, digest, signature):
        """Tell whether a 64-byte r||s signature over a SHA-256 digest is this key's."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        return self._verifies(encode_dss_signature(r, s), digest, _PREHASHED)

    def signed_text(self, text, der):
        """Tell whether a DER signature over a text is this key's."""
        return self._verifies(der, text, _PLAIN)

    def _verifies(self, der, data, algorithm):
        try:
            self.public.verify(der, data, algorithm)
        except InvalidSignature:
            return False
        return True


class Registry:
    """All known keys, found by their 8-byte id."""

    def __init__(self, keys):
        self.keys = {key.kid: key for key in keys}

    def find(self, kid):
        """Find the key of an id; None if there is none."""
        return self.keys.get(kid)

    def by_note_id(self, note_id):
        """Find the keys whose 4-byte signed-note id this is."""
        return [key for kid, key in self.keys.items() if kid[:4] == note_id]

    def devices(self):
        """Name the devices that have record keys, as (site, device)."""
        return {(key.site, key.device) for key in self.keys.values() if key.use == "record"}


def spki_of(public):
    """Encode a public key as DER SubjectPublicKeyInfo."""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.DER, kind)


def kid_of(public):
    """Derive the id of a public key: the first 8 bytes of SHA-256 over its SubjectPublicKeyInfo."""
    return hashlib.sha256(spki_of(public)).digest()[:8]


def load(path):
    """Read keys.json; ToolError names the file, the key and what is wrong with it."""
    try:
        document = json.loads(read_bytes(path, "key file"))
    except (ValueError, RecursionError) as error:
        raise ToolError(f"key file {path} is not JSON: {error}", _ADVICE) from error
    if type(document) is not dict or document.get("version") != 1 or type(document.get("keys")) is not list:
        raise ToolError(f'key file {path} is not {{"version": 1, "keys": [...]}}', _ADVICE)
    keys = [_read_key(path, index, row) for index, row in enumerate(document["keys"])]
    if not keys:
        raise ToolError(f"key file {path} holds no key", _ADVICE)
    if len({key.kid for key in keys}) != len(keys):
        raise ToolError(f"key file {path} holds a key twice", "Remove the repetition.")
    return Registry(keys)


def _read_key(path, index, row):
    fault = _fault_of(row)
    if fault:
        raise ToolError(f"key file {path}: keys[{index}]{fault}", _ADVICE)
    try:
        numbers = ec.EllipticCurvePublicNumbers(int(row["x"], 16), int(row["y"], 16), ec.SECP256R1())
        key = Key(row, numbers.public_key())
    except ValueError:
        raise ToolError(f"key file {path}: keys[{index}] is no point of P-256", _ADVICE) from None
    if key.kid.hex() != row["kid"].lower():
        message = f"key file {path}: keys[{index}].kid is {row['kid']}, the key's own is {key.kid.hex()}"
        raise ToolError(message, _ADVICE)
    return key


def _fault_of(row):
    """Say what is wrong with the form of one row; None if nothing is."""
    if type(row) is not dict or set(row) != set(_FIELDS):
        return " must have exactly " + ", ".join(_FIELDS)
    for name in _FIELDS[:7]:
        if type(row[name]) is not str or not row[name]:
            return f".{name} must be text"
    for name in _FIELDS[7:]:
        if row[name] is not None and type(row[name]) is not int:
            return f".{name} must be seconds of UTC or null"
    if row["use"] not in USES or row["alg"] != "ES256":
        return ' must have use "record" or "checkpoint" and alg "ES256"'
    for name in ("x", "y"):
        if len(row[name]) != 64 or not set(row[name].lower()) <= set("0123456789abcdef"):
            return f".{name} must be 64 hexadecimal digits"
    return None
