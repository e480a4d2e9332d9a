"""Derive ECDSA nonces from key and digest (RFC 6979, HMAC-SHA256, P-256): no random source is trusted."""

from firmware.log.hmac import hmac_sha256
from firmware.log.p256 import N


class Nonces:
    """Draw the nonces for one private scalar d and one SHA-256 digest; the first one nearly always serves."""

    def __init__(self, d, digest):
        z = int.from_bytes(digest, "big") % N
        self._seed = d.to_bytes(32, "big") + z.to_bytes(32, "big")
        self._key = b""
        self._value = b""

    def draw(self):
        """Yield between the HMACs of one draw; return a nonce k, 0 < k < N. The next call draws another."""
        if self._value:
            yield from self._mix(b"\x00", b"")
        else:
            self._key, self._value = bytes(32), b"\x01" * 32
            yield from self._mix(b"\x00", self._seed)
            yield from self._mix(b"\x01", self._seed)
        while True:
            self._value = hmac_sha256(self._key, self._value)
            k = int.from_bytes(self._value, "big")
            if 0 < k < N:
                return k
            yield from self._mix(b"\x00", b"")

    def _mix(self, mark, seed):
        self._key = hmac_sha256(self._key, self._value, mark, seed)
        yield
        self._value = hmac_sha256(self._key, self._value)
        yield
