"""The Merkle tree on any runtime: roots by RFC 6962's recursion, known roots, and taking it up again."""

from binascii import hexlify
from hashlib import sha256

from firmware.log.tree import Tree

# the test data of certificate transparency's own trees
LEAVES = (b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno")
ROOTS = {
    0: b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: b"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: b"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: b"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: b"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def root_by_recursion(leaves):
    """Return the root as RFC 6962 section 2.1 defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + root_by_recursion(leaves[:half]) + root_by_recursion(leaves[half:])).digest()


def test_known_roots():
    tree = Tree()
    for count in range(9):
        if count in ROOTS:
            assert hexlify(tree.root()) == ROOTS[count], count
        if count < 8:
            tree.append(LEAVES[count])


def test_every_size_agrees_with_the_definition():
    tree = Tree()
    leaves = []
    for count in range(70):
        assert tree.size == count and tree.root() == root_by_recursion(leaves)
        leaves.append(b"leaf %d" % count)
        tree.append(leaves[-1])


def test_goes_on_from_its_hashes():
    tree = Tree()
    for count in range(21):
        tree.append(b"%d" % count)
    again = Tree(tree.size, tree.hashes)
    again.append(b"x")
    tree.append(b"x")
    assert again.root() == tree.root() and len(again.hashes) == 3
