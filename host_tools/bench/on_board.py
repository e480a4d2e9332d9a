"""Run one script of tests/bench on the emulated board, in virtual time, on a fresh flash."""

import ast
import tempfile
from pathlib import Path

from host_tools.bench.figures import Figure
from host_tools.errors import ToolError
from host_tools.toolchain import build_info, paths
from host_tools.toolchain.emulator import Emulator

HOW = "emulated Cortex-M3, -icount shift=3: virtual time x 125 instructions a us"
_SCRIPTS = paths.ROOT / "tests" / "bench"
_LIMIT_S = 900
_START = "import sys; sys.path.insert(0, '.frozen'); "


def run(script, *files, loose=()):
    """Run main() of tests/bench/SCRIPT.py; return the dict that it prints last.

    `files` are further files of the project, each put at its own place; `loose` are (folder, files below it).
    """
    needed = [_SCRIPTS / "stopwatch.py", _SCRIPTS / f"{script}.py", *(paths.ROOT / name for name in files)]
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        with Emulator(Path(folder) / "flash.bin", icount=True) as board:
            _same_firmware(board)
            board.copy(needed, paths.ROOT)
            for base, below in loose:
                board.copy(below, base)
            return _last(board.exec(f"{_START}from tests.bench import {script}; {script}.main()",
                                    timeout=_LIMIT_S))


def _same_firmware(board):
    frozen = board.exec("import build_info; print(build_info.HASH)").strip()
    if frozen != repr(build_info.firmware_hash(paths.ROOT)):
        raise ToolError("the board's image is older than firmware/", "Run make setup, then measure again.")


def _last(output):
    lines = output.strip().splitlines()
    try:
        return ast.literal_eval(lines[-1])
    except (IndexError, SyntaxError, ValueError):
        raise ToolError(f"the board said no figures but:\n{output[-2000:]}",
                        "See what it says.") from None


def instructions(value, how):
    """Return a Figure in instructions."""
    return Figure(value, "instructions", f"{HOW}; {how}")


def in_bytes(value, how):
    """Return a Figure in bytes."""
    return Figure(value, "bytes", f"emulated Cortex-M3, 32 bit; {how}")
