"""Keep the board's pair of keys in files, and change it so that a power cut at any write leaves one valid pair.

`secret.bin` is the secret in use, `secret.new` the next one while a change is under way. The record that states the
change decides: once it is in the journal, the next secret is the one in use, whatever the files are called; open()
puts that right. Before, it is nothing, and open() drops it. signer.py has the interface that this fills.
"""

from micropython import const

from firmware.core.errors import LogError
from firmware.log.signer import Signer

SECRET_PATH = "secret.bin"
NEXT_PATH = "secret.new"
ENTROPY_PATH = "entropy.bin"  # randomness from elsewhere, for a board without a source of its own; used once
_SECRET_BYTES = const(32)  # as keys.SECRET_BYTES


class Keyring:
    """The pair of keys held in software. `entropy(count)` returns random bytes, or None where there is no source."""

    def __init__(self, files, entropy=None):
        self._files = files
        self._entropy = entropy
        self._renamed = True  # secret.new is not the secret in use
        self.signers = None
        self.next = None
        self.news = []

    def open(self, kid):
        """Yield while making the pair in use ready: the one whose record key is `kid`, if that is known (not None)."""
        files = self._files
        if not files.size(SECRET_PATH) and kid is None:
            self._make_first()
        self.signers = yield from _pair(files.read(SECRET_PATH))
        if files.size(NEXT_PATH):
            staged = yield from _pair(files.read(NEXT_PATH))
            if staged[0].kid == kid != self.signers[0].kid:
                self.next = staged
                self.promote()
            else:
                self.news.append(("KEYS_KEPT", "a change of keys had not come to its record; ask for it again"))
        if self._renamed:
            files.remove(NEXT_PATH)
        if kid is not None and self.signers[0].kid != kid:
            self.news.append(("KEYS_OTHER", "secret.bin is not the key that the journal goes on with; if the board was "
                              "not provisioned anew, put its own secret back"))

    def _make_first(self):
        """Make the secret of a board that has none, from its own entropy: nobody else ever sees it."""
        from firmware.log import keys

        seed = self._seed()
        if seed is not None:
            self._files.replace(SECRET_PATH, keys.next_secret(bytes(_SECRET_BYTES), seed))
            self.news.append(("KEYS_MADE", "the board has made its own keys; public.json has the public ones"))

    def stage(self):
        """Yield while making the next pair, durably; `next` is it. LogError where there is nothing to make it from."""
        from firmware.log import keys

        if self.next:
            return
        if not self._renamed:
            self._rename()
        seed = self._seed() or self._files.read(ENTROPY_PATH)
        if not seed or len(seed) < _SECRET_BYTES:
            raise LogError("KEY_ENTROPY", "the board has no source of randomness; put 32 random bytes on it as "
                           + ENTROPY_PATH)
        secret = keys.next_secret(self._files.read(SECRET_PATH), seed)
        yield
        yield from self._files.replacing(NEXT_PATH, secret)
        yield
        self.next = yield from _pair(secret)

    def promote(self):
        """Let the next pair be the one in use; its record is in the journal. No failure of the flash undoes that."""
        self.signers, self.next = self.next, None
        self._renamed = False
        try:
            self._rename()
        except (OSError, MemoryError) as error:
            self.news.append(("KEYS_RENAME", "secret.new keeps its name until the next start (%s)" % error))

    def _rename(self):
        self._files.rename(NEXT_PATH, SECRET_PATH)
        self._renamed = True
        self._files.remove(ENTROPY_PATH)

    def _seed(self):
        return self._entropy(_SECRET_BYTES) if self._entropy else None


def _pair(secret):
    """Yield while preparing the record signer and the checkpoint signer of a secret; return both."""
    from firmware.log import keys

    pair = Signer(keys.record_scalar(secret)), Signer(keys.checkpoint_scalar(secret))
    for signer in pair:
        yield from signer.prepare()
        yield
    return pair
