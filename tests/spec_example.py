"""Print the example that opens SPEC.md: the first record of tests/vectors/record_v1.json, byte by byte."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "firmware" / "log" / "SPEC.md"
VECTORS = ROOT / "tests" / "vectors" / "record_v1.json"
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "host_tools" / "compat")]

from firmware.core import cbor  # noqa: E402
from firmware.log import layout, record  # noqa: E402

_WIDTH = 72
_LINKS = ("version", "kind", "seq", "boot", "prev", "firmware", "config", "factor_table")


def first_record():
    """Return the bytes of the first example record."""
    return bytes.fromhex(json.loads(VECTORS.read_text())["records"][0]["record"])


def lines(data):
    """Return the annotated lines of one interval record; the hex of all lines is the record."""
    frame = record.Frame(data, len(data))
    out = _line(data[:2], "tag 18 (COSE_Sign1), array of 4")
    out += _protected(data, 2, frame.protected_end)
    out += _line(data[frame.protected_end : frame.protected_end + 1], "unprotected header: empty map")
    out += _payload(data, frame)
    out += _line(data[frame.body_end : frame.body_end + 2], "signature, 64 bytes")
    out += _line(data[frame.body_end + 2 : frame.length - 32], "r")
    return out + _line(data[frame.length - 32 :], "s, the lower of s and n - s")


def _protected(data, at, end):
    _, count, start = cbor.head(data, at)
    out = _line(data[at:start], f"protected header, {count} bytes")
    out += _line(data[start : start + 1], "map of 4")
    header, pos = cbor.decode(data, start)[0], start + 1
    names = {1: "alg: -7, ES256", 3: f'content type: "{header[3]}"', 4: "kid: first 8 bytes of SHA-256(SPKI)",
             15: f'claims: issuer (site) "{header[15][1]}", subject (device) "{header[15][2]}"'}
    while pos < end:
        key, value_at = cbor.decode(data, pos)
        _, following = cbor.decode(data, value_at)
        out += _line(data[pos:following], names[key])
        pos = following
    return out


def _payload(data, frame):
    names = dict(enumerate(_LINKS, 1)) | {key: name for key, name, _ in layout.INTERVAL_FIELDS}
    head = frame.protected_end + 1
    out = _line(data[head : frame.body_at], f"payload, {frame.body_end - frame.body_at} bytes")
    _, count, pos = cbor.head(data, frame.body_at)
    out += _line(data[frame.body_at : pos], f"map of {count}")
    while pos < frame.body_end:
        key, value_at = cbor.decode(data, pos)
        value, following = cbor.decode(data, value_at)
        shown = "" if isinstance(value, bytes) else " = " + _shown(value)
        out += _line(data[pos:following], f"{key} {names[key]}{shown}")
        pos = following
    return out


def _shown(value):
    """Return a value as JSON would have it, hashes cut short."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, bytes):
        return value[:4].hex() + ".."
    return {None: "null"}.get(value, f'"{value}"' if isinstance(value, str) else str(value))


def _line(data, words):
    """Return one line of hex and words; long hex goes on in the next lines."""
    text = data.hex()
    out = [f"{text[:_WIDTH]:<{_WIDTH}}  {words}"]
    return out + [text[i : i + _WIDTH] for i in range(_WIDTH, len(text), _WIDTH)]


if __name__ == "__main__":
    print("\n".join(lines(first_record())))
