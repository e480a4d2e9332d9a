"""A real mosquitto for the tests: started on a free port, killed, started again on the same one."""

import socket
import subprocess
import time

from host_tools.toolchain import broker

_START_S = 120
_LOOK_S = 0.02


def free_port():
    """Return a TCP port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """One mosquitto; `settings` are lines of its configuration behind the listener's own."""

    def __init__(self, folder, settings=("allow_anonymous true",), port=None):
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "mosquitto.log"
        self._settings = settings
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Start it and wait until it takes connections."""
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join([f"listener {self.port} 127.0.0.1", "user root", *self._settings, ""]))
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([broker.find(), "-c", path], stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT)
        end = time.monotonic() + _START_S
        while not _listens(self.port):
            assert self._process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(_LOOK_S)

    def kill(self):
        """End it at once, as a crash would: what it had in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def set(self, settings):
        """Change the lines of its configuration; they count from the next start on."""
        self._settings = settings


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
