"""Where everything downloaded or built lies: one ignored folder, `.cache/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "boards"
FIRMWARE = ROOT / "firmware"
PYPROJECT = ROOT / "pyproject.toml"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

CACHE = ROOT / ".cache"
LOGS = CACHE / "log"
STAMPS = CACHE / "stamps"
APT = CACHE / "apt"

VENV = CACHE / "venv"
VENV_LINK = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"

UNIX_ROOT = CACHE / "micropython"
UNIX_VM = UNIX_ROOT / "bin" / "micropython"
UNIX_VERSION = UNIX_ROOT / "VERSION"

SOURCE = CACHE / "src" / "micropython"
SOURCE_VERSION = CACHE / "src" / "VERSION"
MPY_CROSS = CACHE / "mpy-cross"

UMQTT = CACHE / "umqtt"  # a folder for sys.path
UMQTT_FILE = UMQTT / "umqtt" / "simple.py"


def board_cache(board):
    """Return the folder in which everything built for a board lies."""
    return CACHE / "boards" / board


def board_image(board):
    """Return the path of a board's firmware image."""
    return board_cache(board) / "firmware.elf"
