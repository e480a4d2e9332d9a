"""An MQTT session by umqtt.simple, in slices: every call is a generator that yields while it waits.

umqtt itself encodes, decodes and judges; see uplink.packets for how it is kept from waiting. MQTT 3.1.1, one request
in flight, clean sessions: what a broker kept for us while we were away is asked for anew by whoever wants it.
"""

from micropython import const
from umqtt import simple

from firmware.core import ticks
from firmware.core.errors import UplinkError
from firmware.uplink.packets import Packets, Pending

_PID_MAX = const(65_000)  # umqtt counts on for ever, the protocol to 65,535
_WAIT_US = const(5_000)
_REASONS = ("", "speaks no MQTT 3.1.1", "refuses the client id", "is not available",
            "refuses user name or password", "does not authorise this client")
_DENIED = const(0x80)


class Session(simple.MQTTClient):
    """One client of one broker. `network` is hal.net's; `ms()` gives the tick."""

    def __init__(self, network, ms, client_id, receive_bytes, answer_ms=30_000):
        super().__init__(client_id, None, 1)
        self.packets = Packets(network.buffer(receive_bytes))
        self.link = None
        self.ms = ms
        self._heard_ms = 0  # tick at which something came last
        self._spoke_ms = 0  # and at which something went
        self._since_ms = 0  # we wait since then
        self._network = network
        self._answer_ms = answer_ms

    def start(self, host, port, tls):
        """Yield until the broker has accepted us. UplinkError where it refuses; OSError where it cannot be had."""
        self.pid = 0
        self._heard_ms = self._spoke_ms = self._since_ms = self.ms()
        self.link = self._network.open(host, port, tls)
        while not self.link.ready():
            self._check_time()
            yield _WAIT_US
        self.packets.attach(self.link)
        yield
        simple.socket = self.packets
        yield from self.call(self.connect)

    def stop(self):
        """Hang up at once."""
        if self.link is not None:
            self.link.close()
            self.link = None

    def call(self, request, *words):
        """Yield while a request of umqtt's is sent and answered: publish, subscribe, connect."""
        if self.pid > _PID_MAX:
            self.pid = 0
        pid = self.pid
        if self._goes_through(request, words, False):
            yield
            yield from self.sent()
            return
        yield
        yield from self.sent()
        self._since_ms = self.ms()
        while True:
            yield from self._packet()
            self.pid = pid
            ended = self._goes_through(request, words, True)
            yield
            if ended:
                return
            yield from self.sent()

    def sent(self):
        """Yield until all that waits has gone."""
        self._since_ms = self.ms()
        while not self.packets.flush():
            self._check_time()
            if self.packets.moved:
                self._spoke_ms = self._since_ms = self.ms()
            yield 0 if self.packets.moved else _WAIT_US

    def hear(self):
        """Yield while taking the packet that has come: a message goes to the callback, and is answered."""
        self._heard_ms = self.ms()
        self._goes_through(self.wait_msg, (), True)
        yield
        yield from self.sent()

    def wait_msg(self):
        """Take a packet, from its beginning on: umqtt leaves what it does not know half read."""
        self.packets.next_packet()
        return super().wait_msg()

    def quiet_ms(self):
        """Return how long nothing has come."""
        return ticks.diff(self.ms(), self._heard_ms)

    def silent_ms(self):
        """Return how long nothing has gone."""
        return ticks.diff(self.ms(), self._spoke_ms)

    def _packet(self):
        while not self.packets.fill():
            self._check_time()
            yield _WAIT_US
        self._heard_ms = self.ms()
        yield

    def _goes_through(self, request, words, mute):
        """Make a call of umqtt; return whether it came to its end."""
        self.packets.begin(mute)
        try:
            request(*words)
            return True
        except Pending:
            return False
        except simple.MQTTException as error:
            raise _refusal(error.args[0])
        except (AssertionError, IndexError, TypeError, ValueError) as error:
            raise UplinkError("PROTOCOL", "the broker sent what is no MQTT (%s); is it one?" % type(error).__name__)

    def _check_time(self):
        if ticks.diff(self.ms(), self._since_ms) > self._answer_ms:
            raise UplinkError("TIMEOUT", "the broker has not answered for %d s" % (self._answer_ms // 1000))


def _refusal(code):
    if code == _DENIED:
        return UplinkError("DENIED", "the broker lets us not subscribe; give this client its topics in its ACL")
    known = _REASONS[code] if 0 < code < len(_REASONS) else "refuses with code %d" % code
    return UplinkError("REFUSED", "the broker %s; see user and password in uplink.json" % known)
