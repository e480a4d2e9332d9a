"""What encoding and hashing a record takes on the emulated board, in instructions: counted by -icount, not timed."""

import os

import pytest

from host_tools.bench import on_board
from host_tools.toolchain.emulator import BOARD

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")


@pytest.fixture(scope="module")
def figures():
    return on_board.run("record_encode", "tests/device/record_fields.py", "tests/vectors/record_few.json")


@pytest.mark.parametrize("kind", ("example", "full"))
def test_a_record_is_encoded_and_hashed_within_its_budget(figures, kind):
    assert figures[f"instructions_{kind}"] <= 100_000
    assert figures[f"alloc_bytes_{kind}"] <= 1000


def test_a_full_record_is_full(figures):
    assert figures["record_bytes_full"] > 950


def test_no_record_takes_a_slice_longer_than_the_scheduler_allows(figures):
    for kind in ("longest", "plain"):
        assert figures[f"instructions_{kind}"] <= 190_000
    assert figures["record_bytes_longest"] > 2000
