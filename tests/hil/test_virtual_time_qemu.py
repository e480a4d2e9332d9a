"""The emulated board in virtual time: waits that wait, figures that repeat, ticks over every wrap."""

import ast
import os
from textwrap import dedent

import pytest

from host_tools.toolchain.emulator import BOARD, Emulator

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """The board in virtual time: every executed instruction is 8 ns, waits take no time of the host."""
    with Emulator(tmp_path_factory.mktemp("counted") / "flash.bin", icount=True) as emulator:
        yield emulator


def _ask(board, code):
    """Run code on the board; return what it printed last, as a Python value."""
    return ast.literal_eval(board.exec(dedent(code)).strip().splitlines()[-1])


def test_idle_waits_in_virtual_time_and_never_past_its_end(counted):
    asked_us = (50, 1000, 20_000, 3_000_000)
    took_us = _ask(counted, f"""
        import mps2
        r = []
        for us in {asked_us}:
            a = mps2.ticks_us()
            mps2.idle_us(us)
            r.append(mps2.ticks_us() - a)
        print(r)
    """)
    for asked, took in zip(asked_us, took_us, strict=True):
        assert asked <= took <= asked + 40, took_us


def test_virtual_figures_repeat(counted):
    code = "import mps2\na = mps2.ticks_us()\nfor i in range(2000): pass\nprint(mps2.ticks_us() - a)"
    first, second = _ask(counted, code), _ask(counted, code)
    assert abs(first - second) <= 2
    assert 1500 < first < 8000


def test_ticks_go_on_over_every_wrap(counted):
    # 30 steps of 400 s: three turns of the 32-bit counter, eleven of the 30-bit microseconds
    steps = _ask(counted, """
        import mps2
        from firmware.core import ticks
        r = []
        for i in range(30):
            a = mps2.ticks_ms()
            b = mps2.ticks_us()
            mps2.idle_us(400_000_000)
            r.append((ticks.diff(mps2.ticks_ms(), a), ticks.diff(mps2.ticks_us(), b)))
        print(r)
    """)
    for took_ms, took_us in steps:
        assert 400_000 <= took_ms <= 400_001
        assert 400_000_000 <= took_us <= 400_000_100
