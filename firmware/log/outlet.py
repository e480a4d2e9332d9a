"""What of the log its way out may see and do: where it ends, its checkpoint, and what is stored elsewhere."""

from hashlib import sha256

from firmware.log import answer
from firmware.log.chain import CHECKPOINT_PATH


class Outlet:
    """The log of one board for the uplink; a size is the number of records below it."""

    def __init__(self, chain, keeper, files, site, device):
        self._chain = chain
        self._keeper = keeper
        self._files = files
        self._names = site, device

    @property
    def size(self):
        """Return the number of records so far."""
        return self._chain.size

    @property
    def prev(self):
        """Return the hash that the next record will carry of the one before."""
        return self._chain.prev

    @property
    def acknowledged(self):
        """Return the number of records, from the first on, that are stored elsewhere."""
        return self._chain.acknowledged

    @property
    def at_rest(self):
        """Return whether nothing is being written: then records and checkpoint tell the same."""
        return not self._keeper.running

    @property
    def trouble(self):
        """Return whether the flash has refused something that is still to be written."""
        return self._chain.anchor_error is not None

    def acknowledge(self, size):
        """Yield while noting that all records below `size` are stored elsewhere."""
        yield from self._chain.acknowledge(size)

    def seal(self, body):
        """Yield while signing an answer of the board; return it whole. Only while the log is at rest."""
        return (yield from answer.sealed(*self._names, self._chain.keyring.signers[0], body))

    def unforeseen(self):
        """Yield while making 32 bytes that nobody without the record key can know, others each boot; log at rest."""
        signer = self._chain.keyring.signers[0]
        yield from signer.sign(sha256(b"evenkeel unforeseen" + self._chain.boot.to_bytes(4, "big")).digest())
        return sha256(signer.signature).digest()

    def checkpoint(self):
        """Return the last checkpoint as it is, None before the first."""
        return self._files.read(CHECKPOINT_PATH)

    def read_checkpoint(self, read, view):
        """Yield while reading the last checkpoint into a buffer by read(files, path, pos, view); return its length."""
        return (yield from read(self._files, CHECKPOINT_PATH, 0, view))
