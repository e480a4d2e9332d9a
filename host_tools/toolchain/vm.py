"""The MicroPython unix VM behind one wrapper script: from the PATH, or from Debian's packages."""

import re
import shutil

from host_tools.toolchain import build_info, debian, paths, stamp
from host_tools.toolchain.shell import SetupError, capture

_OLDEST = (1, 24)
_ASK = "import sys; print('.'.join(str(part) for part in sys.implementation[1][:3]))"

_FROM_PATH = """#!/bin/sh
exec "{vm}" "$@"
"""
# The packages bring their own C library, so they must be started through their own loader.
_FROM_PACKAGES = """#!/bin/sh
root="${{0%/*}}/../root"
exec "$root/{loader}" --library-path "$root/{libraries}" "$root/usr/bin/micropython" "$@"
"""


def ensure():
    """Provide the wrapper script and the build facts for the UNIX board; return the VM's version as text."""
    if not _usable_on_path():
        _from_debian()
    build_info.write_build_info(paths.board_cache("UNIX"))
    return paths.UNIX_VERSION.read_text().strip()


def _usable_on_path():
    """Provide the VM from the PATH if it is new enough and as new as the source the board is built from."""
    found = shutil.which("micropython")
    version = _version([found]) if found else None
    if not version or _numbers(version) < _OLDEST:
        return False
    if paths.SOURCE_VERSION.is_file() and _numbers(paths.SOURCE_VERSION.read_text()) != _numbers(version):
        return False
    stamp.once("unix", f"{found} {version}", [paths.UNIX_VM],
               lambda: _write_wrapper(_FROM_PATH.format(vm=found)))
    return True


def _from_debian():
    if not debian.is_debian():
        raise SetupError("MicroPython 1.24 or newer is not on the PATH; install it (Ubuntu 25.04 and newer: "
                         "apt-get install micropython, macOS: brew install micropython) and start again")
    suite = debian.suite()
    version = paths.SOURCE_VERSION.read_text().strip() if paths.SOURCE_VERSION.is_file() else "any"
    stamp.once("unix", f"Debian {suite}", [paths.UNIX_VM], lambda: _fetch(suite))
    if version != "any" and paths.UNIX_VERSION.read_text().strip() != version:
        # the release moved on between the two downloads: take today's packages
        _fetch(suite)


def _fetch(name):
    suite = debian.reach(name)
    root = paths.UNIX_ROOT / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    suite.unpack(["micropython", *suite.depends("micropython")], root)
    loaders = sorted(root.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        raise SetupError(f"the packages of Debian {name} hold no loader for this processor; "
                         "put micropython 1.24 or newer on the PATH")
    loader = loaders[0].relative_to(root)
    _write_wrapper(_FROM_PACKAGES.format(loader=loader, libraries=loader.parent))


def _write_wrapper(text):
    paths.UNIX_VM.parent.mkdir(parents=True, exist_ok=True)
    paths.UNIX_VM.write_text(text)
    paths.UNIX_VM.chmod(0o755)
    version = _version([paths.UNIX_VM])
    if not version or _numbers(version) < _OLDEST:
        raise SetupError(f"{paths.UNIX_VM} does not start, or is older than 1.24 (it says: {version}); "
                         "remove .cache/micropython and .cache/stamps/unix and start again")
    paths.UNIX_VERSION.write_text(version + "\n")


def _version(command):
    text = capture([*command, "-c", _ASK])
    return text.strip() if text else None


def _numbers(version):
    """Return (major, minor) of a version text, (0, 0) where it has none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
