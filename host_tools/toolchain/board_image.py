"""The emulated board: MicroPython's source, mpy-cross of that version, the image with our firmware frozen."""

import email.utils
import os
import re
import shutil
from pathlib import Path

from host_tools.toolchain import build_info, debian, paths, stamp, umqtt
from host_tools.toolchain.lean import Lean
from host_tools.toolchain.shell import SetupError, capture, run

BOARD = "QEMU_MPS2_AN385"
_PACKAGES = ("build-essential", "qemu-system-arm", "gcc-arm-none-eabi", "libnewlib-arm-none-eabi")
_TOOLS = ("make", "gcc", "qemu-system-arm", "arm-none-eabi-gcc")
_SOURCE_VARIABLE = "MICROPYTHON_SOURCE"
_MPY_CROSS_BUILT = paths.SOURCE / "mpy-cross" / "build" / "mpy-cross"


def ensure():
    """Provide the emulator, the source, mpy-cross and the board's image."""
    _tools()
    version = _source()
    # the port's build takes mpy-cross from its place in the source, and builds it wrongly if it is missing
    stamp.once("mpy-cross", version, [paths.MPY_CROSS, _MPY_CROSS_BUILT], _build_mpy_cross)
    build_info.write_build_info(paths.board_cache(BOARD))
    compiler = capture(["arm-none-eabi-gcc", "--version"]) or ""
    made_from = stamp.files_digest(paths.BOARDS / BOARD, paths.FIRMWARE, Path(__file__).with_name("lean.py"),
                                   paths.board_cache(BOARD) / "build_info.py")
    key = "\n".join((version, compiler.split("\n")[0], umqtt.KEY, made_from))
    # a C file with new names renumbers all of them, and the port's build does not see all that depends on that
    made_from_c = "\n".join((version, compiler, stamp.files_digest(paths.BOARDS / BOARD)))
    stamp.once("image-c", made_from_c, [], lambda: shutil.rmtree(_build_folder(), ignore_errors=True))
    stamp.once("image", key, [paths.board_image(BOARD)], _build_image)


def _build_folder():
    return paths.board_cache(BOARD) / "build"


def _tools():
    absent = [tool for tool in _TOOLS if not shutil.which(tool)]
    if debian.is_debian():
        if absent or debian.missing(_PACKAGES):
            debian.install(_PACKAGES)
    elif absent:
        raise SetupError(f"not on the PATH: {', '.join(absent)}; install your system's GNU make, C compiler, "
                         "QEMU for Arm, and Arm bare-metal GCC with newlib, and start again")


def _source():
    """Provide MicroPython's source; return its version as text."""
    given = os.environ.get(_SOURCE_VARIABLE)
    outputs = [paths.SOURCE, paths.SOURCE_VERSION]
    if given:
        stamp.once("source", given, outputs, lambda: _take_source(Path(given)))
    elif debian.is_debian():
        suite = debian.suite()
        stamp.once("source", f"Debian {suite}", outputs, lambda: _fetch_source(suite))
    else:
        raise SetupError(f"set {_SOURCE_VARIABLE} to a folder with MicroPython's source of the version of "
                         "the micropython on your PATH (its release archive, unpacked) and start again")
    return paths.SOURCE_VERSION.read_text().strip()


def _take_source(given):
    if not (given / "ports" / "qemu" / "Makefile").is_file():
        raise SetupError(f"{_SOURCE_VARIABLE}={given} holds no ports/qemu; "
                         "unpack a MicroPython release there")
    _clear_source()
    shutil.copytree(given, paths.SOURCE, symlinks=True)
    _note_version()


def _fetch_source(suite):
    _clear_source()
    unpacked = debian.reach(suite).source("micropython", paths.SOURCE.parent)
    unpacked.rename(paths.SOURCE)
    _note_version()


def _clear_source():
    shutil.rmtree(paths.SOURCE.parent, ignore_errors=True)
    shutil.rmtree(paths.board_cache(BOARD), ignore_errors=True)
    paths.SOURCE.parent.mkdir(parents=True)


def _note_version():
    text = (paths.SOURCE / "py" / "mpconfig.h").read_text()
    names = ("MAJOR", "MINOR", "MICRO")
    parts = [re.search(rf"#define MICROPY_VERSION_{name} (\d+)", text) for name in names]
    if not all(parts):
        raise SetupError(f"{paths.SOURCE}/py/mpconfig.h names no version; remove .cache/src and start again")
    paths.SOURCE_VERSION.write_text(".".join(part[1] for part in parts) + "\n")


def _build_mpy_cross():
    _make("building mpy-cross", "mpy-cross", paths.SOURCE / "mpy-cross")
    shutil.copy2(_MPY_CROSS_BUILT, paths.MPY_CROSS)


def _build_image():
    folder = paths.BOARDS / BOARD
    build = _build_folder()
    Lean().write(paths.board_cache(BOARD) / "lean")
    _make(f"building the image of {BOARD}", "image", paths.SOURCE / "ports" / "qemu", f"BOARD={BOARD}",
          f"BOARD_DIR={folder}", f"USER_C_MODULES={folder}", f"BUILD={build}")
    shutil.copy2(build / "firmware.elf", paths.board_image(BOARD))


def _make(what, log, folder, *words):
    run(what, ["make", "-C", folder, f"-j{os.cpu_count() or 1}", *words], log,
        env={"SOURCE_DATE_EPOCH": _source_epoch(), "MAKEFLAGS": "", "MFLAGS": ""})


def _source_epoch():
    """Return the day of the source package, so that the same inputs give the same image."""
    changelog = paths.SOURCE / "debian" / "changelog"
    found = re.search(r"^ -- .*>  (.*)$", changelog.read_text(), re.M) if changelog.is_file() else None
    return str(int(email.utils.parsedate_to_datetime(found[1]).timestamp())) if found else "0"
