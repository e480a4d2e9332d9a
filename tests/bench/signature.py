"""Signing and verifying with portable P-256: all instructions, the longest slice, the garbage left behind."""

import gc

from firmware.log import keys, p256
from firmware.log.ecdsa_verify import Verifier
from firmware.log.signer import Signer
from tests.bench import stopwatch

COLLECT_EVERY = 4


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


def main():
    """Print the figures."""
    signer = Signer(keys.record_scalar(bytes(range(32))))
    for _ in signer.prepare():
        gc.collect()
    digests = [bytes([i]) * 32 for i in range(1, 6)]
    rows = []
    for digest in digests:
        rows.append(signing(signer, digest))
    verifier = Verifier(signer.x, signer.y)
    for _ in verifier.prepare():
        gc.collect()
    z = int.from_bytes(digests[-1], "big")
    r, s = (int.from_bytes(signer.signature[i:i + 32], "big") for i in (0, 32))
    run = Run(verifier.verify(z, r, s))
    if run.result is not True or not p256.on_curve(signer.x, signer.y):
        raise RuntimeError("the signature does not verify")
    columns = [sorted(column) for column in zip(*rows)]
    print({"total": columns[0][2], "slice_max": columns[1][-1], "garbage_bytes": columns[2][2],
           "slices": columns[3][2], "verify": stopwatch.INSTRUCTIONS * run.total,
           "verify_slice_max": stopwatch.INSTRUCTIONS * run.longest})
