"""Merkle proofs: the RFC's own trees, every size up to forty, and no proof that is not exactly right."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.evidence import proofs
from host_tools.evidence.tree import Tree
from tests.evidence_writer import root as plain_root

DATA = [b"record %d" % i for i in range(40)]
LEAVES = [proofs.leaf_hash(data) for data in DATA]
# The leaves of the test tree of Certificate Transparency, and roots that its implementations share.
SHARED = [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)),
          bytes(range(0x60, 0x70))]
SHARED_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def test_shared_roots():
    leaves = [proofs.leaf_hash(data) for data in SHARED]
    for size, root in SHARED_ROOTS.items():
        assert proofs.root(leaves[:size]).hex() == root


def test_root_of_every_size_is_that_of_the_rule_and_of_the_compact_range():
    tree = Tree()
    for size in range(41):
        assert proofs.root(LEAVES[:size]) == plain_root(DATA[:size]) == tree.root()
        if size < 40:
            tree.append(DATA[size])
    assert proofs.root([]) == hashlib.sha256(b"").digest()


def test_inclusion_of_every_leaf_of_every_size():
    for size in range(1, 41):
        root = proofs.root(LEAVES[:size])
        for index in range(size):
            proof = proofs.inclusion(LEAVES[:size], index)
            assert proofs.root_of_inclusion(LEAVES[index], index, size, proof) == root
            for wrong in (index - 1, index + 1, size):
                assert proofs.root_of_inclusion(LEAVES[index], wrong, size, proof) != root
            assert proofs.root_of_inclusion(LEAVES[index], index, size, [*proof, bytes(32)]) is None
            assert not proof or proofs.root_of_inclusion(LEAVES[index], index, size, proof[:-1]) != root


def test_consistency_of_every_two_sizes():
    roots = [proofs.root(LEAVES[:size]) for size in range(41)]
    for new in range(1, 41):
        for old in range(1, new + 1):
            proof = proofs.consistency(LEAVES[:new], old)
            assert proofs.is_consistent(old, roots[old], new, roots[new], proof)
            assert not proofs.is_consistent(old, bytes(32), new, roots[new], proof)
            assert not proofs.is_consistent(old, roots[old], new, bytes(32), proof)
            assert not proofs.is_consistent(old, roots[old], new, roots[new], [*proof, bytes(32)])
            assert not proof or not proofs.is_consistent(old, roots[old], new, roots[new], proof[:-1])
    assert not proofs.is_consistent(5, roots[5], 4, roots[4], [])


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_history_has_no_proof(data):
    new = data.draw(st.integers(2, 40))
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = [*LEAVES[:changed], proofs.leaf_hash(b"other"), *LEAVES[changed + 1 : new]]
    proof = proofs.consistency(other, old)
    assert not proofs.is_consistent(old, proofs.root(LEAVES[:old]), new, proofs.root(other), proof)


@pytest.mark.parametrize("size", (1, 2, 3, 1000, 1025))
def test_proofs_are_short(size):
    leaves = [proofs.leaf_hash(b"%d" % i) for i in range(size)]
    assert len(proofs.inclusion(leaves, size // 2)) <= size.bit_length()
    assert len(proofs.consistency(leaves, max(size // 3, 1))) <= 2 * size.bit_length()
