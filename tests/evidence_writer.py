"""Write journals for the tests of the evidence tools: an independent board, from the format alone.

Nothing of firmware or host_tools is used here; CBOR is cbor2's, signatures are cryptography's.
"""

import base64
import hashlib
import hmac
import json
import random

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
QUARTER_MS = 900_000
START_MS = 1_715_904_000_000  # 2024-05-17T00:00:00Z
ETA_PPM = 880_000
DIRECT = [0, 0, 760_000, 40_000, 800_000]
LIFECYCLE = [11_000, 45_000, 900_000, 52_000, 950_000]
SHA256 = ec.ECDSA(hashes.SHA256())


class Device:
    """A board's identity: site, device and its two keys."""

    def __init__(self, seed=1, site="north", device="cab-1"):
        self.site, self.device = site, device
        self.secret = hashlib.sha256(b"secret of a test board %d" % seed).digest()
        self.record_key = self._key(b"evenkeel record key 1")
        self.checkpoint_key = self._key(b"evenkeel checkpoint key 1")

    def _key(self, label):
        number = int.from_bytes(hmac.digest(self.secret, label + b"\0", "sha256"), "big")
        return ec.derive_private_key(number, ec.SECP256R1())

    @property
    def protected(self):
        claims = {1: self.site, 2: self.device}
        header = {1: -7, 3: "application/vnd.evenkeel.record+cbor", 4: kid(self.record_key), 15: claims}
        return cbor2.dumps(header)

    def key_rows(self):
        return [row(self, self.record_key, "record"), row(self, self.checkpoint_key, "checkpoint")]


def kid(key):
    return hashlib.sha256(spki(key)).digest()[:8]


def key_parts(key):
    point = key.public_key().public_numbers()
    return [kid(key), point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")]


def row(device, key, use, **changes):
    point = key.public_key().public_numbers()
    return {"kid": kid(key).hex(), "site": device.site, "device": device.device, "use": use, "alg": "ES256",
            "x": f"{point.x:064x}", "y": f"{point.y:064x}",
            "not_before_s": None, "not_after_s": None, "revoked_s": None} | changes


def keys_document(*devices):
    return {"version": 1, "keys": [key for device in devices for key in device.key_rows()]}


def raw_signature(key, signed, high=False):
    """Sign; r||s with low s, or with the other one."""
    r, s = decode_dss_signature(key.sign(signed, SHA256))
    if (s > ORDER // 2) != high:
        s = ORDER - s
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def raw_signature_of_digest(key, digest):
    """Sign a SHA-256 digest; r||s with low s."""
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def spki(key):
    """Encode a public key as DER SubjectPublicKeyInfo."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def to_be_signed(protected, payload):
    return cbor2.dumps(["Signature1", protected, b"", payload])


def seal(device, payload, protected=None, high=False):
    """Wrap payload bytes into a signed record."""
    protected = device.protected if protected is None else protected
    signature = raw_signature(device.record_key, to_be_signed(protected, payload), high)
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))


def apportion(lump, uses):
    """Split by largest remainder, ties to the lowest index; all to the first use if there is none."""
    total = sum(uses)
    if total == 0:
        return [lump, 0, 0, 0]
    parts = [lump * use // total for use in uses]
    order = sorted(range(4), key=lambda j: (-(lump * uses[j] % total), j))
    for j in order[: lump - sum(parts)]:
        parts[j] += 1
    return parts


class Board:
    """A board that writes one record after another; every record is kept as fields, to be changed at will."""

    def __init__(self, device=None, seed=1, start_ms=START_MS):
        self.device = device or Device()
        self.random = random.Random(seed)
        self.now_ms, self.uptime_ms, self.boot = start_ms, 5_000, 1
        energy_wh = 200_000
        self.pool = [energy_wh, energy_wh * DIRECT[4], energy_wh * LIFECYCLE[4], 0]
        self.register_wh = [5_000_000_000, 123_456, 0]  # load, grid import, grid export
        self.records = []
        self.after_restart = False
        self.successors = {}  # number of a key change: the Device whose keys sign from the next record on
        self.lines = None  # of the event log, once note_event was called

    def common(self, kind, length_ms):
        fields = {1: 1, 2: kind, 3: len(self.records), 4: self.boot, 5: None, 6: b"\1" * 32, 7: b"\2" * 32,
                  8: hashlib.sha256(b"").digest(), 9: self.now_ms, 10: length_ms, 11: self.uptime_ms,
                  12: 2, 13: 60, 14: -3}
        if self.now_ms is None:
            fields |= {12: 0, 13: None, 14: None}
        return fields

    def interval(self, length_ms=QUARTER_MS, flows=None, trueup=None, **changes):
        """Append a quarter hour; `trueup` sets the storage to that many Wh."""
        sources, uses = flows or self.flows()
        fields = self.common(1, length_ms)
        flags = (1 << 8 if sources[4] > self.pool[0] else 0) | (1 << 9 if trueup is not None else 0)
        flags |= (0 if length_ms == QUARTER_MS else 1 << 16) | (1 << 1 if self.after_restart else 0)
        meters = [[role, 9_000, 1, 0, 0, 0] for role in (0, 1, 2, 3)]
        fields |= {15: 9_000, 16: 8_999, 17: 120, 18: 0, 19: flags, 20: 0, 21: 0, 22: meters, 23: sources,
                   24: uses, 25: sum(sources) - sum(uses), 26: [apportion(wh, uses)[0] for wh in sources]}
        fields |= self.book(sources, uses, trueup)
        fields |= {31: 500, 32: DIRECT, 33: LIFECYCLE, 34: [None, None, 1], 37: [9_000, 2, 150, 0, 0],
                   39: self.registers(sources, uses), 40: self.events(), 41: None, 42: None, 43: None,
                   44: [[role, f"M-{role}" if role else None] for role in (0, 1, 2, 3)], 45: None}
        self.keep(dict(sorted(fields.items())), length_ms, changes)
        self.after_restart = False

    def flows(self):
        draw = self.random.randrange
        sources = [draw(0, 200_000), draw(0, 3), draw(0, 50_000), draw(1_000, 200_000), draw(0, 50_000)]
        given = sum(sources)
        uses = [0, draw(0, given // 3), draw(0, given // 9), draw(0, 300)]
        uses[0] = given - sum(uses) - draw(0, 50)
        return sources, uses

    def events(self):
        """State the events noted so far, or else as many as records, each with a hash of its own."""
        if self.lines is not None:
            return [len(self.lines), self.event_head]
        count = len(self.records) + 1
        return [count, hashlib.sha256(b"event %d" % count).digest()]

    def note_event(self, code, text="something happened"):
        """Write one line of the event log, chained."""
        if self.lines is None:
            self.lines, self.event_head = [], bytes(32)
        line = json.dumps({"seq": len(self.lines), "boot": self.boot, "prev": self.event_head.hex(),
                           "utc_ms": self.now_ms, "uptime_ms": self.uptime_ms, "source": "main", "code": code,
                           "text": text}).encode()
        self.lines.append(line)
        self.event_head = hashlib.sha256(self.event_head + line).digest()

    def registers(self, sources, uses):
        """Let the registers of load and grid go on by the interval's energy; the others have none."""
        rows = [[role, 0, None, None, None, None, None, None] for role in (0, 1, 2, 3)]
        begin = list(self.register_wh)
        for i, energy_wh in enumerate((uses[0], sources[3], uses[2])):
            self.register_wh[i] += energy_wh
        rows[0] = [0, 1, begin[0], self.register_wh[0], None, None, 0, None]
        rows[1] = [1, 1, begin[1], self.register_wh[1], begin[2], self.register_wh[2], 4, -1]
        return rows

    def book(self, sources, uses, trueup):
        """Keep the carbon book of one interval."""
        start = list(self.pool)
        energy, taken = start[0], min(sources[4], start[0])
        added, rest = divmod(uses[1] * ETA_PPM + start[3], 1_000_000)
        end_wh = energy - taken + added
        pool, lists = [end_wh if trueup is None else trueup], []
        for index, factors in ((1, DIRECT), (2, LIFECYCLE)):
            out = start[index] * taken // energy if energy else 0
            lumps = [wh * factor for wh, factor in zip(sources[:4], factors)]
            lumps.append(out + (sources[4] - taken) * factors[4])
            shares = [sum(column) for column in zip(*(apportion(lump, uses) for lump in lumps))]
            left = start[index] - out + shares[1]
            written_off = left if trueup == 0 else 0
            pool.append(left - written_off)
            lists.append([*shares, written_off, out])
        self.pool = [*pool, rest]
        return {27: start, 28: list(self.pool), 29: uses[1] - added, 30: pool[0] - end_wh, 35: lists[0],
                36: lists[1]}

    def gap(self, length_ms=1_234_567, reason=1, **changes):
        """Append the statement of a gap; a restart counts the boot."""
        if reason == 1:
            self.boot += 1
            self.uptime_ms = 700
        fields = self.common(2, length_ms) | {27: list(self.pool), 28: list(self.pool), 38: reason, 40: self.events()}
        uptime_ms = self.uptime_ms
        self.keep(fields, length_ms, changes)
        self.uptime_ms = uptime_ms
        self.after_restart = reason == 1

    def change_keys(self, successor, **changes):
        """Append the statement that another Device's keys sign from the next record on."""
        keys = {46: key_parts(successor.record_key), 47: key_parts(successor.checkpoint_key)}
        fields = self.common(3, 0) | {27: list(self.pool), 28: list(self.pool), 40: self.events()} | keys
        self.successors[len(self.records)] = successor
        self.keep(fields, 0, changes)

    def keep(self, fields, length_ms, changes):
        fields |= {int(key[1:]): value for key, value in changes.items()}
        self.records.append(fields)
        self.uptime_ms += length_ms or 0
        self.now_ms = None if self.now_ms is None or length_ms is None else self.now_ms + length_ms

    def sealed(self, keep=()):
        """Chain and sign all records as they are now, behind some that are kept as they are; a list of their bytes."""
        out, prev, device = [], bytes(32), self.device
        for seq, fields in enumerate(self.records):
            if fields.get(5) is None:
                fields = fields | {5: prev}
            payload = cbor2.dumps(fields)
            out.append(keep[seq] if seq < len(keep) else seal(device, payload))
            prev = hashlib.sha256(to_be_signed(device.protected, payload)).digest()
            device = self.successors.get(seq, device)
        return out


def day(count=96, seed=1, device=None):
    """Write `count` quarter hours."""
    board = Board(device, seed)
    for _ in range(count):
        board.interval()
    return board


def root(leaves):
    """Compute the RFC 6962 root the plain, recursive way."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def checkpoint(device, leaves, key=None, origin=None, size=None):
    """Write a signed end anchor over some records."""
    key = key or device.checkpoint_key
    origin = origin or f"{device.site}/{device.device}"
    size = len(leaves) if size is None else size
    text = f"{origin}\n{size}\n{base64.b64encode(root(leaves)).decode()}\n"
    blob = kid(key)[:4] + key.sign(text.encode(), SHA256)
    return f"{text}\n\u2014 {origin} {base64.b64encode(blob).decode()}\n".encode()
