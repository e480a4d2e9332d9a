"""The host's end of the emulated board's network: opens TCP connections for the board, one at a time.

The frames are told in firmware/hal/net_bridge.py: 0xA5, type, generation, length, content. What a board that was cut
off or reset left behind is skipped: 0xA5 begins a frame, and a board that begins anew sends a whole frame of zeros.
"""

import contextlib
import select
import socket
import threading
import time

_MARK = 0xA5
_HEAD = 4
_MOST = 250
_TYPES = b"ODCH"
_LOOK_S = 0.2
_OPEN_S = 10
_READ = 4096


class NetBridge:
    """Serves the stream of one board's UART until it ends or close() is called. `reach(host, port)` may redirect."""

    def __init__(self, stream, reach=None):
        self._stream = stream
        self._reach = reach or (lambda host, port: (host, port))
        self._in = bytearray()  # from the board
        self._peer = None
        self._out = bytearray()  # to the peer
        self._generation = 0
        self._end = False
        self.opened = 0
        self.refused = 0
        self.moved_s = 0.0  # when something came or went last, by the monotonic clock
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        """Stop serving and hang up."""
        self._end = True
        self._thread.join()
        self._hang_up()

    def _serve(self):
        with contextlib.suppress(OSError, ValueError):  # the board's power was cut
            while not self._end and self._turn():
                pass
        self._hang_up()

    def _turn(self):
        read = [self._stream] + ([self._peer] if self._peer else [])
        write = [self._peer] if self._peer and self._out else []
        readable, writable, _ = select.select(read, write, [], _LOOK_S)
        if self._stream in readable:
            data = self._stream.recv(_READ)
            if not data:
                return False
            self._in += data
            self.moved_s = time.monotonic()
            while self._frame():
                pass
        if self._peer is not None and self._peer in writable:
            self._pour()
        if self._peer is not None and self._peer in readable:
            self._hear()
        return True

    def _frame(self):
        """Take one whole frame, or a byte that begins none; return whether there was one."""
        if self._in and (self._in[0] != _MARK or len(self._in) > 1 and self._in[1] not in _TYPES):
            del self._in[0]
            return True
        if len(self._in) < _HEAD or len(self._in) < _HEAD + self._in[3]:
            return False
        _, kind, generation, count = self._in[:_HEAD]
        content = bytes(self._in[_HEAD : _HEAD + count])
        del self._in[: _HEAD + count]
        self._take(chr(kind), generation, content)
        return True

    def _take(self, kind, generation, content):
        if kind == "H":
            self._hang_up()
            self._say("H", generation, content)
        elif kind == "O":
            self._hang_up()
            self._generation = generation
            self._open(int.from_bytes(content[:2], "big"), content[2:].decode("ascii", "replace"))
        elif generation == self._generation and kind == "D":
            self._out += content
        elif generation == self._generation and kind == "C":
            self._hang_up()

    def _open(self, port, host):
        try:
            self._peer = socket.create_connection(self._reach(host, port), _OPEN_S)
        except OSError:
            self.refused += 1
            self._say("R", self._generation, b"")
            return
        self.opened += 1
        self._peer.setblocking(False)
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._say("A", self._generation, b"")

    def _pour(self):
        try:
            del self._out[: self._peer.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost()

    def _hear(self):
        try:
            data = self._peer.recv(_MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._say("D", self._generation, data)
        else:
            self._lost()

    def _lost(self):
        self._hang_up()
        self._say("C", self._generation, b"")

    def _hang_up(self):
        if self._peer is not None:
            self._peer.close()
        self._peer = None
        self._out.clear()

    def _say(self, kind, generation, content):
        self.moved_s = time.monotonic()
        self._stream.sendall(bytes((_MARK, ord(kind), generation, len(content))) + content)
