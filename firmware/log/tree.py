"""Keep the RFC 6962 Merkle tree of all records as its compact range: a hash for each one bit of the size."""

from hashlib import sha256


class Tree:
    """The tree's right edge: `hashes` are the roots of its perfect subtrees, largest first."""

    def __init__(self, size=0, hashes=()):
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf):
        """Add one leaf: the bytes of a whole record."""
        node = _leaf(leaf)
        size = self.size
        while size & 1:  # an odd count of subtrees at this height: join the last two
            node = _join(self.hashes.pop(), node)
            size >>= 1
        self.hashes.append(node)
        self.size += 1

    def root(self):
        """Return the 32-byte root; of the empty tree, the hash of nothing."""
        if not self.hashes:
            return sha256(b"").digest()
        node = self.hashes[-1]
        for i in range(len(self.hashes) - 2, -1, -1):
            node = _join(self.hashes[i], node)
        return node


def _leaf(data):
    digest = sha256(b"\x00")
    digest.update(data)
    return digest.digest()


def _join(left, right):
    digest = sha256(b"\x01")
    digest.update(left)
    digest.update(right)
    return digest.digest()
