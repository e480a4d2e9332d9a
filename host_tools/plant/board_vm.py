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


class BoardVm:
    """A running board; `read_fd` carries what the firmware prints, `sockets` its UARTs by their index."""

    def __init__(self, _kind, run_folder, _mode, until_ms):
        self._run = run_folder
        self._said = []
        uarts = runpy.run_path(str(paths.BOARDS / BOARD / "board.py"))["UARTS"]
        ids = {port: uarts[port][0] for port in _ports(run_folder) if port < len(uarts)}
        self._emulator = Emulator(run_folder / "flash.bin", {uart: LISTEN for uart in ids.values()})
        self._emulator.start()
        try:
            files = [run_folder / name for name in _BEFORE if (run_folder / name).exists()]
            self._emulator.mpremote("cp", *files, ":/")
            self.process = self._emulator.spawn(_START.format(until_ms=until_ms))
        except BaseException:
            self._emulator.kill()
            raise
        self.sockets = {port: self._emulator.sockets[uart] for port, uart in ids.items()}
        self.read_fd = self.process.stdout.fileno()

    def hear(self, line):
        """Note a line that is no report: an error of the VM comes this way."""
        self._said.append(line)

    def died(self):
        """Return the ToolError for a firmware that ended without a word."""
        said = "\n    ".join(self._said[-_TAIL_LINES:]) or "it said nothing"
        return ToolError(f"the firmware on the board ended early:\n    {said}",
                         f"The image may be older than the sources: see {paths.board_image(BOARD)}.")

    def close(self):
        """Fetch what the board has written into the run folder, then switch it off."""
        try:
            if self.process.poll() is None:
                self.process.terminate()
            self.process.wait(timeout=_END_S)
            self._fetch()
        finally:
            self.process.stdout.close()
            self._emulator.kill()

    def _fetch(self):
        for name in ("journal", "events"):
            try:
                self._emulator.mpremote("cp", "-r", f":/{name}", f"{self._run}/")
            except ToolError as error:
                self.hear(error.advice)  # it stopped before it wrote that


def _ports(run_folder):
    """Return the UARTs that the site's buses use, as far as the site makes sense."""
    try:
        return sorted({bus["uart"] for bus in json.loads((run_folder / "site.json").read_bytes())["buses"]})
    except (KeyError, TypeError, ValueError):
        return []
