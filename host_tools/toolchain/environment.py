"""The project's Python environment: `.cache/venv`, reached as `.venv`, with pinned packages."""

import importlib.util
import os
import shutil
import sys

from host_tools.toolchain import debian, paths, stamp
from host_tools.toolchain.shell import SetupError, run


def ensure():
    """Make the environment, or bring it up to date with the pins."""
    key = "\n".join((sys.version, os.path.realpath(sys.base_prefix), str(paths.VENV),
                     stamp.files_digest(paths.REQUIREMENTS)))
    stamp.once("venv", key, [paths.VENV_PYTHON], _build)
    _link()


def _build():
    _need_ensurepip()
    shutil.rmtree(paths.VENV, ignore_errors=True)
    run("making the Python environment", [_base_python(), "-m", "venv", paths.VENV], "venv")
    run("installing the pinned Python packages",
        [paths.VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
         "-r", paths.REQUIREMENTS], "pip")


def _base_python():
    # started from inside the environment, the new one must still stand on the Python below it
    return getattr(sys, "_base_executable", None) or sys.executable


def _need_ensurepip():
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    if debian.is_debian() and _base_python().startswith("/usr/bin/"):
        debian.install(["python3-venv"])
        return
    raise SetupError(f"{sys.executable} has no venv and ensurepip; install your system's package that has "
                     "them (often python3-venv), or start with another Python: make PYTHON=/path/to/python3")


def _link():
    target = os.path.relpath(paths.VENV, paths.ROOT)
    if paths.VENV_LINK.is_symlink():
        if os.readlink(paths.VENV_LINK) == target:
            return
        paths.VENV_LINK.unlink()
    elif paths.VENV_LINK.exists():
        raise SetupError(f"{paths.VENV_LINK} is a folder of its own and the project needs that name for a "
                         "link; move it away and start again")
    paths.VENV_LINK.symlink_to(target, target_is_directory=True)
