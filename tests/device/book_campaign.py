"""Random quarter hours through the book into records: flows, losses, underflows, true-ups, stale factors, fuel.

The records are chained but not signed; of each day the link is printed. tests/test_book_campaign.py makes the same
quarter hours, books them by its own arithmetic, encodes them by other means and must come to the same links.
"""

import gc

from firmware.hal.files import Files
from firmware.ledger.book import Book
from firmware.ledger.energy import COUNTERS
from firmware.ledger.factors import FactorTable
from firmware.ledger.interval import Closed
from firmware.log.page import Page
from tests.device.memory_files import MemoryFiles

DAY = 96
BEGIN = 1_963_632  # quarters since 1970: 2026-01-01
CONFIG = {
    "ratings": {"bess_wh": 1_000_000, "charge_efficiency_permille": 941, "discharge_efficiency_permille": 937},
    "limits": {"soc_min_permille": 0, "soc_max_permille": 950},
    "factors": {
        "wind": {"direct_mg_per_kwh": 0, "lifecycle_mg_per_kwh": 11_000},
        "pv": {"direct_mg_per_kwh": 0, "lifecycle_mg_per_kwh": 45_000},
        "genset": {"direct_mg_per_kwh": 900_000, "lifecycle_mg_per_kwh": 1_100_000},
        "diesel": {"direct_mg_per_l": 2_692_000, "lifecycle_mg_per_l": 3_320_000},
        "grid": {"direct_mg_per_kwh": 301_007, "lifecycle_mg_per_kwh": 377_003, "kind": "default"},
        "bess_substitute": {"direct_mg_per_kwh": 911_003, "lifecycle_mg_per_kwh": 1_111_009},
    },
}
STALE_S = 7200
PROTECTED = b"\xa1\x01\x26"
HASHES = [bytes([65 + i]) * 32 for i in range(3)]
HEAD = b"an event of the campaign, hashed"
METERS = [[role, 900, 0, 0, 0, 0] for role in range(6)]
REGISTERS = [[role, 0] + [None] * 6 for role in range(6)]
SERIALS = [[role, None] for role in range(6)]


class Chance:
    """Numbers that are the same everywhere."""

    def __init__(self, seed):
        self._state = seed

    def below(self, n):
        """Return a number 0 .. n - 1, n up to 2**24."""
        self._state = (self._state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        high = self._state >> 12
        self._state = (self._state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return ((high << 12) ^ (self._state >> 7)) % n

    def pick(self, *chances):
        """Return the number of the first of some chances, each so many of 16, that comes up; -1 for none."""
        drawn = self.below(16)
        for i in range(len(chances)):
            drawn -= chances[i]
            if drawn < 0:
                return i
        return -1


def quarter(chance):
    """Return [ten counters], soc permille, whether it is known, fuel or None, work or None of a quarter hour."""
    size = (40, 20_000, 400_000)[max(chance.pick(3, 9, 4), 0)]
    wh = [chance.below(size) if chance.pick(11) == 0 else 0 for _ in range(COUNTERS)]
    kind = chance.pick(2, 1, 1, 1)
    if kind == 0:
        wh[3] = chance.below(900_000)  # more than there may be: an underflow
    elif kind == 1:
        wh = [0] * COUNTERS
    elif kind == 2:
        wh[0] = wh[2] = wh[4] = wh[8] = 0  # sources without a use
    soc = (0, 950, 1000, 1 + chance.below(949))[chance.pick(1, 1, 1)]  # -1: the last
    fuel = None
    if chance.pick(8) == 0:
        fuel = wh[7] * 3 // 10 + chance.below(900)
    work = chance.below(1 << 23) * 300 if chance.pick(9) == 0 else None
    return wh, soc, chance.pick(15) == 0, fuel, work


def table(quarters):
    """Return the lines of factors.csv: a row every few hours, some of them late."""
    chance = Chance(77)
    lines, at = [], BEGIN * 900 + 5000
    while at < (BEGIN + quarters) * 900:
        lines.append("%010d,%07d,%07d,%d\n" % (at, chance.below(700_000), chance.below(900_000), chance.below(4)))
        at += 900 + chance.below(16_000)
    return "".join(lines)


class Supplies:
    """What the quarter hour at hand burnt and worked."""

    def take(self, energy_wh, duration_ms):
        """Return them."""
        return self.fuel, self.work


def closed(number, wh, soc, known):
    """Return the Closed of a quarter hour."""
    made = Closed()
    for i in range(COUNTERS):
        made.wh[i] = wh[i]
    made.quarter, made.duration_ms, made.trust = BEGIN + number, 900_000, 2
    made.up_s, made.set_up_s, made.error_ms = 900 * number, 900 * number // 7 * 7, number % 9 - 4
    made.ticks_expected = made.ticks_ok = 900
    made.soc_start_permille, made.soc_permille, made.soc_known = 500, soc, known
    return made


def main(quarters, seed, root=None):
    """Book so many quarter hours; print the link of each day and what has come up.

    factors.csv is in the folder `root`: a small board's memory does not hold that of a year. Without, it is made.
    """
    files = Files(root) if root else MemoryFiles()
    if not root:
        files.content["factors.csv"] = table(quarters).encode()
    factors = FactorTable(files, CONFIG["factors"]["grid"], STALE_S)
    for _ in factors.open():
        pass
    supplies = Supplies()
    book, page, chance, link = Book(CONFIG, factors, supplies), Page(PROTECTED, *HASHES), Chance(seed), bytes(32)
    flags = 0
    for number in range(quarters):
        wh, soc, known, supplies.fuel, supplies.work = quarter(chance)
        made = book.close(closed(number, wh, soc, known))
        made.meters, made.registers, made.serials, made.ticks = METERS, REGISTERS, SERIALS, [900, 0, 0, 0, 0]
        made.events, made.witness = (number, HEAD), None
        for _ in page.fill(made, number, 1, link):
            pass
        link = page.digest()
        flags |= made.flags
        if number % DAY == DAY - 1 or number == quarters - 1:
            print("".join("%02x" % byte for byte in link))
            gc.collect()
    print(quarters, "quarters, flags", flags)
