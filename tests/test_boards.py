"""Boards are data: the same facts in the same order for each, and folders that say what they are."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BOARDS = sorted(path.parent for path in (ROOT / "boards").glob("*/board.py"))
KEYS = ["NAME", "PLATFORM", "UARTS", "LINK_UART", "NET_UART", "JOURNAL_DIR", "JOURNAL_BYTES", "HEAP_BYTES",
        "SMALL_INT_BITS", "HAS_NET", "HAS_RTC", "FLASH_STALL_US", "INSTRUCTIONS_PER_US"]
JSON_KEYS = ["name", "title", "vendor", "mcu", "port", "emulated", "flash", "features"]


def _facts(folder):
    """Return the assignments of a board.py in their order; anything but facts makes it fail."""
    body = ast.parse((folder / "board.py").read_text()).body
    assert isinstance(body[0], ast.Expr), "board.py begins with a docstring"
    assert all(isinstance(node, ast.Assign) for node in body[1:]), "facts only: no imports, no code"
    return {node.targets[0].id: ast.literal_eval(node.value) for node in body[1:]}


def test_the_two_boards_are_there():
    assert {"UNIX", "QEMU_MPS2_AN385"} <= {folder.name for folder in BOARDS}


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_same_facts_in_the_same_order(folder):
    facts = _facts(folder)
    assert list(facts) == KEYS
    assert facts["NAME"] == folder.name
    assert facts["SMALL_INT_BITS"] in (31, 63)
    assert facts["FLASH_STALL_US"] >= 0 and facts["INSTRUCTIONS_PER_US"] > 0
    assert facts["JOURNAL_BYTES"] % 4096 == 0 and facts["HEAP_BYTES"] >= 64 * 1024
    assert isinstance(facts["HAS_NET"], bool) and isinstance(facts["HAS_RTC"], bool)
    assert facts["JOURNAL_DIR"] is None or facts["JOURNAL_DIR"].startswith("/")


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_uarts_are_distinct_and_the_link_is_none_of_them(folder):
    facts = _facts(folder)
    ids = [uart for uart, _, _ in facts["UARTS"]]
    assert len(ids) == len(set(ids)) >= 2
    assert facts["LINK_UART"] not in ids
    assert facts["NET_UART"] is None or facts["NET_UART"] not in [*ids, facts["LINK_UART"]]
    assert all(max_baud >= 115_200 and (pin is None or pin >= 0) for _, max_baud, pin in facts["UARTS"])


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_identity(folder):
    identity = json.loads((folder / "board.json").read_text())
    assert list(identity) == JSON_KEYS
    assert identity["name"] == folder.name


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_manifest_freezes_the_firmware_and_the_facts(folder):
    calls = [node for node in ast.walk(ast.parse((folder / "manifest.py").read_text()))
             if isinstance(node, ast.Call)]
    assert {"firmware", "board.py", "build_info.py"} <= {call.args[0].value for call in calls}


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_platform_has_its_place_in_hal(folder):
    assert (ROOT / "firmware" / "hal" / (_facts(folder)["PLATFORM"] + ".py")).is_file()
