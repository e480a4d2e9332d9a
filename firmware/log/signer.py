"""Sign SHA-256 digests with a P-256 key held in software, in slices.

The interface that a secure element fills as well. A signer, one instance a key, prepared by its keyring:
  spki          bytes, the public key as DER SubjectPublicKeyInfo (91 bytes)
  kid           bytes, the first 8 of SHA-256(spki)
  sign(digest)  generator; yields while it works or waits (a number is so many us of rest), then sets `signature`
                (64 bytes r || s, low s); raises OSError where the element does not answer: the record is tried again
A keyring, one instance a board (keyring.py is the one in software):
  open(kid)     generator, once: makes `signers` ready. kid is that of the record key that the journal goes on with, or
                None where it says nothing: of two pairs the element must take the one that has it
  signers       (record signer, checkpoint signer) in use
  stage()       generator: makes the next pair, durably, beside the one in use, and sets `next`; again: the same pair;
                raises LogError with advice where it cannot
  next          (record signer, checkpoint signer) after stage(), else None
  promote()     makes `next` the pair in use, its change being in the journal; raises nothing
  news          list of (code, text): events to be noted, taken by whoever looks
Where power fails between stage() and promote(), open() is asked for the pair that the journal names.
tests/test_second_signer.py fills both with another implementation.
"""

from firmware.log import p256, rfc6979


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
        from firmware.log import keys  # at the start only: main.py forgets it then

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
