"""Put on a board's flash what the host has laid behind the file system: a journal and all that goes with it.

The host writes into the file that is the flash; over the REPL the same would take minutes.
"""

import gc
import os

import build_info
import mps2
import uctypes

from firmware.hal.files import Files
from firmware.log.chain import Chain
from firmware.log.journal import FOLDER, Journal
from firmware.log.keyring import Keyring

LAID_AT = 8 << 20  # in the flash, far behind the file system
_BALLAST = 557_056  # what a full event log takes
_PIECE = 4096


class Laid:
    """Pieces of bytes, each behind its length."""

    def __init__(self):
        self._at = mps2.flash_addr() + LAID_AT

    def next(self):
        """Return the next piece, where it lies."""
        size = int.from_bytes(bytes(uctypes.bytearray_at(self._at, 4)), "little")
        self._at += 4 + size
        return uctypes.bytearray_at(self._at - size, size)


def fill(site, device, full):
    """Take files and records; where asked, then what else a full flash holds. Print what is there now."""
    os.mkdir("/bench")
    files, laid = Files("/bench"), Laid()
    for _ in range(int(bytes(laid.next()))):
        name = bytes(laid.next()).decode()
        files.append(name, laid.next())
    files.make_dir(FOLDER)
    journal = Journal(files)
    for seq in range(int(bytes(laid.next()))):
        for _ in journal.append(seq, laid.next()):
            pass
        if not seq % 96:
            gc.collect()
            print("filled", seq)
    if full:
        _ballast(files)
    chain = Chain(files, site, device, build_info.HASH, bytes(32), bytes(32), Keyring(files))
    for place, _ in enumerate(chain.open()):
        if not place % 8:
            gc.collect()
    facts = os.statvfs("/")
    print({"records": chain.size, "full_permille": 1000 * (facts[2] - facts[3]) // facts[2]})


def _ballast(files):
    files.make_dir("more")
    for number in range(_BALLAST // (8 * _PIECE)):
        for _ in range(8):
            files.append("more/" + str(number), bytes(_PIECE))
