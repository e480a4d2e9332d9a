"""The emulated board as a context manager: QEMU with the flash in a file, UARTs on TCP, the REPL on a pty."""

import contextlib
import os
import re
import socket
import subprocess
import termios
import time
from pathlib import Path

from host_tools.errors import ToolError
from host_tools.toolchain import paths
from host_tools.toolchain.net_bridge import NetBridge

BOARD = "QEMU_MPS2_AN385"
LISTEN = "listen"
_FLASH_BYTES = 16 << 20
_LENT_MARK = b"HEVK"  # at the flash's end: behind it how much more heap the board gives (mps2/heap.c)
_UARTS = (1, 2, 3, 4)
_NET_UART = 4
_START_S = 30
_LOOK_S = 0.02
_SAID = 4000  # characters of what a board said that an error carries
_PTY = re.compile(r"redirected to (/dev/\S+) \(label serial0\)")
_PROMPT = b">>> "


def lend_heap(flash, count):
    """Have the board on this flash give `count` bytes more of heap, 16384 at most: for what only a test brings."""
    flash.touch()
    with open(flash, "r+b") as file:
        file.truncate(_FLASH_BYTES)
        file.seek(_FLASH_BYTES - 8)
        file.write(_LENT_MARK + count.to_bytes(4, "little"))


class Emulator:
    """One board. `uarts` maps UART 1..4 to a TCP port of this machine, or to LISTEN: sockets[uart] is it.
    `net` gives it a network through a NetBridge on UART 4; a function instead of True is its `reach`.

    `icount` makes virtual time follow executed instructions (8 ns each) and jump over waits: figures then
    repeat, but no wait lasts long enough for the host to answer ("paced": waits take as long as they say, so that
    a server of the host has its say, and no figure repeats). So devices must be inside the image, and a
    folder of the host cannot be mounted: copy files with mpremote("cp", ...) instead.
    """

    def __init__(self, flash, uarts=None, icount=False, image=None, net=None):
        self.flash = Path(flash)
        self.icount = icount
        self.image = Path(image) if image else paths.board_image(BOARD)
        self.log = self.flash.with_suffix(".qemu.log")
        self.uarts = dict(uarts or {})
        self._net = net
        if net:
            self.uarts[_NET_UART] = LISTEN
        self.bridge = None
        self.sockets = {}
        self.pty = None
        self._process = None
        self._hold = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Power on: start QEMU and wait for the prompt. The flash file is made if it is not there."""
        if not self.image.is_file():
            raise ToolError(f"there is no board image {self.image}", "run make setup")
        self._make_flash()
        listeners = {uart: _listener() for uart, end in self.uarts.items() if end == LISTEN}
        try:
            self._spawn({**self.uarts, **{uart: sock.getsockname()[1] for uart, sock in listeners.items()}})
            self._open_repl()
            self.sockets = {uart: self._accept(sock) for uart, sock in listeners.items()}
            if self._net:
                self.bridge = NetBridge(self.sockets[_NET_UART], self._net if callable(self._net) else None)
        except BaseException:
            self.kill()
            raise
        finally:
            for sock in listeners.values():
                sock.close()

    def _make_flash(self):
        # zeros where real flash has ones: the board goes by its own mark, not by blank bytes
        self.flash.parent.mkdir(parents=True, exist_ok=True)
        with open(self.flash, "ab") as file:
            file.truncate(_FLASH_BYTES)

    def _spawn(self, ports):
        command = ["qemu-system-arm", "-object",
                   f"memory-backend-file,id=flash,size={_FLASH_BYTES},mem-path={self.flash},share=on",
                   "-machine", "mps2-an385,memory-backend=flash", "-nographic", "-monitor", "null",
                   "-nic", "none", "-semihosting", "-kernel", str(self.image), "-serial", "pty"]
        for uart in _UARTS:
            command += ["-serial", f"tcp:127.0.0.1:{ports[uart]},nodelay=on" if uart in ports else "null"]
        if self.icount:
            command += ["-icount", f"shift=3,sleep={'on' if self.icount == 'paced' else 'off'}"]
        with open(self.log, "wb") as log:
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=subprocess.STDOUT, start_new_session=True)
            except FileNotFoundError:
                raise ToolError("qemu-system-arm is not on the PATH", "run make setup") from None

    def _open_repl(self):
        self.pty = self._wait(self._find_pty, "name its REPL's pty")
        # Kept open all the time: QEMU looks only once a second whether somebody has opened the pty.
        self._hold = os.open(self.pty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        _set_raw(self._hold)
        seen = bytearray()

        def prompt():
            with contextlib.suppress(BlockingIOError):
                seen.extend(os.read(self._hold, 4096))
            if _PROMPT not in seen:
                os.write(self._hold, b"\r")
            return _PROMPT in seen

        self._wait(prompt, "show its prompt", 0.1)
        time.sleep(_LOOK_S)
        self._drain()

    def _find_pty(self):
        found = _PTY.search(self.log.read_text(errors="replace"))
        return found and found[1]

    def _accept(self, listener):
        listener.settimeout(_START_S)
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _wait(self, look, what, every_s=_LOOK_S):
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            result = look()
            if result:
                return result
            if self._process.poll() is not None:
                raise self._failed(f"QEMU ended with exit code {self._process.returncode} at its start")
            time.sleep(every_s)
        raise self._failed(f"the emulated board did not {what} within {_START_S} s")

    def _failed(self, message):
        tail = self.log.read_text(errors="replace").strip() or "it is empty"
        return ToolError(message, f"see its log {self.log}: {tail[-400:]}")

    def _drain(self):
        with contextlib.suppress(BlockingIOError):
            while os.read(self._hold, 4096):
                pass

    @property
    def running(self):
        """Return True while QEMU runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self):
        """Cut the power: SIGKILL at whatever instruction; the flash file keeps what was written."""
        if self.bridge is not None:
            self.bridge.close()
            self.bridge = None
        for connection in self.sockets.values():
            connection.close()
        self.sockets = {}
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def mpremote(self, *words, timeout=60):
        """Run mpremote with these words; return its output, or raise ToolError with what it said."""
        command = self._command(words)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout)
        except subprocess.TimeoutExpired as error:
            said = (error.stdout or b"").decode(errors="replace")[-_SAID:]
            raise ToolError(f"mpremote {words[0]} did not end within {timeout} s, the board said:\n{said}",
                            "give it more time, or find what it waits for") from None
        if done.returncode:
            said = (done.stdout + done.stderr)[-_SAID:]
            raise ToolError(f"mpremote {words[0]} failed, it said:\n{said}", "see what the board said")
        return done.stdout.replace("\r\n", "\n")

    def spawn(self, code):
        """Start code on the board; return the mpremote process. Read its stdout, or the board stops."""
        return subprocess.Popen(self._command(("exec", code)), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _command(self, words):
        if not self.running:
            raise ToolError("the emulated board is off", "call start() first")
        self._drain()
        return [str(paths.VENV_PYTHON), "-m", "mpremote", "connect", self.pty, *map(str, words)]

    def exec(self, code, timeout=60, keep=False):
        """Run code on the board through mpremote; return what it printed. `keep`: no soft reset before."""
        return self.mpremote(*(("resume",) if keep else ()), "exec", code, timeout=timeout)

    def copy(self, files, base, timeout=300):
        """Copy files of the host below `base` to the same places on the board's flash."""
        places = {}
        for file in files:
            places.setdefault(Path(file).relative_to(base).parent, []).append(file)
        for folder in sorted({part for place in places for part in (place, *place.parents)} - {Path(".")}):
            listing = self.exec(f"import os; print({folder.name!r} in os.listdir('/{folder.parent}'))")
            if listing.strip() != "True":
                self.mpremote("mkdir", f":/{folder}")
        for place, group in places.items():
            self.mpremote("cp", *group, f":/{place}/", timeout=timeout)

    def run_file(self, path, mount=None, timeout=300):
        """Run a file of the host on the board, with the host's folder `mount` as its working directory.

        Every read of a mounted file is a round trip: files that are read in small pieces are better copied.
        """
        before = ("mount", mount) if mount else ()
        return self.mpremote(*before, "run", path, timeout=timeout)


def _listener():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(1)
    return sock


def _set_raw(fd):
    attributes = termios.tcgetattr(fd)
    attributes[0] = attributes[1] = attributes[3] = 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
