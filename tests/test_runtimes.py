"""The portable tests of tests/device on the two real MicroPythons: the unix VM and the emulated board.

On CPython pytest collects the same files by itself.
"""

import ast
import re
import subprocess

import pytest

from host_tools.toolchain import build_info, paths
from host_tools.toolchain.emulator import Emulator, lend_heap

_FOLDER = paths.ROOT / "tests" / "device"
_FILES = sorted(path.relative_to(paths.ROOT).as_posix() for path in _FOLDER.glob("test_*.py"))
_LIMIT_S = 850
_RUN = "import sys; sys.path.insert(0, '.frozen'); from tests.run import main; main([{path!r}])"


def _imported(path):
    """Yield the files of tests/ that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tests":
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                file = paths.ROOT / (name.replace(".", "/") + ".py")
                if file.is_file():
                    yield file


def _needed_on_the_board():
    """Return the portable tests, what they import of tests/, the runner and the vectors."""
    needed = [paths.ROOT / "tests" / "run.py", *(paths.ROOT / path for path in _FILES)]
    for path in needed:  # grows while it is walked
        needed += [file for file in _imported(path) if file not in needed]
    return needed + sorted((paths.ROOT / "tests" / "vectors").rglob("*.json"))


def _judge(output):
    """Fail with the runner's output unless its last line counts at least one test and no failure."""
    lines = output.strip().splitlines()
    found = re.fullmatch(r"(\d+) passed, 0 failed", lines[-1].strip()) if lines else None
    if not found or int(found[1]) == 0:
        pytest.fail(output[-6000:], pytrace=False)


def test_there_are_portable_tests():
    assert _FILES


@pytest.mark.parametrize("output", ("", "0 passed, 0 failed", "3 passed, 1 failed", "1 passed, 0 failed\nx"))
def test_what_is_no_success_is_none(output):
    with pytest.raises(pytest.fail.Exception):
        _judge(output)
    _judge("ok x\n3 passed, 0 failed\n")


@pytest.mark.parametrize("path", _FILES)
def test_unix(path):
    assert paths.UNIX_VM.is_file(), "the MicroPython unix VM is not set up; run make setup"
    done = subprocess.run([paths.UNIX_VM, "tests/run.py", path], cwd=paths.ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_LIMIT_S)
    _judge(done.stdout)
    assert done.returncode == 0


_LENT_BYTES = 8192  # of heap for the tests' own code and devices, which no board has to hold


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The emulated board with this checkout's firmware frozen and the tests on its flash."""
    flash = tmp_path_factory.mktemp("board") / "flash.bin"
    lend_heap(flash, _LENT_BYTES)
    with Emulator(flash) as emulator:
        wanted = build_info.firmware_hash(paths.ROOT)
        frozen = emulator.exec("import build_info; print(build_info.HASH)").strip()
        assert frozen == repr(wanted), "the board's image is older than firmware/; run make setup"
        emulator.copy(_needed_on_the_board(), paths.ROOT)
        yield emulator


@pytest.mark.parametrize("path", _FILES)
def test_qemu(board, path):
    if not board.running:
        board.start()
    try:
        # each call begins with a soft reset: an empty heap for each file
        output = board.exec(_RUN.format(path=path), timeout=_LIMIT_S)
    except BaseException:
        board.kill()
        raise
    _judge(output)
