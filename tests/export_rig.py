"""What the tests of exports share: a journal of a day and more over the end of a month, and readers of our own."""

import csv
import io
import random
from datetime import UTC, datetime

import cbor2

from host_tools import cli
from tests.evidence_writer import START_MS, Board


def flows(rng):
    """Draw flows of a windy site with some sun; the battery often gives and takes in the same quarter hour."""
    sources = [rng.randrange(400_000), rng.randrange(60_000), rng.choice([0, rng.randrange(50_000)]),
               rng.randrange(200_000), rng.choice([0, rng.randrange(30_000), rng.randrange(160_000)])]
    given_wh = sum(sources)
    uses = [0, rng.choice([0, rng.randrange(given_wh // 3 + 1)]), rng.choice([0, rng.randrange(given_wh // 9 + 1)]),
            rng.randrange(300)]
    uses[0] = given_wh - sum(uses) - rng.randrange(50)
    return sources, uses


def board(count=130, seed=4):
    rng = random.Random(seed)
    board = Board(start_ms=START_MS + 14 * 86_400_000 - 900_000 * 20)  # over the end of a month
    for number in range(count):
        board.interval(flows=flows(rng), trueup=rng.choice([None] * 9 + [rng.randrange(300_000), 0]))
        if number == 50:
            board.gap(2_700_000)
    return board


def records_of(folder):
    """Cut records.cbor into its records."""
    data = (folder / "records.cbor").read_bytes()
    stream, found = io.BytesIO(data), []
    while stream.tell() < len(data):
        begin = stream.tell()
        cbor2.load(stream)
        found.append(data[begin:stream.tell()])
    return found


def plain(records):
    return [cbor2.loads(cbor2.loads(raw).value[2]) for raw in records]


def export(folder, name, *more, code=0):
    out = folder / "export"
    words = ["export", str(folder), "--keys", str(folder / "keys.json"), "--format", name, *more]
    assert cli.main(words) == code
    return out


def table_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def iso(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
