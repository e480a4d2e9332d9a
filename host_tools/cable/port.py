"""A board at a serial port or pty: asked through its console while the firmware runs, else through MicroPython's REPL.

Both give the same: files() and read(). The firmware goes on while it is asked; nothing is stopped for a pull.
"""

import ast
import base64
import binascii
import time
from collections import deque

from host_tools.errors import ToolError

_BAUD = 115_200
_LOOK_S = 6.0  # the console is looked at once a second
_PIECE = 2048
_AHEAD = 4  # requests under way: the board keeps eight, its console some hundred letters
_MARK = b"EVK "


class Silent(Exception):
    """No answer came in time."""


def open_board(port):
    """Return a Running or an Idle board; ToolError where nothing answers at the port."""
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport

    advice = "Check the cable and that nothing else has the port open."
    try:
        transport = SerialTransport(str(port), baudrate=_BAUD)
    except (TransportError, OSError) as error:
        raise ToolError(f"the board at {port} does not answer: {error}", advice) from None
    running = Running(transport)
    try:
        running.status()
        return running
    except Silent:
        pass
    for last in (False, False, True):
        try:
            _enter(transport)
            return Idle(transport)
        except (TransportError, OSError) as error:
            if last:
                transport.close()
                what = f"the board at {port} speaks neither as firmware nor as MicroPython: {error}"
                raise ToolError(what, advice) from None


def _enter(transport):
    """Enter the raw REPL, also where a host was cut off in the middle of a program."""
    serial = transport.serial
    serial.timeout = 0.05
    serial.write(b"\x04\x03\x03")  # end what was being pasted, break what runs
    quiet_s = time.monotonic() + 0.3
    while time.monotonic() < quiet_s:
        if serial.read(serial.in_waiting or 1):
            quiet_s = time.monotonic() + 0.3
    serial.timeout = None
    transport.enter_raw_repl(soft_reset=False)
    transport.exec("pass")


class Running:
    """A board whose firmware runs: requests are lines of its console, answers are marked lines."""

    runs = True

    def __init__(self, transport):
        self._transport, self._serial = transport, transport.serial
        self._serial.timeout = 0.05
        self._rest, self._lines = b"", deque()

    def close(self):
        """Let go of the port; the firmware goes on."""
        self._transport.close()

    def status(self):
        """Return the state as JSON text."""
        self._ask("status")
        return next(self._answers("S"))

    def files(self):
        """Return {path: bytes} of the files of the evidence."""
        for _ in range(3):
            try:
                return self._files()
            except Silent:
                continue
        raise self._gone()

    def _files(self):
        self._ask("files")
        found = {}
        for text in self._answers("D"):
            if not text:
                return found
            path, size = text.rsplit(" ", 1)
            found[path] = int(size)
        raise Silent

    def read(self, path, position, size):
        """Yield the bytes of a file from `position` to `size`, in pieces, in order; asks again for what is lost."""
        asked, came, tries = position, {}, 0
        while position < size:
            while asked < size and asked < position + 192 * _AHEAD:
                self._ask(f"read {path} {asked}")
                asked += 192
            try:
                for text in self._answers("R"):
                    self._sort(text, path, came)
                    if position in came:
                        break
            except Silent:
                tries += 1
                if tries > 5:
                    raise self._gone() from None
                asked = position
                continue
            while position in came:
                tries, piece = 0, came.pop(position)
                if not piece:
                    return
                position += len(piece)
                yield piece

    def _sort(self, text, path, came):
        """Keep a piece that is whole; one spoilt on its way is as if it had not come."""
        words = text.split(" ")
        try:
            place, crc, data = int(words[1]), int(words[2]), base64.b64decode(words[3], validate=True)
        except (IndexError, ValueError):
            return
        if words[0] == path and binascii.crc32(data) == crc:
            came[place] = data

    def _ask(self, line):
        self._serial.write(f"c{line}\n".encode())

    def _answers(self, kind):
        """Yield the texts of the answers of one kind; Silent when none came for a while."""
        mark = _MARK + kind.encode() + b" "
        end_s = time.monotonic() + _LOOK_S
        while time.monotonic() < end_s:
            while self._lines:  # kept beyond one call: who breaks off here has not seen those behind
                line = self._lines.popleft().rstrip(b"\r")
                if line.startswith(mark) or line == mark.rstrip():
                    end_s = time.monotonic() + _LOOK_S
                    yield line[len(mark):].decode("ascii", "replace")
            data = self._serial.read(self._serial.in_waiting or 1)
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines.extend(lines)
        raise Silent

    def _gone(self):
        return ToolError("the board has stopped answering", "Check the cable and start again: what has come is kept.")


class Idle:
    """A board whose firmware does not run: MicroPython's raw REPL, as mpremote has it."""

    runs = False

    def __init__(self, transport):
        self._transport = transport

    def close(self):
        """Leave the REPL as it was."""
        self._transport.exit_raw_repl()
        self._transport.close()

    def files(self):
        """Return {path: bytes} of the files of the evidence."""
        return dict(ast.literal_eval(self._run(_LIST)))

    def read(self, path, position, size):
        """Yield the bytes of a file from `position` to `size`, in pieces, in order."""
        while position < size:
            piece = base64.b64decode(self._run(_READ.format(path=path, position=position, count=_PIECE)))
            if not piece:
                return
            position += len(piece)
            yield piece

    def _run(self, code):
        from mpremote.transport import TransportError

        try:
            return self._transport.exec(code).decode().strip()
        except (TransportError, OSError) as error:
            raise ToolError(f"the board has stopped answering: {error}",
                            "Check the cable and start again: what has come is kept.") from None


_LIST = """
import os
def found(folder):
    try:
        entries = list(os.ilistdir('/' + folder))
    except OSError:
        return
    for entry in entries:
        path = folder + '/' + entry[0]
        if entry[1] == 0x8000:
            yield path, entry[3]
        else:
            yield from found(path)
print(list(found('journal')) + list(found('events')))
"""
_READ = """
import binascii
with open('/{path}', 'rb') as file:
    file.seek({position})
    print(binascii.b2a_base64(file.read({count})).decode())
"""
