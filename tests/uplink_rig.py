"""What the uplink's tests stand on: a board's folder with a real journal, a listener, a harmful proxy, a false broker.

The listener is the tests' own: it keeps the bytes, and acknowledges what it holds without a hole.
"""

import hashlib
import json
import random
import socket
import subprocess
import sys
import threading
import time

import cbor2
import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from host_tools.evidence.cose import frame_at
from host_tools.toolchain import paths
from tests import evidence_writer

SEGMENT = 96
WAIT_S = 240  # for what hangs
TYPE = "application/vnd.evenkeel.command+cbor"
VMS = {"cpython": [sys.executable], "micropython": [str(paths.UNIX_VM), "-X", "heapsize=2M"]}


class Operator:
    """A key of an operator; `seed` makes it the same each time."""

    def __init__(self, seed=1):
        self._key = ec.derive_private_key(1000 + seed, ec.SECP256R1())
        self.kid = evidence_writer.kid(self._key)
        self.number = 0

    def row(self):
        """Return its row of operators.json."""
        point = self._key.public_key().public_numbers()
        return {"kid": self.kid.hex(), "name": "test", "alg": "ES256", "x": f"{point.x:064x}", "y": f"{point.y:064x}"}

    def sign(self, kind, words, site="north", device="cab-1", **changes):
        """Return a signed order; `changes` replace keys of the payload (k5=..) or parts (header, type_)."""
        self.number += 1
        payload = {1: 1, 2: kind, 3: site, 4: device, 5: self.number, 6: 0, 7: (1 << 32) - 1, 8: words}
        payload |= {int(key[1:]): value for key, value in changes.items() if key[0] == "k"}
        header = {1: -7, 3: changes.get("type_", TYPE), 4: changes.get("named", self.kid)}
        protected = cbor2.dumps(header, canonical=True)
        body = cbor2.dumps(payload, canonical=True)
        signed = cbor2.dumps(["Signature1", protected, b"", body], canonical=True)
        r, s = decode_dss_signature(self._key.sign(signed, evidence_writer.SHA256))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, signature]), canonical=True)


class Folder:
    """A board's folder: journal in files of 96 records, events, operators."""

    def __init__(self, path, count, events=20, operator=None):
        self.path = path
        self.device = evidence_writer.Device()
        self.records = evidence_writer.day(count, 1, self.device).sealed()
        self.operator = operator or Operator()
        self.events = [b'{"seq": %d, "boot": 1, "prev": "", "code": "X", "text": "%s"}\n' % (i, b"e" * (i % 90))
                       for i in range(events)]
        (path / "events").mkdir(parents=True)
        for first in range(0, count, SEGMENT):
            (place := path / "journal" / f"{first // 1536:05d}").mkdir(parents=True, exist_ok=True)
            (place / f"{first:08d}.cbor").write_bytes(b"".join(self.records[first:first + SEGMENT]))
        for first in range(0, events, 7):
            (path / "events" / f"{first:08d}.jsonl").write_bytes(b"".join(self.events[first:first + 7]))
        self.checkpoint = evidence_writer.checkpoint(self.device, self.records)
        (path / "journal" / "checkpoint.txt").write_bytes(self.checkpoint)
        (path / "operators.json").write_text(json.dumps({"version": 1, "keys": [self.operator.row()]}))
        (path / "secret.bin").write_bytes(self.device.secret)
        facts = {"site": "north", "device": "cab-1", "size": count, "events": events}
        (path / "facts.json").write_text(json.dumps(facts | {"prev": list(self.hash_before(count))}))

    def hash_before(self, size):
        """Return the hash that record `size` carries of the one before."""
        _, protected, payload, _ = _parts(self.records[size - 1])
        return hashlib.sha256(evidence_writer.to_be_signed(protected, payload)).digest()

    def start(self, vm, port, **options):
        """Start the uplink over this folder; return the process."""
        return subprocess.Popen([*VMS[vm], "tests/uplink_device.py", str(self.path), str(port), json.dumps(options)],
                                cwd=paths.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)


def finish(process):
    """Wait for the uplink's end; return (counts, all that it said)."""
    said, _ = process.communicate(timeout=3 * WAIT_S)
    lines = said.strip().splitlines()
    assert process.returncode == 0 and lines and lines[-1].startswith("{"), said[-3000:]
    return json.loads(lines[-1]), said


def _parts(record):
    protected, unprotected, payload, signature = cbor2.loads(record).value
    return unprotected, protected, payload, signature


def split(data):
    """Return the records of a sequence."""
    found, position = [], 0
    while position < len(data):
        *_, end = frame_at(data, position)
        found.append(bytes(data[position:end]))
        position = end
    return found


class Listener:
    """Keeps what comes, each record once, and acknowledges; `mute` keeps it from that."""

    def __init__(self, port, operator, **login):
        self.operator = operator
        self.port = port
        self.records = {}
        self.twice = 0
        self.others = []  # records of another content under a number that was there
        self.kept = {"checkpoint": [], "events": [], "status": [], "answer": []}
        self.mute = False
        self._acked = 0
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "listener", protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(0.1, 0.3)
        self._client.on_connect = lambda client, *_: client.subscribe("evenkeel/#", 1)
        self._client.on_message = self._take
        if login:
            self._client.username_pw_set(login["user"], login["password"])

    def __enter__(self):
        self._client.connect_async("127.0.0.1", self.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, data, topic="command"):
        """Send a message to the board."""
        return self._client.publish(f"evenkeel/north/cab-1/{topic}", data, 1)

    def _take(self, client, userdata, message):
        kind = message.topic.split("/")[-1]
        if kind in self.kept:
            self.kept[kind].append(message.payload)
        if kind != "records":
            return
        for record in split(message.payload):
            number = cbor2.loads(_parts(record)[2])[3]
            if number in self.records:
                self.twice += 1
                if self.records[number] != record:
                    self.others.append(record)
            self.records.setdefault(number, record)
        self.acknowledge()

    def acknowledge(self):
        """Say how far the records are here without a hole."""
        size = self._acked
        while size in self.records:
            size += 1
        if size and not self.mute:
            self._acked = size
            _, protected, payload, _ = _parts(self.records[size - 1])
            before = hashlib.sha256(evidence_writer.to_be_signed(protected, payload)).digest()
            self.say(self.operator.sign(1, {1: size, 2: before}), "ack")


class Proxy:
    """A TCP proxy in front of a broker: cuts connections in the midst of packets, slows down, refuses."""

    def __init__(self, target, seed=1):
        self.target = target
        self._random = random.Random(seed)
        self.cut_within = None  # bytes after which a connection is cut, at most
        self.pause_s = 0  # behind each piece
        self.piece = 65_536
        self.deaf = False  # takes connections and says nothing
        self.connections = 0
        self.cuts = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Refuse from now on."""
        self._socket.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        if self.deaf:
            time.sleep(3)
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        left = [self._random.randrange(1, self.cut_within) if self.cut_within else None]
        ways = [threading.Thread(target=self._pipe, args=(way, left), daemon=True)
                for way in ((client, server), (server, client))]
        for way in ways:
            way.start()

    def _pipe(self, way, left):
        source, sink = way
        try:
            while data := source.recv(self.piece):
                if left[0] is not None:
                    data = data[: max(left[0], 0)]
                    left[0] -= len(data)
                sink.sendall(data)
                if left[0] is not None and left[0] <= 0:
                    self.cuts += 1
                    break
                time.sleep(self.pause_s)
        except OSError:
            pass
        for end in way:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


class LyingBroker:
    """A FAKE broker that acknowledges every publish at QoS 1 and throws it away."""

    def __init__(self, port=0):
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.swallowed = 0
        self._clients = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """End it and its connections."""
        for one in [self._socket, *self._clients]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._talk, args=(client.makefile("rb"), client), daemon=True).start()

    def _talk(self, source, client):
        try:
            while head := source.read(1):
                body = source.read(_length(source))
                if head[0] == 0x10:
                    client.sendall(b"\x20\x02\x00\x00")
                elif head[0] == 0x82:
                    client.sendall(b"\x90\x03" + body[:2] + b"\x01")
                elif head[0] & 0xF6 == 0x32:
                    at = 2 + int.from_bytes(body[:2], "big")
                    self.swallowed += 1
                    client.sendall(b"\x40\x02" + body[at:at + 2])
                elif head[0] == 0xC0:
                    client.sendall(b"\xd0\x00")
        except OSError:
            pass


def _length(source):
    total = shift = 0
    while True:
        byte = source.read(1)[0]
        total |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return total
