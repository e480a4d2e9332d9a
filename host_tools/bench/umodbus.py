"""The package that the Modbus master is compared with: fetched from PyPI by name, compiled for the board's VM."""

import subprocess
import tarfile

from host_tools.errors import ToolError
from host_tools.toolchain import paths

NAME = "micropython-modbus"
VERSION = "2.3.7"
MODULES = ("__init__", "common", "const", "functions", "modbus", "serial", "typing", "version")
_TIMEOUT_S = 120


def compiled():
    """Return (base, files): the package's modules as .mpy below a folder in .cache; ToolError where PyPI is away."""
    base = paths.CACHE / f"{NAME}-{VERSION}"
    files = [base / "umodbus" / f"{name}.mpy" for name in MODULES]
    if not all(file.is_file() for file in files):
        _make(base)
    return base, files


def _make(base):
    package = base / "umodbus"
    package.mkdir(parents=True, exist_ok=True)
    with tarfile.open(_archive(base)) as archive:
        for name in MODULES:
            source = package / f"{name}.py"
            source.write_bytes(archive.extractfile(f"{NAME}-{VERSION}/umodbus/{name}.py").read())
            _call([paths.MPY_CROSS, source])


def _archive(base):
    found = list(base.glob("*.tar.gz"))
    if not found:
        unearth = paths.VENV / "bin" / "unearth"
        _call([unearth, f"{NAME}=={VERSION}", "-d", base])
        found = list(base.glob("*.tar.gz"))
    if not found:
        raise ToolError(f"PyPI gave no archive of {NAME} {VERSION}",
                        f"Put {NAME}-{VERSION}.tar.gz into {base}.")
    return found[0]


def _call(command):
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{command[0]}: {error}", "Run make setup; it needs PyPI.") from error
    if done.returncode:
        raise ToolError(f"{command[0]} failed: {(done.stderr or done.stdout)[-500:]}",
                        "Run make setup; it needs PyPI.")
