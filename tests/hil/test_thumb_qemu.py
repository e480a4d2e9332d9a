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


# drawn(most) returns the next of a row of numbers 0 .. most - 1; odd(*values) mostly one of these, else any.
_DRAWN = """
    from array import array
    from firmware.core import machine
    from firmware.hal import mps2, thumb_answer, thumb_power, thumb_tick
    seed = 1
    def drawn(most):
        global seed
        for _ in range(3):
            seed = (seed * 75 + 74) % 65537
        return seed % most
    def odd(*values):
        return values[drawn(len(values))] if drawn(8) else drawn(1 << 15) << 15 | drawn(1 << 15)
    def both(made, plain, sets, *more):
        twice = [[array("i", cells) for cells in sets] for _ in range(2)]
        said = [run(*twice[i], *more) for i, run in enumerate((made, plain))]
        return said, twice
"""


def _ask(board, code, before=""):
    """Run code on the board; return what it printed last, as a Python value."""
    return ast.literal_eval(board.exec(dedent(before) + dedent(code)).strip().splitlines()[-1])


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


# A bus that has heard something: mostly the whole answer to what it asked for.
_HEARD = """
    from firmware.core import crc
    from firmware.drivers.line import listener
    JOB, UNIT = 60, 90
    def answer(n):
        rx = bytearray(drawn(256) for _ in range(n + 3))
        sum = crc.crc16(rx, crc.TABLE, 0, n - 2)
        rx[n - 2], rx[n - 1] = sum & 0xFF, sum >> 8
        if not drawn(6):
            rx[drawn(n)] ^= 1 << drawn(8)
        return rx
    def asked(rx, n):
        c = array("i", [drawn(50) for _ in range(130)])
        c[0], c[1], c[35], c[JOB + 3] = 1 + drawn(2), JOB, drawn(2), UNIT
        c[JOB + 16 + c[35]] = odd(rx[0] | rx[1] << 8 | rx[2] << 16) if drawn(4) else 0
        c[JOB + 20 + c[35]] = odd(0, rx[3] | rx[4] << 8 | rx[5] << 16)
        c[2] = max(n - (drawn(n) if not drawn(6) else 0) + (drawn(3) if not drawn(6) else 0), 0)
        c[42] = c[2] if drawn(3) else drawn(c[2] + 1)
        c[3], c[8], c[12] = 0 if drawn(6) else drawn(n), 0 if drawn(9) else 1, n
        c[33], c[19], c[20] = odd(5, 3000, 0x1FFFFFFF, 0x20000000, 0x3FFFFFFF), 87, 1750
        c[14] = (c[33] - odd(500, 3000, 20000, -1)) & 0x3FFFFFFF
        c[13], c[43] = (c[14] - odd(100, -100)) & 0x3FFFFFFF, (c[14] - odd(0, 900_000)) & 0x3FFFFFFF
        c[39], c[29] = odd(0, 0x3FFFFFFF), (c[14] + odd(0, 100, 900)) & 0x3FFFFFFF
        c[UNIT + 21], c[UNIT + 3] = odd(0, 300, 2000), odd(14, 15, 16, 0x3FFFFFFF)
        c[JOB + 13], c[UNIT + 10] = 0 if drawn(9) else 1, drawn(2) * 20000
        c[UNIT + 14], c[UNIT + 15] = drawn(2), drawn(2)
        return c
"""


def test_the_assembled_hearing_is_that_of_the_bus(board):
    code = """
        counts = {}
        paused = 0
        wrong = []
        for case in range(2000):
            n = 5 + drawn(30)
            rx = answer(n)
            c = asked(rx, n)
            said, sets = both(thumb_answer.hear, listener.hear, [c], rx, crc.TABLE)
            counts[said[1]] = counts.get(said[1], 0) + 1
            paused += said[1] == 0 and c[UNIT + 10] > 0
            if said[0] != said[1] or sets[0] != sets[1]:
                wrong.append(case)
        print([machine.hear is thumb_answer.hear, sorted(counts), min(counts.values()) > 20, paused > 20, wrong])
    """
    assert _ask(board, code, _DRAWN + _HEARD) == [True, [0, 1, 11, 14], True, True, []]


# A meter's answer, and the cells that it is taken by.
_METERED = """
    from firmware.drivers import meter, ratio
    OWN = 50
    def metered():
        kind = (ratio.S32, ratio.F32, ratio.S16)[drawn(8) % 3]
        c = array("i", [drawn(50) for _ in range(80)])
        c[4] = drawn(3)
        c[OWN], c[OWN + 1], c[OWN + 2], c[OWN + 3] = kind, 1, 1 + drawn(300), odd(2000, 60000, ratio.LIMIT_PU)
        c[OWN + 5], c[OWN + 6], c[OWN + 11] = drawn(2), drawn(2), drawn(2)
        c[OWN + 7], c[OWN + 8] = odd(0x3FFFFFFF, 0), odd(0x3FFFFFFF, ratio.INVALID)
        c[OWN + 9], c[OWN + 12] = 6, 4 * drawn(3)
        c[OWN + 13] = kind if kind != ratio.S16 else 9
        c[OWN + 10], c[OWN + 14] = odd(0, 1), odd(3, 0x3FFFFFFF)
        return c
    def power(at):
        rx = bytearray(40)
        whole = (0, drawn(4000), 0xFFFFFFFF, 0xFFFFFFFF - drawn(4000), 0x0FFFFFFF, 0x10000000, 0xF0000000,
                 drawn(1 << 15) << 17 | drawn(1 << 15), 0x3F800000 + (drawn(1 << 12) << 13),
                 0xC3000000 + (drawn(1 << 12) << 13), 0x7F800000, 0x4A800000, 0x80000000)[drawn(13)]
        for i in range(4):
            rx[at + i] = whole >> 24 - 8 * i & 0xFF
        rx[at - 1], rx[at + 7] = 6 + 2 * drawn(2), drawn(2)
        return rx
"""


def test_the_assembled_taking_of_a_power_is_that_of_the_meter(board):
    code = """
        counts = [0, 0]
        wrong = []
        for case in range(3000):
            c = metered()
            rx = power(c[4] + 3)
            out = array("i", [drawn(4000) - 2000 for _ in range(12)])
            said, sets = both(lambda c, out: thumb_power.take_power(c, OWN, rx, out),
                              lambda c, out: meter.take_power(c, OWN, rx, out), [c, out])
            referred = said[0] == 13
            counts[referred] += 1
            if sets[0] != [c, out] if referred else said[0] != said[1] or sets[0] != sets[1]:
                wrong.append(case)
        print([machine.take_power is thumb_power.take_power, min(counts) > 500, wrong])
    """
    assert _ask(board, code, _DRAWN + _METERED) == [True, True, []]


def test_the_assembled_taking_of_states_is_that_of_the_der(board):
    code = """
        from firmware.drivers import der
        counts = [0, 0]
        wrong = []
        for case in range(1500):
            c = array("i", [drawn(50) for _ in range(80)])
            own = 50
            c[4] = drawn(3)
            c[own], c[own + 1], c[own + 2] = 1 + drawn(1000), 1 + drawn(1000), odd(0xFFFF, 1000, 0)
            c[own + 3], c[own + 4] = 4 * drawn(3), 0 if drawn(4) else 1
            rx = bytearray(drawn(256) for _ in range(40))
            at = c[4] + 3
            rx[at + 2], rx[at + 3] = 0, drawn(8)
            raw = (0x8000, 0x7FFF, 0x8001, 0, 0xFFFF, drawn(1000), 0x10000 - 1 - drawn(1000))[drawn(7)]
            rx[at + 14], rx[at + 15] = raw >> 8, raw & 0xFF
            out = array("i", [drawn(4000) - 2000 for _ in range(12)])
            out[c[own + 3] + 2] = odd(5, 0x1FFFFFFF)
            said, sets = both(lambda c, out: thumb_power.take_fast(c, own, rx, out),
                              lambda c, out: der.take_fast(c, own, rx, out), [c, out])
            counts[said[0] == 0] += 1
            if said[0] != said[1] or sets[0] != sets[1]:
                wrong.append(case)
        print([machine.take_fast is thumb_power.take_fast, min(counts) > 300, wrong])
    """
    assert _ask(board, code, _DRAWN) == [True, True, []]


def test_the_assembled_judge_is_that_of_the_site(board):
    code = """
        from firmware.site import doubt
        left = 0
        wrong = []
        for case in range(1500):
            now = odd(0, 100, 0x3FFFFFFF)
            table, out = array("i", [0] * 148), array("i", [0] * 28)
            table[25], table[26], table[27] = 3000, 60000, 4 * (1 + drawn(6))
            for role in range(6):
                row = 28 + 20 * role
                rated = 1 + drawn(4000)
                high = (rated * 3 + 1) // 2
                table[row + 6], table[row + 2] = rated, 0 if role == 0 else high
                table[row + 3] = table[row + 2] + high
                table[row + 4] = max(rated // 4, 1)
                table[row + 5] = 2 * table[row + 4]
                table[row + 1] = (0, 0, 0, 4, 5, 6, 7, 8)[drawn(8)]
                table[row + 7], table[row + 8], table[row + 11] = drawn(5), drawn(6), now - drawn(20) & 0x3FFFFFFF
                table[row + 9], table[row + 10] = drawn(4000), now - drawn(90000) & 0x3FFFFFFF
                table[row] = drawn(3)
                table[4 * role + 2], table[4 * role + 1] = drawn(3), now - drawn(20) & 0x3FFFFFFF
                out[4 * role] = (drawn(4000) - 2000) if drawn(3) else 0
                near = out[4 * role] + drawn(20) - 10
                table[4 * role] = (near, out[4 * role], 0, -1, drawn(9000) - 4500)[drawn(9) % 5]
                out[4 * role + 1], out[4 * role + 2] = now - drawn(5000) & 0x3FFFFFFF, drawn(3)
            twice = [[array("i", cells) for cells in (table, out)] for _ in range(2)]
            if thumb_tick.judge(*twice[0], now):
                left += 1
                doubt.judge(*twice[0], now)
            if doubt.judge(*twice[1], now) or twice[0] != twice[1]:
                wrong.append(case)
        print([machine.judge is thumb_tick.judge, 100 < left < 1400, wrong])
    """
    assert _ask(board, code, _DRAWN) == [True, True, []]


def test_the_assembled_integral_is_that_of_the_ledger(board):
    code = """
        from firmware.core.types import Snapshot
        from firmware.ledger import energy
        wrong = []
        for case in range(1500):
            made = energy.Energy((1, 100, 1000, 3600)[drawn(4)])
            cells = made.cells
            for i in range(11):
                cells[1 + i], cells[12 + i] = drawn(1000), drawn(2) * (0x0FFFFFFF - drawn(30000)) or drawn(30000)
            snap = array("i", [0] * 27)
            for role in range(6):
                snap[role], cells[23 + role] = ((drawn(1 << 15) << 5 | drawn(32)) - (1 << 19) for _ in range(2))
                snap[7 + role] = drawn(4)
            snap[21] = drawn(4000) - 2000
            _, sets = both(thumb_tick.integrate, energy.integrate, [cells, snap], (0, 1, 20, 999, 1000)[drawn(5)],
                           drawn(2))
            if sets[0] != sets[1]:
                wrong.append(case)
        print([machine.integrate is thumb_tick.integrate, wrong])
    """
    assert _ask(board, code, _DRAWN) == [True, []]
