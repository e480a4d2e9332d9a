"""python3 -m host_tools.toolchain NEED...: set up what is needed, each step only if something changed."""

import argparse
import fcntl
import sys
import time

from host_tools.toolchain import paths
from host_tools.toolchain.shell import SetupError, say

_OLDEST_PYTHON = (3, 11)
_NEEDS = {
    "venv": ["environment"],
    "unix": ["environment", "umqtt", "vm"],
    "qemu": ["environment", "umqtt", "board_image"],
    "broker": ["broker"],
    "browser": ["browser"],
    "hil": ["environment", "umqtt", "broker", "board_image"],
    "all": ["environment", "umqtt", "broker", "board_image", "vm", "browser"],
}


def main(arguments=None):
    """Set up the named needs; return 0, or 1 after one sentence about what is wrong."""
    options = _parser().parse_args(arguments)
    start = time.monotonic()
    try:
        _check_machine()
        with _Lock():
            _ensure(options.need)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; start again to go on where it was", file=sys.stderr)
        return 130
    say(f"{' '.join(options.need)} ready ({time.monotonic() - start:.1f} s)")
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python3 -m host_tools.toolchain", description="Set up what the project needs on this machine.",
        epilog="Example: python3 -m host_tools.toolchain venv unix")
    parser.add_argument("need", nargs="+", choices=sorted(_NEEDS), metavar="NEED",
                        help="venv: Python environment; unix: MicroPython VM; qemu: emulator and board image; broker: "
                             "mosquitto; browser: Chromium; hil: venv, qemu and broker; all: everything")
    return parser


def _check_machine():
    if sys.version_info < _OLDEST_PYTHON:
        raise SetupError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; install it and "
                         "run make PYTHON=python3.11")
    if any(letter.isspace() for letter in str(paths.ROOT)):
        raise SetupError(f"the path {paths.ROOT} has a space in it, which MicroPython's build cannot take; "
                         "clone into a folder without spaces")


def _ensure(needs):
    from host_tools.toolchain import board_image, broker, browser, environment, umqtt, vm
    steps = {"environment": environment, "umqtt": umqtt, "broker": broker, "board_image": board_image, "vm": vm,
             "browser": browser}
    wanted = {name for need in needs for name in _NEEDS[need]}
    # the source comes before the VM: the VM must be of the source's version
    for name in steps:
        if name in wanted:
            steps[name].ensure()


class _Lock:
    """Keeps two set-ups from building in the same folder at once."""

    def __enter__(self):
        paths.CACHE.mkdir(exist_ok=True)
        self._file = open(paths.CACHE / "lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running here; waiting for it")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self._file.close()


if __name__ == "__main__":
    sys.exit(main())
