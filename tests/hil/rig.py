"""The whole firmware on the emulated board: put it there as an installer would, run it, command it, cut its power."""

import json
import os
import queue
import subprocess
import sys
import threading
from textwrap import dedent

from host_tools.commands import provision
from host_tools.plant import run_folder
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import Emulator

WAIT_S = 240  # for a board that hangs; nothing is asserted by it
_UART_IDS = (1, 2)  # as in the board's board.py

# What main.run() does, and a console: c cuts the open interval here and now, s stops in good order.
_RUN = """
    import gc, select, sys
    import board
    from firmware import main
    from firmware.core.task import Task
    from firmware.hal.open import open_platform
    platform = open_platform(board, "board", "/")
    platform.hear_operator = lambda: None  # the letters on this console are the test's
    station = main.build(platform)
    console = select.poll()
    console.register(sys.stdin, select.POLLIN)
    wanted = []
    def command():
        while console.poll(0):
            if sys.stdin.read(1) == "c":
                wanted.append("c")
            else:
                platform.stop = True
        if wanted and station.cutter.open_ms():  # an interval without a tick in it is not cut
            wanted.pop()
            station.cutter.cut(station.measure.snapshot)
    station.sched.add(Task("console", command, 100, 50, 9, 5000))
    chain = station.chain
    write = chain.write
    def told(interval):
        print("EVK WRITING", chain.size)
        yield from write(interval)
        print("EVK SAFE", chain.size, chain._head.prev.hex())
    chain.write = told
    if {utc_s}:
        platform.set_utc({utc_s}, 1)
    print("EVK BOOT", chain.boot, chain.size)
    station.run({until_ms})
    gc.collect()
    print("EVK HEAP", gc.mem_alloc(), gc.mem_free())
    print("EVK STATS", [list(row) for row in station.field.statistics()])
"""


class Board:
    """One board with its flash in `folder`, on the buses of a Site; files come and go with mpremote."""

    def __init__(self, folder, site, **more):
        self.folder = folder
        self.emulator = Emulator(folder / "flash.bin", {_UART_IDS[i]: port for i, port in site.ports.items()}, **more)
        self.said = []
        self._process = None
        self._ears = None
        self._news = queue.SimpleQueue()

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
        """Start the firmware, with UTC from its first tick on if given; return (boot, records) once it runs."""
        self.spawn(utc_s, until_ms)
        boot, size = self.wait_for("BOOT")
        return int(boot), int(size)

    def spawn(self, utc_s=0, until_ms=None):
        """Start the firmware, and do not wait for it."""
        self._news = queue.SimpleQueue()
        self.said = []
        self._process = self.emulator.spawn(dedent(_RUN.format(utc_s=utc_s, until_ms=until_ms)))
        self._ears = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._ears.start()

    def _listen(self, stdout):
        with stdout:
            for line in iter(stdout.readline, b""):
                text = line.decode("utf-8", "replace").rstrip()
                self.said.append(text)
                self._news.put(text)
        self._news.put(None)

    def wait_for(self, kind, text=""):
        """Return the words behind "EVK kind" of the next such line that has `text` in it."""
        while True:
            line = self._news.get(timeout=WAIT_S)
            assert line is not None, "the board ended:\n" + "\n".join(self.said[-30:])
            if line.startswith(f"EVK {kind} ") and text in line:
                return line.split(" ")[2:]

    def type(self, letter):
        """Type a letter on the board's console."""
        console = os.open(self.emulator.pty, os.O_WRONLY | os.O_NOCTTY)
        os.write(console, letter.encode())
        os.close(console)

    def cut(self):
        """Have the open interval cut and written; return how many records are safe then."""
        self.type("c")
        return int(self.wait_for("SAFE")[0])

    def stop(self):
        """Ask for an orderly end; return what end() does."""
        self.type("s")
        return self.end()

    def end(self):
        """Wait for the orderly end; return {role: [answers, time-outs, errors]} and the free bytes of the heap."""
        free = int(self.wait_for("HEAP")[1])
        rows = json.loads(" ".join(self.wait_for("STATS")))
        self._process.wait(timeout=WAIT_S)
        self._ears.join(WAIT_S)
        return {row[0]: row[1:] for row in rows}, free

    def cut_power(self):
        """Kill the emulator with whatever it is doing; return all that the board had said by then."""
        self.emulator.kill()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._ears.join(WAIT_S)
            self._process = None
        return self.said

    def pull(self):
        """Copy the journal from the board's flash; return a Journal."""
        self.emulator.mpremote("fs", "cp", "-r", ":/journal", f"{self.folder}/")
        return Journal(self.folder)

    def events(self):
        """Return the board's event log as a list of dicts."""
        self.emulator.mpremote("fs", "cp", "-r", ":/events", f"{self.folder}/")
        run_folder.collect_events(self.folder, self.folder)
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]


class Journal:
    """What was pulled from a board, seen through the host tools' command line; `records` are decoded."""

    def __init__(self, folder):
        self._keys = folder / "keys.json"
        self._folder = folder / "journal"
        self.records = [json.loads(line) for line in _tool("decode", self._folder, "--json").stdout.splitlines()]

    def verify(self):
        """Return (exit code, verdict) of `verify`, with the checkpoint that the board left as end anchor."""
        done = _tool("verify", self._folder, "--keys", self._keys, "--checkpoint",
                     self._folder / "checkpoint.txt", "--json")
        return done.returncode, json.loads(done.stdout)


def _tool(*words):
    return subprocess.run([sys.executable, "-m", "host_tools", *map(str, words)], capture_output=True, text=True,
                          cwd=paths.ROOT)
