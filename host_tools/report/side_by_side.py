"""Run several `simulate` processes at once, and show how far all of them are in one line."""

import collections
import re
import subprocess
import sys
import threading
import time

from host_tools.errors import ToolError
from host_tools.toolchain.paths import ROOT

_PROGRESS = re.compile(r"simulate: (\S+) of (\S+), (\d+) %, (\d+) times real time")
_KEPT_LINES = 30
_EVERY_S = 15.0
_LOOK_S = 0.2


class Child:
    """One process under a name; its last progress and its last words are kept."""

    def __init__(self, name, words):
        self.name = name
        self.percent = 0
        self.speed = 0
        self.words = collections.deque(maxlen=_KEPT_LINES)
        self.process = subprocess.Popen([sys.executable, "-m", "host_tools", *words], cwd=ROOT, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.take(line.rstrip())

    def take(self, line):
        """Take one line of output."""
        found = _PROGRESS.fullmatch(line)
        if found:
            self.percent, self.speed = int(found[3]), int(found[4])
        elif line:
            self.words.append(line)

    def running(self):
        """Tell whether it still runs."""
        return self.process.poll() is None

    def finish(self):
        """Wait for the rest of the output; ToolError with the last words if it failed."""
        code = self.process.wait()
        self._reader.join()
        if code:
            raise ToolError(f"{self.name}: simulate ended with exit code {code}\n" + "\n".join(self.words),
                            "The lines above say why; vm.log in its run folder has the firmware's own words.")

    def stop(self):
        """End it if it still runs."""
        if self.running():
            self.process.terminate()
            self.process.wait()

    def state(self):
        """Say how far it is."""
        if not self.running():
            return f"{self.name} done"
        return f"{self.name} {self.percent} %" + (f" ({self.speed} times real time)" if self.speed else "")


def run_all(commands, stream=sys.stderr):
    """Run {name: words of simulate} side by side to the end; the first that fails ends the others."""
    children = []
    try:
        for name, words in commands.items():
            children.append(Child(name, words))
        line = _StatusLine(stream)
        while any(child.running() for child in children):
            for child in children:
                if not child.running():
                    child.finish()
            line.show(children)
            time.sleep(_LOOK_S)
        line.show(children, last=True)
        for child in children:
            child.finish()
    finally:
        for child in children:
            child.stop()


class _StatusLine:
    """One line for all: rewritten in place on a terminal, else a new one every 15 s."""

    def __init__(self, stream):
        self._stream = stream
        self._terminal = stream.isatty()
        self._begin_s = self._next_s = time.monotonic()

    def show(self, children, last=False):
        """Show the state of all, if it is time to."""
        now_s = time.monotonic()
        if now_s < self._next_s and not last:
            return
        self._next_s = now_s + (_LOOK_S if self._terminal else _EVERY_S)
        text = f"{now_s - self._begin_s:4.0f} s   " + "   ".join(child.state() for child in children)
        end = "\n" if last or not self._terminal else ""
        print(f"\r\x1b[K{text}" if self._terminal else text, end=end, file=self._stream, flush=True)
