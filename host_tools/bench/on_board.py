"""Run one script of tests/bench on the emulated board, in virtual time, on a fresh flash."""

import ast
import tempfile
import threading
from pathlib import Path

from host_tools.bench.figures import Figure
from host_tools.errors import ToolError
from host_tools.toolchain import build_info, paths
from host_tools.toolchain.emulator import LISTEN, Emulator

HOW = "emulated Cortex-M3, -icount shift=3: virtual time x 125 instructions a us"
# What a script needs whose devices are FAKE and ideal, on lines at the pace of 115200 baud.
PACED = ("tests/bench/paced_board.py", "tests/bench/paced_line.py", "tests/bench/paced.py", "tests/fakes_station.py",
         "tests/fakes_bus.py", "tests/vectors/sunspec_devices.json")
_SCRIPTS = paths.ROOT / "tests" / "bench"
_LIMIT_S = 900
_UART = 1
_START = "import sys; sys.path.insert(0, '.frozen'); "


def run(script, *files, loose=(), answer=None, limit_s=_LIMIT_S):
    """Run main() of tests/bench/SCRIPT.py; return the dict that it prints last.

    `files` are further files of the project, each put at its own place; `loose` are (folder, files below it).
    `answer(request)`, given, is what a host at the other end of the board's first UART says to each request;
    `limit_s` is the host's time that it all may take.
    """
    needed = [_SCRIPTS / "stopwatch.py", _SCRIPTS / f"{script}.py", *(paths.ROOT / name for name in files)]
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        uarts = {_UART: LISTEN} if answer else None
        with Emulator(Path(folder) / "flash.bin", uarts, icount=True) as board:
            if answer:
                threading.Thread(target=_serve, args=(board.sockets[_UART], answer), daemon=True).start()
            _same_firmware(board)
            board.copy(needed, paths.ROOT)
            for base, below in loose:
                board.copy(below, base)
            return _last(board.exec(f"{_START}from tests.bench import {script}; {script}.main()",
                                    timeout=limit_s))


def _serve(line, answer):
    """Answer whole requests until the board is gone."""
    got = b""
    while True:
        try:
            data = line.recv(4096)
        except OSError:
            return
        if not data:
            return
        got += data
        while len(got) >= 8 and len(got) >= (n := 8 if got[1] < 15 else 9 + got[6]):
            said = answer(got[:n])
            got = got[n:]
            if said:
                line.sendall(said)


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
