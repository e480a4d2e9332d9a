"""Appends to a journal that holds 35 days: littlefs on the board's flash, one record and flush each."""

import gc
import json
import os
from binascii import unhexlify

from firmware.hal.files import Files
from firmware.log.journal import FOLDER, Journal
from tests.bench import stopwatch

DAYS = 35
RECORDS_A_DAY = 96
APPENDS = 1000
COUNTS_A_US = 25


def main():
    """Print the figures."""
    with open("tests/vectors/record_few.json") as file:
        data = unhexlify(json.load(file)["records"][0]["record"])
    files = Files("/bench")
    os.mkdir("/bench")
    files.make_dir(FOLDER)
    journal = Journal(files)
    held = DAYS * RECORDS_A_DAY
    for seq in range(held):
        journal.append(seq, data)
        if not seq % 480:
            print("filled", seq, "of", held)
    full = _full_permille()
    spent = _appends(journal, held, data)
    spent.sort()
    print({"max_us": spent[-1] // COUNTS_A_US, "median_us": spent[APPENDS // 2] // COUNTS_A_US,
           "p99_us": spent[APPENDS * 99 // 100] // COUNTS_A_US, "record_bytes": len(data), "records": held,
           "appends": APPENDS, "full_permille": full})


def _full_permille():
    facts = os.statvfs("/")
    return 1000 * (facts[2] - facts[3]) // facts[2]


def _appends(journal, first, data):
    spent = []
    for seq in range(first, first + APPENDS):
        gc.collect()
        gc.disable()
        begin = stopwatch.now()
        journal.append(seq, data)
        spent.append(stopwatch.since(begin) - stopwatch.cost)
        gc.enable()
    return spent
