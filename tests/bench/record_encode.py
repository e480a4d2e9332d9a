"""One full interval record: fields to payload, bytes to be signed, SHA-256."""

import gc
import json
from binascii import unhexlify
from hashlib import sha256

from firmware.core.types import Interval
from firmware.log import record
from tests.bench import stopwatch

ROUNDS = 9


class Encoding:
    """The first example of SPEC.md, ready to be encoded."""

    def __init__(self):
        with open("tests/vectors/record_few.json") as file:
            given = json.load(file)
        row = given["records"][0]
        self.interval = Interval(row["fields"]["kind"])
        for name in row["fields"]:
            setattr(self.interval, name, row["fields"][name])
        self.expected = unhexlify(row["signed_sha256"])
        whole = unhexlify(row["record"])
        self.size = len(whole)
        frame = record.Frame(memoryview(whole), len(whole))
        self.links = (row["seq"], row["boot"], frame.links(whole)[3])
        self.hashes = [unhexlify(given[name]) for name in ("firmware", "config", "factor_table")]
        self.protected = unhexlify(given["protected"])
        self.slice_max = 0

    def __call__(self):
        """Encode and hash."""
        body = self._drain(record.payload(self.interval, *(list(self.links) + self.hashes)))
        self.digest = sha256(record.to_be_signed(self.protected, body)).digest()

    def _drain(self, generator):
        while True:
            try:
                next(generator)
            except StopIteration as end:
                return end.value


def main():
    """Print the figures."""
    encode = Encoding()
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        rounds.append(stopwatch.counts(encode))
        gc.enable()
    if encode.digest != encode.expected:
        raise RuntimeError("the record is not that of the example")
    print({"instructions": stopwatch.INSTRUCTIONS * stopwatch.median(rounds), "record_bytes": encode.size,
           "alloc_bytes": stopwatch.allocated(encode)})
