"""The signer's interface filled by something else: OpenSSL stands in for a secure element with its own key slots.

It shares no code with the firmware's signer, draws its nonces at random, answers late and sometimes not at all.
"""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from tests.key_rig import CutFiles, PowerCut, Reader, change, opened, record
from tests.record_examples import drain

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_WORKS_US = 5000


class Slot:
    """One key of the element."""

    def __init__(self, element):
        self._element = element
        self._private = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        self.spki = self._private.public_key().public_bytes(serialization.Encoding.DER, form)
        self.kid = hashlib.sha256(self.spki).digest()[:8]
        self.signature = b""

    def sign(self, digest):
        """Wait for the element; it may not answer."""
        yield _WORKS_US
        if self._element.mute:
            self._element.mute -= 1
            raise OSError(5)
        r, s = decode_dss_signature(self._private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        self.signature = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


class Element:
    """What survives a power cut: two pairs of slots at most."""

    def __init__(self):
        self.mute = 0
        self.pairs = [self.pair()]

    def pair(self):
        """Make a pair of keys."""
        return Slot(self), Slot(self)


class ElementKeyring:
    """A keyring as signer.py says, over an element."""

    def __init__(self, element):
        self._element = element
        self.signers = None
        self.next = None
        self.news = []

    def open(self, kid):
        """Take the pair that the journal names; the other one is of no use."""
        yield _WORKS_US
        pairs = self._element.pairs
        self.signers = next((pair for pair in pairs if pair[0].kid == kid), pairs[0])
        self._element.pairs = [self.signers]

    def stage(self):
        """Make the next pair."""
        if not self.next:
            yield _WORKS_US
            self.next = self._element.pair()
            self._element.pairs.append(self.next)

    def promote(self):
        """Use it."""
        self.signers, self.next = self.next, None
        self._element.pairs = [self.signers]


def first_keys(element):
    """Return the element's first pair as (kid, x, y) each."""
    return [(slot.kid, slot.spki[-64:-32], slot.spki[-32:]) for slot in element.pairs[0]]


def test_element_signs_and_changes_keys():
    files, element = CutFiles(), Element()
    first = first_keys(element)
    chain = opened(files, ElementKeyring(element))
    drain(chain.write(record()))
    change(chain)
    drain(chain.write(record()))
    chain = opened(files, ElementKeyring(element))
    drain(chain.write(record()))
    reader = Reader(files, *first)
    assert (reader.changes, reader.size) == (1, 4)
    assert not any("secret" in name for name in files.content)


def test_element_that_does_not_answer_loses_nothing():
    files, element = CutFiles(), Element()
    first = first_keys(element)
    chain = opened(files, ElementKeyring(element))
    element.mute = 1
    with pytest.raises(OSError):
        drain(chain.write(record()))
    assert chain.size == 0
    drain(chain.write(record()))  # what the keeper does ten seconds later
    assert Reader(files, *first).size == 1


@pytest.mark.parametrize("at", range(24))
def test_power_cut_between_files_and_element(at):
    files, element = CutFiles(at), Element()
    first = first_keys(element)
    try:
        chain = opened(files, ElementKeyring(element))
        drain(chain.write(record()))
        change(chain)
        drain(chain.write(record()))
    except PowerCut:
        pass
    files = files.after_the_cut()
    chain = opened(files, ElementKeyring(element))
    drain(chain.write(record()))
    reader = Reader(files, *first)
    assert reader.size == chain.size and reader.key[0] == chain.keyring.signers[0].kid
