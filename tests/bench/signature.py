"""Signing and verifying P-256 with big integers and by the core's multiplier: instructions, slices, garbage."""

import gc

from firmware.core import words
from firmware.hal import thumb
from firmware.log import keys, p256
from firmware.log.ecdsa_verify import Verifier
from firmware.log.signer import Signer
from tests.bench import stopwatch

COLLECT_EVERY = 8


class Run:
    """Runs a generator slice by slice; collects between slices, so that no slice does."""

    def __init__(self, generator):
        self.total = self.longest = self.garbage_bytes = self.slices = 0
        self.result = None
        gc.collect()
        gc.disable()
        while self._slice(generator):
            if not self.slices % COLLECT_EVERY:
                gc.collect()
        gc.enable()

    def _slice(self, generator):
        before = gc.mem_alloc()
        more = True
        begin = stopwatch.now()
        try:
            next(generator)
        except StopIteration as end:
            more = False
            self.result = end.value
        spent = stopwatch.since(begin) - stopwatch.cost
        self.garbage_bytes += gc.mem_alloc() - before
        self.slices += 1
        self.total += spent
        self.longest = max(self.longest, spent)
        return more


def signing(signer, digest):
    """Return the figures of one signature."""
    run = Run(signer.sign(digest))
    return (stopwatch.INSTRUCTIONS * run.total, stopwatch.INSTRUCTIONS * run.longest, run.garbage_bytes,
            run.slices)


def figures():
    """Return the figures with what words.fast is now, and the signatures."""
    signer = Signer(keys.record_scalar(bytes(range(32))))
    for _ in signer.prepare():
        gc.collect()
    digests = [bytes([i]) * 32 for i in range(1, 6)]
    rows, signatures = [], []
    for digest in digests:
        rows.append(signing(signer, digest))
        signatures.append(signer.signature)
    verifier = Verifier(signer.x, signer.y)
    preparing = Run(verifier.prepare())
    z = int.from_bytes(digests[-1], "big")
    r, s = (int.from_bytes(signer.signature[i:i + 32], "big") for i in (0, 32))
    run = Run(verifier.verify(z, r, s))
    if run.result is not True or not p256.on_curve(signer.x, signer.y):
        raise RuntimeError("the signature does not verify")
    columns = [sorted(column) for column in zip(*rows)]
    return {"total": columns[0][2], "slice_max": columns[1][-1], "garbage_bytes": columns[2][2],
            "slices": columns[3][2], "verify": stopwatch.INSTRUCTIONS * run.total,
            "verify_slice_max": stopwatch.INSTRUCTIONS * run.longest, "verify_garbage_bytes": run.garbage_bytes,
            "prepare": stopwatch.INSTRUCTIONS * preparing.total,
            "prepare_slice_max": stopwatch.INSTRUCTIONS * preparing.longest}, signatures


def main():
    """Print the figures of both; the signatures must be the same."""
    words.fast = None
    portable, expected = figures()
    words.fast = thumb.run
    accelerated, signatures = figures()
    if signatures != expected or p256.chosen().__module__ != "firmware.log.p256_words":
        raise RuntimeError("the two ways of computing do not agree")
    print({"portable": portable, "accelerated": accelerated})
