"""A board in virtual time that waits for the host: the whole firmware on FAKE lines, and a real network.

The board asks before it idles (tests/bench/host_pace.py), and virtual time stands still until it is answered: while
bytes move on its network it is let go at the pace of real time, so that broker and listener get to theirs.
"""

import ast
import contextlib
import json
import os
import queue
import shutil
import subprocess
import threading
import time

from host_tools.bench import bench_site
from host_tools.errors import ToolError
from host_tools.evidence.cose import frame_at
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import Emulator, lend_heap

_SITE = paths.ROOT / "host_tools" / "sites" / "hyperscale.json"
_SCRIPTS = ("uplink_late", "uplink_fill", "uplink_slices", "host_pace", "paced", "tick_watch")
_IMPORT = "import sys; sys.path.insert(0, '.frozen'); from tests.bench import "
_LAID_AT = 8 << 20  # as in tests/bench/uplink_fill.py
LENT_BYTES = 10_240  # less than the scripts take, so that the firmware has no more heap than it has without them
_BUSY_S = 0.25  # behind the last byte, before the board may run ahead of real time
_STEP_S = 0.005
_LIMIT_S = 3600  # for a board that hangs, and not for a busy host
# Writes the pieces behind the file system as files: each a name and a content behind their lengths.
_UNPACK = f"""
import mps2, os, uctypes
at = mps2.flash_addr() + {_LAID_AT}
def piece():
    global at
    n = int.from_bytes(bytes(uctypes.bytearray_at(at, 4)), "little")
    at += 4 + n
    return uctypes.bytearray_at(at - n, n)
os.mkdir("/tests")
os.mkdir("/tests/bench")
for i in range({len(_SCRIPTS)}):
    with open(bytes(piece()).decode(), "wb") as f:
        f.write(piece())
"""


def config(port, site=_SITE, **uplink):
    """Return site.json of a reference site, hyperscale by default, with an uplink to a broker of this machine."""
    made = json.loads(site.read_text())
    made["site"].update(id="north", device="cab-1")
    made["control"]["stale_ms"] = 60_000  # what a FAKE line answers never changes
    made["control"]["frozen_ms"] = 600_000
    made["uplink"] = {"host": "127.0.0.1", "port": port, "status_s": 10, "retry_s": 1, "retry_max_s": 2, "ack_s": 10,
                      **uplink}
    return made


def make_flash(path, files, records, full=False):
    """Make a flash file whose board has these files and records, and is as full as after 35 days if `full`."""
    with Emulator(path, icount=True) as board:
        _lay(path, [piece for script in _scripts(path.parent) for piece in script])
        board.exec(_UNPACK)
        named = [piece for name, content in files.items() for piece in (name.encode(), content)]
        _lay(path, [b"%d" % len(files), *named, b"%d" % len(records), *records])
        said = board.exec(f"{_IMPORT}uplink_fill as f; f.fill('north', 'cab-1', {full})", timeout=_LIMIT_S)
        return ast.literal_eval(said.strip().splitlines()[-1])


def _lay(path, pieces):
    """Write pieces behind the file system, each behind its length."""
    with open(path, "r+b") as file:
        file.seek(_LAID_AT)
        file.write(b"".join(len(piece).to_bytes(4, "little") + piece for piece in pieces))


def _scripts(folder):
    """Return [(name on the board, content)] of the scripts, compiled: the board's heap is small."""
    made = []
    for name in _SCRIPTS:
        code = folder / f"{name}.mpy"
        source = f"tests/bench/{name}.py"
        subprocess.run([paths.MPY_CROSS, "-march=armv7m", "-o", code, source], cwd=paths.ROOT, check=True)
        made.append((f"/tests/bench/{name}.mpy".encode(), code.read_bytes()))
    return made


class PacedBoard:
    """One board on a copy of `flash` in `folder`; `reach` as NetBridge's. `said` is what it has printed."""

    def __init__(self, folder, flash, site, reach=None):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(flash, folder / "flash.bin")
        lend_heap(folder / "flash.bin", LENT_BYTES)
        self.emulator = Emulator(folder / "flash.bin", icount=True, net=reach or True)
        self.said = []
        self._folder = folder
        self._site = site
        self._answer = bench_site.answerer(site)
        self._news = queue.SimpleQueue()
        self._letters = queue.SimpleQueue()
        self._pipes = []
        self._process = None

    def __enter__(self):
        for name in ("asks", "says"):
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self._folder / name)
            self._pipes.append(os.open(self._folder / name, os.O_RDWR))
        self.emulator.start()
        (self._folder / "site.json").write_text(json.dumps(self._site))
        self.emulator.mpremote("cp", self._folder / "site.json", ":/bench/site.json")
        return self

    def __exit__(self, *_):
        self.emulator.kill()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        os.write(self._pipes[0], b"\0")  # wakes whoever still reads

    def start(self, utc_s, **named):
        """Run uplink_late.main(); return (boot, records, free bytes of the heap)."""
        words = "".join(f", {name}={value!r}" for name, value in named.items())
        self._process = self.emulator.spawn(f"{_IMPORT}uplink_late as u; u.main({str(self._folder)!r}, {utc_s}{words})")
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        threading.Thread(target=self._serve, args=tuple(self._pipes), daemon=True).start()
        return tuple(map(int, self.wait_for("BOOT")))

    def _listen(self, stdout):
        for line in iter(stdout.readline, b""):
            text = line.decode("utf-8", "replace").rstrip()
            self.said.append(text)
            self._news.put(text)
        self._news.put(None)

    def _serve(self, asks, says):
        """Answer each question of the board in its time: "." may it go on, else so many bytes of a request."""
        while length := os.read(asks, 1)[0]:
            if length == ord("."):
                self._pace()
                os.write(says, b"." if self._letters.empty() else self._letters.get())
            else:
                said = self._answer(os.read(asks, length))
                os.write(says, bytes((len(said),)) + said)

    def _pace(self):
        bridge = self.emulator.bridge
        if bridge is not None and time.monotonic() - bridge.moved_s < _BUSY_S:
            time.sleep(_STEP_S)

    def wait_for(self, kind, holds=lambda words: True, limit_s=_LIMIT_S):
        """Return the words behind "EVK kind" of the next such line for which `holds(words)`."""
        end_s = time.monotonic() + limit_s
        while True:
            try:
                line = self._news.get(timeout=max(end_s - time.monotonic(), 0))
            except queue.Empty:
                raise ToolError(f"the board did not say {kind} within {limit_s:g} s", self._last()) from None
            if line is None:
                raise ToolError("the board ended", self._last())
            if line.startswith(f"EVK {kind} ") and holds(line.split(" ")[2:]):
                return line.split(" ")[2:]

    def _last(self):
        return "It said last:\n" + "\n".join(self.said[-30:])

    def cut(self):
        """Have the open interval cut, which makes a record."""
        self._letters.put(b"c")

    def stop(self):
        """End the run; return its figures."""
        self._letters.put(b"s")
        return ast.literal_eval(" ".join(self.wait_for("END")))

    def pulled(self):
        """Return the records on the board's flash, once it has stopped."""
        self._process.wait(timeout=_LIMIT_S)
        self.emulator.mpremote("fs", "cp", "-r", ":/bench/journal", f"{self._folder}/", timeout=_LIMIT_S)
        paths_found = sorted((self._folder / "journal").glob("*/[0-9]*.cbor"))
        return [frame for path in paths_found for frame in _records(path.read_bytes())]


def _records(data):
    at = 0
    while at < len(data):
        *_, end = frame_at(data, at)
        yield data[at:end]
        at = end
