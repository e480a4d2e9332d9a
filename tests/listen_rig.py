"""Boards that send to a listener, with paho in the place of umqtt (a fake), and a listener in a thread or process.

What they do is what firmware/uplink does: send from the first record that is not acknowledged, in order, again and
again until the listener's own signed word has come.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
import threading
import time

import cbor2
import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from host_tools.evidence import keys
from host_tools.listen.link import Link
from host_tools.listen.listener import Listener
from host_tools.listen.store import Store
from host_tools.operators import key as operator_key
from tests.evidence_writer import Device, day, keys_document

_BATCH = 8
_AGAIN_S = 1.0


def journals(boards, count, first=1):
    """Write `count` records for each of so many boards; [(Device, [bytes])]."""
    devices = [Device(first + n, "north", f"cab-{first + n}") for n in range(boards)]
    return [(device, day(count, first + n, device).sealed()) for n, device in enumerate(devices)]


def key_file(folder, found):
    """Write keys.json of these boards; its path."""
    path = folder / "keys.json"
    path.write_text(json.dumps(keys_document(*(device for device, _ in found))))
    return path


class Board:
    """One board that sends its journal; `acked` is how far the listener has said that it holds it."""

    def __init__(self, device, records, operator, again_s=_AGAIN_S):
        self.device, self.records, self._operator, self._again_s = device, records, operator, again_s
        self.acked, self.number, self.sent_s = 0, -1, -again_s

    def topic(self, kind):
        return f"evenkeel/{self.device.site}/{self.device.device}/{kind}"

    def send(self, client):
        """Send all that is not acknowledged, if nothing came of it for a while."""
        if self.acked < len(self.records) and time.monotonic() - self.sent_s > self._again_s:
            self.sent_s = time.monotonic()
            for first in range(self.acked, len(self.records), _BATCH):
                client.publish(self.topic("records"), b"".join(self.records[first:first + _BATCH]), qos=1)

    def hear(self, payload):
        """Take an acknowledgement as the firmware does: signed, newer, and about these very records."""
        protected, unprotected, body, signature = cbor2.loads(payload).value
        fields = cbor2.loads(body)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        signed = cbor2.dumps(["Signature1", protected, b"", body])
        self._operator.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        size, last = fields[8][1], fields[8][2]
        assert unprotected == {} and (fields[3], fields[4]) == (self.device.site, self.device.device)
        assert last == signed_hash(self.records[size - 1])
        if fields[5] > self.number:
            self.number, self.acked = fields[5], max(self.acked, size)


def signed_hash(raw):
    protected, _, body, _ = cbor2.loads(raw).value
    return hashlib.sha256(cbor2.dumps(["Signature1", protected, b"", body])).digest()


class Boards:
    """Some boards on one connection; each sends again what is not acknowledged `again_s` later."""

    def __init__(self, found, operator, port, name="boards", again_s=_AGAIN_S):
        public = operator._private.public_key()
        self.boards = {device.device: Board(device, records, public, again_s) for device, records in found}
        self._client = client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, clean_session=True)
        client.max_queued_messages_set(0)
        client.on_connect = lambda *_: client.subscribe([(board.topic("ack"), 1) for board in self.boards.values()])
        client.on_message = lambda _c, _u, message: self.boards[message.topic.split("/")[2]].hear(message.payload)
        client.reconnect_delay_set(1, 1)
        client.connect_async("127.0.0.1", port)

    def __enter__(self):
        self._client.loop_start()
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic, payload, retain=False):
        until(self._client.is_connected)
        self._client.publish(topic, payload, 1, retain).wait_for_publish(120)

    def send(self):
        for board in self.boards.values():
            board.send(self._client)

    def until_acknowledged(self, limit_s=600):
        """Go on sending until every board has been told that all of its records are stored."""
        end_s = time.monotonic() + limit_s
        while any(board.acked < len(board.records) for board in self.boards.values()):
            assert time.monotonic() < end_s, {name: board.acked for name, board in self.boards.items()}
            if self._client.is_connected():
                self.send()
            time.sleep(0.02)


class _Link(Link):
    """A listener's connection that says when it has subscribed: what is not retained is lost to it before."""

    def __init__(self, *words, **named):
        self.subscribed = threading.Event()
        Link.__init__(self, *words, **named)

    def _subscribed(self, *words):
        Link._subscribed(self, *words)
        self.subscribed.set()


@contextlib.contextmanager
def listening(port, url, key_path, operator, group=None, name="listener", version=5):
    """Run a Listener in a thread, once it has subscribed; what it says is in `said`."""
    said = []
    link = _Link(f"mqtt://127.0.0.1:{port}", name, group, version=version, say=said.append)
    store = Store(url)
    listener = Listener(link, store, keys.load(key_path), operator, said.append)
    listener.said, listener.store = said, store
    thread = threading.Thread(target=listener.run)
    link.start()
    thread.start()
    try:
        assert link.subscribed.wait(240), said
        yield listener
    finally:
        listener.stopping = True
        thread.join(30)
        link.stop()
        store.close()


def start_process(arguments, code=None):
    """Start `listen` as a process of its own; `code` runs in it before."""
    run = "import sys; from host_tools.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen([sys.executable, "-c", f"{code or ''}\n{run}", "listen", *arguments],
                            stderr=subprocess.PIPE, text=True)


def until(condition, limit_s=240):
    """Wait for something that will come."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def holds(store, found):
    """Assert that the store has exactly the journals, each record once, byte for byte."""
    for device, records in found:
        assert list(store.stream(device.site, device.device)) == records
        board = store.board(device.site, device.device)
        assert board.size == len(records) and board.last_hash == signed_hash(records[-1])


def new_operator(folder):
    return operator_key.new(folder / "operator.pem")
