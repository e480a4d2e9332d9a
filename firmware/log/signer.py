"""Sign SHA-256 digests with a P-256 key held in software, in slices.

The interface that a secure element fills as well, one instance a key:
  prepare()     generator, once, before anything else: sets the three below
  spki          bytes, the public key as DER SubjectPublicKeyInfo (91 bytes)
  kid           bytes, the first 8 of SHA-256(spki)
  sign(digest)  generator; yields while it works or waits, then sets `signature` (64 bytes r || s, low s)
"""

from firmware.log import keys, p256, rfc6979


class Signer:
    """A private scalar d, 0 < d < N, in memory; its limits against side channels stand in p256.py."""

    def __init__(self, d):
        self._d = d
        self.x = 0
        self.y = 0
        self.spki = b""
        self.kid = b""
        self.signature = b""

    def prepare(self):
        """Yield while computing the public key and its names."""
        self.x, self.y = yield from p256.public_point(self._d)
        self.spki = keys.spki(self.x, self.y)
        self.kid = keys.kid(self.spki)

    def sign(self, digest):
        """Yield while signing a 32-byte digest; the result is in `signature`, the same for the same."""
        z = int.from_bytes(digest, "big")
        nonces = rfc6979.Nonces(self._d, digest)
        pair = None
        while pair is None:  # r or s is zero once in 2**256
            k = yield from nonces.draw()
            yield
            pair = yield from p256.sign(self._d, k, z)
        r, s = pair
        self.signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
