"""Interval records: fields to payload, bytes to be signed, SHA-256: the example of SPEC.md, a full one, the longest."""

import gc
import json
from hashlib import sha256

from firmware.core import cbor_plan
from firmware.log import layout, planned, record
from firmware.log.page import Page
from tests.bench import stopwatch
from tests.device.record_fields import LONGEST, full, interval, longest

ROUNDS = 9
HASHES = [bytes([65 + i]) * 32 for i in range(3)]
PREV = bytes(range(32))


class Encoding:
    """An Interval, ready to be encoded."""

    def __init__(self, made, ids=("north", "cab-1"), links=(12_345, 17)):
        self.interval = made
        self.links = links
        self.protected = record.protected_header(*ids, b"key id 8")
        self.page = Page(self.protected, *HASHES)

    def __call__(self):
        """Encode and hash."""
        for _ in self.page.fill(self.interval, *self.links, PREV):
            pass
        self.digest = self.page.digest()

    def check(self):
        """See that the tables make the same record; return its size in bytes."""
        steps = layout.payload(self.interval, *self.links, PREV, *HASHES)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                body = end.value
                break
        if body != self.page.body() or self.digest != sha256(record.to_be_signed(self.protected, body)).digest():
            raise RuntimeError("the record is not that of the tables")
        return len(self.page.sealed(bytes(64)))


def example():
    """Return the Interval of SPEC.md's example."""
    with open("tests/vectors/record_few.json") as file:
        return interval(json.load(file)["records"][0]["fields"])


def measure(encode):
    """Return (instructions, those of the hash, the record's bytes, allocated bytes)."""
    encode()
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        rounds.append(stopwatch.counts(encode))
        gc.enable()
    moved = stopwatch.allocated(encode)
    hashing = stopwatch.INSTRUCTIONS * stopwatch.counts(encode.page.digest)
    return stopwatch.INSTRUCTIONS * stopwatch.median(rounds), hashing, encode.check(), moved


def main():
    """Print the figures; those of `plain` are the full record's without the machine's own way of writing numbers."""
    if not planned.agrees(cbor_plan.fast):
        raise RuntimeError("the machine's own way does not agree with the plain one")
    figures = {}
    kinds = (("example", example, {}), ("full", full, {}), ("plain", full, {}),
             ("longest", longest, {"ids": ("s" * 50, "d" * 50), "links": (LONGEST, LONGEST)}))
    own = cbor_plan.fast
    for kind, make, more in kinds:
        cbor_plan.fast = None if kind == "plain" else own
        names = [name + "_" + kind for name in ("instructions", "hashing", "record_bytes", "alloc_bytes")]
        figures.update(zip(names, measure(Encoding(make(), **more))))
    print(figures)
