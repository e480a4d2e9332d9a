"""The emulated board's flash: what was written outlives a power cut, evidence is never erased."""

import ast
import os
from textwrap import dedent

import pytest

from host_tools.toolchain.emulator import BOARD, Emulator

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_APPEND = """
    i = {start}
    while True:
        with open("/log", "a") as f:
            f.write("%06d\\n" % i)
        print(i)
        i += 1
"""
_READ = "print(open('/log').read().split())"


def _value(text):
    return ast.literal_eval(text.strip().splitlines()[-1])


def _append_until_cut(board, start, count):
    """Let the board append rows and cut its power behind the given number; return the last row it told of."""
    process = board.spawn(dedent(_APPEND.format(start=start)))
    try:
        for line in iter(process.stdout.readline, b""):
            if int(line) - start >= count:
                board.kill()
                return int(line)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    raise AssertionError("the board stopped telling")


def test_flash_survives_power_cuts(tmp_path):
    rows = 0
    with Emulator(tmp_path / "flash.bin") as board:
        for count in (3, 9, 25):
            told = _append_until_cut(board, rows, count)
            board.start()
            kept = [int(row) for row in _value(board.exec(_READ))]
            assert kept == list(range(len(kept)))
            assert len(kept) > told  # what it told of was written; more may have been under way
            rows = len(kept)


def test_unreadable_flash_is_never_made_anew(tmp_path):
    flash = tmp_path / "flash.bin"
    with Emulator(flash) as board:
        board.exec("f = open('/evidence', 'w')\nf.write('x')\nf.close()")
    with open(flash, "r+b") as file:
        file.write(b"\x55" * 8192)
    before = flash.read_bytes()
    with Emulator(flash) as board:
        said = board.exec(dedent("""
            from firmware.core.errors import HalError
            from firmware.hal.mps2 import mount
            try:
                mount()
            except HalError as error:
                print(repr(error.code))
        """))
        assert _value(said) == "FLASH"
    assert flash.read_bytes() == before


def test_cut_while_the_file_system_is_made(tmp_path):
    """Flash with a half-made file system carries no mark yet, so it is made from the start."""
    flash = tmp_path / "flash.bin"
    flash.write_bytes(b"\xff" * 100 + b"\x00" * 8000)
    with Emulator(flash) as board:
        assert _value(board.exec("import os; print(os.listdir('/'))")) == []
