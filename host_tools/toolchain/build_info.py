"""Which firmware this is: the hash over its source files and the version, as a module for the board."""

import hashlib
import sys
import tomllib
from pathlib import Path

from host_tools.toolchain import paths

KINDS = ("pcs", "limiters", "gensets", "bms")
_TEXT = '''"""Facts of this build, generated: HASH is the SHA-256 over the firmware's source files."""

HASH = {digest!r}
VERSION = {version!r}
PROFILES = {profiles!r}  # of meters: the modules of firmware.drivers.meters
DEVICES = {devices!r}  # of the other folders of firmware.drivers
'''


def firmware_hash(root):
    """Return 32 bytes: SHA-256 over the sorted lines "path sha256hex\\n" of root's firmware/**/*.py."""
    root = Path(root)
    lines = []
    for path in (root / "firmware").rglob("*.py"):
        lines.append(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).digest()


def version():
    """Return the project's version as text."""
    return tomllib.loads(paths.PYPROJECT.read_text())["project"]["version"]


def profiles(root, kind="meters"):
    """Return the names of the profiles of a kind in root's firmware, sorted."""
    folder = Path(root) / "firmware" / "drivers" / kind
    return tuple(sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__"))


def devices(root):
    """Return {folder: names} of the profiles that are no meter's."""
    return {kind: profiles(root, kind) for kind in KINDS}


def write_build_info(folder):
    """Write build_info.py into the folder if it is not there yet or says something else; return its path."""
    path = Path(folder) / "build_info.py"
    text = _TEXT.format(digest=firmware_hash(paths.ROOT), version=version(),
                        profiles=profiles(paths.ROOT), devices=devices(paths.ROOT))
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


if __name__ == "__main__":
    print(write_build_info(sys.argv[1]))
