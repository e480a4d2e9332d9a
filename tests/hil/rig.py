"""The whole firmware on the emulated board: put it there as an installer would, run it, command it, cut its power."""

import json
import queue
import subprocess
import threading
from textwrap import dedent

from host_tools.commands import provision
from host_tools.toolchain.emulator import Emulator

_WAIT_S = 60
_UART_IDS = (1, 2)  # as in the board's board.py
UTC_S = 1_704_067_200  # 2024-01-01T00:00:00Z, a quarter hour's start

# One letter on the console: c cuts the open interval here, s stops in good order.
_RUN = """
    import gc, select, sys
    from firmware.core.task import Task
    from firmware.hal.open import open_platform
    from firmware import main
    import board
    platform = open_platform(board, "board", "/")
    station = main.build(platform)
    console = select.poll()
    console.register(sys.stdin, select.POLLIN)
    def command():
        while console.poll(0):
            if sys.stdin.read(1) == "c":
                station.cutter.cut(station.measure.snapshot)
            else:
                platform.stop = True
    station.sched.add(Task("console", command, 100, 50, 9, 5000))
    write = station.chain.write
    def told(interval):
        yield from write(interval)
        print("EVK SAFE", station.chain.size)
    station.chain.write = told
    if {utc_s}:
        platform.set_utc({utc_s}, 1)
    print("EVK BOOT", station.chain.boot)
    station.run({until_ms})
    gc.collect()
    print("EVK STATS", [[row[0]] + list(row[1:]) for row in station.field.statistics()])
    print("EVK HEAP", gc.mem_alloc(), gc.mem_free())
"""


class Board:
    """One board with its flash in `folder`, on the buses of a Site; files come and go with mpremote."""

    def __init__(self, folder, site):
        self.folder = folder
        self.emulator = Emulator(folder / "flash.bin", {_UART_IDS[i]: port for i, port in site.ports.items()})
        self.lines = []
        self._process = None
        self._news = queue.SimpleQueue()
        self._ears = None

    def __enter__(self):
        self.emulator.start()
        return self

    def __exit__(self, *_):
        self.cut_power()

    def provision(self, config):
        """Make a secret and keys, and bring site.json and the secret onto the board's flash."""
        provision.make(self.folder, config["site"]["id"], config["site"]["device"])
        (self.folder / "site.json").write_text(json.dumps(config))
        self.emulator.mpremote("fs", "cp", self.folder / "site.json", self.folder / "secret.bin", ":/")

    def run(self, utc_s=0, until_ms=None):
        """Start the firmware; UTC is set at its first tick if given. Returns when it says that it runs."""
        self._news = queue.SimpleQueue()
        self.lines = []
        self._process = self.emulator.spawn(dedent(_RUN.format(utc_s=utc_s, until_ms=until_ms)))
        self._ears = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._ears.start()
        return int(self.wait_for("BOOT")[0])

    def _listen(self, stdout):
        with stdout:
            for line in iter(stdout.readline, b""):
                text = line.decode("utf-8", "replace").rstrip()
                self.lines.append(text)
                self._news.put(text)
        self._news.put(None)

    def wait_for(self, kind, text=""):
        """Return the words behind "EVK kind" of the next such line that has `text` in it."""
        while True:
            line = self.next_line()
            assert line is not None, "the board fell silent:\n" + "\n".join(self.lines[-30:])
            if line.startswith(f"EVK {kind}") and text in line:
                return line.split(" ", 2)[2].split()

    def next_line(self):
        """Return the next line that the board prints, None when it has ended."""
        return self._news.get(timeout=_WAIT_S)

    def say(self, letter):
        """Type a letter on the board's console."""
        self.emulator.type(letter)

    def stop(self):
        """Ask for an orderly end; return (statistics, heap bytes in use)."""
        self.say("s")
        return self.end()

    def end(self):
        """Wait for the orderly end; return (statistics by role, heap bytes in use)."""
        statistics = json.loads("".join(self.wait_for("STATS")))
        used = int(self.wait_for("HEAP")[0])
        self._process.wait(timeout=_WAIT_S)
        return {row[0]: row[1:] for row in statistics}, used

    def cut_power(self):
        """Kill the emulator with whatever it is doing; return what the board had said by then."""
        self.emulator.kill()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._ears.join(_WAIT_S)
            self._process = None
        return self.lines

    def pull(self):
        """Copy the journal from the board's flash; return its folder."""
        self.emulator.mpremote("fs", "cp", "-r", ":/journal", f"{self.folder}/")
        return self.folder / "journal"
