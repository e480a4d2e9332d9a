"""The machine that runs the firmware in a simulation: CPython or MicroPython's unix port, a child process."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading

from host_tools.errors import ToolError
from host_tools.toolchain import build_info, paths

_HEAP = "heapsize=4M"
_SILENT_S = 120
_TAIL_LINES = 12
_START = "from firmware.main import run; run({mode!r}, {root!r}, {until_ms!r})"


class Vm:
    """A running firmware; `read_fd` and `write_fd` carry its standard output and input."""

    def __init__(self, kind, run_folder, mode, until_ms=None):
        self.kind = kind
        self._log_path = run_folder / "vm.log"
        self._stage = tempfile.mkdtemp(prefix="evenkeel-")
        self._hung = False
        self._heard = []
        self.sockets = {}  # its UARTs are ptys of the run folder
        try:
            build_info.write_build_info(self._stage)
            command, environment = self.command(mode, run_folder, self._stage, until_ms)
            self.process = self._spawn(command, environment, run_folder)
        except BaseException:
            shutil.rmtree(self._stage, ignore_errors=True)
            raise
        self.read_fd = self.process.stdout.fileno()
        self.write_fd = self.process.stdin.fileno()

    def command(self, mode, run_folder, stage, until_ms):
        """Return (argument list, environment) that start the firmware."""
        machine, environment = _machine(self.kind, stage)
        start = _START.format(mode=mode, root=str(run_folder), until_ms=until_ms)
        return [*machine, "-c", start], environment

    def _spawn(self, command, environment, folder):
        with open(self._log_path, "wb") as log:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                    cwd=folder, env={**os.environ, **environment}, bufsize=0,
                                    start_new_session=True)  # Ctrl-C is ours to answer

    def watch(self, count):
        """Kill the firmware when count() has not moved for two minutes; reading then ends. Returns stop()."""
        done = threading.Event()

        def look():
            seen = None
            while not done.wait(_SILENT_S):
                if count() == seen:
                    self._hung = True
                    self.process.kill()
                    return
                seen = count()

        threading.Thread(target=look, daemon=True).start()
        return done.set

    def hear(self, line):
        """Note a line that is no report."""
        self._heard.append(line)

    def died(self):
        """Return the ToolError for a firmware that ended without a word."""
        if self._hung:
            return ToolError(f"the firmware neither idled nor ended for {_SILENT_S} s and was stopped",
                             f"It hangs in a loop; see {self._log_path}.")
        self.process.wait()
        lines = self._heard + self._log_path.read_text(errors="replace").rstrip().splitlines()
        said = "\n    ".join(lines[-_TAIL_LINES:]) or "it said nothing"
        return ToolError(f"the firmware ended early with exit code {self.process.returncode}:\n    {said}",
                         f"All of its messages are in {self._log_path}.")

    def close(self):
        """End the process if it still runs, and remove what was made for it."""
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self._stage, ignore_errors=True)


def _machine(kind, stage):
    """Return (command, environment) of a kind of VM."""
    board = str(paths.BOARDS / "UNIX")
    if kind == "cpython":
        path = [str(paths.ROOT), str(paths.ROOT / "host_tools" / "compat"), board, stage,
                str(paths.UMQTT)]
        return [sys.executable], {"PYTHONPATH": os.pathsep.join(path)}
    if kind == "micropython":
        if not paths.UNIX_VM.exists():
            raise ToolError("the MicroPython unix VM is not set up",
                            "Set it up with `make demo` or `make test`, or use --vm cpython.")
        path = [str(paths.ROOT), board, stage, str(paths.UMQTT), ".frozen"]
        return [str(paths.UNIX_VM), "-X", _HEAP], {"MICROPYPATH": ":".join(path)}
    raise ToolError(f"--vm {kind} does not run in this mode", "Use --vm cpython or --vm micropython.")


def version_of(kind):
    """Return what the VM calls itself, as text."""
    if kind == "cpython":
        return "CPython " + sys.version.split()[0]
    if kind == "micropython" and paths.UNIX_VERSION.exists():
        return "MicroPython " + paths.UNIX_VERSION.read_text().strip()
    if kind == "qemu" and paths.SOURCE_VERSION.exists():
        return f"MicroPython {paths.SOURCE_VERSION.read_text().strip()} on QEMU_MPS2_AN385"
    return kind
