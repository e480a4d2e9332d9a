"""Start `python3 -m host_tools COMMAND ...`, in the project's own environment where one is needed."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_AGAIN = "EVENKEEL_IN_VENV"


def start():
    """Run the command line; a missing package leads into .venv, once."""
    if ROOT not in sys.path:
        sys.path.insert(0, ROOT)
    here = os.path.join(ROOT, "host_tools")
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    sys.path.append(os.path.join(here, "compat"))  # what the firmware's own tables import
    from host_tools import cli

    try:
        return cli.main(sys.argv[1:])
    except ModuleNotFoundError as error:
        return _in_own_environment(error)


def _in_own_environment(error):
    """Start again with .venv's Python; without one, say in a sentence how to get it."""
    python = os.path.join(ROOT, ".venv", "bin", "python")
    if os.environ.get(_AGAIN) or not os.path.exists(python):
        print(f"error: the Python package {error.name} is missing.", file=sys.stderr)
        print("Run `make setup` once; it makes .venv with everything the host tools need.", file=sys.stderr)
        return 2
    os.environ[_AGAIN] = "1"
    os.execv(python, [python, os.path.join(ROOT, "host_tools"), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(start())
