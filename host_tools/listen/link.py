"""The connection to a broker: what comes waits in a queue; the broker is told when it is stored, not before."""

import queue
import re
import ssl
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from host_tools.errors import ToolError

_IN_FLIGHT = 2000
_HOST = re.compile(r"[0-9A-Za-z._:%-]{1,253}")
_SESSION_S = 7 * 86_400  # the broker keeps for so long what comes while this listener is away
_ADVICE = "Give the broker as mqtt://[user@]host[:port] or mqtts://..., its password in --password-file."
_KINDS = ("records", "events")  # shared by the listeners of a group; each has its own copy of the retained rest
_RETAINED = ("status", "checkpoint")


class Message:
    """One message and what it takes to acknowledge it."""

    __slots__ = ("topic", "payload", "_mid", "_qos", "_life")

    def __init__(self, message, life):
        self.topic, self.payload = message.topic, message.payload
        self._mid, self._qos, self._life = message.mid, message.qos, life


class Link:
    """One client of one broker, reconnecting by itself."""

    def __init__(self, url, client_id, group=None, password=None, ca_file=None, version=5, say=print):
        """`group` shares the records with other listeners; `version` 3 is MQTT 3.1.1, which cannot share."""
        self._address = parse(url)
        self._group, self._say, self._version = group, say, version
        self.came = queue.Queue()
        self._life = 0  # of the connection: an acknowledgement for an older one would hit a newer message
        self._host, self._port, self._client = make_client(self._address, client_id, version, password, ca_file)
        client = self._client
        client.manual_ack_set(True)
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._gone, self._take
        client.on_subscribe = self._subscribed
        client.reconnect_delay_set(1, 30)

    def start(self):
        """Connect, now or as soon as the broker is there."""
        properties = None
        options = {}
        if self._version == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = _SESSION_S
            properties.ReceiveMaximum = _IN_FLIGHT
            options = {"clean_start": False, "properties": properties}
        self._client.connect_async(self._host, self._port, keepalive=30, **options)
        self._client.loop_start()

    def stop(self):
        """Disconnect in good order."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic, payload):
        """Send one message, QoS 1, as soon as there is a connection."""
        self._client.publish(topic, payload, qos=1)

    def done(self, message):
        """Tell the broker that a message is stored, if it is still the one that it sent."""
        if message._life == self._life:
            self._client.ack(message._mid, message._qos)

    def _connected(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            self._say(f"the broker refuses: {reason}; check user, password and its access list")
            return
        self._life += 1
        share = f"$share/{self._group}/" if self._group else ""
        topics = [(f"{share}evenkeel/+/+/{kind}", 1) for kind in _KINDS]
        topics += [(f"evenkeel/+/+/{kind}", 1) for kind in _RETAINED]
        client.subscribe(topics)
        self._say("connected to the broker")

    def _subscribed(self, _client, _userdata, _mid, reasons, _properties):
        if any(reason.is_failure for reason in reasons):
            self._say("the broker's access list denies this listener a topic below evenkeel/; allow it to read there")

    def _gone(self, _client, _userdata, _flags, reason, _properties):
        self._life += 1
        if reason.is_failure:
            self._say(f"the broker has gone ({reason}); trying again")

    def _take(self, _client, _userdata, message):
        self.came.put(Message(message, self._life))


def make_client(address, client_id, version, password, ca_file, clean=False):
    """Return (host, port, paho's client) for a parsed address."""
    protocol = mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311
    options = {} if version == 5 else {"clean_session": clean}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=protocol, **options)
    if address.username:
        client.username_pw_set(address.username, password)
    if address.scheme == "mqtts":
        client.tls_set(ca_certs=ca_file, cert_reqs=ssl.CERT_REQUIRED)
    return address.hostname, address.port or (8883 if address.scheme == "mqtts" else 1883), client


def parse(url):
    """Return a broker's address taken apart; ToolError where it cannot be one, or holds a password."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        address = None
    if not address or address.scheme not in ("mqtt", "mqtts") or not _HOST.fullmatch(address.hostname or ""):
        raise ToolError("the broker's address cannot be used", _ADVICE)
    if address.password:
        raise ToolError("the broker's address holds a password, where others can read it", _ADVICE)
    if port is not None and not 0 < port < 65536:
        raise ToolError("the broker's port cannot be used", _ADVICE)
    return address
