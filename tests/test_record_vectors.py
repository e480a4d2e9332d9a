"""The vectors that the firmware's side made: decoded, encoded again and verified by the host's side."""

import json
from pathlib import Path

import cbor2
import pytest

from host_tools.evidence import cbor, keys
from host_tools.evidence.findings import CODES
from host_tools.evidence.naming import Decoded, named
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify
from tests.tamper import parts

VECTORS = json.loads((Path(__file__).parent / "vectors" / "record_v1.json").read_text(encoding="utf-8"))
RECORDS = [bytes.fromhex(entry["record"]) for entry in VECTORS["records"]]
REAL = [entry for entry in VECTORS["records"] if "codec only" not in entry["name"]]

# Events, witnessed trees and the age of the grid factor are the same in every example, which no real board's are.
MADE_UP = {"EVENT_COUNT", "EVENT_HEAD", "WITNESS_DIFFERS", "WITNESS_AHEAD", "WITNESS_BACK", "FACTOR_AGE"}


@pytest.fixture
def folder(tmp_path):
    """The vectors as a run folder."""
    (tmp_path / "records.cbor").write_bytes(b"".join(RECORDS))
    (tmp_path / "checkpoint.txt").write_text(VECTORS["checkpoint"], encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"version": 1, "keys": VECTORS["keys"]}))
    return tmp_path


def test_signatures_chain_and_anchor_hold(folder):
    result = verify(open_source(str(folder)), keys.load(folder / "keys.json"))
    wrong = {item.code for item in result.findings if CODES[item.code][1].startswith("I")}
    assert wrong <= MADE_UP and result.unproven == 0 and result.anchor_size == len(RECORDS)


def test_records_of_a_real_story_are_plausible_and_complete(folder):
    (folder / "records.cbor").write_bytes(b"".join(RECORDS[: len(REAL)]))
    (folder / "checkpoint.txt").unlink()
    result = verify(open_source(str(folder)), keys.load(folder / "keys.json"), Options())
    errors = [item.code for item in result.findings if CODES[item.code][1]]
    assert set(errors) - MADE_UP == {"NO_END_ANCHOR"} and len(REAL) >= 6


def test_names_and_values_are_those_of_the_vectors(folder):
    for unit, entry in zip(open_source(str(folder)).units(), VECTORS["records"], strict=True):
        shown = named(Decoded(unit))
        assert "damage" not in shown
        for name, value in entry["fields"].items():
            mine = shown[name]
            if name in ("meters", "registers", "serials"):
                mine = [[row[0], *list(meter.values())[1:]] for row, meter in zip(value, mine)]
            assert value == (list(mine.values()) if isinstance(mine, dict) else mine), name
        assert shown["site"] == VECTORS["site"] and shown["firmware"] == VECTORS["firmware"]


def test_records_encode_to_their_own_bytes():
    for record in RECORDS:
        protected, unprotected, payload, signature = parts(record)
        protected, payload = (cbor2.dumps(cbor.decode(part)) for part in (protected, payload))
        assert cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature])) == record
