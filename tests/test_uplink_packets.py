"""The socket that umqtt is given, against a FAKE link: any pieces give the same messages, any bytes a clear error."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.errors import UplinkError
from firmware.uplink.mqtt import Session

_CAPACITY = 256
_TURNS = 1200


class Link:
    """A FAKE link: what comes is given in pieces, what goes is kept."""

    def __init__(self, data, pieces):
        self._data, self._pieces, self._turn = data, pieces, 0
        self.sent = bytearray()

    def ready(self):
        return True

    def read(self, buf, off, n):
        self._turn += 1
        n = min(n, len(self._data), self._pieces[self._turn % len(self._pieces)])
        buf[off : off + n] = self._data[:n]
        self._data = self._data[n:]
        return n

    def write(self, buf, off, n):
        self._turn += 1
        n = min(n, self._pieces[self._turn % len(self._pieces)])
        self.sent += bytes(memoryview(buf)[off : off + n])
        return n

    def close(self):
        pass


class Network:
    """Hands out one FAKE link."""

    def __init__(self, link):
        self.link = link

    def buffer(self, count):
        return bytearray(count)

    def open(self, host, port, tls):
        return self.link


def _length(n):
    out = bytearray()
    while True:
        out.append(n & 0x7F | (0x80 if n > 0x7F else 0))
        n >>= 7
        if not n:
            return bytes(out)


def _publish(topic, data, pid):
    body = len(topic).to_bytes(2, "big") + topic + pid.to_bytes(2, "big") + data
    return b"\x32" + _length(len(body)) + body


def _session(data, pieces):
    clock = iter(range(10**9))
    link = Link(b"\x20\x02\x00\x00" + data, pieces)
    session = Session(Network(link), lambda: next(clock) & 0x3FFFFFFF, b"id", _CAPACITY, answer_ms=2000)
    got = []
    session.set_callback(lambda topic, text: got.append((topic, text)))
    for _ in session.start("h", 1, None):
        pass
    return session, link, got


def _hear_all(session):
    for _ in range(_TURNS):
        if session.packets.fill():
            for _ in session.hear():
                pass
        session.packets.flush()


PIECES = st.lists(st.integers(0, 40), min_size=1, max_size=8).map(lambda pieces: [*pieces, 7])
MESSAGES = st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=300)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(MESSAGES, PIECES)
def test_any_pieces_give_the_same_messages_and_each_is_answered(messages, pieces):
    packets = [_publish(topic, data, pid) for pid, (topic, data) in enumerate(messages, 1)]
    session, link, got = _session(b"".join(packets), pieces)
    begin = len(link.sent)
    _hear_all(session)
    assert got == [message for message, packet in zip(messages, packets) if len(packet) <= _CAPACITY]
    assert session.packets.dropped == sum(len(packet) > _CAPACITY for packet in packets)
    assert link.sent[begin:] == b"".join(b"\x40\x02" + pid.to_bytes(2, "big") for pid in range(1, len(messages) + 1))


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=600), PIECES)
def test_any_bytes_end_in_a_clear_error_or_in_nothing(data, pieces):
    session, _, _ = _session(data, pieces)
    try:
        _hear_all(session)
    except (OSError, UplinkError):
        pass


@settings(max_examples=60, deadline=None)
@given(MESSAGES, PIECES, st.binary(max_size=700))
def test_a_publish_waits_for_its_own_answer_between_others(messages, pieces, payload):
    other = b"\x40\x02\x7f\x7f"  # an answer to what nobody has sent
    before = b"".join(_publish(topic, data, 9) for topic, data in messages)
    session, link, got = _session(before + other + b"\x40\x02\x00\x01", pieces)
    for _ in session.call(session.publish, b"topic", payload, False, 1):
        pass
    assert session.pid == 1 and bytes(payload) in bytes(link.sent)
    assert len(got) + session.packets.dropped == len(messages)
