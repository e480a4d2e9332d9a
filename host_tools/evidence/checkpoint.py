"""Read a signed end anchor: C2SP tlog-checkpoint in a signed note with an ECDSA signature.

    site/device
    96
    base64 of the RFC 6962 root

    -- site/device base64(key id, DER signature)      (the dash is U+2014)
"""

import base64
import binascii

_DASH = "\u2014 "


class CheckpointError(Exception):
    """Refuse an end anchor: a finding code and one sentence."""

    def __init__(self, code, what):
        super().__init__(what)
        self.code = code
        self.what = what


class Checkpoint:
    """A verified end anchor: of which device, how many records, which root."""

    def __init__(self, origin, size, root, name, kid, witnesses=()):
        self.origin = origin
        self.size = size
        self.root = root
        self.name = name
        self.kid = kid
        self.witnesses = list(witnesses)  # (name, UTC s) of each known witness whose cosignature holds


def read(data, registry, name):
    """Read and verify an end anchor; CheckpointError if it cannot be relied on."""
    text, lines, signatures = _split(data)
    origin, size, root = lines
    witnesses = _cosigned(text, signatures, registry, name)
    first_s = min((time_s for _, time_s in witnesses), default=None)
    key, signature = _find_key(origin, signatures, registry, first_s)
    if not key.signed_text(text, signature):
        raise CheckpointError("CHECKPOINT_SIGNATURE", f"the signature in {name} does not fit its text")
    return Checkpoint(origin, int(size), _base64(root), name, key.kid, witnesses)


def _cosigned(text, signatures, registry, name):
    """Find the known witnesses whose cosignature holds; one of theirs that does not is refused."""
    found = []
    for signer, value in signatures:
        blob = _base64(value)
        for witness in registry.witnesses:
            if (signer, blob[:4]) != (witness.name, witness.key_id):
                continue
            time_s = witness.time_of(text, blob)
            if time_s is None:
                what = f"the cosignature of {signer} in {name} does not fit its text"
                raise CheckpointError("WITNESS_SIGNATURE", what)
            found.append((signer, time_s))
    return found


def _split(data):
    """Cut a note into its signed text, its three lines and its signature lines."""
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _broken("it is no UTF-8 text") from None
    body, blank, tail = whole.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) != 3 or not tail.endswith("\n") or not lines[0]:
        raise _broken("it must be three lines, an empty line and signature lines")
    if not lines[1].isascii() or not lines[1].isdecimal() or str(int(lines[1][:20])) != lines[1]:
        raise _broken("its second line must be the number of records")
    if len(_base64(lines[2])) != 32:
        raise _broken("its third line must be a root of 32 bytes in base64")
    signatures = tail[:-1].split("\n")
    if any(not line.startswith(_DASH) or line.count(" ") != 2 for line in signatures):
        raise _broken("a signature line does not have its form")
    return (body + "\n").encode(), lines, [line[len(_DASH) :].split(" ") for line in signatures]


def _find_key(origin, signatures, registry, cosigned_s):
    """Find the device's own signature among the lines: (key, DER signature).

    A revoked key counts where a known witness has cosigned before it was revoked.
    """
    own = [_base64(value) for signer, value in signatures if signer == origin]
    for value in own:
        for key in registry.by_note_id(value[:4]):
            in_time = key.revoked_s is None or cosigned_s is not None and cosigned_s < key.revoked_s
            if f"{key.site}/{key.device}" == origin and key.use == "checkpoint" and in_time:
                return key, value[4:]
    raise CheckpointError("CHECKPOINT_KEY", _why_no_key(origin, own, registry))


def _why_no_key(origin, own, registry):
    """Say which of the reasons it is that no key fits."""
    for value in own:
        for key in registry.by_note_id(value[:4]):
            if key.use != "checkpoint":
                return f"it is signed with a key meant for {key.use}s"
            if key.revoked_s is not None:
                return "the key that signed it is revoked"
            return f"it says {origin}, but its key belongs to {key.site}/{key.device}"
    return f"{origin} has signed it with no key that is in the key file"


def _base64(text):
    """Decode strict base64."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _broken("a part that should be base64 is not") from None
    if base64.b64encode(data).decode() != text:
        raise _broken("a part is not canonical base64")
    return data


def _broken(what):
    return CheckpointError("CHECKPOINT_BROKEN", what)
