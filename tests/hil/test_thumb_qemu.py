"""What the emulated board runs in Thumb assembler does what the core's own functions do."""

import ast
import os
from textwrap import dedent

import pytest

from host_tools.toolchain.emulator import BOARD, Emulator

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with Emulator(tmp_path_factory.mktemp("board") / "flash.bin") as emulator:
        yield emulator


def _ask(board, code):
    """Run code on the board; return what it printed last, as a Python value."""
    return ast.literal_eval(board.exec(dedent(code)).strip().splitlines()[-1])


def test_the_assembled_crc_is_that_of_the_core(board):
    code = """
        from firmware.core import crc
        from firmware.hal import mps2, thumb_bus
        data = bytearray(300)
        seed = 1
        for i in range(len(data)):
            seed = (seed * 75 + 74) % 65537
            data[i] = seed & 0xFF
        print([crc.fast is thumb_bus.crc16,
               [(at, n) for at in range(4) for n in range(297)
                if thumb_bus.crc16(data, crc.TABLE, at, n) != crc.crc16(data, crc.TABLE, at, n)],
               thumb_bus.crc16(b"123456789", crc.TABLE, 0, 9)])
    """
    assert _ask(board, code) == [True, [], 0x4B37]


def test_the_assembled_frames_are_those_of_the_core(board):
    code = """
        from array import array
        from firmware.core import crc
        from firmware.hal import mps2, thumb_bus
        seed = 1
        wrong = []
        for n in [8] + list(range(11, 257, 2)):
            frames = [bytearray(260), bytearray(260)]
            registers = array("H", [seed * i & 0xFFFF for i in range(124)])
            seed = (seed * 75 + 74) % 65537
            for made, frame in zip((thumb_bus.fill, crc.fill), frames):
                frame[0] = seed & 0xFF
                frame[1] = 6 if n == 8 else 16
                made(frame, memoryview(registers)[1:], crc.TABLE, n)
            if frames[0] != frames[1] or crc.crc16(frames[0], crc.TABLE, 0, n) or any(frames[0][n:]):
                wrong.append(n)
        print([crc.seal is thumb_bus.fill, wrong])
    """
    assert _ask(board, code) == [True, []]


def test_the_assembled_measure_is_that_of_the_core(board):
    code = """
        from array import array
        from firmware.core import snapshot
        from firmware.hal import mps2, thumb_tick
        seed = 1
        def drawn(most):
            global seed
            for _ in range(3):
                seed = (seed * 75 + 74) % 65537
            return seed % most
        wrong = []
        for case in range(400):
            now = (drawn(1 << 15) << 15 | drawn(1 << 15)) & 0x3FFFFFFF
            table, cells, snap = [array("i", [0] * n) for n in (28, 21, 27)]
            cells[0] = 1 + drawn(7)
            for row in range(7):
                cells[4 + row] = drawn(6000)
                table[4 * row] = drawn(2001) - 1000
                table[4 * row + 1] = now - drawn(12000) + 500 & 0x3FFFFFFF
                table[4 * row + 2] = drawn(3)
                cells[11 + row] = drawn(3)
                snap[7 + row] = drawn(4)
            for i in range(3):
                cells[18 + i] = drawn(2)
            sets = [[array("i", cells_of) for cells_of in (snap, table, cells)] for _ in range(2)]
            said = [made(*those, now) for made, those in zip((thumb_tick.measure, snapshot.measure), sets)]
            if said[0] != said[1] or sets[0] != sets[1]:
                wrong.append(case)
        print([snapshot.fast is thumb_tick.measure, wrong])
    """
    assert _ask(board, code) == [True, []]
