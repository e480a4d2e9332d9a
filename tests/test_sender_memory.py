"""The uplink's job never ends: memory may be missing at any of its steps."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.sender import Sender

_STEPS = 400


class _Session:
    """FAKE session to a broker that refuses; the calls whose numbers are in `without` find no memory."""

    client_id = b"board"

    def __init__(self, without):
        self.without = without
        self.calls = self.starts = 0

    def _meter(self):
        self.calls += 1
        if self.calls in self.without:
            raise MemoryError

    def ms(self):
        self._meter()
        return 1000 * self.calls

    def stop(self):
        self._meter()

    def start(self, _host, _port, _tls):
        self._meter()
        self.starts += 1
        yield
        raise OSError(111)

    def set_callback(self, _hear):
        pass

    def set_last_will(self, *_):
        pass

    hear = None


@given(st.sets(st.integers(1, 60)))
def test_memory_missing_anywhere_ends_no_job(without):
    session = _Session(without)
    settings = SimpleNamespace(host="broker", port=1883, retry_ms=100, retry_max_ms=400)
    noted = []
    sender = Sender(session, settings, "site/board/", None, None, SimpleNamespace(rewind=lambda _: None), None, None,
                    SimpleNamespace(events=0), None, None, lambda *words: noted.append(words))
    job = sender.work(lambda: None)
    for _ in range(_STEPS):
        assert next(job, "ended") != "ended"
    assert session.starts > 20 and not sender.online
    assert noted and all(words[:2] == ("uplink", "LOST") for words in noted)
