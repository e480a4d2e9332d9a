"""SPEC.md does not rot: its example, its numbers and the vectors are made anew by the firmware's code."""

import json
import re

import pytest

from tests import record_examples, spec_example

SPEC = spec_example.SPEC.read_text()


@pytest.fixture(scope="module")
def made():
    return record_examples.write_all()


def test_vectors_are_what_the_firmware_writes(made):
    assert json.loads(record_examples.VECTORS.read_text()) == made[0]
    assert json.loads(record_examples.FEW.read_text()) == record_examples.few(made[0])


def test_example_is_what_the_firmware_writes(made):
    block = SPEC.split("```\n")[1].rstrip("\n")
    assert block == "\n".join(spec_example.lines(made[1][0]))


def test_hex_of_the_example_is_the_record(made):
    block = SPEC.split("```\n")[1]
    hexes = [re.match(r"[0-9a-f]+", line)[0] for line in block.splitlines()]
    assert "".join(hexes) == made[1][0].hex()


def test_numbers_in_the_text(made):
    vectors = made[0]
    assert f"SHA-256 is {vectors['records'][0]['signed_sha256']}." in SPEC
    assert f"x = {vectors['keys'][0]['x']},\ny = {vectors['keys'][0]['y']}." in SPEC
    assert vectors["checkpoint"] in SPEC


def test_every_field_stands_in_the_tables():
    rows = dict(re.findall(r"^\| (\d+) \| (\w+) \|", SPEC, re.M))
    fields = {str(key): name for kind in (1, 2, 3) for key, name, _ in record_examples.layout.FIELDS[kind]}
    for key, name in fields.items():
        assert rows.get(key) == name or f"{key} {name}" in SPEC, (key, name)
    assert sorted(map(int, rows)) == [*range(1, 38), *range(39, 48)]
