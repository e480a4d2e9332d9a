"""The cells of a bus are numbered once, in drivers.line.cells; viper files that write the numbers out must agree."""

import re
from pathlib import Path

import pytest

from firmware.core import table
from firmware.drivers.line import cells
from firmware.site import doubt

_DRIVERS = Path(cells.__file__).parent.parent
_BLOCK = re.compile(r"# As in drivers\.line\.cells\.\n((?:_\w+ = const\(.*\n)+)")
_LINE = re.compile(r"_(\w+) = const\((\d+)\)")
_SINGLE = re.compile(r"const\((\d+)\) +# as cells\.(\w+)")


def _files():
    return [path for path in sorted(_DRIVERS.rglob("*.py")) if "cells." in path.read_text()]


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.stem)
def test_every_number_is_the_one_of_cells(path):
    text = path.read_text()
    for block in _BLOCK.findall(text):
        for name, value in _LINE.findall(block):
            assert getattr(cells, name) == int(value), name
            assert len(re.findall(rf"\b_{name}\b", text)) > 1, f"_{name} is not used"
    for value, name in _SINGLE.findall(text):
        assert getattr(cells, name) == int(value), name


@pytest.mark.parametrize("module, path", [
    (doubt, "firmware/site/truth.py"), (doubt, "firmware/site/refusals.py"), (table, "firmware/core/task.py"),
    (table, "firmware/core/sched.py"), (table, "tests/device/test_sched.py")])
def test_every_number_is_the_one_of_its_module(module, path):
    text = (_DRIVERS.parent.parent / path).read_text()
    name = module.__name__.removeprefix("firmware.").replace(".", r"\.")
    lines = _LINE.findall(re.search(rf"# As in {name}\.\n((?:_\w+ = const\(.*\n)+)", text)[1])
    assert lines
    for name, value in lines:
        assert getattr(module, f"_{name}") == int(value) and len(re.findall(rf"\b_{name}\b", text)) > 1, name


def test_no_two_cells_of_a_row_share_a_number():
    numbers = {name: value for name, value in vars(cells).items() if name.isupper()}
    names = list(numbers)
    rows = (names[:names.index("HEADER")], names[names.index("UNIT"):names.index("BUCKETS") + 1],
            names[names.index("NEXT"):names.index("JOB_WIDTH")])
    for row, width in zip(rows, (cells.HEADER, cells.UNIT_WIDTH, cells.JOB_WIDTH)):
        assert len({numbers[name] for name in row}) == len(row) and max(numbers[name] for name in row) < width
    # A job's row has two cells each for what its two forms have of their own.
    for name in ("SIGNATURES", "ANSWER_LENGTH", "FRAME_LENGTH", "EXPECTED", "EXPECTED_MORE"):
        assert numbers[name] + 1 not in [numbers[other] for other in rows[2]]
