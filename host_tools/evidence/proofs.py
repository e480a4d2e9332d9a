"""Prove that a record is in a tree, and that one tree is the beginning of another (RFC 6962 sections 2.1.1, 2.1.2).

Made from the hashes of all leaves; checked from a few. Sizes up to some hundred thousand records.
"""

import hashlib

HASH_SIZE = 32


def leaf_hash(data):
    """Hash one leaf, given as its whole bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def _join(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves):
    """Give the root over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        paired = [_join(leaves[i], leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = paired + leaves[len(leaves) - len(leaves) % 2 :]
    return leaves[0]


def inclusion(leaves, index):
    """Prove that the leaf of an index is in the tree: the hashes from its sibling up."""
    if len(leaves) < 2:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def consistency(leaves, size):
    """Prove that the tree over the first `size` leaves is the beginning of the tree over all."""
    if not 0 < size < len(leaves):
        return []
    return _subproof(leaves, size, True)


def _subproof(leaves, size, whole):
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= half:
        return [*_subproof(leaves[:half], size, whole), root(leaves[half:])]
    return [*_subproof(leaves[half:], size - half, False), root(leaves[:half])]


def root_of_inclusion(leaf, index, size, proof):
    """Compute the root that an inclusion proof leads to; None if it has not the right form."""
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    for other in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = _join(other, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = _join(node, other)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(old_size, old_root, new_size, new_root, proof):
    """Tell whether a consistency proof shows that the old tree is the beginning of the new one."""
    if old_size == 0 or old_size >= new_size:
        return not proof and (old_size == 0 or (old_size, old_root) == (new_size, new_root))
    if old_size & old_size - 1 == 0:
        proof = [old_root, *proof]
    if not proof:
        return False
    index, last = old_size - 1, new_size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = proof[0]
    for other in proof[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = _join(other, old), _join(other, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = _join(new, other)
        index, last = index >> 1, last >> 1
    return last == 0 and (old, new) == (old_root, new_root)
