"""Hold the public keys of devices: keys.json, who each key belongs to, what for and for how long."""

import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from host_tools.errors import ToolError, read_bytes
from host_tools.evidence import cosignature

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HALF_ORDER = ORDER >> 1
USES = ("record", "checkpoint")
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
_PLAIN = ec.ECDSA(hashes.SHA256())
_FIELDS = ("kid", "site", "device", "use", "alg", "x", "y", "not_before_s", "not_after_s", "revoked_s")
_ADVICE_WITNESS = "A witness's key is a line name+id+base64, as `witness --key` prints it."
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
        return self._verifies(der_of(signature), digest, _PREHASHED)

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
    """All known keys, found by their 8-byte id, and the witnesses that are trusted."""

    def __init__(self, keys, witnesses=()):
        self.keys = {key.kid: key for key in keys}
        self.witnesses = list(witnesses)

    def copy(self):
        """Give a registry of its own to a run that may learn keys from the records."""
        return Registry(self.keys.values(), self.witnesses)

    def introduce(self, record, signer):
        """Learn the keys that a record of kind 3 names, in the name of its signer; a sentence if they are none."""
        learnt = []
        for field, use in ((46, "record"), (47, "checkpoint")):
            kid, x, y = record[field]
            try:
                numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
                key = Key(_new_row(signer.site, signer.device, use), numbers.public_key())
            except ValueError:
                return f"the new {use} key is no point of P-256"
            if key.kid != kid:
                return f"the new {use} key is named {kid.hex()}, its own id is {key.kid.hex()}"
            known = self.keys.get(kid, key)
            if (known.site, known.device, known.use) != (key.site, key.device, use):
                return f"the new {use} key {kid.hex()} is known as another one"
            learnt.append(known)
        self.keys |= {key.kid: key for key in learnt}
        return None

    def find(self, kid):
        """Find the key of an id; None if there is none."""
        return self.keys.get(kid)

    def by_note_id(self, note_id):
        """Find the keys whose 4-byte signed-note id this is."""
        return [key for kid, key in self.keys.items() if kid[:4] == note_id]

    def devices(self):
        """Name the devices that have record keys, as (site, device)."""
        return {(key.site, key.device) for key in self.keys.values() if key.use == "record"}


def der_of(signature):
    """Write a 64-byte r||s signature as DER; the two usual lengths are written directly."""
    if 0 < signature[32] < 0x80:
        if 0 < signature[0] < 0x80:
            return b"0D\x02\x20" + signature[:32] + b"\x02\x20" + signature[32:]
        if signature[0] >= 0x80:
            return b"0E\x02\x21\0" + signature[:32] + b"\x02\x20" + signature[32:]
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return encode_dss_signature(r, s)


def row_of(key):
    """Write a Key as a row of the key file."""
    numbers = key.public.public_numbers()
    return {
        "kid": key.kid.hex(), "site": key.site, "device": key.device, "use": key.use, "alg": "ES256",
        "x": f"{numbers.x:064x}", "y": f"{numbers.y:064x}",
        "not_before_s": key.not_before_s, "not_after_s": key.not_after_s, "revoked_s": key.revoked_s,
    }


def rows_of(path):
    """Read the rows of a key file, all of them valid."""
    return [row_of(key) for key in load(path).keys.values()]


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
    return Registry(keys, _read_witnesses(path, document.get("witnesses", [])))


def _read_witnesses(path, rows):
    """Read the witnesses' verifier keys, a list of C2SP vkeys."""
    if type(rows) is not list:
        raise ToolError(f"key file {path}: witnesses must be a list", _ADVICE_WITNESS)
    try:
        return [cosignature.read_vkey(row) for row in rows]
    except ValueError as error:
        raise ToolError(f"key file {path}: {error}", _ADVICE_WITNESS) from None


def _new_row(site, device, use):
    return {"site": site, "device": device, "use": use, "not_before_s": None, "not_after_s": None, "revoked_s": None}


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
