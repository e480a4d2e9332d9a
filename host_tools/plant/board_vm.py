"""The emulated board as the machine that runs the firmware: real time, UARTs over TCP, files by mpremote.

Emulated UARTs have no baud timing: only content and counts mean anything.
"""

import json
import runpy

from host_tools.errors import ToolError
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import BOARD, LISTEN, Emulator

_START = "from firmware.main import run; run('board', '/', {until_ms})"
_BEFORE = ("site.json", "secret.bin", "factors.csv")
_END_S = 10
_TAIL_LINES = 12


class EmulatedBoard:
    """The emulated board with files of a run folder on it; `sockets` carry its UARTs by their index.

    begin(emulator), which whoever runs something on it adds, starts that; `read_fd` then carries what it prints.
    """

    def __init__(self, run_folder, ports, names):
        self._run = run_folder
        self._said = []
        uarts = runpy.run_path(str(paths.BOARDS / BOARD / "board.py"))["UARTS"]
        ids = {port: uarts[port][0] for port in ports if port < len(uarts)}
        self._emulator = Emulator(run_folder / "flash.bin", {uart: LISTEN for uart in ids.values()})
        self._emulator.start()
        try:
            files = [run_folder / name for name in names if (run_folder / name).exists()]
            self._emulator.mpremote("cp", *files, ":/")
            self.sockets = {port: self._emulator.sockets[uart] for port, uart in ids.items()}
            self.begin(self._emulator)
        except BaseException:
            self._emulator.kill()
            raise

    def hear(self, line):
        """Note a line that is no report: an error of the VM comes this way."""
        self._said.append(line)

    def died(self):
        """Return the ToolError for a firmware that ended without a word."""
        said = "\n    ".join(self._said[-_TAIL_LINES:]) or "it said nothing"
        return ToolError(f"the firmware on the board ended early:\n    {said}",
                         f"The image may be older than the sources: see {paths.board_image(BOARD)}.")

    def fetch(self, *names):
        """Fetch folders that the board has written into the run folder."""
        for name in names:
            try:
                self._emulator.mpremote("cp", "-r", f":/{name}", f"{self._run}/")
            except ToolError as error:
                self.hear(error.advice)  # it stopped before it wrote that

    def kill(self):
        """Switch it off."""
        self._emulator.kill()


class BoardVm(EmulatedBoard):
    """A board that runs the firmware."""

    def __init__(self, _kind, run_folder, _mode, until_ms):
        self._until_ms = until_ms
        EmulatedBoard.__init__(self, run_folder, _ports(run_folder), _BEFORE)

    def begin(self, emulator):
        """Start the firmware."""
        self.process = emulator.spawn(_START.format(until_ms=self._until_ms))
        self.read_fd = self.process.stdout.fileno()

    def close(self):
        """Fetch what the board has written into the run folder, then switch it off."""
        try:
            if self.process.poll() is None:
                self.process.terminate()
            self.process.wait(timeout=_END_S)
            self.fetch("journal", "events")
        finally:
            self.process.stdout.close()
            self.kill()


def _ports(run_folder):
    """Return the UARTs that the site's buses use, as far as the site makes sense."""
    try:
        return sorted({bus["uart"] for bus in json.loads((run_folder / "site.json").read_bytes())["buses"]})
    except (KeyError, TypeError, ValueError):
        return []
