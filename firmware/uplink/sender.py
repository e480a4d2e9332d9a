"""The way out: keeps a session with the broker, sends what waits, hears what comes. One endless job of short slices.

A record counts as stored when an operator's signed acknowledgement says so, not when the broker does: what has gone
and is not acknowledged in time goes again, from the first one missing.
"""

from hashlib import sha256

from micropython import const

from firmware.core import ticks
from firmware.core.errors import UplinkError
from firmware.uplink.outbox import read_slowly

_WINDOW = const(512)  # records that may be under way: what a rewind sends twice at most
_ACK_EVERY_MS = const(5000)
_IDLE_US = const(50_000)
_STEADY_MS = const(30_000)  # a session that stood so long was a good one
_REST_MS = const(60_000)
_AGAIN_US = const(1_000_000)
_RETAIN, _QOS = True, 1
_MESSAGES = const(("records", "checkpoint", "events", "status", "ack", "command", "answer"))


class Sender:
    """One board's uplink; `records` and `events` are Outboxes, `open_tls()` returns a hal.net.Tls or None."""

    def __init__(self, session, settings, topic, chain, records, events, event_log, orders, state, tell, challenge,
                 note):
        self.session = session
        self.online = False
        self.busy = False  # reading the flash, or checking a signature: no time for writing and signing
        self._more = False  # records were sent in the last turn
        self._judged_ms = 0
        self.sessions = 0
        self.failures = 0
        self.messages = 0
        self._settings = settings
        self._topics = [(topic + name).encode() for name in _MESSAGES]
        self._chain = chain
        self._records = records
        self._events = events
        self._event_log = event_log
        self._orders = orders
        self._state = state
        self._tell = tell  # tell(online) returns the state's text; tell.mode what makes it news
        self._challenge = challenge
        self._note = note
        self._noise = int.from_bytes(sha256(session.client_id).digest()[:2], "big")
        self._ms = session.ms
        self._told_ms = 0
        self._told_mode = None
        self._reported = False  # just now: whatever else is due comes before the next report
        self._ack_ms = 0  # since when we wait for an acknowledgement
        self._acked = 0
        self._patience = 0  # rewinds without one
        self._sealed = -1  # size of the checkpoint that was sent last
        self._failure = None
        self._tries = 0
        self._no_event = self._no_record = -1  # how many there were when the next one could not be read
        self._steps = (session.hear, self._judge, self._report, self._seal, self._send_events, self._send_records,
                       self._keep_alive, self._answer)
        session.set_callback(self._hear)
        session.set_last_will(self._topics[3], b'{"online": false}', _RETAIN, _QOS)
        events.rewind(state.events)

    def work(self, open_tls):
        """Yield for ever. What goes wrong is noted when it is news, and tried again, later each time."""
        while True:
            try:
                yield from self._attempt(open_tls)
            except MemoryError:
                self.online = self.busy = False  # said the next time
                yield _AGAIN_US  # garbage is collected meanwhile

    def _attempt(self, open_tls):
        """Yield while one session lasts, and for the pause behind it."""
        self.session.stop()  # where the last attempt had no memory left even for that
        began_ms = self._ms()
        failure = None
        try:
            yield from self._serve(open_tls())
        except (OSError, UplinkError, MemoryError) as error:
            failure = error
        self.online = self.busy = False
        self.failures += 1
        self._tries = 0 if ticks.diff(self._ms(), began_ms) > _STEADY_MS else self._tries + 1
        yield
        self.session.stop()
        self._fail(failure)
        left_ms = self._pause_ms(self._tries)
        while left_ms > 0:
            yield min(left_ms, _REST_MS) * 1000
            left_ms -= _REST_MS

    def _fail(self, error):
        what = error.code if isinstance(error, UplinkError) else type(error).__name__
        if what != self._failure:
            text = error.detail if isinstance(error, UplinkError) else "no way to the broker (%s)" % error
            self._note("uplink", "LOST", text + "; tried again until it is there")
            self._failure = what

    def _pause_ms(self, tries):
        """Return the pause before the next try: doubled each time, and half to once and a half of that by chance."""
        pause_ms = min(self._settings.retry_ms << min(tries, 12), self._settings.retry_max_ms)
        self._noise = (self._noise * 1103 + 12345 + (self._ms() & 0xFFFF)) & 0xFFFF  # small integers
        return pause_ms // 2 + (pause_ms >> 6) * (self._noise >> 10)

    def _serve(self, tls):
        """Yield while one session lasts."""
        settings, session = self._settings, self.session
        yield from session.start(settings.host, settings.port, tls)
        for topic in self._topics[4:6]:
            yield from session.call(session.subscribe, topic, _QOS)
        self.sessions += 1
        self.online = True
        self._rewind()
        self._told_mode = None
        self._more = False  # an acknowledgement that is still there comes first
        self._sealed = self._no_event = self._no_record = -1
        yield
        if self._failure is not None or self.sessions == 1:
            self._failure = None
            self._note("uplink", "FOUND", "the broker is there, %d records to send"
                       % (self._chain.size - self._acked))
        while True:
            what = self._due()
            if what is None:
                yield _IDLE_US
            else:
                self.busy = True
                yield from what()
                self.busy = False
                yield

    def _due(self):
        """Return what is to be done next, None for nothing. Allocates nothing: it is asked many times a second."""
        now_ms = self._ms()
        if not self._chain.at_rest:  # a record is being signed: that and anything else is too much at once
            return None
        if self.session.packets.fill():
            return self._steps[0]
        if self._orders.answer is not None:
            return self._steps[7]
        if self._orders.wanted(not self._more or ticks.diff(now_ms, self._judged_ms) > _ACK_EVERY_MS):
            return self._steps[1]
        if not self._reported and (self._challenge.spent or self._tell.mode() != self._told_mode
                                   or ticks.diff(now_ms, self._told_ms) >= self._settings.status_ms):
            return self._steps[2]
        self._reported = False
        if self._chain.size != self._sealed:
            return self._steps[3]
        if self._event_log.count > self._events.next and self._event_log.count != self._no_event:
            return self._steps[4]
        if ticks.diff(now_ms, self._ack_ms) > self._settings.ack_ms << min(self._patience, 6):
            self._lose_patience()
        self._more = self._sendable()
        if self._more:
            return self._steps[5]
        if self.session.silent_ms() > 500 * self._settings.keepalive_s:
            return self._steps[6]
        return None

    def _sendable(self):
        records, size = self._records, self._chain.size
        return size > records.next and size != self._no_record and records.next - self._acked < _WINDOW

    def _judge(self):
        yield from self._orders.work()
        self._judged_ms = self._ms()
        self._look_back()

    def _publish(self, message, data, retain=False):
        self.busy = False  # from here on we only wait
        yield
        yield from self.session.call(self.session.publish, self._topics[message], data, retain, _QOS)
        self.messages += 1

    def _report(self):
        self._told_ms, self._told_mode = self._ms(), self._tell.mode()
        self._reported = True
        text = yield from self._tell.text()
        yield
        shown = yield from self._challenge.show()
        yield
        yield from self._publish(3, text[:-1] + b', "challenge": "' + shown + b'"}', _RETAIN)

    def _seal(self):
        size = self._chain.size
        text = self._records.view  # the buffer is free between two messages
        length = yield from self._chain.read_checkpoint(read_slowly, text)
        if length:
            yield from self._publish(1, text[:length], _RETAIN)
        self._sealed = size

    def unseal(self):
        """Forget that the checkpoint was sent."""
        self._sealed = -1

    def _answer(self):
        data, self._orders.answer = self._orders.answer, None
        yield from self._publish(6, data)

    def _send_events(self):
        events, count = self._events, self._event_log.count
        size = yield from events.fill()
        if size:
            yield from self._publish(2, events.view[:size])
            events.take()
            self._state.events = events.next
        else:
            self._no_event = count

    def _send_records(self):
        records, count = self._records, self._chain.size
        size = yield from records.fill()
        if size:
            yield from self._publish(0, records.view[:size])
            if records.next <= self._acked:
                self._ack_ms = self._ms()
            records.take()
        else:
            self._no_record = count

    def _lose_patience(self):
        """Send again what nobody has acknowledged in its time."""
        self._ack_ms = self._ms()
        if self._records.next > self._acked and not self._orders.wanted(True):
            self._patience += 1
            self._rewind()

    def _rewind(self):
        self._acked = self._chain.acknowledged
        self._ack_ms = self._ms()
        self._records.rewind(self._acked)

    def _look_back(self):
        """See whether more is acknowledged than before."""
        if self._chain.acknowledged > self._acked:
            self._acked = self._chain.acknowledged
            self._ack_ms = self._ms()
            self._patience = 0
            if self._records.next < self._acked:
                self._records.rewind(self._acked)

    def _keep_alive(self):
        quiet_ms = self.session.quiet_ms()
        if quiet_ms > 1500 * self._settings.keepalive_s:
            raise UplinkError("SILENT", "the broker has been silent for %d s" % (quiet_ms // 1000))
        self.session.ping()
        yield from self.session.sent()

    def _hear(self, topic, data):
        self._orders.post(data, topic == self._topics[4], self._ms())

