"""The socket that umqtt is given: it never waits, and hands over a packet only when the whole of it has come.

umqtt sends a request and then reads until its answer has come, in one call. Here each such call is made twice: the
first sends, and is broken off by Pending where it begins to read; the second, once a packet has come whole, sends
nothing (it is muted until it reads) and finds its answer. If that packet was another one, the second is made again.
"""

from micropython import const

_COPY_MAX = const(128)  # longer pieces are sent from where they lie, and must stay as they are until they have gone
_PIECE = const(512)  # bytes moved in one slice
_LENGTH_MAX = const(4)  # bytes that a packet's length may take
_PUBLISH = const(0x30)
_EPROTO = const(71)


class Pending(Exception):
    """umqtt wants to read what has not come yet."""


class Packets:
    """One connection's packets; packets longer than `buffer` are acknowledged, dropped and counted."""

    def __init__(self, buffer):
        self._in = buffer
        self._view = memoryview(self._in)
        self._have = 0  # bytes that have come
        self._at = 0  # read so far
        self._end = 0  # of the packet that is being read
        self._skip = 0  # bytes of a packet that is dropped, still to come
        self._allowed = 0  # packets that may be read in this call: a slice must end
        self._mute = False
        self._out = []
        self._out_at = 0  # bytes of the first piece that have gone
        self._link = None
        self.moved = 0  # bytes that the last flush() could send
        self.dropped = 0

    def attach(self, link):
        """Begin a connection over a link of hal.net."""
        self._link = link
        self._have = self._at = self._end = self._skip = 0
        self._out.clear()
        self._out_at = 0

    def begin(self, mute):
        """Prepare for one call of umqtt; `mute`: it is made again, for its answer."""
        self._mute = mute
        self._allowed = 1 if mute else 0

    def flush(self):
        """Send a piece of what waits; return whether nothing waits any more. OSError where the link is gone."""
        if self._out:
            piece = self._out[0]
            self.moved = self._link.write(piece, self._out_at, min(len(piece) - self._out_at, _PIECE))
            self._out_at += self.moved
            if self._out_at == len(piece):
                self._out.pop(0)
                self._out_at = 0
        return not self._out

    def fill(self):
        """Take a piece of what has come; return whether a whole packet waits. OSError where the link is gone."""
        if self._at and self._at == self._end:
            rest = self._have - self._end
            self._in[:rest] = self._in[self._end : self._have]
            self._have, self._at, self._end = rest, 0, 0
        room = len(self._in) - self._have
        if self._skip:
            self._skip -= self._link.read(self._in, self._have, min(self._skip, room, _PIECE))
            return False
        if room:
            self._have += self._link.read(self._in, self._have, min(room, _PIECE))
        total = self._whole()
        if total > len(self._in):
            if self._have == len(self._in):
                self._drop(total)
            return False
        return 0 < total <= self._have

    def _whole(self):
        """Return the length of the first packet, 0 while its head has not come."""
        total = 0
        for i in range(1, _LENGTH_MAX + 1):
            if i >= self._have:
                return 0
            byte = self._in[i]
            total |= (byte & 0x7F) << 7 * (i - 1)
            if not byte & 0x80:
                return total + i + 1
        raise OSError(_EPROTO)

    def _drop(self, total):
        """Forget a packet that is longer than the buffer, and say to the broker that it has come."""
        self.dropped += 1
        head = 2
        while self._in[head - 1] & 0x80:
            head += 1
        at = head + 2 + (self._in[head] << 8 | self._in[head + 1])
        if self._in[0] & 0xF6 == _PUBLISH | 2 and at + 2 <= self._have:
            self._out.append(b"\x40\x02" + bytes(self._in[at : at + 2]))
        self._skip = total - self._have
        self._have = 0

    # What umqtt calls.

    def socket(self):
        """Return itself: the connection is there already."""
        return self

    def getaddrinfo(self, host, port):
        """Return nothing that counts: the connection is there already."""
        return ((None,),)

    def connect(self, address):
        """Do nothing: the connection is there already."""

    def setblocking(self, flag):
        """Do nothing: this never waits."""

    def close(self):
        """Do nothing: whoever made the link closes it."""

    def write(self, data, n=None):
        """Have the first `n` bytes sent, all by default; in a call that is made for its answer, nothing."""
        if self._mute:
            return
        n = len(data) if n is None else n
        if n:
            self._out.append(bytes(data[:n]) if n <= _COPY_MAX else memoryview(data)[:n])

    def next_packet(self):
        """Leave what nobody has read of a packet."""
        self._at = self._end

    def read(self, n):
        """Return `n` bytes of the packet that has come; Pending where none may be begun in this call."""
        if n == 0:
            return b""  # of an empty message, whose packet ends here
        if self._at == self._end:
            if not self._allowed or self._at:
                raise Pending
            self._allowed = 0
            self._end = self._whole()
            self._mute = False
        if not 0 <= n <= self._end - self._at:
            raise OSError(_EPROTO)
        self._at += n
        return bytes(self._view[self._at - n : self._at])
