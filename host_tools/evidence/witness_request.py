"""Write and read a request to a witness: the body of add-checkpoint, C2SP tlog-witness.

    old 96
    base64 hashes of the consistency proof, a line each

    the checkpoint
"""

import base64
import binascii
import os

from host_tools.errors import ToolError
from host_tools.evidence.proofs import HASH_SIZE

_PROOF_MAX = 63


class Request:
    """From which size on, the proof, and the checkpoint as it is."""

    def __init__(self, old_size, hashes, note):
        self.old_size = old_size
        self.hashes = hashes
        self.note = note

    def write(self):
        """Give the request as bytes."""
        lines = [f"old {self.old_size}", *(base64.b64encode(node).decode() for node in self.hashes)]
        return "\n".join(lines).encode() + b"\n\n" + self.note

    @staticmethod
    def is_one(path):
        """Tell a request from records, by how it begins."""
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(4) == b"old "

    @classmethod
    def read(cls, data):
        """Read a request; ToolError if it is spoilt."""
        head, blank, note = data.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        try:
            hashes = [base64.b64decode(line, validate=True) for line in lines]
        except (binascii.Error, ValueError):
            hashes = [b""]
        size = first[4:]
        if not blank or not size.isdigit() or len(size) > 18 or len(hashes) > _PROOF_MAX or any(
                len(node) != HASH_SIZE for node in hashes):
            raise ToolError("the request is spoilt", "Make it again: `python3 -m host_tools prove PATH --old SIZE`.")
        return cls(int(size), hashes, note)
