"""Read what a witness has told the board: witness.txt, a checkpoint of this board that somebody else has cosigned.

Whether the cosignature holds is for whoever reads the record: the board knows no witness's key, and states what it was
told. What is not of this board, or not of the form of a C2SP tlog-cosignature, counts as nothing.
"""

from binascii import a2b_base64

PATH = "witness.txt"
_MAX_BYTES = 4096
_COSIGNATURE = 4 + 8  # key id and time, before the signature itself
_SIGNATURE_MIN = 64
_MARK = "\u2014 "


def told(files, origin):
    """Return [size, root, time_s] of the last checkpoint of `origin` that was witnessed, or None."""
    count = files.size(PATH)
    if not count or count > _MAX_BYTES:
        return None
    try:
        return parse(files.read(PATH).decode(), origin)
    except ValueError:  # UnicodeError is one
        return None


def parse(text, origin):
    """Return [size, root, time_s] of a cosigned note, or None; ValueError where it is not even text and numbers."""
    parts = text.split("\n\n")
    lines = parts[0].split("\n")
    if len(parts) != 2 or len(lines) < 3 or lines[0] != origin or not lines[1].isdigit():
        return None
    root = a2b_base64(lines[2])
    size, time_s = int(lines[1]), _time_s(parts[1], origin)
    return [size, root, time_s] if len(root) == 32 and size < 1 << 63 and time_s else None


def _time_s(signatures, origin):
    """Return when the last witness cosigned, 0 where none did; the board's own signature has no time."""
    time_s = 0
    for line in signatures.split("\n"):
        words = line.split(" ")
        if line.startswith(_MARK) and len(words) == 3 and words[1] != origin:
            blob = a2b_base64(words[2])
            if len(blob) >= _COSIGNATURE + _SIGNATURE_MIN:
                time_s = max(time_s, int.from_bytes(blob[4:_COSIGNATURE], "big"))
    return time_s
