"""A month as a board leaves it, written by the firmware's own chain, journal, event log and checkpoints; made once.

The energies are those of tests/evidence_writer.py; the keys sit in a secure element (OpenSSL), so that 2,900 records
take seconds. In it: three restarts, a clock step, a change of keys on the fifteenth, a witness every midnight.
"""

import functools
import json
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.core.types import Interval
from firmware.log.chain import CHECKPOINT_PATH, Chain
from firmware.log.event_log import EventLog
from host_tools.evidence import cosignature
from host_tools.evidence.fields import NAMES
from host_tools.evidence.references import firmware_hash
from host_tools.evidence.source import units_of_bytes
from tests.device.memory_files import MemoryFiles
from tests.evidence_writer import Board, Device, keys_document, kid, raw_signature_of_digest, spki
from tests.record_examples import ROOT, drain

DAYS = 30
_OF_THE_CHAIN = set(range(1, 9)) | {46, 47}
A_DAY = 96
START_S = 1_715_904_000
SITE = json.dumps({
    "ratings": {"load_w": 2_000_000, "wind_w": 1_000_000, "pv_w": 100_000, "genset_w": 400_000, "grid_w": 1_000_000,
                "bess_w": 1_000_000, "charge_efficiency_permille": 880, "discharge_efficiency_permille": 1000},
    "factors": {"wind": {"direct_mg_per_kwh": 0, "lifecycle_mg_per_kwh": 11_000},
                "genset": {"direct_mg_per_kwh": 760_000, "lifecycle_mg_per_kwh": 900_000}}}).encode()
TABLE = b"".join(b"%010d,0040000,0052000,1\n" % (START_S + 3600 * hour) for hour in range(24 * DAYS + 4))
WITNESS, WITNESS_KEY = "witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CONFIG, FACTORS = sha256(SITE).digest(), sha256(TABLE).digest()
FIRMWARE = firmware_hash(str(ROOT / "firmware"))


class _Slot:
    """One key in the element."""

    def __init__(self, private):
        self._private = private
        self.spki = spki(private)
        self.kid = kid(private)
        self.signature = b""

    def sign(self, digest):
        """Sign at once."""
        self.signature = raw_signature_of_digest(self._private, digest)
        yield


class Element:
    """A keyring as firmware/log/signer.py says, over the keys of Devices."""

    def __init__(self, device, successor=None):
        self._pairs = [self._pair(each) for each in (device, successor) if each]
        self.signers, self.next, self.news = None, None, []

    def _pair(self, device):
        return _Slot(device.record_key), _Slot(device.checkpoint_key)

    def open(self, named):
        """Take the pair that the journal goes on with."""
        yield
        self.signers = next((pair for pair in self._pairs if pair[0].kid == named), self._pairs[0])

    def stage(self):
        """Offer the other pair."""
        yield
        self.next = self._pairs[1]

    def promote(self):
        """Use it."""
        self.signers, self.next = self.next, None


class Month:
    """Its files as they lie on the board: records (one by one), checkpoint, event lines; and the keys."""

    def __init__(self, seed=1, device=None, successor=None):
        self.device, self.successor = device or Device(1), successor or Device(7)
        self.board = Board(self.device, seed)
        self.files = MemoryFiles()
        self.log = EventLog(self.files)
        drain(self.log.open(None))
        self.keyring = Element(self.device, self.successor)
        self.start()

    def start(self):
        """Let the board start, once more."""
        self.chain = Chain(self.files, self.device.site, self.device.device, FIRMWARE, CONFIG, FACTORS, self.keyring)
        drain(self.chain.open())
        self.note("BOOT")

    def note(self, code):
        """Append one event."""
        line = json.dumps({"utc_ms": self.board.now_ms, "uptime_ms": self.board.uptime_ms, "source": "main",
                           "code": code, "text": "of the month"})
        drain(self.log.append(self.chain.boot, [line]))

    def write(self):
        """Let the chain write what the board has made last."""
        fields = self.board.records[-1]
        interval = Interval(fields[2])
        for key in fields.keys() - _OF_THE_CHAIN:
            setattr(interval, NAMES[key], fields[key])
        interval.events = [self.log.count, self.log.head]
        if fields[2] == 1:
            interval.flags &= ~(1 << 1)
        if fields[2] == 3:
            drain(self.chain.stage_keys(interval))
        drain(self.chain.write(interval))
        fields[40] = interval.events

    def day(self, number):
        """Write one day, and what happens on it."""
        for quarter in range(A_DAY):
            if number in (3, 11, 22) and quarter == 40:
                self.board.gap(900_000)
                self.start()
                self.write()
            if number == 8 and quarter == 20:
                self.board.gap(0, reason=2)
                self.write()
            if number == 14 and quarter == 0:
                self.board.change_keys(self.successor)
                self.write()
            if quarter % 8 == 0:
                self.note("STATE")
            age_s = self.board.now_ms // 1000 % 3600
            self.board.interval(_34=[self.board.now_ms // 1000 - age_s, age_s, 1])
            self.write()
        self.witness()

    def witness(self):
        """Let a witness cosign the checkpoint, and tell the board."""
        note = self.checkpoint()
        line = cosignature.cosign(WITNESS, WITNESS_KEY, note.split(b"\n\n")[0] + b"\n", self.board.now_ms // 1000)
        self.files.replace("witness.txt", note + line.encode() + b"\n")

    def records(self):
        """Return all records so far, one by one."""
        names = sorted(name for name in self.files.content if name.startswith("journal/0") and name.endswith(".cbor"))
        return [item.raw for item in units_of_bytes(b"".join(self.files.content[name] for name in names))]

    def checkpoint(self):
        """Return the checkpoint as it lies on the board."""
        return self.files.content[CHECKPOINT_PATH]

    def events(self):
        """Return the lines of the event log."""
        names = sorted(name for name in self.files.content if name.startswith("events/0"))
        return b"".join(self.files.content[name] for name in names).splitlines()

    def keys(self):
        """Return the key file: the first pair alone."""
        return keys_document(self.device)


@functools.cache
def month():
    """Write the month, once a session."""
    made = Month()
    for number in range(DAYS):
        made.day(number)
    return made
