"""The console of a board while its procedure runs: what it prints comes out of a pipe; it hears that we are there."""

import os
import threading
import time

from host_tools.errors import ToolError

_EVERY_S = 1.0
_BREAK = b"\x03"
_BREAK_AT = 40  # seconds after which a board that does not end when asked is broken off, which ends at zero too
_GIVE_UP = 80  # and left alone
_BAUD = 115_200
_END = b"\x04"  # of the raw REPL: behind what was printed, and behind what went wrong


class Link:
    """A board at a serial port or pty, in MicroPython's raw REPL; `read_fd` ends when the program has."""

    def __init__(self, port):
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        try:
            self._transport = SerialTransport(str(port), baudrate=_BAUD)
            self._transport.enter_raw_repl()
        except (TransportError, OSError) as error:
            raise ToolError(f"the board at {port} does not answer: {error}",
                            "Check the cable and that nothing else has the port open.") from None
        self._port = port
        self._stop = self._silent = self._closed = False
        self.read_fd, self._write_fd = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def start(self, code):
        """Start a program on the board."""
        self._transport.exec_raw_no_follow(code)
        self._thread.start()

    def stop(self):
        """Have the board hear that an orderly end is wanted."""
        self._stop = True

    def break_off(self):
        """Send Ctrl-C: the program breaks off wherever it is."""
        self._transport.serial.write(_BREAK)

    def fall_silent(self):
        """Say nothing more, as a host that has died."""
        self._silent = True

    def _carry(self):
        serial = self._transport.serial
        serial.timeout = 0.1
        said_s = 0.0
        asked = 0
        ends = 0
        try:
            while not self._closed and ends < 2 and asked < _GIVE_UP:
                now_s = time.monotonic()
                if now_s - said_s >= _EVERY_S and not self._silent:
                    said_s = now_s
                    asked += self._stop
                    serial.write(_BREAK if asked == _BREAK_AT else b"s" if self._stop else b".")
                data = serial.read(serial.in_waiting or 1)
                ends += data.count(_END)
                os.write(self._write_fd, data.replace(_END, b""))
        except OSError:
            pass  # the board has gone; whoever reads the pipe sees its end
        finally:
            os.close(self._write_fd)

    def close(self):
        """Let go of the board."""
        self._closed = True
        if self._thread.is_alive():
            self._thread.join(5)
        self._transport.close()
        os.close(self.read_fd)
