"""KACO's vendor model 64201, which pysunspec2 does not know: a vector for each row, and back for what is written."""

import json
from pathlib import Path

from firmware.drivers import sunspec
from firmware.drivers.kaco_model import MODEL_64201

VECTORS = json.loads((Path(__file__).parent / "vectors" / "pcs" / "kaco_gridsave.json").read_text())


def test_every_row_is_read_as_its_vectors_say():
    for offset, name, words, value in VECTORS["reads"]:
        row = sunspec.find(MODEL_64201, name)
        assert row[0] == offset
        assert sunspec.point(row, bytearray.fromhex(words), 0) == value, (name, words)


def test_every_row_has_vectors_with_and_without_a_value():
    for row in MODEL_64201:
        values = [value for _, name, _, value in VECTORS["reads"] if name == row[4]]
        assert None in values and len(values) >= 3, row[4]


def test_what_is_written_reads_back():
    for offset, name, value, words, _ in VECTORS["writes"]:
        row = sunspec.find(MODEL_64201, name)
        assert row[0] == offset
        assert (value & 0xFFFF).to_bytes(2, "big") == bytes.fromhex(words)
        assert sunspec.point(row, bytearray.fromhex(words), 0) == value
