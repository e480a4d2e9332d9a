"""Put the firmware on a board that runs MicroPython: compiled modules and the facts of board and build into /lib."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.errors import OK, ToolError
from host_tools.toolchain import build_info, paths
from host_tools.toolchain.lean import Lean

HELP = """Put the firmware on a board that runs MicroPython: every module, compiled for the board's processor, with
board.py and build_info.py, into /lib. The board's site.json, secret and journal are left alone."""
EXAMPLE = "python3 -m host_tools flash --board NAME --port /dev/ttyACM0"
_NO_FLASH = {
    "qemu": "its image is built by the set-up with the firmware in it, and the emulator loads it at every start.",
    "unix": "the unix port runs the sources of this folder as they are.",
}
# Processors by the number in which MicroPython states its own; mpy-cross knows them by these names.
_ARCHITECTURES = (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa",
                  "xtensawin", "rv32imc")
_MPY_VERSION = 6
_ASK = "import sys; print(getattr(sys.implementation, '_mpy', 0))"
_TIMEOUT_S = 300


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("--board", required=True, metavar="NAME", help="folder in boards/")
    parser.add_argument("--port", metavar="P", help="serial port of the board, as mpremote takes it")


def run(args):
    """Flash; the exit code."""
    folder = paths.BOARDS / args.board
    if not (folder / "board.json").is_file():
        names = ", ".join(sorted(path.parent.name for path in paths.BOARDS.glob("*/board.json")))
        raise ToolError(f"there is no board {args.board!r}", f"The boards are: {names}.")
    why_not = _NO_FLASH.get(json.loads((folder / "board.json").read_text())["port"])
    if why_not:
        print(f"{args.board}: nothing to flash: {why_not}")
        return OK
    if not args.port:
        raise ToolError("flash needs the board's serial port", "Give --port, for example /dev/ttyACM0.")
    count = put(args.port, folder)
    print(f"{args.board}: {count} files are in /lib of {args.port}; site.json, secret and journal are as they were.")
    return OK


def put(port, folder):
    """Compile the firmware for the board at `port` and copy it there; return the number of files."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-") as stage:
        lib = Path(stage) / "lib"
        fill(lib, folder, _architecture(port))
        # What an older firmware had and this one has not must not stay importable.
        mpremote(port, "exec", _CLEAR)
        mpremote(port, "fs", "cp", "-r", lib, ":/")
        return sum(path.is_file() for path in lib.rglob("*"))


_CLEAR = """
import os
def clear(path):
    for entry in list(os.ilistdir(path)):
        name = path + '/' + entry[0]
        if entry[1] == 0x4000:
            clear(name)
        else:
            os.remove(name)
    os.rmdir(path)
try:
    os.stat('/lib/firmware')
except OSError:
    pass
else:
    clear('/lib/firmware')
"""


def fill(lib, folder, architecture):
    """Make the content of the board's /lib in the folder `lib`."""
    if not paths.MPY_CROSS.is_file():
        raise ToolError("mpy-cross is not set up", "Run python3 -m host_tools.toolchain qemu once.")
    lean = lib.parent / "lean"
    for source in Lean(paths.FIRMWARE).write(lean):
        name = source.relative_to(lean)
        target = (lib / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [paths.MPY_CROSS, f"-march={architecture}", "-s", name.as_posix(), "-o", target, source]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            raise ToolError(f"{name} does not compile for {architecture}: {done.stderr.strip()}",
                            "Correct the file; the board is as it was.")
    shutil.copy(folder / "board.py", lib)
    build_info.write_build_info(lib)


def _architecture(port):
    """Ask the board which processor and which bytecode it runs."""
    answer = mpremote(port, "exec", _ASK).strip()
    mpy = int(answer) if answer.isdigit() else 0
    index = mpy >> 10 & 0xF
    if mpy & 0xFF != _MPY_VERSION or not 1 <= index < len(_ARCHITECTURES):
        raise ToolError(f"the board at {port} does not take compiled modules of bytecode {_MPY_VERSION}",
                        "Put MicroPython 1.25 on it, built with a native code emitter.")
    return _ARCHITECTURES[index]


def mpremote(port, *words):
    """Run mpremote on the board at a port; return what it printed, or raise ToolError."""
    command = [sys.executable, "-m", "mpremote", "connect", str(port), *map(str, words)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise ToolError(f"the board at {port} does not answer", "Check the cable, reset it, try again.") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise ToolError(f"mpremote {words[0]} failed at {port}: {said[-1] if said else 'it said nothing'}",
                        "Check the port, and that nothing else has it open.")
    return done.stdout
