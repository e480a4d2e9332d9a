"""Write the signed end anchor: a C2SP tlog-checkpoint, a signed note with an ECDSA signature (type 0x02)."""

from binascii import b2a_base64
from hashlib import sha256

from firmware.core.errors import LogError

_DASH = b"\xe2\x80\x94 "  # U+2014 and a space begin a signature line
_KEY_ID_BYTES = 4


def origin(site, device):
    """Return the name of this log and of its key; refuse what a signed note cannot name."""
    for what, text in (("site id", site), ("device id", device)):
        bad = [letter for letter in text if letter <= " " or letter > "~" or letter in "+/"]
        if bad or not text:
            raise LogError("CHECKPOINT_NAME", "%s %r: use ASCII without space, + or /" % (what, text))
    return site + "/" + device


def note(origin_text, size, root):
    """Return the text that is signed: origin, tree size, base64 of the root, a line each."""
    return b"%s\n%d\n%s" % (origin_text.encode(), size, b2a_base64(root))


def signed(text, origin_text, signer):
    """Yield while signing the note's text; return the whole checkpoint as bytes."""
    yield from signer.sign(sha256(text).digest())
    line = b2a_base64(signer.kid[:_KEY_ID_BYTES] + der(signer.signature))
    return text + b"\n" + _DASH + origin_text.encode() + b" " + line


def der(signature):
    """Return a signature of 64 bytes r || s as a DER Ecdsa-Sig-Value."""
    body = _integer(signature[:32]) + _integer(signature[32:])
    return bytes([0x30, len(body)]) + body


def _integer(data):
    data = data.lstrip(b"\x00")
    if not data or data[0] & 0x80:
        data = b"\x00" + data
    return bytes([0x02, len(data)]) + data
