"""Grow the Merkle tree of RFC 6962 over the records, leaf by leaf, in a few hundred bytes of state."""

import hashlib

_sha256 = hashlib.sha256


class Tree:
    """A compact range: the roots of the complete subtrees so far, one for each 1 bit of the size."""

    def __init__(self):
        self.size = 0
        self.peaks = []

    def append(self, data):
        """Add one leaf, given as its whole bytes."""
        node = _sha256(b"\x00" + data).digest()
        size = self.size
        while size & 1:
            node = _sha256(b"\x01" + self.peaks.pop() + node).digest()
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        """Give the 32-byte root of all leaves so far."""
        return root_of(self.peaks)


def root_of(peaks):
    """Give the 32-byte root over the complete subtrees of a tree, largest first."""
    if not peaks:
        return _sha256(b"").digest()
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = _sha256(b"\x01" + peak + node).digest()
    return node
