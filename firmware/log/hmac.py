"""Compute HMAC-SHA256 (RFC 2104): MicroPython's hashlib has SHA-256 and no hmac."""

from hashlib import sha256

# inner and outer padding of 64 bytes as integers: one exclusive or each instead of 64
_INNER = int.from_bytes(b"\x36" * 64, "big")
_OUTER = int.from_bytes(b"\x5c" * 64, "big")


def hmac_sha256(key, *parts):
    """Return the 32-byte HMAC of the concatenated parts; the key has at most 64 bytes."""
    padded = int.from_bytes(key, "big") << 8 * (64 - len(key))
    inner = sha256((padded ^ _INNER).to_bytes(64, "big"))
    for part in parts:
        inner.update(part)
    outer = sha256((padded ^ _OUTER).to_bytes(64, "big"))
    outer.update(inner.digest())
    return outer.digest()
