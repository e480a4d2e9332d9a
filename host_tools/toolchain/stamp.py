"""Stamps: a step of the set-up is done again only when what it was made from has changed."""

import hashlib

from host_tools.toolchain import paths

_SKIP = {"__pycache__", ".mypy_cache"}


def files_digest(*roots):
    """Return a hex digest over names and contents of every file below the given files and folders."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(_files(root)):
            digest.update(f"{path.relative_to(paths.ROOT)}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(root):
    if root.is_file():
        return [root]
    return [path for path in root.rglob("*") if path.is_file() and not _SKIP & set(path.parts)]


def once(name, key, outputs, build):
    """Run `build()` unless stamp `name` holds `key` and every output exists; return True if it ran."""
    path = paths.STAMPS / name
    if path.is_file() and path.read_text() == key and all(output.exists() for output in outputs):
        return False
    path.unlink(missing_ok=True)
    build()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(key)
    return True
